#include "lakemill/flow/sql_place.h"

#include <charconv>
#include <string>

#include "lakemill/language/file_reader.h"
#include "lakemill/language/sql_check.h"
#include "lakemill/language/sql_text.h"

namespace lakemill::flow {

namespace {

Error at(const language::Location& location, const Error& error) {
  return {error.code(), to_text(location) + ": " + error.message()};
}

// The whole number at `at`, which then is behind it.
std::size_t number_at(std::string_view text, std::size_t& at) {
  std::size_t number = 0;
  const auto read =
      std::from_chars(text.data() + at, text.data() + text.size(), number);
  at = static_cast<std::size_t>(read.ptr - text.data());
  return number;
}

// The byte of `sql` at a line and a column, both counted from 1.
std::optional<std::size_t> offset_of(std::string_view sql, std::size_t line,
                                     std::size_t column) {
  if (line == 0 || column == 0) return std::nullopt;
  std::size_t offset = 0;
  for (std::size_t i = 1; i < line; ++i) {
    offset = sql.find('\n', offset);
    if (offset == std::string_view::npos) return std::nullopt;
    ++offset;
  }
  return offset + column - 1;
}

}  // namespace

PlacedError take_place(const Error& error, std::string_view sql) {
  constexpr std::string_view kLine = ", at line ";
  constexpr std::string_view kColumn = ", column ";
  constexpr std::string_view kEnd = " of the SQL";
  const std::string& message = error.message();
  const std::size_t begin = message.rfind(kLine);
  if (begin == std::string::npos || !message.ends_with(kEnd)) return {error, {}};
  std::size_t next = begin + kLine.size();
  const std::size_t line = number_at(message, next);
  next += kColumn.size();
  const std::size_t column = next < message.size() ? number_at(message, next) : 0;
  return {Error(error.code(), message.substr(0, begin)), offset_of(sql, line, column)};
}

Error at_place_in_file(const language::SourceText& text, std::string_view sql,
                       const OffsetInText& offset_in_text, const Error& error) {
  const PlacedError placed = take_place(error, sql);
  const auto in_text = placed.offset ? offset_in_text(*placed.offset) : std::nullopt;
  if (!in_text) return at(text.location, placed.error);
  const auto file = language::LocalFileReader().read(text.location.file);
  return at(file ? language::place_in_file(text, *in_text, *file)
                 : language::place_in(text, *in_text),
            placed.error);
}

Error at_place_in_file(const language::SourceText& text, std::string_view sql,
                       std::size_t before, const Error& error) {
  return at_place_in_file(
      text, sql,
      [&](std::size_t offset) -> std::optional<std::size_t> {
        if (offset < before || offset > before + text.text.size()) return std::nullopt;
        return offset - before;
      },
      error);
}

}  // namespace lakemill::flow
