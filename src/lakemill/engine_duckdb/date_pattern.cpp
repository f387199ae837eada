#include "lakemill/engine_duckdb/date_pattern.h"

#include <algorithm>
#include <array>

namespace lakemill::engine_duckdb {

namespace {

struct PatternPart {
  std::string_view letters;
  std::string_view specifier;
};

constexpr std::array kParts = {
    PatternPart{"y", "%Y"},      PatternPart{"yy", "%y"},
    PatternPart{"yyyy", "%Y"},   PatternPart{"u", "%Y"},
    PatternPart{"uu", "%y"},     PatternPart{"uuuu", "%Y"},
    PatternPart{"M", "%-m"},     PatternPart{"MM", "%m"},
    PatternPart{"MMM", "%b"},    PatternPart{"MMMM", "%B"},
    PatternPart{"L", "%-m"},     PatternPart{"LL", "%m"},
    PatternPart{"LLL", "%b"},    PatternPart{"LLLL", "%B"},
    PatternPart{"d", "%-d"},     PatternPart{"dd", "%d"},
    PatternPart{"D", "%-j"},     PatternPart{"DDD", "%j"},
    PatternPart{"E", "%a"},      PatternPart{"EE", "%a"},
    PatternPart{"EEE", "%a"},    PatternPart{"EEEE", "%A"},
    PatternPart{"a", "%p"},      PatternPart{"H", "%-H"},
    PatternPart{"HH", "%H"},     PatternPart{"h", "%-I"},
    PatternPart{"hh", "%I"},     PatternPart{"m", "%-M"},
    PatternPart{"mm", "%M"},     PatternPart{"s", "%-S"},
    PatternPart{"ss", "%S"},     PatternPart{"SSS", "%g"},
    PatternPart{"SSSSSS", "%f"}, PatternPart{"SSSSSSSSS", "%n"},
};
// Offsets: Spark writes others than strftime, but both read all of them.
constexpr std::array<std::string_view, 9> kReadOffsets = {"X",
                                                          "XX",
                                                          "X"
                                                          "XX",
                                                          "x",
                                                          "xx",
                                                          "xxx",
                                                          "Z",
                                                          "ZZ",
                                                          "ZZZ"};
constexpr std::string_view kReserved = "[]{}#";

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

Error in_pattern(std::string_view pattern, const std::string& what) {
  return {ErrorCode::invalid,
          "in the date pattern '" + std::string(pattern) + "' " + what};
}

Result<std::string> specifier(std::string_view letters, std::string_view pattern,
                              DatePatternUse use) {
  const auto part =
      std::find_if(kParts.begin(), kParts.end(),
                   [&](const PatternPart& known) { return known.letters == letters; });
  if (part != kParts.end()) return std::string(part->specifier);
  const bool is_offset = std::find(kReadOffsets.begin(), kReadOffsets.end(), letters) !=
                         kReadOffsets.end();
  if (is_offset && use == DatePatternUse::read) return std::string("%z");
  return in_pattern(pattern,
                    "'" + std::string(letters) +
                        "' is not supported; use the letters y M d D E H h m s S a, a "
                        "text in quotes, or a format of strftime ('%Y-%m-%d')");
}

}  // namespace

Result<std::string> to_strftime(std::string_view pattern, DatePatternUse use) {
  if (pattern.find('%') != std::string_view::npos) return std::string(pattern);
  std::string result;
  for (std::size_t i = 0; i < pattern.size();) {
    if (pattern[i] == '\'') {
      if (pattern.substr(i).starts_with("''")) {
        result += '\'';
        i += 2;
        continue;
      }
      for (++i;; ++i) {
        if (i == pattern.size()) {
          return in_pattern(pattern, "a quote is not closed");
        }
        if (pattern[i] == '\'') {
          ++i;
          if (i == pattern.size() || pattern[i] != '\'') break;
        }
        result += pattern[i];
      }
      continue;
    }
    if (kReserved.find(pattern[i]) != std::string_view::npos) {
      return in_pattern(pattern, std::string("'") + pattern[i] +
                                     "' is not supported; put it in quotes to mean "
                                     "itself");
    }
    if (!is_letter(pattern[i])) {
      result += pattern[i++];
      continue;
    }
    std::size_t end = pattern.find_first_not_of(pattern[i], i);
    end = std::min(end, pattern.size());
    const std::string_view letters = pattern.substr(i, end - i);
    LAKEMILL_TRY(const std::string text, specifier(letters, pattern, use));
    result += text;
    i = end;
  }
  return result;
}

}  // namespace lakemill::engine_duckdb
