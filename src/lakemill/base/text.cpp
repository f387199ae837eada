#include "lakemill/base/text.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace lakemill {

namespace {

std::string quote(std::string_view text, char mark) {
  std::string quoted(1, mark);
  for (const char character : text) {
    if (character == mark) quoted.push_back(mark);
    quoted.push_back(character);
  }
  quoted.push_back(mark);
  return quoted;
}

char lower(char character) {
  return character >= 'A' && character <= 'Z' ? static_cast<char>(character - 'A' + 'a')
                                              : character;
}

char upper(char character) {
  return character >= 'a' && character <= 'z' ? static_cast<char>(character - 'a' + 'A')
                                              : character;
}

// Edits between two words; two neighbours that changed places count as one edit.
std::size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> before;  // the row above the one above
  std::vector<std::size_t> above;
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < left.size(); ++i) {
    before = std::move(above);
    above = row;
    row[0] = i + 1;
    for (std::size_t j = 0; j < right.size(); ++j) {
      const std::size_t substituted = above[j] + (left[i] == right[j] ? 0 : 1);
      row[j + 1] = std::min({substituted, row[j] + 1, above[j + 1] + 1});
      if (i > 0 && j > 0 && left[i] == right[j - 1] && left[i - 1] == right[j]) {
        row[j + 1] = std::min(row[j + 1], before[j - 1] + 1);
      }
    }
  }
  return row.back();
}

}  // namespace

std::string quote_identifier(std::string_view text) { return quote(text, '"'); }
std::string quote_literal(std::string_view text) { return quote(text, '\''); }

std::string to_lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

std::string to_upper(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), upper);
  return result;
}

bool equals_ignoring_case(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
  std::string joined;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) joined += separator;
    joined += parts[i];
  }
  return joined;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  for (std::size_t end = text.find(separator); end != std::string_view::npos;
       end = text.find(separator, start)) {
    parts.emplace_back(text.substr(start, end - start));
    start = end + 1;
  }
  parts.emplace_back(text.substr(start));
  return parts;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::optional<std::string> nearest(std::string_view text,
                                   std::span<const std::string> candidates) {
  const std::string wanted = to_lower(text);
  const std::size_t distance_max = std::max<std::size_t>(1, wanted.size() / 3);
  std::optional<std::string> best;
  std::size_t best_distance = distance_max + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(wanted, to_lower(candidate));
    // A word of which no letter is left was not meant.
    if (distance < best_distance && distance < wanted.size()) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace lakemill
