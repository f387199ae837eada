#include "lakemill/base/clock.h"
#include "lakemill/base/folder_name.h"
#include "lakemill/base/text.h"
#include "lakemill/language/delta_arguments.h"
#include "lakemill/language/model_builder.h"
#include "lakemill/language/shape_check.h"

namespace lakemill::language {

namespace {

std::vector<ColumnSelection> selections(const Fields& fields, std::string_view key) {
  std::vector<ColumnSelection> selected;
  const Tree* value = fields.find(key);
  if (value == nullptr) return selected;
  if (value->is_mapping()) {
    for (const TreeEntry& entry : value->entries) {
      const std::string& alias = entry.value.text;
      selected.push_back({entry.key, alias.empty() ? entry.key : alias});
    }
    return selected;
  }
  for (const std::string& column : fields.texts(key)) {
    selected.push_back({column, column});
  }
  return selected;
}

void read_common(Source& source, const Fields& fields) {
  source.name = fields.text("name", "");
  if (fields.has("as_stream")) source.as_stream = fields.flag("as_stream", false);
  source.filter = fields.source_text("filter");
  source.selects = selections(fields, "selects");
  source.renames = selections(fields, "renames");
  source.drops = fields.texts("drops");
  if (const Tree* duplicates = fields.find("drop_duplicates")) {
    source.drop_duplicates =
        duplicates->kind != TreeKind::boolean || duplicates->boolean;
    if (duplicates->kind != TreeKind::boolean) {
      source.drop_duplicates_columns = fields.texts("drop_duplicates");
    }
  }
  source.limits = {fields.integer("max_rows"), fields.size("max_bytes"),
                   fields.integer("max_files")};
  source.read_changes = fields.flag("read_changes", false);
  if (fields.choice("on_change") == "READ") source.on_change = OnChange::read;
  if (fields.choice("on_error") == "DEAD_LETTER")
    source.on_error = OnError::dead_letter;
}

void read_file(Source& source, const Fields& fields, BuildContext& context) {
  source.path = fields.text("path", "");
  source.format = build_format(fields);
  source.has_header = fields.flag("has_header", true);
  source.infer_schema = fields.flag("infer_schema", false);
  source.schema = fields.columns("schema");
  source.schema_location = fields.text("schema_location", "");
  source.reader_options = fields.arguments("reader_kwargs");
  source.reader_methods = build_methods(fields, "reader_methods", context.api);
}

void check_version(const Source& source, const Fields& fields, const std::string& path,
                   BuildContext& context) {
  if (source.version && !source.timestamp.empty()) {
    context.diagnostics.error(
        fields.place("timestamp"), below(path, "timestamp"),
        "'version' and 'timestamp'" + at_path(path) + " exclude each other",
        "keep one of the two");
  }
  const bool versioned = source.version || !source.timestamp.empty();
  const bool is_delta =
      source.kind == SourceKind::table ||
      (source.kind == SourceKind::file && source.format == FileFormat::delta);
  if (versioned && !is_delta) {
    const std::string_view key = source.version ? "version" : "timestamp";
    context.diagnostics.error(
        fields.place(key), below(path, key),
        "key '" + std::string(key) + "'" + at_path(path) + " needs a Delta table", "");
  }
  if (versioned && source.as_stream.value_or(false)) {
    context.diagnostics.error(
        fields.place("as_stream"), below(path, "as_stream"),
        "a fixed version" + at_path(path) + " is read as a whole, not as a stream",
        "leave as_stream out");
  }
  const bool known = source.timestamp.find("${") == std::string::npos;
  if (source.timestamp.empty() || !known) return;
  if (const auto instant = parse_instant(source.timestamp); !instant) {
    context.diagnostics.error(fields.place("timestamp"), below(path, "timestamp"),
                              instant.error().message(), "");
  }
}

// What a source of its kind cannot do is refused, not left undone.
void check_options(const Source& source, const Fields& fields, const std::string& path,
                   BuildContext& context) {
  const auto fault = [&](std::string_view key, const std::string& message,
                         const std::string& hint) {
    context.diagnostics.error(fields.place(key), below(path, key), message, hint);
  };
  const bool is_file = source.kind == SourceKind::file;
  const bool reads_delta =
      source.kind == SourceKind::table ||
      (is_file && source.format == FileFormat::delta && !fields.is_broken("format"));
  const bool reads_files = is_file && source.format != FileFormat::delta;
  if (source.on_error == OnError::dead_letter && !reads_files) {
    fault("on_error",
          "on_error: DEAD_LETTER" + at_path(path) +
              " is of sources that read files, which can be set aside one by one",
          "leave it out here");
  }
  if (source.on_change == OnChange::read && reads_delta) {
    fault("on_change",
          "on_change" + at_path(path) +
              " is of sources that read files, and this one reads a Delta table",
          "leave it out here; read_changes gives what commits changed");
  }
  if (source.read_changes && !reads_delta) {
    fault("read_changes",
          "read_changes" + at_path(path) + " is of sources that are Delta tables",
          "name the table by table_name or path, also where a node of the pipeline "
          "writes it");
  }
  if (source.kind == SourceKind::dataframe) {
    for (const std::string_view key : {"max_rows", "max_bytes", "max_files"}) {
      if (!fields.has(key)) continue;
      fault(key,
            std::string(key) + at_path(path) +
                " bounds batches, and rows written in place are one",
            "leave it out here");
    }
  }
  if (source.kind == SourceKind::postgres && fields.has("max_files")) {
    fault("max_files",
          "max_files" + at_path(path) + " is of sources that are made of files",
          "bound batches by max_rows or max_bytes");
  }
  if (!reads_files) return;
  for (const MethodCall& method : source.reader_methods) {
    if (method.name == "option" && method.arguments.size() == 2) continue;
    context.diagnostics.error(
        method.location, below(path, "reader_methods"),
        "reader method '" + method.name + "'" + at_path(path) + " is not supported",
        "use reader_kwargs");
  }
}

void missing(const Tree& tree, std::string_view key, const std::string& path,
             BuildContext& context) {
  const Fields fields(tree);
  if (fields.has(key) || fields.is_broken(key) || tree.has_unknown_keys) return;
  context.diagnostics.error(tree.location, path,
                            "key '" + std::string(key) + "' is missing" + at_path(path),
                            "");
}

void read_postgres(Source& source, const Fields& fields) {
  source.postgres.location = fields.place("connection");
  if (const Tree* connection = fields.find("connection")) {
    if (connection->is_mapping()) {
      const Fields inner(*connection);
      source.postgres.uri = inner.text("uri", "");
      source.postgres.publication = inner.text("publication", "");
      source.postgres.slot = inner.text("slot", "");
      source.postgres.create = inner.flag("create", true);
    } else {
      source.postgres.connection = connection->text;
    }
  }
  // The names of PostgreSQL keep their case; a dot parts schema and table.
  const std::string table = fields.text("table", "");
  const std::size_t dot = table.find('.');
  source.table.location = fields.place("table");
  source.table.schema = dot == std::string::npos ? "public" : table.substr(0, dot);
  source.table.table = dot == std::string::npos ? table : table.substr(dot + 1);
  const std::string snapshot = fields.choice("snapshot");
  if (snapshot == "NEVER") source.snapshot = SnapshotMode::never;
  if (snapshot == "ONLY") source.snapshot = SnapshotMode::only;
  source.snapshot_parallelism = fields.integer("snapshot_parallelism").value_or(2);
}

bool is_dataframe_data(const Tree& data) {
  const std::vector<Tree>& items = data.items;
  if (data.is_list()) {
    for (const Tree& item : items) {
      if (!item.is_mapping()) return false;
    }
    return true;
  }
  for (const TreeEntry& entry : data.entries) {
    if (!entry.value.is_list()) return false;
    if (entry.value.items.size() != data.entries[0].value.items.size()) return false;
  }
  return data.is_mapping();
}

// Every value is a table's, as it is written.
void refuse_secrets(const Tree& data, const std::string& path, BuildContext& context) {
  if (data.is_string() && data.text.find("${secret.") != std::string::npos) {
    context.diagnostics.error(data.location, below(path, "data"),
                              "'data'" + at_path(path) + " cannot hold " + data.text +
                                  ": rows are stored, and secrets are not",
                              "use it in reader_kwargs, in a connection or in SQL");
  }
  for (const Tree& item : data.items) refuse_secrets(item, path, context);
  for (const TreeEntry& entry : data.entries) {
    refuse_secrets(entry.value, path, context);
  }
}

// Of a catalog, a schema or a table.
void check_part(const std::string& part, const Location& location,
                const std::string& path, BuildContext& context) {
  const auto checked = lakemill::check_folder_name(part);
  if (!checked) {
    context.diagnostics.error(location, path, checked.error().message(), "");
  }
}

}  // namespace

Source build_source(const Tree& tree, const std::string& path, BuildContext& context) {
  Source source;
  source.location = tree.location;
  if (tree.broken) return source;
  const Fields fields(tree);
  read_common(source, fields);
  const std::string kind = kind_of(tree, "source");
  if (kind == "FILE") {
    source.kind = SourceKind::file;
    read_file(source, fields, context);
    missing(tree, "path", path, context);
  } else if (kind == "TABLE" || kind == "UNITY_CATALOG" || kind == "HIVE_METASTORE") {
    source.kind = SourceKind::table;
    source.table = build_table_name(fields, path, context);
    source.reader_options = fields.arguments("reader_kwargs");
    source.reader_methods = build_methods(fields, "reader_methods", context.api);
    if (kind != "TABLE") {
      context.diagnostics.notice(
          fields.place("type"), below(path, "type"),
          kind +
              " means the folder catalog: Unity Catalog connections are not "
              "supported yet",
          "");
    }
  } else if (kind == "PIPELINE_NODE") {
    source.kind = SourceKind::pipeline_node;
    source.node_name = fields.text("node_name", "");
    source.node_name_location = fields.place("node_name");
    missing(tree, "node_name", path, context);
  } else if (kind == "POSTGRES") {
    source.kind = SourceKind::postgres;
    read_postgres(source, fields);
    missing(tree, "connection", path, context);
    missing(tree, "table", path, context);
  } else if (kind == "DATAFRAME") {
    source.kind = SourceKind::dataframe;
    source.data = fields.raw("data");
    missing(tree, "data", path, context);
    refuse_secrets(source.data, path, context);
    if (!source.data.is_null() && !is_dataframe_data(source.data)) {
      context.diagnostics.error(
          fields.place("data"), below(path, "data"),
          "key 'data'" + at_path(path) +
              " needs a list of records, or names to lists of the "
              "same length",
          "");
    } else if (source.data.is_list() && source.data.items.empty()) {
      context.diagnostics.error(
          fields.place("data"), below(path, "data"),
          "key 'data'" + at_path(path) + " has no rows, so its columns are not known",
          "give it a row, or each column a list: {id: [1]}");
    }
  } else if (!tree.has_unknown_keys && !fields.is_broken("type")) {
    context.diagnostics.error(tree.location, path,
                              "what is read" + at_path(path) + " is missing",
                              "give it a path, a node_name, a table_name or data");
  }
  source.version = fields.integer("version");
  source.timestamp = fields.text("timestamp", "");
  if (source.kind == SourceKind::table ||
      (kind == "FILE" && source.format == FileFormat::delta &&
       !fields.is_broken("format"))) {
    take_reader_arguments(fields, path, source, context);
  }
  if (!kind.empty()) {
    check_version(source, fields, path, context);
    check_options(source, fields, path, context);
  }
  return source;
}

TableName split_table_name(const std::string& text, const Location& location,
                           const std::string& path, BuildContext& context) {
  const std::vector<std::string> parts = split(text, '.');
  TableName name;
  name.location = location;
  bool has_empty = false;
  for (const std::string& part : parts) has_empty |= trim(part).empty();
  if (parts.size() > 3 || has_empty) {
    context.diagnostics.error(location, path, "'" + text + "' is not a table name",
                              "write table, schema.table or catalog.schema.table");
    return name;
  }
  name.table = parts.back();
  if (parts.size() > 1) name.schema = parts[parts.size() - 2];
  if (parts.size() > 2) name.catalog = parts[0];
  for (const std::string& part : parts) check_part(part, location, path, context);
  return name;
}

TableName build_table_name(const Fields& fields, const std::string& path,
                           BuildContext& context) {
  TableName name;
  name.location = fields.location();
  if (fields.has("table_name")) {
    name = split_table_name(fields.text("table_name", ""), fields.place("table_name"),
                            below(path, "table_name"), context);
  } else if (!fields.is_broken("table_name") && !fields.has_unknown_keys()) {
    context.diagnostics.error(fields.location(), path,
                              "key 'table_name' is missing" + at_path(path), "");
  }
  const auto take = [&](std::string& part, std::string_view key) {
    const std::string given = fields.text(key, "");
    if (given.empty() || part == given) return;
    if (part.empty()) {
      part = given;
      check_part(given, fields.place(key), below(path, key), context);
      return;
    }
    context.diagnostics.error(fields.place(key), below(path, key),
                              "'" + fields.text("table_name", "") + "' and " +
                                  std::string(key) + " '" + given + "'" +
                                  at_path(path) + " contradict each other",
                              "");
  };
  take(name.schema, "schema_name");
  take(name.catalog, "catalog_name");
  return name;
}

FileFormat build_format(const Fields& fields) {
  std::string format = fields.choice("format");
  if (format.empty()) {
    const std::string path = to_upper(fields.text("path", ""));
    const std::size_t dot = path.rfind('.');
    const std::size_t slash = path.rfind('/');
    if (dot != std::string::npos && (slash == std::string::npos || dot > slash)) {
      format = path.substr(dot + 1);
      if (format == "TXT") format = "TEXT";
    }
  }
  if (format == "CSV") return FileFormat::csv;
  if (format == "JSON") return FileFormat::json;
  if (format == "JSONL" || format == "NDJSON") return FileFormat::jsonl;
  if (format == "PARQUET") return FileFormat::parquet;
  if (format == "TEXT") return FileFormat::text;
  if (format == "BINARYFILE") return FileFormat::binaryfile;
  return FileFormat::delta;
}

std::vector<MethodCall> build_methods(const Fields& fields, std::string_view key,
                                      DataframeApi api) {
  std::vector<MethodCall> methods;
  for (const Tree* item : fields.items(key)) {
    const Fields method(*item);
    MethodCall call;
    call.name = method.text("name", "");
    call.location = method.place("name");
    call.api = api;
    for (const Tree* argument : method.items("args"))
      call.arguments.push_back(*argument);
    call.named_arguments = method.arguments("kwargs");
    methods.push_back(std::move(call));
  }
  return methods;
}

}  // namespace lakemill::language
