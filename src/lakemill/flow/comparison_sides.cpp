#include "lakemill/flow/comparison_sides.h"

#include <array>
#include <cctype>

#include "lakemill/base/text.h"
#include "lakemill/language/sql_text.h"

namespace lakemill::flow {

namespace {

constexpr std::array<std::string_view, 13> kOtherShapes = {
    "and", "or", "not",  "between", "in",   "like",  "ilike",
    "is",  "=>", "case", "similar", "glob", "select"};

bool is_word(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_';
}

bool is_comparing(char letter) {
  return letter == '<' || letter == '>' || letter == '=' || letter == '!';
}

// Where what begins at `begin` ends: a word, a run of comparing letters, or one letter.
std::size_t token_end(std::string_view code, std::size_t begin) {
  const char first = code[begin];
  std::size_t end = begin + 1;
  const auto goes_on = is_word(first) ? is_word : is_comparing;
  while (goes_on(first) && end < code.size() && goes_on(code[end])) ++end;
  return end;
}

bool is_of_other_shape(std::string_view token) {
  const std::string lowered = to_lower(token);
  for (const std::string_view other : kOtherShapes) {
    if (lowered == other) return true;
  }
  return false;
}

// What one comparison is cut at.
struct Cut {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// Looks through `code`, which begins at `offset` of its text; false where the text has
// another shape than one comparison.
bool find_cut(std::string_view code, std::size_t offset, int& depth,
              std::optional<Cut>& cut) {
  for (std::size_t begin = 0, end = 0; begin < code.size(); begin = end) {
    end = token_end(code, begin);
    const std::string_view token = code.substr(begin, end - begin);
    if (token == "(" || token == "[" || token == "{") ++depth;
    if (token == ")" || token == "]" || token == "}") --depth;
    if (depth != 0) continue;
    if (is_of_other_shape(token)) return false;
    if (!is_comparing(token[0])) continue;
    if (cut) return false;
    cut = {offset + begin, offset + end};
  }
  return true;
}

}  // namespace

std::optional<ComparisonSides> comparison_sides(std::string_view predicate) {
  std::optional<Cut> cut;
  int depth = 0;
  for (const language::RegionSpan& span : language::sql_regions(predicate)) {
    if (span.region == language::TextRegion::line_comment ||
        span.region == language::TextRegion::block_comment) {
      return std::nullopt;
    }
    if (span.region != language::TextRegion::code) continue;
    const std::string_view code = predicate.substr(span.begin, span.end - span.begin);
    if (!find_cut(code, span.begin, depth, cut)) return std::nullopt;
  }
  if (!cut) return std::nullopt;
  ComparisonSides sides{std::string(trim(predicate.substr(0, cut->begin))),
                        std::string(trim(predicate.substr(cut->end)))};
  if (sides.left.empty() || sides.right.empty()) return std::nullopt;
  return sides;
}

}  // namespace lakemill::flow
