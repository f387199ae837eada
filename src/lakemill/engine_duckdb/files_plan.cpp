// What raw files hold: headers of CSV, structures of JSON, types of Parquet.

#include "lakemill/engine_duckdb/files_plan.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "lakemill/base/guard.h"
#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/files_columns.h"
#include "lakemill/engine_duckdb/json_exactness.h"
#include "lakemill/engine_duckdb/json_plan.h"
#include "lakemill/engine_duckdb/reader_error.h"
#include "lakemill/engine_duckdb/reader_options.h"
#include "lakemill/engine_duckdb/rescued_values.h"
#include "lakemill/engine_duckdb/type_mapping.h"
#include "lakemill/engine_duckdb/write_query.h"

namespace lakemill::engine_duckdb {

namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using engine::FileFormat;
using engine::FilesRelation;

// A file is its path and size: one that is gone or has changed fails the batch.
Status check_files(DuckdbSession& session, const FilesRelation& relation) {
  auto& files = duckdb::FileSystem::GetFileSystem(*session.connection().context);
  for (const engine::InputFile& file : relation.files) {
    std::optional<std::int64_t> size;
    auto opened = session.watch([&] {
      const auto handle = files.OpenFile(
          file.url, duckdb::FileFlags::FILE_FLAGS_READ |
                        duckdb::FileFlags::FILE_FLAGS_NULL_IF_NOT_EXISTS);
      if (handle) size = handle->GetFileSize();
    });
    if (!opened) return std::move(opened).error().while_doing("file " + file.url);
    if (!size) return Error(ErrorCode::not_found, "file " + file.url + " is gone");
    if (file.size_bytes > 0 && *size != file.size_bytes) {
      return file_error(file.url, "it has changed since the batch was planned (" +
                                      std::to_string(file.size_bytes) +
                                      " bytes then, " + std::to_string(*size) +
                                      " now)");
    }
  }
  return {};
}

// DuckDB leaves out a last line that is longer than two buffers, without a word.
Status check_last_lines(DuckdbSession& session, const FilesPlan& plan) {
  const std::string& size_text = plan.options.at("buffer_size");
  const auto buffer_bytes = static_cast<std::size_t>(std::stoll(size_text));
  auto& files = duckdb::FileSystem::GetFileSystem(*session.connection().context);
  for (const engine::InputFile& file : plan.relation.files) {
    if (file.size_bytes <= static_cast<std::int64_t>(buffer_bytes)) continue;
    std::string tail(buffer_bytes, '\0');
    LAKEMILL_TRY_OK(session.watch([&] {
      const auto handle = files.OpenFile(file.url, duckdb::FileFlags::FILE_FLAGS_READ);
      handle->Read(tail.data(), tail.size(),
                   static_cast<duckdb::idx_t>(file.size_bytes) - tail.size());
    }));
    while (tail.ends_with('\n') || tail.ends_with('\r')) tail.pop_back();
    if (tail.find_first_of("\n\r") != std::string::npos) continue;
    return file_error(file.url, "its last line is longer than " + size_text +
                                    " bytes; " + std::string(kLongerLines));
  }
  return {};
}

// A quoted field of a first record that goes on over more lines is an open quote.
constexpr int kFirstRecordLinesMax = 1000;

std::string unquoted(const std::string& literal, const std::string& fallback) {
  if (literal.size() < 2) return fallback;
  return literal.substr(1, literal.size() - 2);
}

// One record of CSV as its fields. Nothing: a quote is left open.
std::optional<std::vector<std::string>> split_record(const std::string& line,
                                                     const std::string& delimiter,
                                                     char quote) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (quote != '\0' && line[i] == quote) {
      if (quoted && i + 1 < line.size() && line[i + 1] == quote) {
        fields.back() += line[++i];
      } else {
        quoted = !quoted;
      }
    } else if (!quoted && line.compare(i, delimiter.size(), delimiter) == 0) {
      fields.emplace_back();
      i += delimiter.size() - 1;
    } else {
      fields.back() += line[i];
    }
  }
  if (quoted) return std::nullopt;
  return fields;
}

