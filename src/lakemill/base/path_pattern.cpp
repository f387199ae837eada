#include "lakemill/base/path_pattern.h"

#include "lakemill/base/text.h"

namespace lakemill {

namespace {

constexpr std::string_view kWildcards = "*?[{";

// The character at the front of UTF-8 text that is not empty; a byte where it is none.
std::string_view front_character(std::string_view text) {
  std::size_t size = 1;
  while (size < text.size() && size < 4 &&
         (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) {
    ++size;
  }
  const bool begins_one = (static_cast<unsigned char>(text[0]) & 0xC0U) == 0xC0U;
  return text.substr(0, begins_one ? size : 1);
}

// Matches one character against "[...]" at the front of `pattern`, which it consumes.
// Characters are compared as their bytes are: in the order of Unicode.
bool fits_class(std::string_view character, std::string_view& pattern) {
  const std::size_t close = pattern.find(']', 2);
  if (close == std::string_view::npos) {  // no class: a plain '['
    pattern.remove_prefix(1);
    return character == "[";
  }
  std::string_view set = pattern.substr(1, close - 1);
  pattern.remove_prefix(close + 1);
  const bool negated = set.front() == '!' || set.front() == '^';
  if (negated) set.remove_prefix(1);
  bool found = false;
  while (!set.empty()) {
    const std::string_view first = front_character(set);
    set.remove_prefix(first.size());
    if (set.size() > 1 && set.front() == '-') {
      const std::string_view last = front_character(set.substr(1));
      set.remove_prefix(1 + last.size());
      found = found || (first <= character && character <= last);
    } else {
      found = found || first == character;
    }
  }
  return found != negated && character != "/";
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
  while (true) {
    if (fits_pattern(path, pattern)) return true;
    if (path.empty() || (!crosses && path.front() == '/')) return false;
    path.remove_prefix(front_character(path).size());
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
    const std::string_view character = front_character(path);
    if (pattern.front() == '[') {
      if (!fits_class(character, pattern)) return false;
    } else {
      const std::string_view wanted = front_character(pattern);
      if (wanted == "?" ? character == "/" : wanted != character) return false;
      pattern.remove_prefix(wanted.size());
    }
    path.remove_prefix(character.size());
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
