#include "lakemill/base/quoted_list.h"

#include "lakemill/base/text.h"

namespace lakemill {

std::string quoted_list(std::span<const std::string> names) {
  std::string list;
  for (const std::string& name : names) {
    if (!list.empty()) list += ", ";
    list += quote_identifier(name);
  }
  return list;
}

}  // namespace lakemill
