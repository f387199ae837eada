// What CSV files hold: headers, ends of rows, and the types that texts look like.

#include "lakemill/engine_duckdb/csv_plan.h"

#include <algorithm>
#include <map>
#include <optional>

#include "lakemill/base/text.h"
#include "lakemill/engine/text_spelling.h"
#include "lakemill/engine_duckdb/csv_values.h"
#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/files_columns.h"
#include "lakemill/engine_duckdb/json_exactness.h"
#include "lakemill/engine_duckdb/reader_error.h"
#include "lakemill/engine_duckdb/reader_options.h"
#include "lakemill/engine_duckdb/rescued_values.h"
#include "lakemill/engine_duckdb/value_lines.h"

namespace lakemill::engine_duckdb {

namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;

// A quoted field of a first record that goes on over more lines is an open quote.
constexpr int kFirstRecordLinesMax = 1000;

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

// Names that a table can have: none empty.
Result<std::vector<std::string>> header_names(const std::string& url,
                                              std::vector<std::string> names) {
  std::map<std::string, std::string> seen;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) names[i] = "column" + std::to_string(i);
    const auto [first, is_new] = seen.emplace(to_lower(names[i]), names[i]);
    if (is_new) continue;
    return file_error(url,
                      "line 1: the header has the column " + first->second +
                          (first->second == names[i] ? " twice" : " and " + names[i]) +
                          ", which a table cannot hold both; rename one where the "
                          "file is written, or name the columns yourself: "
                          "has_header: false, a schema, and reader_kwargs: "
                          "{skip_rows: 1}");
  }
  return names;
}

// The same where line ends differ, be it within quotes.
Result<std::vector<std::string>> lines_of_any_end(DuckdbSession& session,
                                                  const FilesPlan& plan,
                                                  const std::string& url,
                                                  int count_max) {
  const formats::CsvDialect dialect = csv_dialect(plan);
  const auto compression = plan.options.find("compression");
  const std::string kept = dialect.comment == '\0'
                               ? std::string()
                               : " AND NOT starts_with(value, " +
                                     quote_literal(std::string(1, dialect.comment)) +
                                     ")";
  LAKEMILL_TRY(
      const auto answer,
      session.run("SELECT value FROM (SELECT value, row_number() OVER () AS number "
                  "FROM lakemill_text_lines([" +
                  quote_literal(url) + "], " +
                  (compression == plan.options.end() ? "'auto'" : compression->second) +
                  ", " + plan.options.at("max_line_size") + ")) WHERE number > " +
                  std::to_string(dialect.skipped_lines) + kept +
                  " ORDER BY number LIMIT " + std::to_string(count_max)));
  std::vector<std::string> lines;
  for (duckdb::idx_t row = 0; row < answer->RowCount(); ++row) {
    lines.push_back(answer->GetValue(0, row).ToString());
  }
  return lines;
}

