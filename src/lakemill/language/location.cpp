#include "lakemill/language/location.h"

namespace lakemill::language {

std::string to_text(const Location& location) {
  std::string text = location.file;
  if (location.line > 0) {
    if (!text.empty()) text += ':';
    text += std::to_string(location.line);
    if (location.column > 0) text += ':' + std::to_string(location.column);
  }
  return text;
}

}  // namespace lakemill::language
