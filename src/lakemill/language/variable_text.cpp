#include "lakemill/language/variable_text.h"

namespace lakemill::language {

bool is_name_character(char character) {
  return (character >= 'a' && character <= 'z') ||
         (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9') || character == '_' ||
         character == '-' || character == '.';
}

std::string_view reference_name(std::string_view text, std::size_t begin,
                                std::string_view prefix) {
  if (text.substr(begin, 2) != "${" ||
      text.substr(begin + 2, prefix.size()) != prefix) {
    return {};
  }
  const std::size_t name_begin = begin + 2 + prefix.size();
  std::size_t end = name_begin;
  while (end < text.size() && is_name_character(text[end])) ++end;
  if (end >= text.size() || text[end] != '}') return {};
  return text.substr(name_begin, end - name_begin);
}

std::string as_text(const Tree& tree) {
  return tree.is_scalar() ? tree.text : json_text(to_json(tree));
}

}  // namespace lakemill::language
