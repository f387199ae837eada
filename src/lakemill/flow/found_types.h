#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lakemill/data/type.h"
#include "lakemill/flow/flow_state.h"

namespace lakemill::flow {

/// What types the columns of files without a schema were found to have in the batches
/// of a generation: for columns that then hold nothing but nulls for a long time.
/// Nothing before the first batch. Errors: corrupt, and those of the store.
Result<std::optional<data::Schema>> found_types(const FlowState& state,
                                                std::int64_t generation,
                                                const std::string& source);

/// Keeps them, in place of those before.
Status keep_found_types(const FlowState& state, std::int64_t generation,
                        const std::string& source, const data::Schema& types);

/// What is known after a batch: what it found, and where that is a string, which is
/// what nulls are taken for, what was known before.
data::Schema types_after(const data::Schema& before, const data::Schema& found);

}  // namespace lakemill::flow
