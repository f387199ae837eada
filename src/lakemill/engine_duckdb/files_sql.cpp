// SQL over raw files whose columns are known (files_plan.h).

#include <algorithm>
#include <optional>
#include <set>

#include "lakemill/base/json.h"
#include "lakemill/base/text.h"
#include "lakemill/engine/text_spelling.h"
#include "lakemill/engine_duckdb/csv_values.h"
#include "lakemill/engine_duckdb/files_plan.h"
#include "lakemill/engine_duckdb/json_exactness.h"
#include "lakemill/engine_duckdb/json_plan.h"
#include "lakemill/engine_duckdb/json_structure.h"
#include "lakemill/engine_duckdb/marked_files.h"
#include "lakemill/engine_duckdb/rescued_values.h"

namespace lakemill::engine_duckdb {

namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using engine::FileFormat;

constexpr const char* kRecord = "_lakemill_record";
// Columns that DuckDB's readers add where they are asked for; a file's own column of
// such a name stands before them.
constexpr const char* kFileIndex = "file_index";
constexpr const char* kFileRow = "file_row_number";
constexpr const char* kTimeFormat = "timestampformat";

bool hides_readers_column(const SourceColumn& column) {
  return equals_ignoring_case(column.name, kFileIndex) ||
         equals_ignoring_case(column.name, kFileRow);
}

// What a column is called behind its reader.
std::string read_name(const SourceColumn& column) {
  const std::string name =
      hides_readers_column(column) ? "_lakemill_own_" + column.name : column.name;
  return quote_identifier(name);
}

// The names of a reader's columns, where one of them has to be another.
std::string renamed_columns(const FileGroup& group) {
  if (std::none_of(group.columns.begin(), group.columns.end(), hides_readers_column)) {
    return "";
  }
  std::vector<std::string> names;
  for (const SourceColumn& column : group.columns) names.push_back(read_name(column));
  return " AS _lakemill_read(" + join(names, ", ") + ")";
}

std::string cast(const std::string& sql, const LogicalType& type) {
  return "CAST(" + sql + " AS " + type.ToString() + ")";
}

struct Branch {
  const FilesPlan& plan;
  const FileGroup& group;
  std::size_t first = 0;
  std::size_t count = 0;
  bool counts_rows = false;  // its rows are numbered file by file
};

std::string file_list_item(const Branch& branch, bool arrivals) {
  std::vector<std::string> items;
  for (std::size_t i = 0; i < branch.count; ++i) {
    const auto& file = branch.plan.relation.files[branch.first + i];
    items.push_back(arrivals ? std::to_string(file.arrival) : quote_literal(file.url));
  }
  const std::string type = arrivals ? "BIGINT" : "VARCHAR";
  if (items.size() == 1) return "CAST(" + items[0] + " AS " + type + ")";
  return "CAST([" + join(items, ", ") + "] AS " + type + "[])[CAST(" + kFileIndex +
         " AS BIGINT) + 1]";
}

bool is_json(const Branch& branch) {
  return branch.plan.relation.format == FileFormat::json ||
         branch.plan.relation.format == FileFormat::jsonl;
}

const SourceColumn* find_source(const FileGroup& group, const std::string& name) {
  for (const SourceColumn& column : group.columns) {
    if (equals_ignoring_case(column.name, name)) return &column;
  }
  return nullptr;
}

// What is wrong with a value that did not fit, where it is, and what helps.
std::string refused_text(const Branch& branch, const std::string& column,
                         const std::string& raw, const LogicalType& type) {
  const std::string file = file_list_item(branch, false);
  const std::string text = "CAST((" + raw + ") AS VARCHAR)";
  const FilesPlan& plan = branch.plan;
  std::string place;
  std::string help;
  if (is_json(branch)) {
    place = std::string(kJsonPlace) + "(" + file + ", " + quote_literal(column) + ", " +
            text + ") || ";
    help = "; give the column a type that holds it, in the source: schema: {" + column +
           ": string}, or a decimal; or keep it in _rescued (schema_evolution: RESCUE, "
           "in a BRONZE node)";
  }
  if (plan.relation.format == FileFormat::csv && !plan.options.contains("encoding")) {
    const SourceColumn* source = find_source(branch.group, column);
    const auto index = source == nullptr ? 0 : source - branch.group.columns.data();
    place = std::string(kCsvPlace) + "(" + file + ", " + csv_dialect_sql(plan) + ", " +
            std::to_string(index) + ", " + text + ") || ";
  }
  return "'file ' || " + file + " || " + place +
         quote_literal(": column " + column + ": cannot read \"") + " || " + text +
         " || " + quote_literal("\" as " + type.ToString() + help);
}

std::string refuse(const Branch& branch, const std::string& column,
                   const std::string& raw, const LogicalType& type) {
  return "error(" + refused_text(branch, column, raw, type) + ")";
}

struct Value {
  std::string sql;              // the column's value; null where it does not fit
  std::string misfit;           // true where it does not fit; empty: always fits
  std::string raw_text;         // what goes to _rescued then
  bool misfit_is_null = false;  // it fits wherever `sql` is not null
};

Value parquet_value(const std::string& raw, const LogicalType& from,
                    const LogicalType& to, bool rescue) {
  if (from == to) return {raw, "", ""};
  if (rescue) {
    HeldValue held = held_value(raw, from, to);
    return {std::move(held.sql), std::move(held.loss), rescued_text(raw, from)};
  }
  const std::string value = "TRY_CAST(" + raw + " AS " + to.ToString() + ")";
  return {value, "(" + raw + ") IS NOT NULL AND " + value + " IS NULL",
          "CAST((" + raw + ") AS VARCHAR)"};
}

// JSON as a value of another type, where nothing of it may be lost unnoticed.
Value rescued_json_value(const std::string& raw, const LogicalType& to,
                         std::string text) {
  const std::string value = to.IsNested()
                                ? "TRY_CAST(TRY(json_transform(" + raw + ", " +
                                      quote_literal(transform_structure(to)) +
                                      ")) AS " + to.ToString() + ")"
                                : exact_text_cast("(" + raw + " ->> '$')", to);
  return {value, json_loss(raw, to), std::move(text)};
}

// JSON that is known to fit.
std::string fitting_json_value(const std::string& raw, const LogicalType& to) {
  if (to.IsNested()) {
    return cast(
        "json_transform(" + raw + ", " + quote_literal(transform_structure(to)) + ")",
        to);
  }
  const std::string text = "(" + raw + " ->> '$')";
  if (to.id() == LogicalTypeId::VARCHAR) return text;
  if (to.id() == LogicalTypeId::DOUBLE || to.id() == LogicalTypeId::FLOAT) {
    return cast(text, to);
  }
  return cast(std::string(kPlainNumber) + "(" + text + ")", to);
}

// The value that a text of a CSV file says; null if it says none.
std::string csv_text_cast(const FilesPlan& plan, const std::string& raw,
                          const LogicalType& to) {
  const bool is_time =
      to.id() == LogicalTypeId::TIMESTAMP || to.id() == LogicalTypeId::TIMESTAMP_TZ;
  const auto format =
      plan.options.find(to.id() == LogicalTypeId::DATE ? "dateformat" : kTimeFormat);
  if ((is_time || to.id() == LogicalTypeId::DATE) && format != plan.options.end()) {
    return "CAST(try_strptime(" + raw + ", " + format->second + ") AS " +
           to.ToString() + ")";
  }
  if (plan.relation.rescue) return exact_text_cast(raw, to);
  if (to.id() == LogicalTypeId::BIGINT)
    return std::string(kCsvInteger) + "(" + raw + ")";
  if (to.IsIntegral() && to.id() != LogicalTypeId::HUGEINT) {
    return "TRY_CAST(" + std::string(kCsvInteger) + "(" + raw + ") AS " +
           to.ToString() + ")";
  }
  if (to.id() == LogicalTypeId::DOUBLE) return "TRY_CAST(" + raw + " AS DOUBLE)";
  return declared_text_cast(raw, to);
}

// True where a text says a value, but not as that value is written: a number with zeros
// in front is an identifier, "yes" is a word.
std::string csv_spelled_otherwise(const std::string& raw, const LogicalType& to) {
  if (to.id() == LogicalTypeId::BOOLEAN) {
    return " OR " + engine::unlike_boolean_sql(raw);
  }
  return to.IsNumeric() ? " OR " + engine::unlike_number_sql(raw) : "";
}

Value csv_value(const FilesPlan& plan, const std::string& raw, const LogicalType& from,
                const LogicalType& to) {
  if (from == to) return {raw, "", ""};
  if (plan.relation.rescue && to.IsNested()) {
    const std::string json = "TRY_CAST(" + raw + " AS JSON)";
    Value value = rescued_json_value(json, to, raw);
    value.misfit =
        raw + " IS NOT NULL AND (" + json + " IS NULL OR " + value.misfit + ")";
    return value;
  }
  if (from.id() != LogicalTypeId::VARCHAR) {
    // A number read with all its fraction, of which the column has less.
    const std::string value = "TRY_CAST(" + raw + " AS " + to.ToString() + ")";
    return {value,
            raw + " IS NOT NULL AND TRY_CAST(" + value + " AS " + from.ToString() +
                ") IS DISTINCT FROM " + raw,
            "CAST(" + raw + " AS VARCHAR)"};
  }
  const std::string value =
      to.IsNested() ? "TRY(CAST(CAST(" + raw + " AS JSON) AS " + to.ToString() + "))"
                    : csv_text_cast(plan, raw, to);
  const std::string otherwise =
      plan.relation.rescue ? csv_spelled_otherwise(raw, to) : "";
  return {value, raw + " IS NOT NULL AND (" + value + " IS NULL" + otherwise + ")", raw,
          otherwise.empty()};
}

std::string exact_json_sql(const std::string& record,
                           const std::set<std::string>& text_paths) {
  return std::string(kExactJson) + "(" + record + ", " + text_paths_sql(text_paths) +
         ")";
}

// The text of a value that was read as JSON, as the file has it.
std::string text_of_json(const FileGroup& group, const SourceColumn& source) {
  if (!group.exact_numbers) return "(" + read_name(source) + " ->> '$')";
  const std::string path = formats::member_step(source.name);
  return "json_extract_string(" + exact_json_sql(kRecord, {path}) + ", " +
         quote_literal(path) + ")";
}

// What it is as a value of a plain type that is not to be rescued. A schema that says
// double takes the nearest to a fraction.
std::string scalar_of_text(const Branch& branch, const std::string& text,
                           const LogicalType& to) {
  if (!branch.plan.relation.schema) return exact_text_cast(text, to);
  return declared_text_cast(text, to);
}

Value json_value(const Branch& branch, const SourceColumn& source,
                 const LogicalType& to) {
  const std::string raw = read_name(source);
  const bool rescue = branch.plan.relation.rescue;
  if (source.type == to) return {raw, "", ""};
  if (source.type.id() == LogicalTypeId::VARCHAR && !source.type.IsJSONType()) {
    if (rescue) return {exact_text_cast(raw, to), text_loss(raw, to), raw};
    const std::string value = scalar_of_text(branch, raw, to);
    return {value, raw + " IS NOT NULL AND " + value + " IS NULL", raw};
  }
  if (!source.type.IsJSONType()) {  // nested, with text where the schema has instants
    const std::string value = "TRY(" + cast(raw, to) + ")";
    return {value, raw + " IS NOT NULL AND " + value + " IS NULL",
            "to_json(" + raw + ")"};
  }
  if (source.always_fits) return {fitting_json_value(raw, to), "", ""};
  const std::string text = text_of_json(branch.group, source);
  if (rescue) return rescued_json_value(raw, to, text);
  const std::string given =
      "(" + raw + " IS NOT NULL AND json_type(" + raw + ") <> 'NULL' AND ";
  if (!to.IsNested()) {
    const std::string value = scalar_of_text(branch, "(" + raw + " ->> '$')", to);
    return {value, given + value + " IS NULL)", text};
  }
  std::string loss;
  if (branch.plan.relation.schema) {
    loss = " OR " + declared_json_loss(raw, to);
  } else if (branch.group.exact_numbers) {
    loss = " OR " + json_number_loss(raw, to);
  }
  const std::string structure = quote_literal(transform_structure(to));
  const std::string value =
      "TRY(" + cast("json_transform(" + raw + ", " + structure + ")", to) + ")";
  return {value,
          given + "(TRY(json_transform_strict(" + raw + ", " + structure +
              ")) IS NULL OR " + value + " IS NULL" + loss + "))",
          text};
}

Value value_of(const Branch& branch, const std::string& name, const LogicalType& type) {
  const SourceColumn* source = find_source(branch.group, name);
  if (source == nullptr) return {cast("NULL", type), "", ""};
  const std::string raw = read_name(*source);
  const bool rescue = branch.plan.relation.rescue;
  switch (branch.plan.relation.format) {
    case FileFormat::csv:
      return csv_value(branch.plan, raw, source->type, type);
    case FileFormat::json:
    case FileFormat::jsonl:
      return json_value(branch, *source, type);
    case FileFormat::parquet:
      return parquet_value(raw, source->type, type, rescue);
    case FileFormat::text:
      return {"coalesce(" + raw + ", '')", "", ""};
    case FileFormat::binaryfile:
      return {raw, "", ""};
  }
  return {};
}

// {column: text, …} of what does not fit, or null.
std::string rescued_sql(const Branch& branch) {
  const QueryColumns& columns = branch.plan.columns;
  std::vector<std::string> entries;
  std::vector<std::string> any;
  const auto add = [&](const std::string& name, const std::string& misfit,
                       const std::string& text) {
    any.push_back("(" + misfit + ")");
    entries.push_back("{'k': " + quote_literal(name) + ", 'v': CASE WHEN " + misfit +
                      " THEN " + text + " END}");
  };
  for (std::size_t i = 0; i < columns.names.size(); ++i) {
    if (columns.names[i] == kRescuedColumn) continue;
    const Value value = value_of(branch, columns.names[i], columns.types[i]);
    if (!value.misfit.empty()) add(columns.names[i], value.misfit, value.raw_text);
  }
  for (const SourceColumn& source : branch.group.columns) {
    const bool known = std::any_of(
        columns.names.begin(), columns.names.end(), [&](const std::string& name) {
          return name != kRescuedColumn && equals_ignoring_case(name, source.name);
        });
    const std::string raw = read_name(source);
    if (known) continue;
    add(source.name, raw + " IS NOT NULL",
        source.type.IsJSONType() ? text_of_json(branch.group, source)
                                 : rescued_text(raw, source.type));
  }
  if (entries.empty()) return "CAST(NULL AS VARCHAR)";
  return "CASE WHEN " + join(any, " OR ") +
         " THEN CAST(to_json(map_from_entries(list_filter([" + join(entries, ", ") +
         "], lambda _lakemill_entry: _lakemill_entry.v IS NOT NULL))) AS VARCHAR) END";
}

std::string column_sql(const Branch& branch, const std::string& name) {
  if (name == kArrivalColumn) return file_list_item(branch, true);
  if (name == kFileColumn) return file_list_item(branch, false);
  if (name == kRowColumn) {
    if (branch.plan.relation.format == FileFormat::binaryfile)
      return "CAST(0 AS BIGINT)";
    LAKEMILL_CHECK(branch.counts_rows ||
                   branch.plan.relation.format == FileFormat::parquet);
    return kFileRow;
  }
  if (name == kRescuedColumn && branch.plan.relation.rescue) return rescued_sql(branch);
  const QueryColumns& columns = branch.plan.columns;
  const auto at = std::find(columns.names.begin(), columns.names.end(), name);
  LAKEMILL_CHECK(at != columns.names.end());
  const LogicalType& type =
      columns.types[static_cast<std::size_t>(at - columns.names.begin())];
  const Value value = value_of(branch, name, type);
  if (value.misfit.empty()) return value.sql;
  if (value.misfit_is_null && !branch.plan.relation.rescue) {  // computed once
    return "coalesce(" + value.sql + ", " +
           cast("CASE WHEN " + value.raw_text + " IS NOT NULL THEN " +
                    refuse(branch, name, value.raw_text, type) + " END",
                type) +
           ")";
  }
  return "CASE WHEN " + value.misfit + " THEN " +
         (branch.plan.relation.rescue ? cast("NULL", type)
                                      : refuse(branch, name, value.raw_text, type)) +
         " ELSE " + value.sql + " END";
}

// What is read of files whose rows can only be counted as they come, each file by
// itself; what is made of it is written once for all.
std::string counted_reader_sql(const Branch& branch) {
  std::vector<std::string> names;
  for (const SourceColumn& column : branch.group.columns) {
    names.push_back(read_name(column));
  }
  if (branch.group.exact_numbers) names.emplace_back(kRecord);
  const std::string listed = names.empty() ? "" : join(names, ", ") + ", ";
  std::vector<std::string> files;
  for (std::size_t i = 0; i < branch.count; ++i) {
    files.push_back("SELECT " + listed + std::to_string(i) + " AS " + kFileIndex +
                    ", row_number() OVER () - 1 AS " + kFileRow + " FROM " +
                    reader_sql(branch.plan, branch.group, branch.first + i, 1));
  }
  return "(" + join(files, " UNION ALL ") + ")";
}

std::string branch_sql(const Branch& branch, const std::vector<std::string>& columns) {
  std::vector<std::string> list;
  for (const std::string& name : columns) {
    list.push_back(column_sql(branch, name) + " AS " + quote_identifier(name));
  }
  if (list.empty()) list.emplace_back("true AS _lakemill_nothing");
  return "SELECT " + join(list, ", ") + " FROM " +
         (branch.counts_rows
              ? counted_reader_sql(branch)
              : reader_sql(branch.plan, branch.group, branch.first, branch.count));
}

std::string no_rows_sql(const FilesPlan& plan,
                        const std::vector<std::string>& columns) {
  std::vector<std::string> list;
  for (const std::string& name : columns) {
    LogicalType type = name == kFileColumn ? LogicalType::VARCHAR : LogicalType::BIGINT;
    for (std::size_t i = 0; i < plan.columns.names.size(); ++i) {
      if (plan.columns.names[i] == name) type = plan.columns.types[i];
    }
    list.push_back(cast("NULL", type) + " AS " + quote_identifier(name));
  }
  if (list.empty()) list.emplace_back("true AS _lakemill_nothing");
  return "SELECT " + join(list, ", ") + " WHERE false";
}

std::string columns_argument(const FileGroup& group) {
  std::vector<std::string> entries;
  for (const SourceColumn& column : group.columns) {
    entries.push_back(
        quote_literal(column.name) + ": " +
        quote_literal(column.type.IsJSONType() ? "JSON" : column.type.ToString()));
  }
  // Files without a record, or with empty ones only; the reader wants a column.
  if (entries.empty()) entries.emplace_back("'_lakemill_nothing': 'VARCHAR'");
  return "columns = {" + join(entries, ", ") + "}";
}

// The values of JSON records, and the records.
std::string exact_reader_sql(const FilesPlan& plan, const FileGroup& group,
                             std::size_t first, std::size_t count) {
  std::vector<std::string> values = {kRecord, kFileIndex};
  Json structure = Json::object();
  for (const SourceColumn& column : group.columns) {
    structure[column.name] = "JSON";
    values.push_back("struct_extract(_lakemill_exact, " + quote_literal(column.name) +
                     ") AS " + read_name(column));
  }
  const std::string exact =
      structure.empty() ? "NULL"
                        : "json_transform(" + exact_json_sql("json", group.text_paths) +
                              ", " + quote_literal(json_text(structure)) + ")";
  return "(SELECT " + join(values, ", ") + " FROM (SELECT " + exact +
         " AS _lakemill_exact, json AS " + kRecord + ", file_index FROM (SELECT " +
         "CAST(json AS VARCHAR) AS json, file_index FROM " +
         records_sql(plan, first, count) + ")))";
}

// Plain urls: these are no patterns.
std::string lines_sql(const FilesPlan& plan, std::size_t first, std::size_t count) {
  std::vector<std::string> urls;
  for (std::size_t i = first; i < first + count; ++i) {
    urls.push_back(quote_literal(plan.relation.files[i].url));
  }
  const auto compression = plan.options.find("compression");
  return "lakemill_text_lines([" + join(urls, ", ") + "], " +
         (compression == plan.options.end() ? "'auto'" : compression->second) + ", " +
         plan.options.at("max_line_size") + ")";
}

}  // namespace

