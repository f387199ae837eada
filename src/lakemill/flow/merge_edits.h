#pragma once

#include "lakemill/language/model.h"

namespace lakemill::flow {

/// Refuses an edited merge whose table and change state, as `before` left them, cannot
/// be gone on with: other keys, another order or another SCD type would mix rows of two
/// meanings. Errors: invalid, naming the place, what was changed, and the remedy.
Status check_merge_edit(const language::Node& before, const language::Node& now);

}  // namespace lakemill::flow
