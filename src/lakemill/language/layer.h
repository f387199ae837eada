#pragma once

#include <cstdint>
#include <string_view>

namespace lakemill::language {

/// How refined the rows of a node are.
enum class Layer : std::uint8_t { none, bronze, silver, gold };

/// "BRONZE", as pipeline files name it; "" for none.
constexpr std::string_view to_text(Layer layer) {
  switch (layer) {
    case Layer::bronze:
      return "BRONZE";
    case Layer::silver:
      return "SILVER";
    case Layer::gold:
      return "GOLD";
    case Layer::none:
      break;
  }
  return "";
}

}  // namespace lakemill::language
