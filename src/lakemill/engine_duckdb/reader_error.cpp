#include "lakemill/engine_duckdb/reader_error.h"

#include <charconv>

#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/marked_files.h"

namespace lakemill::engine_duckdb {

namespace {

// The rest of the line after `key`; nothing without it.
std::optional<std::string> after(std::string_view message, std::string_view key) {
  const std::size_t at = message.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest = message.substr(at + key.size());
  return std::string(trim(rest.substr(0, rest.find('\n'))));
}

std::string shortened(const std::string& text) {
  constexpr std::size_t kBytesMax = 120;
  return text.size() <= kBytesMax ? text : text.substr(0, kBytesMax) + "…";
}

std::optional<std::string> explain_csv(std::string_view message) {
  if (message.find("CSV Parser state machine reached an invalid") !=
      std::string_view::npos) {
    return "file " + after(message, "\n  file = ").value_or("?") + ": " +
           std::string(kLostRows);
  }
  const auto line = after(message, "CSV Error on Line: ");
  if (!line) return std::nullopt;
  const std::string file = after(message, "\n  file = ").value_or("?");
  const std::string place = "file " + file + ", line " + *line + ": ";
  const std::string original =
      shortened(after(message, "Original Line: ").value_or(""));
  if (const auto columns = after(message, "Expected Number of Columns: ")) {
    const std::size_t found = columns->find(" Found: ");
    if (found != std::string::npos) {
      return place + "it has " + columns->substr(found + 8) + " columns, expected " +
             columns->substr(0, found) + ": " + original;
    }
  }
  if (const auto column = after(message, "Error when converting column \"")) {
    const auto value = after(message, "Could not convert string ").value_or("");
    return place + "column " + column->substr(0, column->find('"')) +
           ": could not convert " + shortened(value);
  }
  if (message.find("not utf-8 encoded") != std::string_view::npos) {
    // Every other byte of UTF-16 is a zero where the text is Latin.
    const bool wide = original.find("\\0") != std::string::npos ||
                      original.find('\0') != std::string::npos;
    return place +
           "it is not UTF-8; say which encoding the file has (option encoding, " +
           (wide ? "here likely utf-16)" : "for example latin-1): " + original);
  }
  if (const auto bytes = after(message, "Maximum line size of ")) {
    return place + "it is longer than " + bytes->substr(0, bytes->find(' ')) +
           " bytes; " + std::string(kLongerLines) + ": " + original;
  }
  if (message.find("unterminated quote") != std::string_view::npos) {
    return place + "a quote is opened here and never closed: " + original;
  }
  const std::size_t start = message.find(original) == std::string_view::npos
                                ? std::string_view::npos
                                : message.find('\n', message.find("Original Line: "));
  const std::string_view rest =
      start == std::string_view::npos ? message : message.substr(start + 1);
  return place + std::string(trim(rest.substr(0, rest.find('\n')))) + ": " + original;
}

// DuckDB counts the line of malformed JSON one too far.
std::optional<std::string> explain_json(std::string_view message) {
  constexpr std::string_view kStart = "Malformed JSON in file \"";
  const std::size_t at = message.find(kStart);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = message.substr(at + kStart.size());
  const std::string file(rest.substr(0, rest.find('"')));
  for (const auto& [key, word] :
       {std::pair<std::string_view, std::string_view>{" in line ", "line "},
        {" in record/value ", "record "}}) {
    const auto tail = after(rest, key);
    if (!tail) continue;
    int number = 0;
    const auto parsed =
        std::from_chars(tail->data(), tail->data() + tail->size(), number);
    if (parsed.ec != std::errc()) continue;
    std::string reason(
        tail->substr(static_cast<std::size_t>(parsed.ptr - tail->data())));
    if (reason.starts_with(": ")) reason = reason.substr(2);
    const std::string where(word);
    return "file " + file + ", " + where + std::to_string(number > 1 ? number - 1 : 1) +
           ": malformed JSON: " + std::string(trim(reason));
  }
  return std::nullopt;
}

std::optional<std::string> explain_transform(std::string_view message) {
  constexpr std::string_view kStart = "JSON transform error in file \"";
  const std::size_t at = message.find(kStart);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = message.substr(at + kStart.size());
  const std::size_t quote = rest.find('"');
  std::string tail(rest.substr(quote + 1, rest.find('\n') - quote - 1));
  if (tail.starts_with(", in ")) tail = tail.substr(5);
  return "file " + std::string(rest.substr(0, quote)) + ", " + tail;
}

}  // namespace

std::optional<std::string> explain_reader_error(std::string_view given) {
  const std::string message = with_plain_paths(std::string(given));
  if (auto csv = explain_csv(message)) return csv;
  if (auto json = explain_json(message)) return json;
  return explain_transform(message);
}

}  // namespace lakemill::engine_duckdb
