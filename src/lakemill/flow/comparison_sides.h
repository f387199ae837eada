#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lakemill::flow {

struct ComparisonSides {
  std::string left;
  std::string right;
};

/// The two sides of SQL that is one comparison by <, >, =, <=, >=, <> or !=, for
/// messages: nothing where it is anything else, or might be.
std::optional<ComparisonSides> comparison_sides(std::string_view predicate);

}  // namespace lakemill::flow
