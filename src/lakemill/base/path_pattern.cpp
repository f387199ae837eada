#include "lakemill/base/path_pattern.h"

#include "lakemill/base/text.h"

namespace lakemill {

namespace {

constexpr std::string_view kWildcards = "*?[{";

// Matches one character against "[...]" at the front of `pattern`, which it consumes.
bool fits_class(char character, std::string_view& pattern) {
  const std::size_t close = pattern.find(']', 2);
  if (close == std::string_view::npos) {  // no class: a plain '['
    pattern.remove_prefix(1);
    return character == '[';
  }
  std::string_view set = pattern.substr(1, close - 1);
  pattern.remove_prefix(close + 1);
  const bool negated = set.front() == '!' || set.front() == '^';
  if (negated) set.remove_prefix(1);
  bool found = false;
  for (std::size_t i = 0; i < set.size(); ++i) {
    if (i + 2 < set.size() && set[i + 1] == '-') {
      found = found || (set[i] <= character && character <= set[i + 2]);
      i += 2;
    } else {
      found = found || set[i] == character;
    }
  }
  return found != negated && character != '/';
}

// "{a,b}" at the front of `pattern`: tries each alternative followed by the rest.
bool fits_alternatives(std::string_view path, std::string_view pattern) {
  const std::size_t close = pattern.find('}');
  if (close == std::string_view::npos) {
    return !path.empty() && path.front() == '{' &&
           fits_pattern(path.substr(1), pattern.substr(1));
  }
  const std::string_view rest = pattern.substr(close + 1);
  for (const std::string& alternative : split(pattern.substr(1, close - 1), ',')) {
    if (fits_pattern(path, alternative + std::string(rest))) return true;
  }
  return false;
}

bool fits_star(std::string_view path, std::string_view pattern) {
  const bool crosses = pattern.starts_with("**");
  pattern.remove_prefix(crosses ? 2 : 1);
  if (crosses && pattern.starts_with("/") && fits_pattern(path, pattern.substr(1))) {
    return true;  // "a/**/b" fits "a/b"
  }
  for (std::size_t taken = 0;; ++taken) {
    if (fits_pattern(path.substr(taken), pattern)) return true;
    if (taken == path.size() || (!crosses && path[taken] == '/')) return false;
  }
}

}  // namespace

bool is_pattern(std::string_view text) {
  return text.find_first_of(kWildcards) != std::string_view::npos;
}

std::string_view fixed_folder(std::string_view pattern) {
  const std::size_t wildcard = pattern.find_first_of(kWildcards);
  const std::size_t slash = pattern.rfind('/', wildcard);
  return slash == std::string_view::npos ? std::string_view{}
                                         : pattern.substr(0, slash);
}

bool fits_pattern(std::string_view path, std::string_view pattern) {
  while (!pattern.empty()) {
    if (pattern.front() == '*') return fits_star(path, pattern);
    if (pattern.front() == '{') return fits_alternatives(path, pattern);
    if (path.empty()) return false;
    if (pattern.front() == '[') {
      if (!fits_class(path.front(), pattern)) return false;
    } else {
      const bool fits = pattern.front() == '?' ? path.front() != '/'
                                               : pattern.front() == path.front();
      if (!fits) return false;
      pattern.remove_prefix(1);
    }
    path.remove_prefix(1);
  }
  return path.empty();
}

bool is_hidden_path(std::string_view relative_path) {
  for (const std::string& part : split(relative_path, '/')) {
    if (part.starts_with('_') || part.starts_with('.')) return true;
  }
  return false;
}

}  // namespace lakemill
