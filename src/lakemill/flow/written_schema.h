#pragma once

#include <optional>

#include "lakemill/data/type.h"
#include "lakemill/flow/workspace.h"

namespace lakemill::flow {

/// Notes in the state of `node` what columns its first sink has, if that is a CSV or
/// JSON file, whose types would be lost. Errors: those of the store.
Status keep_written_schema(const Workspace& workspace, const language::Node& node,
                           const data::Schema& schema);

/// The columns by which what keep_written_schema() noted is to be read again: with
/// strings for what the format writes only as a text. Nothing where nothing was noted.
/// Errors: corrupt, and those of the store.
Result<std::optional<data::Schema>> written_schema(const Workspace& workspace,
                                                   const language::Node& node);

}  // namespace lakemill::flow
