#include "lakemill/cli/output.h"

#include <algorithm>

#include <unistd.h>

#include "lakemill/data/rows_json.h"

namespace lakemill::cli {

namespace {

bool is_number(data::TypeKind kind) {
  return kind >= data::TypeKind::int8 && kind <= data::TypeKind::decimal;
}

// One line: control characters are shown as spaces, so that a cell cannot break the
// table.
std::string cell_text(const data::Value& value, std::size_t width_max) {
  std::string text = data::to_text(value);
  for (char& character : text) {
    if (static_cast<unsigned char>(character) < 0x20) character = ' ';
  }
  if (width_max == 0 || text_width(text) <= width_max) return text;
  std::size_t end = 0;
  std::size_t width = 0;
  while (end < text.size() && width + 1 < width_max) {
    ++end;
    while (end < text.size() &&
           (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) {
      ++end;
    }
    ++width;
  }
  return text.substr(0, end) + "…";
}

void print_cell(std::FILE* out, const std::string& text, std::size_t width,
                bool right) {
  const std::string padding(width - std::min(width, text_width(text)), ' ');
  std::fprintf(out, right ? "%s%s" : "%s%s", right ? padding.c_str() : text.c_str(),
               right ? text.c_str() : padding.c_str());
}

}  // namespace

bool is_terminal(std::FILE* file) { return isatty(fileno(file)) == 1; }

std::size_t text_width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(),
      [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }));
}

std::string with_thousands(std::int64_t number) {
  std::string digits = std::to_string(number);
  const std::size_t first = digits[0] == '-' ? 1 : 0;
  for (std::size_t i = digits.size(); i > first + 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

void print_table(std::FILE* out, const data::Rows& rows, std::size_t width_max) {
  const std::size_t columns = rows.schema.fields.size();
  std::vector<std::size_t> widths;
  std::vector<std::vector<std::string>> cells;
  for (const data::Field& field : rows.schema.fields) {
    widths.push_back(text_width(field.name));
  }
  for (const auto& row : rows.rows) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < columns; ++i) {
      texts.push_back(cell_text(row[i], width_max));
      widths[i] = std::max(widths[i], text_width(texts.back()));
    }
    cells.push_back(std::move(texts));
  }
  const auto print_row = [&](const auto& text_at) {
    for (std::size_t i = 0; i < columns; ++i) {
      if (i > 0) std::fputs("  ", out);
      const bool last = i + 1 == columns;
      const bool right = is_number(rows.schema.fields[i].type.kind);
      print_cell(out, text_at(i), last && !right ? 0 : widths[i], right);
    }
    std::fputc('\n', out);
  };
  print_row([&](std::size_t i) { return rows.schema.fields[i].name; });
  std::string rule;
  for (std::size_t i = 0; i < columns; ++i) {
    if (i > 0) rule += "  ";
    for (std::size_t j = 0; j < widths[i]; ++j) rule += "─";
  }
  std::fprintf(out, "%s\n", rule.c_str());
  for (const auto& row : cells) {
    print_row([&](std::size_t i) { return row[i]; });
  }
}

std::string rows_to_json(const data::Rows& rows) {
  return json_text(data::to_json(rows));
}

}  // namespace lakemill::cli
