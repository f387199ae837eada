#include "lakemill/language/sql_text.h"

#include <algorithm>
#include <optional>

#include "lakemill/base/text.h"

namespace lakemill::language {

namespace {

bool is_word(char character) {
  return (character >= 'a' && character <= 'z') ||
         (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9') || character == '_';
}

// Behind the quote that closes what `begin` opened.
std::size_t closing(std::string_view text, std::size_t begin, char quote,
                    bool backslash) {
  std::size_t i = begin + 1;
  while (i < text.size()) {
    if (backslash && text[i] == '\\') {
      i += 2;
    } else if (text[i] == quote) {
      if (i + 1 < text.size() && text[i + 1] == quote) {
        i += 2;
      } else {
        return i + 1;
      }
    } else {
      ++i;
    }
  }
  return text.size();
}

std::size_t after(std::string_view text, std::size_t begin, std::string_view end) {
  const std::size_t found = text.find(end, begin);
  return found == std::string_view::npos ? text.size() : found + end.size();
}

std::size_t block_comment_end(std::string_view sql, std::size_t begin) {
  int depth = 0;
  for (std::size_t i = begin; i + 1 < sql.size(); ++i) {
    if (sql.substr(i, 2) == "/*") {
      ++depth;
      ++i;
    } else if (sql.substr(i, 2) == "*/") {
      ++i;
      if (--depth == 0) return i + 1;
    }
  }
  return sql.size();
}

// The tag of a dollar quote that begins at `begin` ("$$", "$a$"); empty if none does.
std::string_view dollar_tag(std::string_view sql, std::size_t begin) {
  if (begin > 0 && is_word(sql[begin - 1])) return {};
  std::size_t i = begin + 1;
  if (i < sql.size() && sql[i] >= '0' && sql[i] <= '9') return {};
  while (i < sql.size() && is_word(sql[i])) ++i;
  if (i >= sql.size() || sql[i] != '$') return {};
  return sql.substr(begin, i + 1 - begin);
}

std::optional<RegionSpan> special_at(std::string_view sql, std::size_t i) {
  const char character = sql[i];
  const std::string_view pair = sql.substr(i, 2);
  if (character == '\'') {
    const bool escaped = i > 0 && (sql[i - 1] == 'e' || sql[i - 1] == 'E') &&
                         (i < 2 || !is_word(sql[i - 2]));
    return RegionSpan{escaped ? TextRegion::escaped_quoted : TextRegion::single_quoted,
                      i, closing(sql, i, '\'', escaped), '\''};
  }
  if (character == '"') {
    return RegionSpan{TextRegion::double_quoted, i, closing(sql, i, '"', false), '"'};
  }
  if (character == '`') {
    return RegionSpan{TextRegion::back_quoted, i, closing(sql, i, '`', false), '`'};
  }
  if (pair == "--") {
    return RegionSpan{TextRegion::line_comment, i, after(sql, i, "\n"), '\n'};
  }
  if (pair == "/*") {
    return RegionSpan{TextRegion::block_comment, i, block_comment_end(sql, i), '*'};
  }
  if (character == '$') {
    const std::string_view tag = dollar_tag(sql, i);
    if (!tag.empty()) {
      return RegionSpan{TextRegion::dollar_quoted, i, after(sql, i + tag.size(), tag),
                        '$'};
    }
  }
  return std::nullopt;
}

std::optional<RegionSpan> python_special_at(std::string_view text, std::size_t i) {
  const char character = text[i];
  if (character == '#') {
    return RegionSpan{TextRegion::line_comment, i, after(text, i, "\n"), '\n'};
  }
  if (character != '\'' && character != '"') return std::nullopt;
  std::size_t end = i + 1;
  while (end < text.size() && text[end] != character) {
    end += text[end] == '\\' ? 2U : 1U;
  }
  return RegionSpan{TextRegion::escaped_quoted, i, std::min(end + 1, text.size()),
                    character};
}

template <typename SpecialAt>
std::vector<RegionSpan> regions(std::string_view text, SpecialAt special) {
  std::vector<RegionSpan> spans;
  std::size_t code_begin = 0;
  std::size_t i = 0;
  while (i < text.size()) {
    const std::optional<RegionSpan> span = special(text, i);
    if (!span) {
      ++i;
      continue;
    }
    if (i > code_begin) spans.push_back({TextRegion::code, code_begin, i, '\0'});
    spans.push_back(*span);
    i = span->end;
    code_begin = i;
  }
  if (text.size() > code_begin) {
    spans.push_back({TextRegion::code, code_begin, text.size(), '\0'});
  }
  return spans;
}

std::string doubled(std::string_view value, char quote) {
  std::string result;
  for (const char character : value) {
    if (character == quote) result.push_back(quote);
    result.push_back(character);
  }
  return result;
}

std::string backslashed(std::string_view value, char quote) {
  std::string result;
  for (const char character : value) {
    if (character == '\n') {
      result += "\\n";
      continue;
    }
    if (character == quote || character == '\\') result.push_back('\\');
    result.push_back(character);
  }
  return result;
}

std::string one_line(std::string_view value) {
  std::string result(value);
  std::replace(result.begin(), result.end(), '\n', ' ');
  std::replace(result.begin(), result.end(), '\r', ' ');
  return result;
}

}  // namespace

std::vector<RegionSpan> sql_regions(std::string_view sql) {
  return regions(sql, special_at);
}

std::vector<RegionSpan> expression_regions(std::string_view expression) {
  return regions(expression, python_special_at);
}

Result<std::string> value_in_sql(std::string_view value, const RegionSpan& region) {
  switch (region.region) {
    case TextRegion::code:
      return quote_literal(value);
    case TextRegion::single_quoted:
    case TextRegion::double_quoted:
    case TextRegion::back_quoted:
      return doubled(value, region.quote);
    case TextRegion::escaped_quoted:
      return backslashed(value, region.quote);
    case TextRegion::line_comment:
      return one_line(value);
    case TextRegion::block_comment:
    case TextRegion::dollar_quoted:
      if (value.find_first_of("*/$") == std::string_view::npos) {
        return std::string(value);
      }
      return Error(ErrorCode::invalid,
                   "a value with '*', '/' or '$' cannot stand in a comment or between "
                   "dollar quotes");
  }
  return quote_literal(value);
}

Result<std::string> value_in_expression(std::string_view value,
                                        const RegionSpan& region) {
  if (region.region == TextRegion::code) return "'" + backslashed(value, '\'') + "'";
  if (region.region == TextRegion::line_comment) return one_line(value);
  return backslashed(value, region.quote);
}

bool is_dataframe_expression(std::string_view text) {
  for (const RegionSpan& span : expression_regions(text)) {
    if (span.region != TextRegion::code) continue;
    const std::string_view code = text.substr(span.begin, span.end - span.begin);
    for (const std::string_view call : {"nw.", "pl.", "F.", "col(", "lit("}) {
      for (std::size_t at = code.find(call); at != std::string_view::npos;
           at = code.find(call, at + 1)) {
        const bool begins = at == 0 || (!is_word(code[at - 1]) && code[at - 1] != '.');
        if (begins) return true;
      }
    }
  }
  return false;
}

Location place_in(const SourceText& source, std::size_t offset) {
  const std::string_view before = std::string_view(source.text).substr(0, offset);
  const auto lines = static_cast<int>(std::count(before.begin(), before.end(), '\n'));
  Location place = source.location;
  if (source.block) {
    place.line += 1 + lines;
    place.column = 0;
  } else if (place.file.ends_with(".sql")) {
    place.line += lines;
    place.column = static_cast<int>(before.size() - (before.rfind('\n') + 1)) + 1;
  }
  return place;
}

}  // namespace lakemill::language
