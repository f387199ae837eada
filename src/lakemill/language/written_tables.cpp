#include "lakemill/language/written_tables.h"

#include <algorithm>
#include <filesystem>
#include <unordered_map>

#include "lakemill/base/path_pattern.h"
#include "lakemill/language/embedded_sql.h"
#include "lakemill/language/file_reader.h"
#include "lakemill/language/sql_text.h"

namespace lakemill::language {

namespace {

struct Writer {
  std::string node;
  bool is_quarantine = false;
};

using Writers = std::unordered_map<std::string, std::vector<Writer>>;

std::string normal_path(const std::string& folder, const std::string& path) {
  if (path.find("://") != std::string::npos) return path;
  std::string normal =
      std::filesystem::path(path_from(folder, path)).lexically_normal().string();
  while (normal.size() > 1 && normal.ends_with('/')) normal.pop_back();
  return normal;
}

std::string_view default_schema(Layer layer) {
  switch (layer) {
    case Layer::bronze:
      return "bronze";
    case Layer::silver:
      return "silver";
    case Layer::gold:
      return "gold";
    case Layer::none:
      break;
  }
  return "default";
}

// What is written and read, under names that are equal where the places are.
class Places {
 public:
  Places(const Pipeline& pipeline, const Project& project)
      : pipeline_(pipeline), project_(project) {}

  std::string of_path(const std::string& path) const {
    return std::string(kPathPlace) + normal_path(pipeline_.folder, path);
  }

  // Of SQL, whose paths are relative to the project.
  std::string of_project_path(const std::string& path) const {
    const std::string& folder =
        project_.folder.empty() ? pipeline_.folder : project_.folder;
    return std::string(kPathPlace) + normal_path(folder, path);
  }

  std::string of_table(const TableName& name, Layer layer) const {
    return "table " + full_name(name, layer);
  }

  std::string full_name(const TableName& name, Layer layer) const {
    const std::string& catalog = name.catalog.empty() ? project_.catalog : name.catalog;
    return catalog + "." + schema_of(name, layer) + "." + name.table;
  }

  // The folder of a table of the catalog, which a path may name too.
  std::string folder_of_table(const TableName& name, Layer layer) const {
    const std::string schema = schema_of(name, layer);
    for (const auto& [known, options] : project_.layers) {
      const std::string of_layer =
          options.schema.empty() ? std::string(default_schema(known)) : options.schema;
      if (of_layer != schema || options.root.empty()) continue;
      return std::string(kPathPlace) +
             normal_path(project_.folder, options.root + "/" + name.table);
    }
    const std::string& catalog = name.catalog.empty() ? project_.catalog : name.catalog;
    const std::string root = project_.root.empty() ? "." : project_.root;
    return std::string(kPathPlace) +
           normal_path(project_.folder,
                       root + "/" + catalog + "/" + schema + "/" + name.table);
  }

 private:
  std::string schema_of(const TableName& name, Layer layer) const {
    if (!name.schema.empty()) return name.schema;
    const auto found = project_.layers.find(layer);
    if (found != project_.layers.end() && !found->second.schema.empty()) {
      return found->second.schema;
    }
    return std::string(default_schema(layer));
  }

  const Pipeline& pipeline_;
  const Project& project_;
};

Writers writers_of(const Pipeline& pipeline, const Places& places) {
  Writers writers;
  for (const Node& node : pipeline.nodes) {
    for (const Sink& sink : node.sinks) {
      const Writer writer{node.name, sink.is_quarantine};
      if (sink.kind == SinkKind::file && !sink.path.empty()) {
        writers[places.of_path(sink.path)].push_back(writer);
      }
      if (sink.kind == SinkKind::table && !sink.table.table.empty()) {
        writers[places.of_table(sink.table, node.layer)].push_back(writer);
        writers[places.folder_of_table(sink.table, node.layer)].push_back(writer);
      }
    }
  }
  return writers;
}

// The files that sinks write, which a folder or a pattern may take in.
class WrittenFiles {
 public:
  WrittenFiles(const Pipeline& pipeline, const Places& places) : places_(places) {
    for (const Node& node : pipeline.nodes) {
      for (const Sink& sink : node.sinks) {
        if (sink.kind != SinkKind::file || sink.path.empty()) continue;
        files_.push_back({path_of(sink), {node.name, sink.is_quarantine}});
      }
    }
  }

