#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lakemill/language/diagnostic.h"
#include "lakemill/language/tree.h"

namespace lakemill::language {

/// How many values the aliases and includes of one load may still make. A document that
/// doubles itself level by level would otherwise fill the memory.
struct ExpansionBudget {
  static constexpr std::int64_t kValuesMax = 300'000;
  std::int64_t values_left = kValuesMax;
};

/// Parses one YAML document as it stands in its file: aliases are put in, `{df}`,
/// `{nodes.x}` and `{sources.x}` are strings, include tags stay in Tree::tag and merge
/// keys stay as entries `<<` (the only key that may stand twice). A document without
/// content is null. A fault is told, and the tree is then broken.
Tree parse_yaml(std::string_view text, const std::string& file, ExpansionBudget& budget,
                Diagnostics& diagnostics);

/// The number of values in `tree`, itself included.
std::int64_t count_values(const Tree& tree);

}  // namespace lakemill::language
