#include "lakemill/flow/source_opening.h"

#include "lakemill/base/text.h"
#include "lakemill/engine/file_options.h"
#include "lakemill/flow/declared_schema.h"
#include "lakemill/flow/file_arguments.h"
#include "lakemill/flow/postgres_opening.h"
#include "lakemill/flow/written_schema.h"
#include "lakemill/language/streams.h"
#include "lakemill/sinks/file_sink.h"
#include "lakemill/sources/file_listing.h"
#include "lakemill/sources/file_source.h"
#include "lakemill/sources/rows_source.h"
#include "lakemill/sources/table_source.h"

namespace lakemill::flow {

namespace {

Error at(const language::Location& location, ErrorCode code,
         const std::string& message) {
  return {code, to_text(location) + ": " + message};
}

// What a table holds of the files it is made of, or nothing before the first batch: the
// schema that later files are held to, or that tells the types of columns of nulls.
Result<std::optional<data::Schema>> landed_schema(const Workspace& workspace,
                                                  const language::Node& node) {
  const language::Sink* sink = node.primary_sink();
  if (sink == nullptr) return std::optional<data::Schema>();
  LAKEMILL_TRY(const Place place, place_of(workspace, node, *sink));
  if (!place.is_delta) return std::optional<data::Schema>();
  LAKEMILL_TRY(const auto snapshot, newest_snapshot(workspace, place));
  if (snapshot == nullptr) return std::optional<data::Schema>();
  data::Schema schema;
  for (const data::Field& field : snapshot->metadata().schema.fields) {
    if (field.name.starts_with('_')) continue;
    data::Field plain{field.name, field.type, true};
    schema.fields.push_back(std::move(plain));
  }
  return std::optional<data::Schema>(std::move(schema));
}

// Whether the columns of the files are those of a Delta table, as they are.
bool lands_as_it_is(const language::Node& node, const language::Source& source) {
  const language::Sink* sink = node.primary_sink();
  if (sink == nullptr || !node.steps.empty() || !source.selects.empty() ||
      !source.renames.empty() || !source.drops.empty()) {
    return false;
  }
  return sink->kind == language::SinkKind::table
             ? sink->table_type == language::TableType::table
             : sink->kind == language::SinkKind::file &&
                   sink->format == language::FileFormat::delta;
}

bool rescues(const language::Node& node) {
  const language::Sink* sink = node.primary_sink();
  if (sink == nullptr || sink->kind == language::SinkKind::pipeline_view) return false;
  if (sink->schema_evolution == language::SchemaEvolution::unset) {
    return node.layer == language::Layer::bronze &&
           (sink->kind == language::SinkKind::table ||
            sink->format == language::FileFormat::delta);
  }
  return sink->schema_evolution == language::SchemaEvolution::rescue;
}

Result<engine::FilesRelation> files_relation(const Workspace& workspace,
                                             const language::Node& node,
                                             const language::Source& source,
                                             language::FileFormat format) {
  engine::FilesRelation relation;
  relation.format = engine_format(format);
  relation.has_header = source.has_header;
  relation.infer_schema = source.infer_schema;
  relation.options = file_options(source.reader_options);
  for (const language::MethodCall& method : source.reader_methods) {
    relation.options[method.arguments[0].text] = method.arguments[1].text;
  }
  LAKEMILL_TRY(relation.schema, declared_schema(workspace, source));
  relation.rescue = rescues(node) && node.layer == language::Layer::bronze;
  if (relation.rescue && !relation.schema && node.steps.empty() &&
      source.selects.empty() && source.renames.empty() && source.drops.empty()) {
    LAKEMILL_TRY(relation.schema, landed_schema(workspace, node));
  }
  if (finds_out_types(relation) && lands_as_it_is(node, source)) {
    LAKEMILL_TRY(relation.known_types, landed_schema(workspace, node));
  }
  return relation;
}

// A stored view has no files or versions that a source could tell what is new by.
Status check_no_view(const Workspace& workspace, const Place& place,
                     const language::Location& location) {
  const auto name = workspace.catalog.resolve(place.name);
  if (!place.in_catalog || !name) return {};
  LAKEMILL_TRY(const bool is_table, workspace.catalog.table_exists(*name));
  if (is_table || !workspace.catalog.get_view(*name)) return {};
  return at(location, ErrorCode::invalid,
            place.name + " is a view; read it in the SQL of a step (FROM " +
                place.name + "), or by the node that writes it (node_name)");
}

// The flow that writes what a source reads: the first of the nodes that do.
std::string writer_flow(const Workspace& workspace, const language::Source& source) {
  return source.written_by.empty() ? "" : flow_id(workspace, source.written_by.front());
}

Result<std::int64_t> count_rows(const Workspace& workspace,
                                const engine::FilesRelation& files) {
  LAKEMILL_TRY(const auto session,
               workspace.engine.open_session(session_options(workspace, {}, {}, {})));
  LAKEMILL_TRY_OK(session->bind("files", files));
  LAKEMILL_TRY(const data::Rows rows, session->query("SELECT count(*) FROM files",
                                                     engine::Origin::lakemill, 1));
  return std::get<std::int64_t>(rows.rows[0][0]);
}

void set_bounds(const language::BatchLimits& limits, sources::TableSourceSpec& spec) {
  spec.rows_max = limits.max_rows.value_or(0);
  spec.bytes_max = limits.max_bytes.value_or(0);
  spec.files_max = limits.max_files.value_or(0);
}

// Of a source that reads a Delta table, by its name or by its path.
Result<Leaf> open_table_leaf(const Workspace& workspace, const Place& place,
                             const language::Source& source, const std::string& id,
                             bool incremental) {
  sources::TableSourceSpec spec{place.name,
                                incremental,
                                source.version,
                                {},
                                writer_flow(workspace, source),
                                source.read_changes};
  set_bounds(source.limits, spec);
  if (!source.timestamp.empty()) {
    auto instant = parse_instant(source.timestamp);
    if (!instant) {
      return at(source.location, ErrorCode::invalid, instant.error().message());
    }
    spec.timestamp = *instant;
  }
  LAKEMILL_TRY(auto table, open_table(workspace, place));
  return Leaf{id, sources::make_table_source(std::move(spec), std::move(table)), ""};
}

sources::FileBase file_base(const Workspace& workspace) {
  const std::string& folder = workspace.pipeline.folder;
  const std::string& root = workspace.project.folder;
  return {folder, root.empty() ? folder : root};
}

Result<Leaf> open_file_leaf(const Workspace& workspace, const language::Node& node,
                            const language::Source& source, FlowState& state,
                            const std::string& id, bool incremental) {
  LAKEMILL_TRY(const Place place, place_of(workspace, node, source));
  if (place.is_delta) {
    return open_table_leaf(workspace, place, source, id, incremental);
  }
  sources::FileSourceSpec spec;
  spec.url = place.url;
  LAKEMILL_TRY(spec.relation, files_relation(workspace, node, source, place.format));
  spec.incremental = incremental;
  spec.roots = workspace.roots;
  spec.changed_are_new = source.on_change == language::OnChange::read;
  spec.files_max = source.limits.max_files.value_or(0);
  spec.bytes_max = source.limits.max_bytes.value_or(0);
  spec.rows_max = source.limits.max_rows.value_or(0);
  spec.count_rows = [&workspace](const engine::FilesRelation& files) {
    return count_rows(workspace, files);
  };
  return Leaf{id,
              sources::make_file_source(std::move(spec), workspace.stores,
                                        state.arrivals(id, file_base(workspace))),
              ""};
}

}  // namespace

bool finds_out_types(const engine::FilesRelation& files) {
  if (files.schema || files.rescue) return false;
  return files.format == engine::FileFormat::json ||
         files.format == engine::FileFormat::jsonl ||
         (files.format == engine::FileFormat::csv && files.infer_schema);
}

engine::FileFormat engine_format(language::FileFormat format) {
  switch (format) {
    case language::FileFormat::csv:
      return engine::FileFormat::csv;
    case language::FileFormat::json:
      return engine::FileFormat::json;
    case language::FileFormat::jsonl:
      return engine::FileFormat::jsonl;
    case language::FileFormat::text:
      return engine::FileFormat::text;
    case language::FileFormat::binaryfile:
      return engine::FileFormat::binaryfile;
    default:
      return engine::FileFormat::parquet;
  }
}

// How files are read that were written with the sink's options.
std::map<std::string, std::string> options_as_written(const language::Sink& sink) {
  const engine::FileFormat format = engine_format(sink.format);
  std::map<std::string, std::string> options;
  for (const auto& [name, value] : file_options(sink.writer_options)) {
    const auto written = engine::writer_option(format, name);
    const bool header = written && *written == engine::FileOption::header;
    if (header) {
      options["header"] = value;
    } else if (engine::reader_option(format, name)) {
      options[name] = value;
    }
  }
  return options;
}

Result<Leaf> open_upstream(const Workspace& workspace, const language::Node& upstream,
                           FlowState& state, const std::string& id, bool incremental,
                           const language::BatchLimits& limits) {
  const language::Sink& sink = *upstream.primary_sink();
  LAKEMILL_TRY(const Place place, place_of(workspace, upstream, sink));
  if (place.is_delta) {
    LAKEMILL_TRY(auto table, open_table(workspace, place));
    Leaf leaf{id, nullptr, upstream.name, incremental};
    const auto snapshot = table->latest();
    if (snapshot) {
      sources::TableSourceSpec table_spec{
          place.name, incremental, {}, {}, flow_id(workspace, upstream)};
      set_bounds(limits, table_spec);
      leaf.source = sources::make_table_source(std::move(table_spec), std::move(table));
    } else if (snapshot.error().code() != ErrorCode::not_found) {
      return snapshot.error();
    }
    return leaf;
  }
  sources::FileSourceSpec spec;
  spec.url = place.url;
  spec.relation.format = engine_format(place.format);
  spec.relation.options = options_as_written(sink);
  if (sink.mode == language::SinkMode::append) {
    spec.is_own = [format = spec.relation.format](std::string_view name) {
      return sinks::is_batch_file(name, format);
    };
  }
  LAKEMILL_TRY(const auto written, sources::list_files(workspace.stores, place.url));
  // A folder of appended files may have columns of all times.
  if (written.size() == 1 && written[0].path == place.url) {
    LAKEMILL_TRY(spec.relation.schema, written_schema(workspace, upstream));
  }
  spec.incremental = incremental;
  spec.roots = workspace.roots;
  spec.files_max = limits.max_files.value_or(0);
  spec.bytes_max = limits.max_bytes.value_or(0);
  spec.rows_max = limits.max_rows.value_or(0);
  spec.count_rows = [&workspace](const engine::FilesRelation& files) {
    return count_rows(workspace, files);
  };
  spec.of_node = true;
  const auto log = state.arrivals(id, file_base(workspace));
  Leaf leaf{id, sources::make_file_source(std::move(spec), workspace.stores, log),
            upstream.name, incremental};
  if (incremental) LAKEMILL_TRY_OK(log->refresh());
  if (written.empty() && log->last() == 0) leaf.source = nullptr;
  return leaf;
}

Result<Leaf> open_leaf(const Workspace& workspace, const language::Node& node,
                       const language::Source& source, FlowState& state,
                       const std::string& id, Reading reading) {
  const bool incremental =
      reading == Reading::as_declared && language::is_incremental(node, source);
  switch (source.kind) {
    case language::SourceKind::dataframe: {
      LAKEMILL_TRY(std::string rows, dataframe_rows(source.data));
      return Leaf{id, sources::make_rows_source(std::move(rows)), ""};
    }
    case language::SourceKind::file:
      return open_file_leaf(workspace, node, source, state, id, incremental);
    case language::SourceKind::pipeline_node: {
      const language::Node* upstream = workspace.pipeline.find_node(source.node_name);
      if (upstream == nullptr) {
        return at(source.location, ErrorCode::invalid,
                  "no node '" + source.node_name + "'");
      }
      return open_upstream(workspace, *upstream, state, id, incremental, source.limits);
    }
    case language::SourceKind::postgres: {
      LAKEMILL_TRY(auto opened, open_postgres(workspace, node, source, state, id));
      return Leaf{id, std::move(opened), ""};
    }
    case language::SourceKind::table:
      break;
  }
  LAKEMILL_TRY(const Place place, place_of(workspace, node, source));
  LAKEMILL_TRY_OK(check_no_view(workspace, place, source.location));
  return open_table_leaf(workspace, place, source, id, incremental);
}

}  // namespace lakemill::flow