  std::vector<Writer> read_by(const Source& source) const {
    std::vector<Writer> writers;
    const bool reads_files = source.kind == SourceKind::file && !source.path.empty() &&
                             source.format != FileFormat::delta;
    if (!reads_files) return writers;
    const std::string path = places_.of_path(source.path);
    for (const File& file : files_) {
      if (is_in(file.path, path)) writers.push_back(file.writer);
    }
    return writers;
  }

 private:
  struct File {
    std::string path;
    Writer writer;
  };

  // A table is a folder of files; APPEND of others is one with a file for each batch.
  std::string path_of(const Sink& sink) const {
    const std::string path = places_.of_path(sink.path);
    if (sink.format != FileFormat::delta && sink.mode != SinkMode::append) return path;
    return path + "/batch." + std::string(extension_of(sink.format));
  }

  static std::string_view extension_of(FileFormat format) {
    if (format == FileFormat::csv) return "csv";
    if (format == FileFormat::json) return "json";
    return format == FileFormat::jsonl ? "jsonl" : "parquet";
  }

  static bool is_in(std::string_view file, std::string_view source) {
    const bool by_pattern = is_pattern(source);
    const std::string_view folder = by_pattern ? fixed_folder(source) : source;
    if (file.size() <= folder.size() + 1 || !file.starts_with(folder) ||
        file[folder.size()] != '/') {
      return false;
    }
    return !is_hidden_path(file.substr(folder.size() + 1)) &&
           (!by_pattern || fits_pattern(file, source));
  }

  const Places& places_;
  std::vector<File> files_;
};

// The place that a source reads; empty where no sink can be meant.
std::string place_of(const Source& source, const Node& node, const Places& places) {
  if (source.version || !source.timestamp.empty()) return "";
  if (source.kind == SourceKind::file && !source.path.empty()) {
    return places.of_path(source.path);
  }
  if (source.kind == SourceKind::table && !source.table.table.empty()) {
    return places.of_table(source.table, node.layer);
  }
  return "";
}

// The place that a sink writes to, of a table its folder.
std::string place_of(const Sink& sink, const Node& node, const Places& places) {
  if (sink.kind == SinkKind::file && !sink.path.empty()) {
    return places.of_path(sink.path);
  }
  if (sink.kind == SinkKind::table && !sink.table.table.empty()) {
    return places.folder_of_table(sink.table, node.layer);
  }
  return "";
}

// Makes the writers come before the node.
void add_needs(Node& node, const std::vector<Writer>& writers,
               const Location& location) {
  for (const Writer& writer : writers) {
    const bool known =
        std::any_of(node.depends_on.begin(), node.depends_on.end(),
                    [&](const Name& name) { return name.text == writer.node; });
    if (writer.node == node.name || writer.node.empty() || known) continue;
    node.depends_on.push_back({writer.node, location});
  }
}

bool is_among(const std::vector<Writer>& writers, const Node& node) {
  return !node.name.empty() &&
         std::any_of(writers.begin(), writers.end(),
                     [&](const Writer& writer) { return writer.node == node.name; });
}

class SqlLinks {
 public:
  SqlLinks(const TableNamer& namer, const Writers& writers, const Places& places)
      : namer_(namer), writers_(writers), places_(places) {}

  void link(Node& node) const {
    for (const Source& source : node.sources) {
      text(node, source.filter, SqlForm::expression);
    }
    for (const Step& step : node.steps) {
      if (step.is_sql()) {
        text(node, step.sql(), SqlForm::query);
        continue;
      }
      for (const EmbeddedSql& embedded : embedded_sql(step.method())) {
        text(node, {embedded.sql, embedded.scalar.location, false},
             SqlForm::expression);
      }
    }
    for (const Sink& sink : node.sinks) {
      if (!sink.merge_cdc_options) continue;
      text(node, sink.merge_cdc_options->delete_where, SqlForm::expression);
      text(node, sink.merge_cdc_options->truncate_where, SqlForm::expression);
    }
    for (const Expectation& expectation : node.expectations) {
      if (is_dataframe_expectation(expectation)) continue;
      text(node, expectation.expression, SqlForm::expression);
    }
  }

