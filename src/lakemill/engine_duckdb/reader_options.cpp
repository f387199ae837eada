#include "lakemill/engine_duckdb/reader_options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "lakemill/base/text.h"

namespace lakemill::engine_duckdb {

namespace {

using engine::FileFormat;
using engine::FilesRelation;

enum class OptionKind : std::uint8_t {
  text,
  number,
  has_header,
  infer_schema,
  strftime,  // a format of dates; Java's letters are turned into strftime's
  ignored,   // true of our readers whatever it says
};

struct ReaderOption {
  std::string_view key;
  std::string_view option;
  OptionKind kind;
};

constexpr std::array kCsvOptions = {
    ReaderOption{"delimiter", "delim", OptionKind::text},
    ReaderOption{"sep", "delim", OptionKind::text},
    ReaderOption{"separator", "delim", OptionKind::text},
    ReaderOption{"quote", "quote", OptionKind::text},
    ReaderOption{"quote_char", "quote", OptionKind::text},
    ReaderOption{"quotechar", "quote", OptionKind::text},
    ReaderOption{"escape", "escape", OptionKind::text},
    ReaderOption{"escapechar", "escape", OptionKind::text},
    ReaderOption{"comment", "comment", OptionKind::text},
    ReaderOption{"comment_prefix", "comment", OptionKind::text},
    ReaderOption{"encoding", "encoding", OptionKind::text},
    ReaderOption{"charset", "encoding", OptionKind::text},
    ReaderOption{"nullvalue", "nullstr", OptionKind::text},
    ReaderOption{"null_value", "nullstr", OptionKind::text},
    ReaderOption{"null_values", "nullstr", OptionKind::text},
    ReaderOption{"skip_rows", "skip", OptionKind::number},
    ReaderOption{"skiprows", "skip", OptionKind::number},
    ReaderOption{"decimal", "decimal_separator", OptionKind::text},
    ReaderOption{"compression", "compression", OptionKind::text},
    ReaderOption{"max_line_size", "max_line_size", OptionKind::number},
    ReaderOption{"dateformat", "dateformat", OptionKind::strftime},
    ReaderOption{"timestampformat", "timestampformat", OptionKind::strftime},
    ReaderOption{"header", "", OptionKind::has_header},
    ReaderOption{"has_header", "", OptionKind::has_header},
    ReaderOption{"inferschema", "", OptionKind::infer_schema},
    ReaderOption{"infer_schema", "", OptionKind::infer_schema},
    ReaderOption{"multiline", "", OptionKind::ignored},
    ReaderOption{"mode", "", OptionKind::ignored},
};
constexpr std::array kJsonOptions = {
    ReaderOption{"compression", "compression", OptionKind::text},
    ReaderOption{"maximum_object_size", "maximum_object_size", OptionKind::number},
    ReaderOption{"multiline", "", OptionKind::ignored},
    ReaderOption{"lines", "", OptionKind::ignored},
};
constexpr std::array kTextOptions = {
    ReaderOption{"encoding", "encoding", OptionKind::text},
    ReaderOption{"max_line_size", "max_line_size", OptionKind::number},
    ReaderOption{"compression", "compression", OptionKind::text},
};
constexpr std::array kParquetOptions = {
    ReaderOption{"mergeschema", "", OptionKind::ignored},
};

std::span<const ReaderOption> options_of(FileFormat format) {
  switch (format) {
    case FileFormat::csv:
      return kCsvOptions;
    case FileFormat::json:
    case FileFormat::jsonl:
      return kJsonOptions;
    case FileFormat::text:
      return kTextOptions;
    case FileFormat::parquet:
      return kParquetOptions;
    case FileFormat::binaryfile:
      return {};
  }
  return {};
}

// "yyyy-MM-dd HH:mm:ss" → "%Y-%m-%d %H:%M:%S"; a format with '%' is taken as it is.
std::string to_strftime(std::string_view format) {
  if (format.find('%') != std::string_view::npos) return std::string(format);
  constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kParts = {{
      {"yyyy", "%Y"},
      {"SSSSSS", "%f"},
      {"SSS", "%g"},
      {"MMMM", "%B"},
      {"MMM", "%b"},
      {"yy", "%y"},
      {"MM", "%m"},
      {"dd", "%d"},
      {"HH", "%H"},
      {"hh", "%I"},
      {"mm", "%M"},
      {"ss", "%S"},
      {"a", "%p"},
      {"X"
       "XX",
       "%z"},
  }};
  std::string result;
  while (!format.empty()) {
    bool found = false;
    for (const auto& [part, replacement] : kParts) {
      if (!format.starts_with(part)) continue;
      result += replacement;
      format.remove_prefix(part.size());
      found = true;
      break;
    }
    if (found) continue;
    if (format.front() != '\'') result += format.front();
    format.remove_prefix(1);
  }
  return result;
}

std::string encoding_name(std::string_view text) {
  const std::string lower = to_lower(text);
  if (lower == "utf8" || lower == "utf8-lossy") return "utf-8";
  if (lower == "latin1" || lower == "iso-8859-1" || lower == "iso8859-1") {
    return "latin-1";
  }
  if (lower == "utf16") return "utf-16";
  return lower;
}

Status apply(const ReaderOption& option, const std::string& value,
             FilesRelation& relation, std::map<std::string, std::string>& options) {
  const std::string lower = to_lower(value);
  const std::string key(option.option);
  switch (option.kind) {
    case OptionKind::text:
      options[key] = quote_literal(key == "encoding" ? encoding_name(value) : value);
      return {};
    case OptionKind::strftime:
      options[key] = quote_literal(to_strftime(value));
      return {};
    case OptionKind::number:
      if (value.empty() || value.find_first_not_of("0123456789") != std::string::npos) {
        return Error(ErrorCode::invalid, "reader option " + std::string(option.key) +
                                             " must be a number, not " + value);
      }
      options[key] = value;
      return {};
    case OptionKind::has_header:
    case OptionKind::infer_schema:
      if (lower != "true" && lower != "false") {
        return Error(ErrorCode::invalid, "reader option " + std::string(option.key) +
                                             " must be true or false, not " + value);
      }
      (option.kind == OptionKind::has_header ? relation.has_header
                                             : relation.infer_schema) = lower == "true";
      return {};
    case OptionKind::ignored:
      return {};
  }
  return {};
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
  const auto known = options_of(relation.format);
  for (const auto& [key, value] : relation.options) {
    std::vector<std::string> keys;
    const ReaderOption* found = nullptr;
    for (const ReaderOption& option : known) {
      keys.emplace_back(option.key);
      if (equals_ignoring_case(option.key, key)) found = &option;
    }
    if (found == nullptr) {
      const auto near = nearest(key, keys);
      return Error(ErrorCode::invalid,
                   "reader option " + key + " is not known for this format" +
                       (near ? "; did you mean " + *near + "?" : ""));
    }
    LAKEMILL_TRY_OK(apply(*found, value, relation, options));
  }
  const bool has_lines =
      relation.format == FileFormat::csv || relation.format == FileFormat::text;
  if (has_lines) LAKEMILL_TRY_OK(add_line_size(options));
  return options;
}

}  // namespace lakemill::engine_duckdb
