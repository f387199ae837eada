#include "lakemill/language/target_check.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <unordered_map>

#include "lakemill/base/path_pattern.h"
#include "lakemill/base/text.h"
#include "lakemill/language/shape_check.h"
#include "lakemill/language/streams.h"
#include "lakemill/language/written_tables.h"

namespace lakemill::language {

namespace {

constexpr std::string_view kStateFolder = "_lakemill";

std::string target_of(const Node& node, const Sink& sink) {
  switch (sink.kind) {
    case SinkKind::file:
      return sink.path.empty() ? "" : "path " + sink.path;
    case SinkKind::table: {
      if (sink.table.table.empty()) return {};
      TableName name = sink.table;
      if (name.schema.empty()) {
        constexpr std::array<std::string_view, 4> kSchemas = {"default", "bronze",
                                                              "silver", "gold"};
        name.schema = kSchemas[static_cast<std::size_t>(node.layer)];
      }
      return "table " + name.to_text();
    }
    case SinkKind::pipeline_view:
      return sink.view_name.empty() ? "" : "view " + sink.view_name;
  }
  return {};
}

class TargetCheck {
 public:
  TargetCheck(const Pipeline& pipeline, const OwnFiles& own, FileReader& reader,
              Diagnostics& diagnostics)
      : pipeline_(pipeline), own_(own), reader_(reader), diagnostics_(diagnostics) {}

  void run() {
    note_places();
    for (std::size_t i = 0; i < pipeline_.nodes.size(); ++i) {
      const Node& node = pipeline_.nodes[i];
      path_ = "nodes[" + std::to_string(i) + "]";
      check_rows(node);
      check_ignore(node);
      for (const Source& source : node.sources) {
        check_own_sink(node, source);
        check_view_source(source);
        check_stored_view(node, source);
      }
      for (const Sink& sink : node.sinks) {
        check_folder(sink);
        if (keeps_own_files(sink)) check_folder_around(node, sink);
        check_shared(node, sink);
      }
    }
  }

 private:
  struct Target {
    const Node* node;
    const Sink* sink;
  };

  void fault(const Location& location, const std::string& message,
             const std::string& hint) {
    diagnostics_.error(location, path_, message, hint);
  }

  // Where a sink writes, under one name for each place; empty where it is no path.
  std::string real_place(const Sink& sink) {
    if (!sink.place.starts_with(kPathPlace)) return "";
    std::string place = sink.place.substr(kPathPlace.size());
    while (place.size() > 1 && place.ends_with('/')) place.pop_back();
    return place.find("://") == std::string::npos ? reader_.real_path(place) : place;
  }

  void note_places() {
    for (const std::string& file : own_.files) {
      own_files_.emplace(reader_.real_path(file), file);
    }
    for (const std::string& pattern : own_.patterns) {
      own_patterns_.push_back(real_pattern(pattern));
    }
    for (const Node& node : pipeline_.nodes) {
      for (const Sink& sink : node.sinks) {
        std::string place = real_place(sink);
        if (place.empty()) continue;
        if (is_folder(sink)) folders_.emplace(place, Target{&node, &sink});
        places_.emplace(&sink, std::move(place));
      }
    }
  }

  static bool is_table(const Sink& sink) {
    return sink.kind == SinkKind::table ? !sink.is_view()
                                        : sink.format == FileFormat::delta;
  }

  static bool is_folder(const Sink& sink) {
    return is_table(sink) ||
           (sink.kind == SinkKind::file && sink.mode == SinkMode::append);
  }

  // A table's vacuum deletes the files of its folder that are none of its own, and who
  // reads a folder of appended files takes what is in it.
  void check_folder_around(const Node& node, const Sink& sink) {
    const auto place = places_.find(&sink);
    if (place == places_.end()) return;
    std::string folder = folder_above(place->second);
    for (; !folder.empty(); folder = folder_above(folder)) {
      const auto found = folders_.find(folder);
      if (found == folders_.end()) continue;
      const Target& around = found->second;
      const std::string writer =
          around.node == &node ? "the same node" : "node '" + around.node->name + "'";
      const bool in_table = is_table(*around.sink);
      fault(sink.location,
            "the sink" + at_path(path_) + " lies in the folder " +
                (in_table ? "of the table that " + writer + " writes"
                          : "that " + writer + " appends files to") +
                " (" + folder + ")" +
                (in_table ? ", whose vacuum would delete it"
                          : ", and would be taken for one of them"),
            "name a place beside that folder");
      return;
    }
  }

  static std::string folder_above(const std::string& place) {
    const std::size_t slash = place.rfind('/');
    if (slash == std::string::npos || slash == 0) return "";
    return place.substr(0, slash);
  }

  // What pipelines are read from must outlive their runs.
  bool keeps_own_files(const Sink& sink) {
    const auto found = places_.find(&sink);
    if (found == places_.end()) return true;
    const std::string& place = found->second;
    auto file = own_files_.find(place);
    if (file == own_files_.end() && is_table(sink)) {  // the next one is in its folder
      file = own_files_.lower_bound(place + "/");
      if (file != own_files_.end() && !file->first.starts_with(place + "/")) {
        file = own_files_.end();
      }
    }
    const bool is_read_later =
        std::any_of(own_patterns_.begin(), own_patterns_.end(),
                    [&](const auto& text) { return fits_pattern(place, text); });
    if (file != own_files_.end()) {
      fault(sink.location,
            "the sink" + at_path(path_) + " would overwrite or delete " + file->second +
                ", which the pipeline or its project is read from",
            "name another place");
    } else if (is_read_later && !is_table(sink)) {
      fault(sink.location,
            "the sink" + at_path(path_) +
                " lies where pipelines of the project or their tests are read from (" +
                place + ")",
            "name another place");
    } else {
      return true;
    }
    return false;
  }