 private:
  void text(Node& node, const SourceText& sql, SqlForm form) const {
    if (sql.text.find('.') == std::string::npos &&
        sql.text.find('(') == std::string::npos) {
      return;  // names no table of the catalog
    }
    for (const TableMention& mention : namer_(sql_as_in_a_run(sql.text), form)) {
      const auto found = writers_.find(key_of(mention, node));
      if (found == writers_.end()) continue;
      add_needs(node, found->second, place_in(sql, mention.offset));
    }
  }

  std::string key_of(const TableMention& mention, const Node& node) const {
    if (mention.place.empty()) return places_.of_table(mention.table, node.layer);
    return places_.of_project_path(mention.place);
  }

  const TableNamer& namer_;
  const Writers& writers_;
  const Places& places_;
};

}  // namespace

std::string table_place(const TableReference& table, const std::string& folder,
                        const Project& project) {
  if (!table.path.empty()) {
    return std::string(kPathPlace) + normal_path(folder, table.path);
  }
  const Pipeline none;
  return Places(none, project).folder_of_table(table.table, Layer::none);
}

std::vector<UsedTable> used_tables(const Pipeline& pipeline, const Project& project) {
  const Places places(pipeline, project);
  std::vector<UsedTable> tables;
  const auto add_table = [&](const TableName& name, const Node& node, bool is_written) {
    if (name.table.empty()) return;
    tables.push_back({places.full_name(name, node.layer),
                      places.folder_of_table(name, node.layer), node.name, is_written});
  };
  const auto add_folder = [&](const std::string& path, FileFormat format,
                              const Node& node, bool is_written) {
    if (path.empty() || format != FileFormat::delta) return;
    tables.push_back({path, places.of_path(path), node.name, is_written});
  };
  for (const Node& node : pipeline.nodes) {
    for (const Sink& sink : node.sinks) {
      if (sink.kind == SinkKind::table) add_table(sink.table, node, true);
      if (sink.kind == SinkKind::file) add_folder(sink.path, sink.format, node, true);
    }
    for (const Source& source : node.sources) {
      if (source.kind == SourceKind::table) add_table(source.table, node, false);
      if (source.kind == SourceKind::file) {
        add_folder(source.path, source.format, node, false);
      }
    }
  }
  return tables;
}

void link_written_tables(Pipeline& pipeline, const Project& project,
                         const TableNamer& namer) {
  const Places places(pipeline, project);
  const Writers writers = writers_of(pipeline, places);
  const WrittenFiles written_files(pipeline, places);
  for (Node& node : pipeline.nodes) {
    for (Sink& sink : node.sinks) sink.place = place_of(sink, node, places);
    for (Source& source : node.sources) {
      const std::vector<Writer> of_files = written_files.read_by(source);
      add_needs(node, of_files, source.location);
      source.reads_own_sink = is_among(of_files, node);
      const auto found = writers.find(place_of(source, node, places));
      if (found == writers.end()) continue;
      source.reads_own_sink = source.reads_own_sink || is_among(found->second, node);
      for (const Writer& writer : found->second) {
        const bool known = std::find(source.written_by.begin(), source.written_by.end(),
                                     writer.node) != source.written_by.end();
        if (writer.node == node.name || writer.node.empty() || known) continue;
        source.written_by.push_back(writer.node);
        source.reads_quarantine = writer.is_quarantine;
      }
    }
    for (const Expectation& expectation : node.expectations) {
      if (expectation.to_table.table.empty()) continue;
      const auto found =
          writers.find(places.of_table(expectation.to_table, node.layer));
      if (found == writers.end()) continue;
      add_needs(node, found->second, expectation.location);
    }
    if (namer) SqlLinks(namer, writers, places).link(node);
  }
  for (Trigger& trigger : pipeline.orchestration.triggers) {
    if (auto* table = std::get_if<TableTrigger>(&trigger.what)) {
      table->table.place = table_place(table->table, pipeline.folder, project);
    }
  }
  for (TablePolicy& policy : pipeline.orchestration.maintenance.tables) {
    policy.table.place = table_place(policy.table, pipeline.folder, project);
  }
}

}  // namespace lakemill::language
