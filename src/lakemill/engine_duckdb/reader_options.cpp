#include "lakemill/engine_duckdb/reader_options.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "lakemill/base/json.h"
#include "lakemill/base/text.h"
#include "lakemill/engine/file_options.h"
#include "lakemill/engine_duckdb/date_pattern.h"

namespace lakemill::engine_duckdb {

namespace {

using engine::FileOption;
using engine::FilesRelation;

std::string encoding_name(std::string_view text) {
  const std::string lower = to_lower(text);
  if (lower == "utf8" || lower == "utf8-lossy") return "utf-8";
  if (lower == "latin1" || lower == "iso-8859-1" || lower == "iso8859-1") {
    return "latin-1";
  }
  if (lower == "utf16") return "utf-16";
  return lower;
}

Error wrong_value(const std::string& name, std::string_view must_be,
                  const std::string& value) {
  return {ErrorCode::invalid, "reader option " + name + " must be " +
                                  std::string(must_be) + ", not " + value};
}

Result<std::string> number(const std::string& name, const std::string& value) {
  if (value.empty() || value.find_first_not_of("0123456789") != std::string::npos) {
    return wrong_value(name, "a number", value);
  }
  return value;
}

Result<bool> boolean(const std::string& name, const std::string& value) {
  const std::string lower = to_lower(value);
  if (lower != "true" && lower != "false") {
    return wrong_value(name, "true or false", value);
  }
  return lower == "true";
}

Result<std::string> date_format(const std::string& name, const std::string& value) {
  auto format = to_strftime(value, DatePatternUse::read);
  if (!format) return std::move(format).error().while_doing("reader option " + name);
  return quote_literal(*format);
}

// What stands for null beside a field without anything in it, which always does.
std::string null_texts(const std::string& value) {
  std::vector<std::string> texts = {"''"};
  const auto list = parse_json(value);
  if (list && list->is_array()) {
    for (const Json& item : *list) {
      texts.push_back(
          quote_literal(item.is_string() ? item.get<std::string>() : item.dump()));
    }
  } else {
    texts.push_back(quote_literal(value));
  }
  return "[" + join(texts, ", ") + "]";
}

// The option of DuckDB's reader, and its value.
Result<std::pair<std::string, std::string>> option_sql(const std::string& name,
                                                       FileOption option,
                                                       const std::string& value) {
  const auto with =
      [](const char* key,
         Result<std::string> sql) -> Result<std::pair<std::string, std::string>> {
    if (!sql) return std::move(sql).error();
    return std::pair<std::string, std::string>(key, *std::move(sql));
  };
  switch (option) {
    case FileOption::delimiter:
      return with("delim", quote_literal(value));
    case FileOption::quote:
      return with("quote", quote_literal(value));
    case FileOption::escape:
      return with("escape", quote_literal(value));
    case FileOption::comment:
      return with("comment", quote_literal(value));
    case FileOption::encoding:
      return with("encoding", quote_literal(encoding_name(value)));
    case FileOption::null_values:
      return with("nullstr", null_texts(value));
    case FileOption::skip_rows:
      return with("skip", number(name, value));
    case FileOption::decimal:
      return with("decimal_separator", quote_literal(value));
    case FileOption::compression:
      return with("compression", quote_literal(value));
    case FileOption::date_format:
      return with("dateformat", date_format(name, value));
    case FileOption::timestamp_format:
      return with("timestampformat", date_format(name, value));
    case FileOption::line_size_max:
      return with("max_line_size", number(name, value));
    case FileOption::object_size_max:
      return with("maximum_object_size", number(name, value));
    case FileOption::header:
    case FileOption::infer_schema:
    case FileOption::row_group_size:
    case FileOption::nothing:
      break;
  }
  return with("", std::string());
}

// A line must fit into one buffer, and a row that does not is lost at the end of a
// file: files_plan.cpp looks at the last line.
Status add_line_size(std::map<std::string, std::string>& options) {
  const std::string given = options.contains("max_line_size")
                                ? options.at("max_line_size")
                                : std::to_string(kLineBytesMax);
  std::int64_t size_bytes = 0;
  const auto parsed =
      std::from_chars(given.data(), given.data() + given.size(), size_bytes);
  if (parsed.ec != std::errc() || size_bytes < 1) {
    return Error(ErrorCode::invalid,
                 "reader option max_line_size must be a number of bytes, not " + given);
  }
  options["max_line_size"] = given;
  options["buffer_size"] = std::to_string(std::max(size_bytes, kLineBytesMax));
  return {};
}

}  // namespace

Result<std::map<std::string, std::string>> reader_options(FilesRelation& relation) {
  std::map<std::string, std::string> options;
  for (const auto& [name, value] : relation.options) {
    LAKEMILL_TRY(const FileOption option, engine::reader_option(relation.format, name));
    if (option == FileOption::header) {
      LAKEMILL_TRY(relation.has_header, boolean(name, value));
    }
    if (option == FileOption::infer_schema) {
      LAKEMILL_TRY(relation.infer_schema, boolean(name, value));
    }
    LAKEMILL_TRY(auto sql, option_sql(name, option, value));
    if (!sql.first.empty()) options.insert_or_assign(sql.first, sql.second);
  }
  const bool has_lines = relation.format == engine::FileFormat::csv ||
                         relation.format == engine::FileFormat::text;
  if (has_lines) LAKEMILL_TRY_OK(add_line_size(options));
  return options;
}

}  // namespace lakemill::engine_duckdb