// Names that a table can have: none empty, none twice (case aside).
std::vector<std::string> distinct_names(std::vector<std::string> names) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) names[i] = "column" + std::to_string(i);
    const std::string given = names[i];
    for (int copy = 1; !seen.insert(to_lower(names[i])).second; ++copy) {
      names[i] = given + "_" + std::to_string(copy);
    }
  }
  return names;
}

// The first lines of a CSV file.
Result<std::vector<std::string>> first_lines(DuckdbSession& session,
                                             const FilesPlan& plan,
                                             const std::string& url, int count_max) {
  std::string arguments;
  for (const char* key :
       {"encoding", "skip", "comment", "compression", "max_line_size", "buffer_size"}) {
    const auto option = plan.options.find(key);
    if (option != plan.options.end())
      arguments += ", " + option->first + " = " + option->second;
  }
  auto answer = session.run(
      "SELECT line FROM read_csv([" + path_literal(url) +
      "], auto_detect = false, header = false, delim = '', quote = '', escape = '', "
      "columns = {'line': 'VARCHAR'}" +
      arguments + ") LIMIT " + std::to_string(count_max));
  if (!answer) {
    const bool names_file = answer.error().message().starts_with("file ");
    if (names_file) return std::move(answer).error();
    return std::move(answer).error().while_doing("file " + url);
  }
  std::vector<std::string> lines;
  for (duckdb::idx_t row = 0; row < (*answer)->RowCount(); ++row) {
    const duckdb::Value line = (*answer)->GetValue(0, row);
    lines.push_back(line.IsNull() ? "" : line.ToString());
  }
  return lines;
}

// The first record of a CSV file; nothing if the file is empty.
Result<std::optional<std::vector<std::string>>> first_record(DuckdbSession& session,
                                                             const FilesPlan& plan,
                                                             const std::string& url) {
  LAKEMILL_TRY(auto lines, first_lines(session, plan, url, 1));
  if (lines.empty()) return std::optional<std::vector<std::string>>();
  const auto option = [&](const char* key, const char* fallback) {
    const auto found = plan.options.find(key);
    return found == plan.options.end() ? std::string(fallback)
                                       : unquoted(found->second, fallback);
  };
  const std::string quote = option("quote", "\"");
  const auto fields_of = [&](const std::string& record) {
    return split_record(record, option("delim", ","), quote.empty() ? '\0' : quote[0]);
  };
  if (auto fields = fields_of(lines[0])) return fields;
  // Its quoted fields hold line breaks.
  LAKEMILL_TRY(lines, first_lines(session, plan, url, kFirstRecordLinesMax));
  std::string record = lines[0];
  for (std::size_t i = 1; i < lines.size(); ++i) {
    record += "\n" + lines[i];
    if (auto fields = fields_of(record)) return fields;
  }
  return file_error(url, "line 1: a quote in the first record is not closed");
}

Result<std::vector<std::string>> csv_names(const FilesPlan& plan,
                                           const std::string& url,
                                           std::vector<std::string> fields) {
  if (plan.relation.has_header) return distinct_names(std::move(fields));
  const auto& schema = plan.relation.schema;
  if (schema && schema->fields.size() != fields.size()) {
    return file_error(url, "line 1 has " + std::to_string(fields.size()) +
                               " columns, the schema has " +
                               std::to_string(schema->fields.size()));
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    names.push_back(schema ? schema->fields[i].name : "column" + std::to_string(i));
  }
  return names;
}

bool same_columns(const FileGroup& group, const std::vector<std::string>& names) {
  return std::equal(group.columns.begin(), group.columns.end(), names.begin(),
                    names.end(),
                    [](const SourceColumn& column, const std::string& name) {
                      return column.name == name;
                    });
}