bool reads_lines(const FilesPlan& plan) {
  const auto encoding = plan.options.find("encoding");
  return plan.relation.format == FileFormat::text &&
         (encoding == plan.options.end() || encoding->second == "'utf-8'");
}

std::string path_literal(const std::string& url) {
  std::string escaped;
  for (const char letter : url) {
    const bool pattern = letter == '*' || letter == '?' || letter == '[';
    escaped += pattern ? std::string("[") + letter + "]" : std::string(1, letter);
  }
  return quote_literal(escaped);
}

std::string path_to_read(const FilesPlan& plan, const engine::InputFile& file) {
  return path_literal(plan.marked.contains(file.url) ? path_behind_mark(file.url)
                                                     : file.url);
}

std::string reader_sql(const FilesPlan& plan, const FileGroup& group, std::size_t first,
                       std::size_t count) {
  if (group.exact_numbers) return exact_reader_sql(plan, group, first, count);
  std::vector<std::string> urls;
  for (std::size_t i = first; i < first + count; ++i) {
    urls.push_back(path_to_read(plan, plan.relation.files[i]));
  }
  std::vector<std::string> arguments = {"[" + join(urls, ", ") + "]"};
  for (const auto& [name, value] : plan.options)
    arguments.push_back(name + " = " + value);
  const auto set = [&](const std::string& name, const std::string& value) {
    if (!plan.options.contains(name)) arguments.push_back(name + " = " + value);
  };
  switch (plan.relation.format) {
    case FileFormat::csv:
      set("delim", "','");
      set("quote", "'\"'");
      set("escape", "'\"'");
      arguments.push_back("auto_detect = false");
      arguments.push_back(group.mixed_ends ? "strict_mode = false"
                                           : "strict_mode = true");
      arguments.push_back(plan.relation.has_header ? "header = true"
                                                   : "header = false");
      arguments.push_back(columns_argument(group));
      return "read_csv(" + join(arguments, ", ") + ")" + renamed_columns(group);
    case FileFormat::text:
      if (reads_lines(plan)) return lines_sql(plan, first, count);
      arguments.push_back(
          "auto_detect = false, header = false, delim = '', quote = '', escape = ''");
      arguments.push_back(columns_argument(group));
      return "read_csv(" + join(arguments, ", ") + ")" + renamed_columns(group);
    case FileFormat::json:
    case FileFormat::jsonl:
      arguments.push_back(plan.relation.format == FileFormat::json
                              ? "format = 'auto'"
                              : "format = 'newline_delimited'");
      arguments.push_back("auto_detect = false, records = true");
      arguments.push_back(columns_argument(group));
      return "read_json(" + join(arguments, ", ") + ")" + renamed_columns(group);
    case FileFormat::parquet:
      arguments.push_back("union_by_name = true, hive_partitioning = false");
      return "read_parquet(" + join(arguments, ", ") + ")" + renamed_columns(group);
    case FileFormat::binaryfile:
      return "(SELECT filename AS path, last_modified AS \"modificationTime\", "
             "CAST(size AS BIGINT) AS length, content, file_index FROM read_blob(" +
             join(arguments, ", ") + "))";
  }
  return "";
}

std::string files_sql(const FilesPlan& plan, const std::vector<std::string>& columns) {
  const FileFormat format = plan.relation.format;
  const bool numbers_rows =
      std::find(columns.begin(), columns.end(), kRowColumn) != columns.end();
  const bool counts_rows =
      numbers_rows && format != FileFormat::parquet && format != FileFormat::binaryfile;
  std::vector<std::string> branches;
  for (const FileGroup& group : plan.groups) {
    branches.push_back(
        branch_sql({plan, group, group.first, group.count, counts_rows}, columns));
  }
  if (branches.empty()) return no_rows_sql(plan, columns);
  return join(branches, " UNION ALL ");
}

}  // namespace lakemill::engine_duckdb
