#include "lakemill/sources/postgres/copy_text.h"

#include "lakemill/base/json.h"
#include "lakemill/base/utf8.h"
#include "lakemill/formats/text_rows.h"

namespace lakemill::sources::postgres {

namespace {

char unescaped(char letter) {
  switch (letter) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    default:
      return letter;
  }
}

std::string unescape(std::string_view field) {
  std::string text;
  text.reserve(field.size());
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (field[i] == '\\' && i + 1 < field.size()) {
      text += unescaped(field[++i]);
    } else {
      text += field[i];
    }
  }
  return text;
}

}  // namespace

Status append_copied_row(std::string_view line, const TableLayout& layout,
                         std::string& rows) {
  formats::append_text(rows, "SNAPSHOT");
  formats::append_null(rows);
  if (line.ends_with('\n')) line.remove_suffix(1);
  std::string values;
  Json invalid;
  const std::size_t count = layout.columns.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t tab = line.find('\t');
    const bool is_last = i + 1 == count;
    if ((tab == std::string_view::npos) != is_last) {
      return Error(ErrorCode::corrupt,
                   "the server copied a row with another number of columns than the "
                   "table has");
    }
    const std::string_view field = line.substr(0, tab);
    line.remove_prefix(is_last ? line.size() : tab + 1);
    if (field == "\\N") {
      formats::append_null(values);
      continue;
    }
    std::string plain;
    std::string_view text = field;
    if (field.find('\\') != std::string_view::npos) text = plain = unescape(field);
    if (is_utf8(text)) {
      formats::append_text(values, text);
    } else {
      formats::append_null(values);
      invalid[layout.columns[i].name] = escape_invalid_utf8(text);
    }
  }
  if (invalid.is_null()) {
    formats::append_null(rows);
  } else {
    formats::append_text(rows, json_text(invalid));
  }
  rows += values;
  return {};
}

}  // namespace lakemill::sources::postgres
