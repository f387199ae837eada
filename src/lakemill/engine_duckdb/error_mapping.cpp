#include "lakemill/engine_duckdb/error_mapping.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <unordered_map>

#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/reader_error.h"

namespace lakemill::engine_duckdb {
namespace {

using duckdb::ExceptionType;

constexpr const char* kCodeKey = "lakemill_code";

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

ErrorCode code_of_io(std::string_view message) {
  if (contains(message, "No space left") || contains(message, "disk full")) {
    return ErrorCode::unavailable;
  }
  if (contains(message, "Permission denied") || contains(message, "Read-only file")) {
    return ErrorCode::denied;
  }
  if (contains(message, "No such file") || contains(message, "does not exist") ||
      contains(message, "No files found")) {
    return ErrorCode::not_found;
  }
  for (const char* broken :  // zstd's names of its errors
       {"Restored data doesn't match checksum", "Data corruption detected",
        "Unknown frame descriptor", "Unsupported frame parameter"}) {
    if (contains(message, broken)) return ErrorCode::invalid;
  }
  return ErrorCode::unavailable;
}

bool speaks_of_broken_parquet(std::string_view message) {
  constexpr std::array kSigns{"magic bytes",
                              "too small to be a Parquet",
                              "Parquet footer",
                              "TProtocolException",
                              "Invalid footer",
                              "corrupt",
                              "Corrupt",
                              "Out of buffer",
                              "decompress",
                              "Decompress",
                              "don't know what type",
                              "invalid TType",
                              "Could not read enough bytes",
                              "Failed to read Parquet file",
                              "in parquet read"};
  return std::any_of(kSigns.begin(), kSigns.end(),
                     [&](const char* sign) { return contains(message, sign); });
}

ErrorCode code_of(ExceptionType type, std::string_view message) {
  if (speaks_of_broken_parquet(message)) return ErrorCode::corrupt;
  switch (type) {
    case ExceptionType::INTERRUPT:
      return ErrorCode::cancelled;
    case ExceptionType::PERMISSION:
      return ErrorCode::denied;
    case ExceptionType::OUT_OF_MEMORY:
      return ErrorCode::unavailable;
    case ExceptionType::IO:
      return code_of_io(message);
    case ExceptionType::NOT_IMPLEMENTED:
      return ErrorCode::unsupported;
    default:
      return ErrorCode::invalid;
  }
}

// Without a long list of what a function or operator would take.
std::string_view without_candidates(std::string_view text) {
  constexpr std::ptrdiff_t kCandidatesMax = 6;
  const std::string_view listed =
      text.substr(std::min(text.find("Candidate functions:"), text.size()));
  const bool long_list =
      std::count(listed.begin(), listed.end(), '\t') > kCandidatesMax;
  return long_list ? text.substr(0, text.size() - listed.size()) : text;
}

// One line, without what DuckDB says about its own options and without the statement.
std::string clean(std::string_view text) {
  text = without_candidates(text);
  for (const std::string_view end :
       {"\n\nLINE ", "\nLINE ", "\nPossible solutions", "\n\nPossible solutions",
        "\n* ", "\nIf you are trying", "\nThis can happen when", "\nStack Trace",
        "\n\nStack Trace", "\nThis error signals"}) {
    text = text.substr(0, text.find(end));
  }
  std::string line;
  for (const auto& part : split(text, '\n')) {
    const auto trimmed = trim(part);
    if (trimmed.empty()) continue;
    if (!line.empty()) line += line.back() == '!' || line.back() == '.' ? " " : "; ";
    line += trimmed;
  }
  return line;
}

std::size_t number_at(std::string_view text) {
  std::size_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// The offset in `sql` of a line, counted from 1.
std::size_t line_start(std::string_view sql, std::size_t line) {
  std::size_t start = 0;
  for (; line > 1; --line) start = sql.find('\n', start) + 1;
  return start;
}

// The place out of DuckDB's drawing: "LINE 2: …part of the line…" and, below, a caret.
std::optional<std::size_t> drawn_offset(std::string_view message,
                                        std::string_view sql) {
  constexpr std::string_view kLine = "\nLINE ";
  constexpr std::string_view kCut = "...";
  const auto drawing = message.rfind(kLine);
  if (drawing == std::string_view::npos) return std::nullopt;
  const auto rows = split(message.substr(drawing + 1), '\n');
  if (rows.size() < 2) return std::nullopt;
  const auto number = number_at(std::string_view(rows[0]).substr(kLine.size() - 1));
  const auto shown_from = rows[0].find(": ");
  const auto caret = rows[1].find('^');
  const auto lines = split(sql, '\n');
  if (number == 0 || number > lines.size() || shown_from == std::string::npos ||
      caret == std::string::npos || caret < shown_from + 2) {
    return std::nullopt;
  }
  auto shown = std::string_view(rows[0]).substr(shown_from + 2);
  auto offset = caret - shown_from - 2;
  if (shown.starts_with(kCut) && offset >= kCut.size()) {
    shown.remove_prefix(kCut.size());
    offset -= kCut.size();
  }
  if (shown.ends_with(kCut)) shown.remove_suffix(kCut.size());
  const auto start = lines[number - 1].find(shown);
  if (start == std::string::npos) return std::nullopt;
  return line_start(sql, number) + start + offset;
}

std::string place_text(std::string_view sql, std::size_t offset) {
  const auto before = sql.substr(0, offset);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const auto column = before.size() - (before.rfind('\n') + 1) + 1;
  return ", at line " + std::to_string(line) + ", column " + std::to_string(column) +
         " of the SQL";
}

}  // namespace

Error to_error(const duckdb::ErrorData& error, std::string_view sql) {
  const auto& extra = error.ExtraInfo();
  if (const auto ours = extra.find(kCodeKey); ours != extra.end()) {
    int code = 0;
    std::from_chars(ours->second.data(), ours->second.data() + ours->second.size(),
                    code);
    std::string text = error.RawMessage();
    text.resize(std::min(text.find("\n\nLINE "), text.size()));
    if (extra.contains("position")) {
      if (const auto offset = offset_in(error, sql)) text += place_text(sql, *offset);
    }
    return Error(static_cast<ErrorCode>(code), std::move(text));
  }
  if (auto report = explain_reader_error(error.RawMessage())) {
    return Error(ErrorCode::invalid, std::move(*report));
  }
  auto message = clean(error.RawMessage());
  const auto code = code_of(error.Type(), message);
  if (code == ErrorCode::corrupt && !contains(message, ".parquet")) {
    message.insert(0, "a Parquet file is broken: ");
  }
  switch (error.Type()) {
    case ExceptionType::INTERRUPT:
      return Error(code, "stopped on request");
    case ExceptionType::OUT_OF_MEMORY:
      message =
          "the memory limit is reached; raise engine.memory_limit, or give a "
          "temporary folder to spill to (" +
          message + ")";
      break;
    case ExceptionType::INTERNAL:
    case ExceptionType::FATAL:
      message = "the engine failed inside: " + message;
      break;
    default:
      break;
  }
  if (const auto offset = offset_in(error, sql)) message += place_text(sql, *offset);
  return Error(code, std::move(message));
}

std::optional<std::size_t> offset_in(const duckdb::ErrorData& error,
                                     std::string_view sql) {
  if (sql.empty()) return std::nullopt;
  const auto& extra = error.ExtraInfo();
  const auto entry = extra.find("position");
  if (entry == extra.end()) return drawn_offset(error.RawMessage(), sql);
  const auto position = number_at(entry->second);
  return position > sql.size() ? std::nullopt : std::optional(position);
}

Error to_error(const std::exception& exception, std::string_view sql) {
  return to_error(duckdb::ErrorData(exception), sql);
}

void throw_error(const Error& error, duckdb::optional_idx place) {
  std::unordered_map<std::string, std::string> extra{
      {kCodeKey, std::to_string(static_cast<int>(error.code()))}};
  if (place.IsValid()) extra["position"] = std::to_string(place.GetIndex());
  throw duckdb::Exception(extra,
                          error.code() == ErrorCode::denied
                              ? ExceptionType::PERMISSION
                              : ExceptionType::INVALID_INPUT,
                          error.message());
}

}  // namespace lakemill::engine_duckdb
