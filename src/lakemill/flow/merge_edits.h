#pragma once

#include "lakemill/language/model.h"

namespace lakemill::flow {

/// Refuses an edited merge whose table and change state, as `before` left them, cannot
/// be gone on with: other keys, another order or another SCD type would mix rows of two
/// meanings. Errors: invalid, naming the place, what was changed, and the remedy.
Status check_merge_edit(const language::Node& before, const language::Node& now);

/// The same of the default sequence of changes, as plans tell it: where it says another
/// thing than before, later changes would be taken for earlier ones, or the other way
/// round. Errors: invalid, with the sink's place and what to do.
Status check_merge_sequence(const std::string& before, const std::string& now,
                            const language::Node& node);

}  // namespace lakemill::flow
