#include <algorithm>
#include <set>

#include "lakemill/base/text.h"
#include "lakemill/data/type_text.h"
#include "lakemill/language/delta_arguments.h"
#include "lakemill/language/model_builder.h"
#include "lakemill/language/shape_check.h"

namespace lakemill::language {

namespace {

SinkMode mode_of(const std::string& mode) {
  if (mode == "OVERWRITE") return SinkMode::overwrite;
  if (mode == "APPEND") return SinkMode::append;
  if (mode == "IGNORE") return SinkMode::ignore;
  if (mode == "ERROR" || mode == "ERRORIFEXISTS") return SinkMode::error;
  if (mode == "COMPLETE") return SinkMode::complete;
  if (mode == "UPDATE") return SinkMode::update;
  if (mode == "MERGE") return SinkMode::merge;
  return SinkMode::unset;
}

MergeCdcOptions read_merge(const Fields& fields) {
  MergeCdcOptions merge;
  merge.location = fields.location();
  merge.primary_keys = fields.texts("primary_keys");
  merge.scd_type = static_cast<int>(fields.integer("scd_type").value_or(1));
  merge.order_by = fields.texts("order_by");
  merge.delete_where = fields.source_text("delete_where");
  merge.truncate_where = fields.source_text("truncate_where");
  merge.include_columns = fields.texts("include_columns");
  merge.exclude_columns = fields.texts("exclude_columns");
  merge.ignore_null_updates = fields.flag("ignore_null_updates", false);
  merge.null_equals_null = fields.flag("null_equals_null", false);
  merge.start_at_column_name =
      fields.text("start_at_column_name", merge.start_at_column_name);
  merge.end_at_column_name =
      fields.text("end_at_column_name", merge.end_at_column_name);
  merge.track_history_columns = fields.texts("track_history_columns");
  merge.track_history_except_columns = fields.texts("track_history_except_columns");
  if (fields.choice("delete_mode") == "SOFT") merge.delete_mode = DeleteMode::soft;
  if (const auto retention = fields.duration("state_retention")) {
    merge.state_retention = *retention;
  }
  return merge;
}

// The columns that the options `keys` of `fields` name.
void add_named_columns(const Fields& fields,
                       std::initializer_list<std::string_view> keys,
                       std::vector<NamedColumn>& columns) {
  for (const std::string_view key : keys) {
    for (Name& name : fields.names(key)) {
      columns.push_back({std::string(key), std::move(name)});
    }
  }
}

void check_named_once(const std::vector<NamedColumn>& columns, const std::string& path,
                      BuildContext& context) {
  for (auto column = columns.begin(); column != columns.end(); ++column) {
    const bool again =
        std::any_of(columns.begin(), column, [&](const NamedColumn& earlier) {
          return earlier.option == column->option &&
                 equals_ignoring_case(earlier.column.text, column->column.text);
        });
    if (!again) continue;
    context.diagnostics.error(column->column.location, below(path, column->option),
                              column->option + at_path(path) + " names column '" +
                                  column->column.text + "' twice",
                              "");
  }
}

void add_property_places(const Fields& fields, std::vector<Name>& places) {
  const Tree* properties = fields.find("properties");
  if (properties == nullptr) return;
  for (const TreeEntry& entry : properties->entries) {
    if (entry.value.is_scalar()) places.push_back({entry.key, entry.value.location});
  }
}

void check_merge(const MergeCdcOptions& merge, const Fields& fields,
                 const std::string& path, BuildContext& context) {
  const auto fault = [&](std::string_view key, const std::string& message,
                         const std::string& hint) {
    context.diagnostics.error(fields.place(key), below(path, key), message, hint);
  };
  const auto exclude = [&](std::string_view one, std::string_view other) {
    if (!fields.has(one) || !fields.has(other)) return;
    fault(other,
          "'" + std::string(one) + "' and '" + std::string(other) + "'" +
              at_path(path) + " exclude each other",
          "keep one of the two");
  };
  exclude("include_columns", "exclude_columns");
  exclude("track_history_columns", "track_history_except_columns");
  if (merge.scd_type != 1 && merge.scd_type != 2) {
    fault("scd_type",
          "scd_type" + at_path(path) + " must be 1 or 2, not " +
              std::to_string(merge.scd_type),
          "");
    return;
  }
  if (merge.scd_type == 2 && merge.order_by.empty() && !fields.is_broken("order_by") &&
      !fields.has("order_by")) {
    fault("scd_type", "scd_type 2" + at_path(path) + " needs order_by",
          "name the column that orders the changes");
  }
  if (merge.scd_type == 2 && fields.has("truncate_where")) {
    fault("truncate_where", "truncate_where" + at_path(path) + " needs scd_type 1", "");
  }
  for (const std::string_view key :
       {"track_history_columns", "track_history_except_columns"}) {
    if (merge.scd_type == 1 && fields.has(key)) {
      fault(key, std::string(key) + at_path(path) + " needs scd_type 2", "");
    }
  }
  if (equals_ignoring_case(merge.start_at_column_name, merge.end_at_column_name)) {
    fault("end_at_column_name",
          "start_at_column_name and end_at_column_name" + at_path(path) +
              " are the same column '" + merge.end_at_column_name + "'",
          "give each a name of its own; upper and lower case do not count");
  }
}

void check_keys(const Sink& sink, const Tree& tree, const std::string& path,
                const Fields& node, BuildContext& context) {
  const Tree* options = tree.find("merge_cdc_options");
  const bool excused =
      tree.has_unknown_keys || node.is_broken("primary_keys") ||
      (options != nullptr && (options->broken || options->has_unknown_keys ||
                              Fields(*options).is_broken("primary_keys")));
  if (!sink.merge_cdc_options->primary_keys.empty() || excused) return;
  context.diagnostics.error(
      tree.location, path, "a merge" + at_path(path) + " needs primary_keys",
      "name the columns that tell rows apart, in merge_cdc_options or at the node");
}

// Fills merge_cdc_options of every sink that merges.
void read_mode(Sink& sink, const Tree& tree, const std::string& path,
               const Fields& node, BuildContext& context) {
  const Fields fields(tree);
  sink.mode = mode_of(fields.choice("mode"));
  const Tree* options = fields.find("merge_cdc_options");
  if (options != nullptr && sink.mode == SinkMode::unset && !fields.is_broken("mode")) {
    sink.mode = SinkMode::merge;
  }
  const bool merges = sink.mode == SinkMode::merge || sink.mode == SinkMode::update ||
                      (sink.mode == SinkMode::unset && !sink.is_quarantine &&
                       !fields.is_broken("mode") && node.choice("refresh") == "MERGE");
  if (!merges) {
    if (options != nullptr && !fields.is_broken("mode")) {
      context.diagnostics.error(options->location, below(path, "merge_cdc_options"),
                                "merge_cdc_options" + at_path(path) +
                                    " do not go with mode " + fields.choice("mode"),
                                "write mode: MERGE");
    }
    return;
  }
  if (sink.mode == SinkMode::unset) sink.mode = SinkMode::merge;  // as `refresh` says
  sink.merge_cdc_options = MergeCdcOptions();
  sink.merge_cdc_options->location = tree.location;
  if (options != nullptr) {
    const Fields merge(*options);
    sink.merge_cdc_options = read_merge(merge);
    check_merge(*sink.merge_cdc_options, merge, below(path, "merge_cdc_options"),
                context);
    add_named_columns(merge,
                      {"primary_keys", "order_by", "include_columns", "exclude_columns",
                       "track_history_columns", "track_history_except_columns"},
                      sink.named_columns);
  }
  if (sink.merge_cdc_options->primary_keys.empty()) {
    add_named_columns(node, {"primary_keys"}, sink.named_columns);
    sink.merge_cdc_options->primary_keys = node.texts("primary_keys");
  }
  check_keys(sink, tree, path, node, context);
}

// As Spark and Unity Catalog show them: properties `owner` and `tags.<name>`.
void describe_owner_and_tags(const Fields& metadata, const std::string& path,
                             Sink& sink, BuildContext& context) {
  std::map<std::string, std::string> described;
  if (!sink.metadata.owner.empty()) described["owner"] = sink.metadata.owner;
  for (const auto& [name, value] : sink.metadata.tags) {
    described["tags." + name] = value;
  }
  for (const auto& [key, value] : described) {
    const auto [held, is_new] = sink.metadata.properties.try_emplace(key, value);
    if (is_new || held->second == value) continue;
    context.diagnostics.error(metadata.place("properties"), below(path, "properties"),
                              "property '" + key + "'" + at_path(path) + " is '" +
                                  held->second + "' here and '" + value + "' by key '" +
                                  (key == "owner" ? "owner" : "tags") + "'",
                              "keep one of the two");
  }
}

void read_table(Sink& sink, const Fields& fields, const std::string& kind,
                const std::string& path, BuildContext& context) {
  sink.kind = SinkKind::table;
  sink.table = build_table_name(fields, path, context);
  if (fields.choice("table_type") == "VIEW") sink.table_type = TableType::view;
  if (const Tree* tree = fields.find("metadata")) {
    const Fields metadata(*tree);
    sink.metadata.comment = metadata.text("comment", "");
    sink.metadata.owner = metadata.text("owner", "");
    sink.metadata.properties = metadata.text_map("properties");
    add_property_places(metadata, sink.property_places);
    sink.metadata.tags = metadata.text_map("tags");
    describe_owner_and_tags(metadata, below(path, "metadata"), sink, context);
    for (const ColumnSpec& column : metadata.columns("columns")) {
      sink.metadata.column_comments[column.name] =
          column.comment.empty() ? column.type : column.comment;
    }
    sink.properties.insert(sink.metadata.properties.begin(),
                           sink.metadata.properties.end());
  }
  if (kind != "TABLE") {
    context.diagnostics.notice(
        fields.place("type"), below(path, "type"),
        kind +
            " means the folder catalog: Unity Catalog connections are not "
            "supported yet",
        "");
  }
  if (sink.table_type == TableType::view && sink.mode != SinkMode::unset &&
      sink.mode != SinkMode::overwrite) {
    context.diagnostics.error(
        fields.place("mode"), below(path, "mode"),
        "a VIEW" + at_path(path) + " has no mode " + fields.choice("mode"),
        "leave the mode out, or write a TABLE");
  }
}

void check_file_sink(const Sink& sink, const Fields& fields, const std::string& path,
                     BuildContext& context) {
  if (sink.format == FileFormat::delta) return;
  const auto fault = [&](std::string_view key, const std::string& message) {
    context.diagnostics.error(fields.place(key), below(path, key), message,
                              "write format: DELTA");
  };
  if (sink.merge_cdc_options) {
    fault("format", "a merge" + at_path(path) + " needs a Delta table");
  }
  for (const std::string_view key : {"partition_by", "cluster_by", "properties"}) {
    if (fields.has(key)) {
      fault(key,
            "key '" + std::string(key) + "'" + at_path(path) + " needs a Delta table");
    }
  }
}

void check_schema(const Sink& sink, const std::string& path, BuildContext& context) {
  std::set<std::string> names;
  for (const ColumnSpec& column : sink.schema) {
    const auto fault = [&](const std::string& message, const std::string& hint) {
      context.diagnostics.error(column.location, below(path, "schema"), message, hint);
    };
    if (!names.insert(to_lower(column.name)).second) {
      fault("schema" + at_path(path) + " names column '" + column.name + "' twice", "");
    }
    if (column.type.empty()) {
      fault("column '" + column.name + "' of schema" + at_path(path) + " has no type",
            "write " + column.name + ": string, say");
    } else if (const auto type = data::type_from_text(column.type); !type) {
      fault("column '" + column.name + "' of schema" + at_path(path) + ": " +
                type.error().message(),
            "");
    }
  }
}

void check_clustering(const Sink& sink, const Fields& fields, const std::string& path,
                      BuildContext& context) {
  constexpr std::size_t kColumnsMax = 4;  // Spark refuses more
  const auto fault = [&](const std::string& message, const std::string& hint) {
    context.diagnostics.error(fields.place("cluster_by"), below(path, "cluster_by"),
                              message, hint);
  };
  if (!sink.cluster_by || sink.cluster_by->empty()) return;
  if (!sink.partition_by.empty()) {
    fault("partition_by and cluster_by" + at_path(path) +
              " exclude each other: Delta has no table that is both",
          "keep one of the two");
  }
  if (sink.cluster_by->size() > kColumnsMax) {
    fault("cluster_by" + at_path(path) + " names " +
              std::to_string(sink.cluster_by->size()) + " columns",
          "name " + std::to_string(kColumnsMax) + " at most");
  }
}

// Keys that pipelines of others have, told rather than passed over.
void warn_of_idle_keys(const Sink& sink, const Fields& fields, const std::string& path,
                       BuildContext& context) {
  std::vector<std::string_view> idle = {"writer_methods", "checkpoint_path"};
  if (!sink.is_delta() || sink.is_quarantine) idle.emplace_back("schema");
  if (!sink.is_delta() && sink.reset_mode == ResetMode::truncate) {
    idle.emplace_back("reset_mode");
  }
  for (const std::string_view key : idle) {
    if (!fields.has(key)) continue;
    context.diagnostics.warning(
        fields.place(key), below(path, key),
        "key '" + std::string(key) + "'" + at_path(path) + " has no effect yet", "");
  }
}

}  // namespace

Sink build_sink(const Tree& tree, const std::string& path, const Fields& node,
                BuildContext& context) {
  Sink sink;
  sink.location = tree.location;
  if (tree.broken) return sink;
  const Fields fields(tree);
  sink.is_quarantine = fields.flag("is_quarantine", false);
  sink.shared = fields.flag("shared", false);
  sink.checkpoint_path = fields.text("checkpoint_path", "");
  if (fields.choice("reset_mode") == "TRUNCATE") sink.reset_mode = ResetMode::truncate;
  add_named_columns(fields, {"partition_by", "cluster_by"}, sink.named_columns);
  check_named_once(sink.named_columns, path, context);
  sink.partition_by = fields.texts("partition_by");
  if (fields.has("cluster_by")) sink.cluster_by = fields.texts("cluster_by");
  sink.properties = fields.text_map("properties");
  add_property_places(fields, sink.property_places);
  const std::string evolution = fields.choice("schema_evolution");
  if (evolution == "EVOLVE") sink.schema_evolution = SchemaEvolution::evolve;
  if (evolution == "STRICT") sink.schema_evolution = SchemaEvolution::strict;
  if (evolution == "RESCUE") sink.schema_evolution = SchemaEvolution::rescue;
  sink.schema = fields.columns("schema");
  sink.writer_options = fields.arguments("writer_kwargs");
  sink.writer_methods = build_methods(fields, "writer_methods", context.api);
  read_mode(sink, tree, path, node, context);
  check_schema(sink, path, context);
  check_clustering(sink, fields, path, context);

  const std::string kind = kind_of(tree, "sink");
  if (kind == "FILE") {
    sink.kind = SinkKind::file;
    sink.path = fields.text("path", "");
    sink.format = build_format(fields);
    if (fields.has("path") && !fields.is_broken("path") && sink.path.empty()) {
      context.diagnostics.error(fields.place("path"), below(path, "path"),
                                "the path" + at_path(path) + " is empty",
                                "name a file or a folder");
    }
    if (!fields.has("path") && !fields.is_broken("path") && !tree.has_unknown_keys) {
      context.diagnostics.error(tree.location, path,
                                "key 'path' is missing" + at_path(path), "");
    }
    check_file_sink(sink, fields, path, context);
  } else if (kind == "PIPELINE_VIEW") {
    sink.kind = SinkKind::pipeline_view;
    sink.view_name = fields.text("pipeline_view_name", "");
    if (sink.view_name.empty() && !tree.has_unknown_keys) {
      context.diagnostics.error(tree.location, path,
                                "key 'pipeline_view_name' is missing" + at_path(path),
                                "");
    }
  } else if (!kind.empty()) {
    read_table(sink, fields, kind, path, context);
  } else if (!tree.has_unknown_keys && !fields.is_broken("type")) {
    context.diagnostics.error(tree.location, path,
                              "where rows go" + at_path(path) + " is missing",
                              "give it a path, a table_name or a pipeline_view_name");
  }
  if (kind.empty() || fields.is_broken("format")) return sink;
  if (sink.is_delta()) take_writer_arguments(fields, path, sink, context);
  warn_of_idle_keys(sink, fields, path, context);
  return sink;
}

}  // namespace lakemill::language
