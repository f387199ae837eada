#include "lakemill/language/location.h"

#include <regex>

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

Location take_place(std::string& message, const Location& otherwise) {
  static const std::regex kPlace("^(.*?):(\\d{1,9}):(\\d{1,9}): ");
  std::smatch found;
  if (!std::regex_search(message, found, kPlace)) return otherwise;
  Location place{found[1].str(), std::stoi(found[2].str()), std::stoi(found[3].str())};
  message = found.suffix().str();
  return place;
}

}  // namespace lakemill::language