// The first lines of a CSV file.
Result<std::vector<std::string>> first_lines(DuckdbSession& session,
                                             const FilesPlan& plan,
                                             const std::string& url, int count_max,
                                             bool& seems_mixed) {
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
    const std::string message = answer.error().message();
    if (message.find(kLostRows) != std::string::npos) {
      seems_mixed = true;
      return lines_of_any_end(session, plan, url, count_max);
    }
    if (message.starts_with("file ")) return std::move(answer).error();
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
                                                             const std::string& url,
                                                             bool& seems_mixed) {
  LAKEMILL_TRY(auto lines, first_lines(session, plan, url, 1, seems_mixed));
  if (lines.empty()) return std::optional<std::vector<std::string>>();
  const formats::CsvDialect dialect = csv_dialect(plan);
  const auto fields_of = [&](const std::string& record) {
    return split_record(record, dialect.delimiter, dialect.quote);
  };
  if (auto fields = fields_of(lines[0])) return fields;
  // Its quoted fields hold line breaks.
  LAKEMILL_TRY(lines,
               first_lines(session, plan, url, kFirstRecordLinesMax, seems_mixed));
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
  if (plan.relation.has_header) return header_names(url, std::move(fields));
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

// True if rows of the file end in different ways. Errors: where the reader could not
// tell such rows exactly.
Result<bool> has_mixed_ends(DuckdbSession& session, const FilesPlan& plan,
                            const std::string& url) {
  const std::string bytes = bytes_to_search(*session.connection().context, url);
  const formats::CsvEnds ends = formats::ends_of_records(bytes, csv_dialect(plan));
  if (!ends.are_mixed && !bytes.empty()) return false;
  if (ends.are_plain && !bytes.empty()) return true;
  return file_error(url, (ends.line > 0 ? "line " + std::to_string(ends.line) + ": "
                                        : std::string()) +
                             std::string(kLostRows));
}

Status group_csv(DuckdbSession& session, FilesPlan& plan) {
  for (std::size_t i = 0; i < plan.relation.files.size(); ++i) {
    const std::string& url = plan.relation.files[i].url;
    bool seems_mixed = false;
    LAKEMILL_TRY(auto fields, first_record(session, plan, url, seems_mixed));
    if (!fields) continue;  // an empty file has no rows
    bool is_mixed = false;
    if (seems_mixed) {
      LAKEMILL_TRY(is_mixed, has_mixed_ends(session, plan, url));
    }
    LAKEMILL_TRY(const auto names, csv_names(plan, url, std::move(*fields)));
    const bool goes_on = !plan.groups.empty() &&
                         plan.groups.back().first + plan.groups.back().count == i &&
                         plan.groups.back().mixed_ends == is_mixed &&
                         same_columns(plan.groups.back(), names);
    if (goes_on) {
      ++plan.groups.back().count;
      continue;
    }
    FileGroup group{i, 1, {}};
    group.mixed_ends = is_mixed;
    for (const std::string& name : names) {
      group.columns.push_back({name, LogicalType::VARCHAR, true});
    }
    plan.groups.push_back(std::move(group));
  }
  return {};
}

// A number: a zero in front makes an identifier of it, a sign a number of a telephone.
constexpr const char* kNumberPattern =
    R"(\s*-?((0|[1-9]\d*)([.]\d*)?|[.]\d+)([eE][+-]?\d+)?\s*|(?i:nan|-?inf))";

// What all the values of a column of text look like, over the whole of the files.
std::string guess_sql(const FilesPlan& plan, const std::string& name) {
  const std::string column = quote_identifier(name);
  const auto all = [&](const std::string& test) {
    return "bool_and(" + column + " IS NULL OR (" + test + "))";
  };
  const std::string time = R"(^\d{4}-\d\d-\d\d[ T]\d\d:\d\d.*)";
  const std::string is_held = " AND NOT regexp_matches(" + column + ", " +
                              quote_literal(engine::kBelowMicroseconds) + ")";
  const std::string zone = R"(.*(Z|[+-]\d\d(:?\d\d)?)$)";
  const auto matches = [&](const std::string& pattern) {
    return "regexp_full_match(" + column + ", " + quote_literal(pattern) + ")";
  };
  const std::string is_number = matches(kNumberPattern) + " AND ";
  std::string given;  // the formats that the source tells
  const auto when_formatted = [&](const char* option, const std::string& type) {
    const auto format = plan.options.find(option);
    if (format == plan.options.end()) return;
    given += " WHEN " +
             all("try_strptime(" + column + ", " + format->second + ") IS NOT NULL") +
             " THEN " + quote_literal(type);
  };
  when_formatted("dateformat", "DATE");
  const auto format = plan.options.find("timestampformat");
  const bool has_zone =
      format != plan.options.end() && format->second.find("%z") != std::string::npos;
  when_formatted("timestampformat",
                 has_zone ? "TIMESTAMP WITH TIME ZONE" : "TIMESTAMP");
  return "CASE WHEN count(" + column + ") = 0 THEN 'NULL'" + given + " WHEN " +
         all(matches("(?i)true|false")) + " THEN 'BOOLEAN' WHEN " +
         all(matches(R"(\s*-?(0|[1-9]\d*)\s*)") + " AND TRY_CAST(" + column +
             " AS BIGINT) IS NOT NULL") +
         " THEN 'BIGINT' WHEN " +
         all(is_number + kExactDouble + "(" + column + ") IS NOT NULL") +
         " THEN 'DOUBLE' WHEN " +
         all(is_number + "TRY_CAST(" + column + " AS DOUBLE) IS NOT NULL") +
         " THEN 'NUMBER' WHEN " +
         all(matches(R"(\d{4}-\d\d-\d\d)") + " AND TRY_CAST(" + column +
             " AS DATE) IS NOT NULL") +
         " THEN 'DATE' WHEN " +
         all(matches(time) + is_held + " AND NOT " + matches(zone) + " AND TRY_CAST(" +
             column + " AS TIMESTAMP) IS NOT NULL") +
         " THEN 'TIMESTAMP' WHEN " +
         all(matches(time) + is_held + " AND " + matches(zone) + " AND TRY_CAST(" +
             column + " AS TIMESTAMPTZ) IS NOT NULL") +
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
  for (const std::string& name : plan.columns.names) {
    guesses.push_back(guess_sql(plan, name));
  }
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

// A decimal in which a fraction that is too long for `type` shows, if there is room.
LogicalType with_more_digits(const LogicalType& type) {
  constexpr int kScale = 18;
  const int scale = duckdb::DecimalType::GetScale(type);
  const int whole = duckdb::DecimalType::GetWidth(type) - scale;
  return scale < kScale && whole <= 38 - kScale ? LogicalType::DECIMAL(38, kScale)
                                                : type;
}

// The type by which the CSV reader reads a column. It takes fractions itself. Of whole
// numbers it would round away the fraction, of decimals the digits behind the last, of
// dates and instants it drops an offset, or what stands behind, without a word: these
// are texts that SQL casts (csv_values.h).
LogicalType csv_reading_type(const FilesPlan& plan, const LogicalType& type) {
  switch (type.id()) {
    case LogicalTypeId::TINYINT:
    case LogicalTypeId::SMALLINT:
    case LogicalTypeId::INTEGER:
    case LogicalTypeId::BIGINT:
      return plan.options.contains("decimal_separator") ? LogicalType::DECIMAL(38, 18)
                                                        : LogicalType::VARCHAR;
    case LogicalTypeId::DECIMAL:
      return plan.options.contains("decimal_separator") ? with_more_digits(type)
                                                        : LogicalType::VARCHAR;
    case LogicalTypeId::DATE:
    case LogicalTypeId::TIMESTAMP:
    case LogicalTypeId::TIMESTAMP_TZ:
    case LogicalTypeId::BLOB:
    case LogicalTypeId::STRUCT:
    case LogicalTypeId::LIST:
    case LogicalTypeId::MAP:
      return LogicalType::VARCHAR;
    default:
      return type;
  }
}

}  // namespace

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

}  // namespace lakemill::engine_duckdb
