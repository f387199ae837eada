#include "lakemill/engine_spark/spark_relations.h"

#include <array>
#include <utility>

#include "lakemill/base/text.h"
#include "lakemill/engine_spark/connect_messages.h"
#include "lakemill/engine_spark/spark_sql.h"
#include "lakemill/engine_spark/spark_types.h"

namespace lakemill::engine_spark {

namespace {

using engine::FileFormat;
using engine::FilesRelation;

// reader_kwargs of CSV, and Spark's names.
constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kCsvOptions = {{
    {"delimiter", "sep"},
    {"sep", "sep"},
    {"separator", "sep"},
    {"quote", "quote"},
    {"quote_char", "quote"},
    {"quotechar", "quote"},
    {"escape", "escape"},
    {"escapechar", "escape"},
    {"mode", ""},  // of lines that do not fit: the file is refused whatever it says
    {"multiline", ""},
    {"mergeschema", ""},
}};

Result<std::string> columns_sql(const data::Schema& schema, bool casts_texts) {
  std::vector<std::string> columns;
  for (const data::Field& field : schema.fields) {
    LAKEMILL_TRY(const std::string type, spark_type(field.type));
    const std::string name = quote_name(field.name);
    const bool is_text = field.type.kind == data::TypeKind::string;
    if (casts_texts && is_text) {
      columns.push_back(name);
    } else if (casts_texts && type == "TIMESTAMP_NTZ") {
      columns.push_back(cast_sql(name, type, false) + " AS " + name);
    } else {
      columns.push_back("CAST(" + name + " AS " + type + ") AS " + name);
    }
  }
  return join(columns, ", ");
}

// A relation without rows.
Result<std::string> empty_sql(const data::Schema& schema) {
  std::vector<std::string> columns;
  for (const data::Field& field : schema.fields) {
    LAKEMILL_TRY(const std::string type, spark_type(field.type));
    columns.push_back("CAST(NULL AS " + type + ") AS " + quote_name(field.name));
  }
  return "SELECT " + join(columns, ", ") + " WHERE false";
}

Status add_csv_options(const FilesRelation& files, ReadSource& source) {
  source.options = {{"header", files.has_header ? "true" : "false"},
                    {"enforceSchema", files.has_header ? "false" : "true"},
                    {"mode", "FAILFAST"},
                    {"multiLine", "true"},
                    {"escape", "\""},
                    {"maxCharsPerColumn", "-1"}};
  for (const auto& [key, value] : files.options) {
    std::string name = to_lower(key);
    std::erase(name, '_');
    if (name == "header" || name == "hasheader" || name == "inferschema") {
      continue;  // already in the schema and in has_header
    }
    bool known = false;
    for (const auto& [ours, theirs] : kCsvOptions) {
      if (ours != to_lower(key)) continue;
      known = true;
      if (!theirs.empty()) source.options[std::string(theirs)] = value;
    }
    if (!known) return not_on_spark("reader option '" + key + "' of CSV");
  }
  return {};
}

// The schema that Spark's reader gets: every column as a text of CSV, so that texts
// become values by one rule.
Result<std::string> reader_schema(const data::Schema& schema, bool as_texts) {
  std::vector<std::string> columns;
  for (const data::Field& field : schema.fields) {
    LAKEMILL_TRY(const std::string type, spark_type(field.type));
    columns.push_back(quote_name(field.name) + " " + (as_texts ? "STRING" : type));
  }
  return join(columns, ", ");
}

Status check_json(const FilesRelation& files, const data::Schema& schema) {
  for (const auto& [key, value] : files.options) {
    return not_on_spark("reader option '" + key + "' of JSON");
  }
  for (const data::Field& field : schema.fields) {
    switch (field.type.kind) {
      case data::TypeKind::boolean:
      case data::TypeKind::int8:
      case data::TypeKind::int16:
      case data::TypeKind::int32:
      case data::TypeKind::int64:
      case data::TypeKind::float64:
      case data::TypeKind::string:
        continue;
      default:
        return not_on_spark("column '" + field.name + "' of type " +
                            to_text(field.type) + " in a JSON file");
    }
  }
  return {};
}

Result<std::vector<SparkView>> file_views(const std::string& name,
                                          const FilesRelation& files,
                                          const data::Schema& schema) {
  if (files.rescue) return not_on_spark("schema_evolution: RESCUE of files");
  if (files.files.empty()) {
    LAKEMILL_TRY(const std::string sql, empty_sql(schema));
    return std::vector<SparkView>{{name, sql_relation(sql)}};
  }
  ReadSource source;
  const bool as_texts = files.format == FileFormat::csv;
  if (files.format == FileFormat::csv) {
    source.format = "csv";
    LAKEMILL_TRY_OK(add_csv_options(files, source));
  } else if (files.format == FileFormat::jsonl) {
    source.format = "json";
    source.options = {{"mode", "FAILFAST"}};
    LAKEMILL_TRY_OK(check_json(files, schema));
  } else if (files.format == FileFormat::parquet) {
    source.format = "parquet";
    source.options = {{"mergeSchema", "true"}};
  } else {
    return not_on_spark("a source of this file format");
  }
  if (files.format != FileFormat::parquet) {
    LAKEMILL_TRY(source.schema, reader_schema(schema, as_texts));
  }
  for (const engine::InputFile& file : files.files) {
    source.paths.push_back(spark_path(file.url));
  }
  LAKEMILL_TRY(const std::string columns, columns_sql(schema, as_texts));
  const std::string raw = name + "_raw";
  return std::vector<SparkView>{
      {raw, read_relation(source)},
      {name, sql_relation("SELECT " + columns + " FROM " + raw)}};
}

Result<std::vector<SparkView>> row_views(const std::string& name,
                                         const engine::RowsRelation& rows,
                                         const data::Schema& schema) {
  std::vector<std::string> fields;
  for (const data::Field& field : schema.fields) {
    LAKEMILL_TRY(const std::string type, spark_type(field.type));
    fields.push_back(quote_name(field.name) + ": " + type);
  }
  if (fields.empty()) return not_on_spark("rows without columns");
  const std::string sql = "SELECT inline(from_json(" + quote_text(rows.json_rows) +
                          ", " +
                          quote_text("ARRAY<STRUCT<" + join(fields, ", ") + ">>") +
                          ", map('mode', 'FAILFAST')))";
  return std::vector<SparkView>{{name, sql_relation(sql)}};
}

}  // namespace

std::string spark_path(std::string_view url) {
  if (url.starts_with('/')) return "file://" + std::string(url);
  if (url.starts_with("s3://")) return "s3a" + std::string(url.substr(2));
  return std::string(url);
}

std::string delta_table_sql(std::string_view url, std::int64_t version) {
  return "delta." + quote_name(spark_path(url)) + " VERSION AS OF " +
         std::to_string(version);
}

Result<std::vector<SparkView>> views_of(const std::string& name,
                                        const engine::Relation& relation,
                                        const data::Schema& schema) {
  if (const auto* files = std::get_if<FilesRelation>(&relation)) {
    return file_views(name, *files, schema);
  }
  if (const auto* rows = std::get_if<engine::RowsRelation>(&relation)) {
    return row_views(name, *rows, schema);
  }
  if (const auto* table = std::get_if<engine::TableRelation>(&relation)) {
    LAKEMILL_TRY(const std::string columns, columns_sql(schema, false));
    return std::vector<SparkView>{
        {name, sql_relation(
                   "SELECT " + columns + " FROM " +
                   delta_table_sql(table->scan->table_url(), table->scan->version()))}};
  }
  return not_on_spark("a source that lands changes on this machine");
}

}  // namespace lakemill::engine_spark
