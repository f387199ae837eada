#include "lakemill/base/folder_name.h"

#include <algorithm>
#include <string>

#include "lakemill/base/text.h"

namespace lakemill {

namespace {

constexpr std::size_t kNameBytesMax = 200;

bool is_control(char letter) {
  return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7F;
}

}  // namespace

Status check_folder_name(std::string_view name) {
  const auto fault = [name](std::string_view what) {
    return Error(ErrorCode::invalid, "name " + quote_literal(name) + " " +
                                         std::string(what) + "; choose another");
  };
  if (name.empty()) return fault("is empty");
  if (name.size() > kNameBytesMax) return fault("is longer than 200 bytes");
  if (name.find_first_of("/\\") != std::string_view::npos)
    return fault("holds a slash");
  if (name.find("..") != std::string_view::npos) return fault("holds \"..\"");
  if (name.front() == '_' || name.front() == '.') {
    return fault("begins with '" + std::string(1, name.front()) + "'");
  }
  if (std::any_of(name.begin(), name.end(), is_control)) {
    return fault("holds a control character");
  }
  return {};
}

}  // namespace lakemill