Status group_csv(DuckdbSession& session, FilesPlan& plan) {
  for (std::size_t i = 0; i < plan.relation.files.size(); ++i) {
    const std::string& url = plan.relation.files[i].url;
    LAKEMILL_TRY(auto fields, first_record(session, plan, url));
    if (!fields) continue;  // an empty file has no rows
    LAKEMILL_TRY(const auto names, csv_names(plan, url, std::move(*fields)));
    const bool goes_on = !plan.groups.empty() &&
                         plan.groups.back().first + plan.groups.back().count == i &&
                         same_columns(plan.groups.back(), names);
    if (goes_on) {
      ++plan.groups.back().count;
      continue;
    }
    FileGroup group{i, 1, {}};
    for (const std::string& name : names) {
      group.columns.push_back({name, LogicalType::VARCHAR, true});
    }
    plan.groups.push_back(std::move(group));
  }
  return {};
}

// What all the values of a column of text look like, over the whole of the files.
std::string guess_sql(const std::string& name) {
  const std::string column = quote_identifier(name);
  const auto all = [&](const std::string& test) {
    return "bool_and(" + column + " IS NULL OR (" + test + "))";
  };
  const std::string time = R"(^\d{4}-\d\d-\d\d[ T]\d\d:\d\d.*)";
  const std::string zone = R"(.*(Z|[+-]\d\d(:?\d\d)?)$)";
  const auto matches = [&](const std::string& pattern) {
    return "regexp_full_match(" + column + ", " + quote_literal(pattern) + ")";
  };
  return "CASE WHEN count(" + column + ") = 0 THEN 'NULL' WHEN " +
         all(matches("(?i)true|false")) + " THEN 'BOOLEAN' WHEN " +
         all(matches(R"(\s*[+-]?\d+\s*)") + " AND TRY_CAST(" + column +
             " AS BIGINT) IS NOT NULL") +
         " THEN 'BIGINT' WHEN " +
         all(std::string(kExactDouble) + "(" + column + ") IS NOT NULL") +
         " THEN 'DOUBLE' WHEN " +
         all("TRY_CAST(" + column + " AS DOUBLE) IS NOT NULL") +
         " THEN 'NUMBER' WHEN " +
         all(matches(R"(\d{4}-\d\d-\d\d)") + " AND TRY_CAST(" + column +
             " AS DATE) IS NOT NULL") +
         " THEN 'DATE' WHEN " +
         all(matches(time) + " AND NOT " + matches(zone) + " AND TRY_CAST(" + column +
             " AS TIMESTAMP) IS NOT NULL") +
         " THEN 'TIMESTAMP' WHEN " +
         all(matches(time) + " AND " + matches(zone) + " AND TRY_CAST(" + column +
             " AS TIMESTAMPTZ) IS NOT NULL") +
         " THEN 'TIMESTAMP WITH TIME ZONE' ELSE 'VARCHAR' END";
}

LogicalType guessed_type(const std::string& name) {
  if (name == "BOOLEAN") return LogicalType::BOOLEAN;
  if (name == "BIGINT") return LogicalType::BIGINT;
  if (name == "DOUBLE") return LogicalType::DOUBLE;
  if (name == "DATE") return LogicalType::DATE;
  if (name == "TIMESTAMP") return LogicalType::TIMESTAMP;
  if (name == "TIMESTAMP WITH TIME ZONE") return LogicalType::TIMESTAMP_TZ;
  return LogicalType::VARCHAR;
}

// The type of a column of numbers of which no double holds some: a decimal, as for
// JSON (json_numbers.h), or the texts that they are.
Result<LogicalType> exact_number_type(DuckdbSession& session, const std::string& texts,
                                      const std::string& name) {
  const std::string column = quote_identifier(name);
  const auto length_of = [&](int part, const std::string& trimmed) {
    return "coalesce(max(length(" + trimmed + "(split_part(" + column + ", '.', " +
           std::to_string(part) + "), ' +-0'))), 0)";
  };
  LAKEMILL_TRY(
      const auto answer,
      session.run("SELECT bool_and(" + column + " IS NULL OR regexp_full_match(" +
                  column + R"(, '\s*[+-]?\d+([.]\d+)?\s*')), )" +
                  length_of(1, "ltrim") + ", " + length_of(2, "rtrim") + " FROM (" +
                  texts + ")"));
  const auto digits =
      std::max<std::int64_t>(answer->GetValue(1, 0).GetValue<std::int64_t>(), 1);
  const auto scale = answer->GetValue(2, 0).GetValue<std::int64_t>();
  constexpr std::int64_t kDigitsMax = 38;
  constexpr std::int64_t kScaleWanted = 18;
  if (!answer->GetValue(0, 0).GetValue<bool>() || digits + scale > kDigitsMax) {
    return LogicalType(LogicalType::VARCHAR);
  }
  const auto room = std::min(kScaleWanted, kDigitsMax - digits);
  return LogicalType::DECIMAL(
      kDigitsMax, static_cast<std::uint8_t>(scale == 0 ? 0 : std::max(scale, room)));
}