  std::string real_pattern(const std::string& pattern) {
    const std::string folder(fixed_folder(pattern));
    if (folder.empty()) return path_from(reader_.real_path("."), pattern);
    return reader_.real_path(folder) + pattern.substr(folder.size());
  }

  void check_rows(const Node& node) {
    const bool has_rows = !node.sources.empty() || !node.steps.empty();
    if (has_rows || node.sinks.empty()) return;
    fault(node.location,
          "the node '" + node.name + "' writes, but has nothing to write",
          "give it a source, or a transformer whose first step is SQL");
  }

  // A run that leaves one sink alone would have to forget that it did.
  void check_ignore(const Node& node) {
    const auto is_written = [](const Sink& sink) { return !sink.is_quarantine; };
    if (std::count_if(node.sinks.begin(), node.sinks.end(), is_written) < 2) return;
    for (const Sink& sink : node.sinks) {
      if (sink.mode != SinkMode::ignore) continue;
      fault(sink.location,
            "mode IGNORE" + at_path(path_) +
                " is of a node with one sink, and this one has more",
            "give the sink a node of its own that reads '" + node.name + "'");
    }
  }

  void check_own_sink(const Node& node, const Source& source) {
    if (!source.reads_own_sink) return;
    const bool is_table =
        source.kind == SourceKind::table || source.format == FileFormat::delta;
    if (!is_table) {
      fault(source.location,
            "the node '" + node.name + "' reads what it writes: its own source at " +
                source.path,
            "write to another place, outside of the folders and patterns that the "
            "node's sources name");
    } else if (is_incremental(node, source)) {
      fault(source.location,
            "the node '" + node.name +
                "' reads the table that it writes as a stream, which would never end",
            "write to another table, or read it as a whole: as_stream: false");
    }
  }

  // A stored view has no files or versions that a source could tell what is new by.
  void check_view_source(const Source& source) {
    if (source.kind != SourceKind::table || source.written_by.empty()) return;
    const Node* writer = pipeline_.find_node(source.written_by.front());
    if (writer == nullptr || !writer->is_view()) return;
    const std::string name = source.table.to_text();
    fault(source.location,
          name + " is a view, which no source reads by its name" + at_path(path_),
          "write node_name: " + writer->name + ", or name it in the SQL of a step");
  }

  // A stored view is SQL that others run, who know tables only.
  void check_stored_view(const Node& node, const Source& source) {
    const Sink* sink = node.primary_sink();
    const bool reads_table =
        source.kind == SourceKind::table || source.kind == SourceKind::pipeline_node ||
        (source.kind == SourceKind::file && source.format == FileFormat::delta);
    if (sink == nullptr || sink->kind != SinkKind::table || !sink->is_view() ||
        reads_table) {
      return;
    }
    const bool inline_rows = source.kind == SourceKind::dataframe;
    fault(source.location,
          "a view can read tables only, and node '" + node.name + "' reads " +
              (inline_rows ? "rows that are written in place" : "what is no table"),
          "land it in a table by a node of its own first, or write table_type: TABLE");
  }

  void check_folder(const Sink& sink) {
    if (!sink.place.starts_with(kPathPlace)) return;
    const std::string place = sink.place.substr(kPathPlace.size());
    const std::string folder =
        std::filesystem::path(pipeline_.folder).lexically_normal().string();
    const bool is_above = place == folder || place == "." || place == "/" ||
                          folder.starts_with(place + "/");
    if (is_above) {
      fault(sink.location,
            "the sink" + at_path(path_) + " is the folder that the pipeline is in (" +
                place + ")",
            "name a folder or a file below it");
      return;
    }
    const auto parts = split(place, '/');
    if (std::find(parts.begin(), parts.end(), kStateFolder) != parts.end()) {
      fault(sink.location,
            "the sink" + at_path(path_) + " lies in the folder " +
                std::string(kStateFolder) + ", where Lakemill keeps its own state",
            "name another folder");
    }
  }

  // Two nodes that write one place would overwrite each other.
  void check_shared(const Node& node, const Sink& sink) {
    const std::string name = target_of(node, sink);
    if (name.empty()) return;
    const auto place = places_.find(&sink);
    const auto [found, is_new] = targets_.emplace(place != places_.end() ? place->second
                                                  : sink.place.empty()   ? name
                                                                         : sink.place,
                                                  Target{&node, &sink});
    if (is_new || (sink.shared && found->second.sink->shared)) return;
    fault(sink.location,
          "the nodes '" + found->second.node->name + "' and '" + node.name +
              "' write the same place: " + name.substr(name.find(' ') + 1),
          "give each its own, or write shared: true in both sinks");
  }

  const Pipeline& pipeline_;
  const OwnFiles& own_;
  FileReader& reader_;
  Diagnostics& diagnostics_;
  std::string path_;
  std::unordered_map<const Sink*, std::string> places_;  // those that are paths
  std::unordered_map<std::string, Target> folders_;      // by place
  std::map<std::string, std::string> own_files_;         // as read, by place
  std::vector<std::string> own_patterns_;
  std::unordered_map<std::string, Target> targets_;
};

}  // namespace

void check_targets(const Pipeline& pipeline, const OwnFiles& own, FileReader& reader,
                   Diagnostics& diagnostics) {
  TargetCheck(pipeline, own, reader, diagnostics).run();
}

}  // namespace lakemill::language
