#include "lakemill/flow/comparison_sides.h"

#include <array>
#include <cctype>

#include "lakemill/base/text.h"

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

// Where what begins at `begin` ends: a text in quotes, a word, a run of comparing
// letters, or one letter.
std::size_t token_end(std::string_view text, std::size_t begin) {
  const char first = text[begin];
  if (first == '\'' || first == '"') {
    const std::size_t close = text.find(first, begin + 1);
    return close == std::string_view::npos ? text.size() : close + 1;
  }
  std::size_t end = begin + 1;
  const auto goes_on = is_word(first) ? is_word : is_comparing;
  while (goes_on(first) && end < text.size() && goes_on(text[end])) ++end;
  return end;
}

bool is_of_other_shape(std::string_view token) {
  const std::string lowered = to_lower(token);
  for (const std::string_view other : kOtherShapes) {
    if (lowered == other) return true;
  }
  return false;
}

}  // namespace

std::optional<ComparisonSides> comparison_sides(std::string_view predicate) {
  std::optional<ComparisonSides> sides;
  int depth = 0;
  for (std::size_t begin = 0, end = 0; begin < predicate.size(); begin = end) {
    end = token_end(predicate, begin);
    const std::string_view token = predicate.substr(begin, end - begin);
    if (token == "(" || token == "[" || token == "{") ++depth;
    if (token == ")" || token == "]" || token == "}") --depth;
    if (token == "-" && predicate.substr(end).starts_with("-")) return std::nullopt;
    if (depth != 0) continue;
    if (is_of_other_shape(token)) return std::nullopt;
    if (!is_comparing(token[0])) continue;
    if (sides) return std::nullopt;
    sides = {std::string(trim(predicate.substr(0, begin))),
             std::string(trim(predicate.substr(end)))};
  }
  if (sides && (sides->left.empty() || sides->right.empty())) return std::nullopt;
  return sides;
}

}  // namespace lakemill::flow