// True if all texts of a column are exactly values of that type.
Result<bool> holds_all(DuckdbSession& session, const std::string& texts,
                       const std::string& name, const LogicalType& type) {
  const std::string column = quote_identifier(name);
  LAKEMILL_TRY(const auto answer,
               session.run("SELECT bool_and(" + column + " IS NULL OR " +
                           exact_text_cast(column, type) + " IS NOT NULL) FROM (" +
                           texts + ")"));
  const duckdb::Value holds = answer->GetValue(0, 0);
  return !holds.IsNull() && holds.GetValue<bool>();
}

Status infer_csv_types(DuckdbSession& session, FilesPlan& plan) {
  if (plan.groups.empty() || plan.columns.names.empty()) return {};
  std::vector<std::string> guesses;
  for (const std::string& name : plan.columns.names) guesses.push_back(guess_sql(name));
  const std::string texts = files_sql(plan, plan.columns.names);
  LAKEMILL_TRY(const auto answer,
               session.run("SELECT " + join(guesses, ", ") + " FROM (" + texts + ")"));
  for (std::size_t i = 0; i < plan.columns.names.size(); ++i) {
    const std::string& name = plan.columns.names[i];
    const std::string guess = answer->GetValue(i, 0).ToString();
    plan.columns.types[i] = guessed_type(guess);
    if (guess == "NUMBER") {
      LAKEMILL_TRY(plan.columns.types[i], exact_number_type(session, texts, name));
    }
    if (guess == "NULL") {
      LAKEMILL_TRY(const auto known, type_of_nulls(session, plan, name));
      if (known && !known->IsNested()) plan.columns.types[i] = *known;
      if (!known) plan.only_nulls.insert(name);
    } else if (plan.columns.types[i].IsNumeric()) {
      LAKEMILL_TRY(const auto known, known_type(plan, name));
      if (!known || *known == plan.columns.types[i] ||
          (*known != LogicalType::DOUBLE && known->id() != LogicalTypeId::DECIMAL)) {
        continue;
      }
      LAKEMILL_TRY(const bool holds, holds_all(session, texts, name, *known));
      if (holds) plan.columns.types[i] = *known;
    }
  }
  return {};
}

// The type by which the CSV reader itself reads a column: it then names the line of a
// value that does not fit. Integers are read with their fraction, which it would round
// away: long ones as text (csv_integers.h), because no number of DuckDB's that is quick
// to read holds them; a wall clock as an instant, because it would drop the offset.
LogicalType csv_reading_type(const FilesPlan& plan, const LogicalType& type) {
  switch (type.id()) {
    case LogicalTypeId::TINYINT:
    case LogicalTypeId::SMALLINT:
    case LogicalTypeId::INTEGER:
      return LogicalType::DOUBLE;
    case LogicalTypeId::BIGINT:
      return plan.options.contains("decimal_separator") ? LogicalType::DECIMAL(38, 18)
                                                        : LogicalType::VARCHAR;
    case LogicalTypeId::TIMESTAMP:
      return LogicalType::TIMESTAMP_TZ;
    case LogicalTypeId::BLOB:
    case LogicalTypeId::STRUCT:
    case LogicalTypeId::LIST:
    case LogicalTypeId::MAP:
      return LogicalType::VARCHAR;
    default:
      return type;
  }
}

