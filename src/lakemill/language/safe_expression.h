#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "lakemill/base/result.h"
#include "lakemill/language/tree.h"

namespace lakemill::language {

/// What a name of an expression stands for. `path` is the name and the attributes or
/// text indexes that follow it: {"vars", "env"}, {"pipeline", "name"}. Nothing if
/// unknown.
using NameLookup =
    std::function<Result<std::optional<Tree>>(const std::vector<std::string>& path)>;

/// Evaluates what stands between `${{` and `}}`: literals, names, attribute and index
/// access, arithmetic, comparison, `and or not`, `x if c else y`, `in`, and methods of
/// strings. Nothing else can be reached from it; size and depth are bounded.
/// Errors: invalid (says what at which column of the expression, from 1).
Result<Tree> evaluate_expression(std::string_view expression, const NameLookup& lookup);

}  // namespace lakemill::language