Status plan_csv(DuckdbSession& session, FilesPlan& plan) {
  LAKEMILL_TRY_OK(check_last_lines(session, plan));
  LAKEMILL_TRY_OK(group_csv(session, plan));
  if (plan.relation.schema) {
    LAKEMILL_TRY_OK(set_schema(plan, *plan.relation.schema));
    LAKEMILL_TRY_OK(refuse_extra_columns(plan));
  } else {
    unite_columns(plan);
    if (plan.relation.infer_schema) LAKEMILL_TRY_OK(infer_csv_types(session, plan));
  }
  if (plan.relation.rescue) return {};  // texts, so that what does not fit is kept
  for (FileGroup& group : plan.groups) {
    for (SourceColumn& column : group.columns) {
      column.type =
          csv_reading_type(plan, wanted_type(plan, column.name).value_or(column.type));
    }
  }
  return {};
}

Status plan_parquet(DuckdbSession& session, FilesPlan& plan) {
  if (!plan.relation.files.empty()) {
    const FileGroup all{0, plan.relation.files.size(), {}};
    LAKEMILL_TRY(
        const QueryColumns found,
        columns_of(session, "SELECT * FROM " + reader_sql(plan, all, 0, all.count)));
    std::vector<SourceColumn> columns;
    for (std::size_t i = 0; i < found.names.size(); ++i) {
      columns.push_back({found.names[i], found.types[i], true});
    }
    group_all(plan, std::move(columns));
  }
  if (!plan.relation.schema) {
    unite_columns(plan);
    return {};
  }
  LAKEMILL_TRY_OK(set_schema(plan, *plan.relation.schema));
  return refuse_extra_columns(plan);
}

Status plan_fixed(FilesPlan& plan, std::vector<SourceColumn> columns) {
  for (const SourceColumn& column : columns) {
    plan.columns.names.push_back(column.name);
    plan.columns.types.push_back(column.type);
  }
  group_all(plan, std::move(columns));
  return {};
}

// Files in which nothing is have the columns of those before them.
Status take_known_columns(DuckdbSession& session, FilesPlan& plan) {
  LAKEMILL_TRY(plan.columns, columns_before(session, plan));
  if (plan.columns.names.empty() && plan.relation.known_types) {
    return set_schema(plan, *plan.relation.known_types);
  }
  return {};
}

Status plan_columns(DuckdbSession& session, FilesPlan& plan) {
  switch (plan.relation.format) {
    case FileFormat::csv:
      return plan_csv(session, plan);
    case FileFormat::json:
    case FileFormat::jsonl:
      return plan_json(session, plan);
    case FileFormat::parquet:
      return plan_parquet(session, plan);
    case FileFormat::text:
      if (!reads_lines(plan)) LAKEMILL_TRY_OK(check_last_lines(session, plan));
      return plan_fixed(plan, {{"value", LogicalType::VARCHAR, true}});
    case FileFormat::binaryfile:
      return plan_fixed(plan, {{"path", LogicalType::VARCHAR, true},
                               {"modificationTime", LogicalType::TIMESTAMP_TZ, true},
                               {"length", LogicalType::BIGINT, true},
                               {"content", LogicalType::BLOB, true}});
  }
  return {};
}

}  // namespace

Result<FilesPlan> plan_files(DuckdbSession& session, const FilesRelation& relation) {
  FilesPlan plan;
  plan.relation = relation;
  LAKEMILL_TRY(plan.options, reader_options(plan.relation));
  LAKEMILL_TRY_OK(check_files(session, plan.relation));
  LAKEMILL_TRY_OK(plan_columns(session, plan));
  if (plan.columns.names.empty()) LAKEMILL_TRY_OK(take_known_columns(session, plan));
  plan.relation.files_before = {};
  if (plan.columns.names.empty()) {
    return Error(
        ErrorCode::invalid,
        relation.files.empty()
            ? "there is no file and no schema, so its columns are not known; "
              "add a file, or give the source a schema"
            : file_error(relation.files[0].url,
                         "no file of the source has a column (they are empty); "
                         "add one that has, or give the source a schema")
                  .message());
  }
  if (relation.rescue) {
    plan.columns.names.emplace_back(kRescuedColumn);
    plan.columns.types.push_back(LogicalType::VARCHAR);
  }
  return plan;
}

}  // namespace lakemill::engine_duckdb
