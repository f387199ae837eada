#pragma once

#include <string>

#include "lakemill/language/diagnostic.h"
#include "lakemill/language/model.h"

namespace lakemill::language {

/// Whether a source is declared to be read by what is new, rather than as a whole.
bool is_incremental(const Node& node, const Source& source);

/// Tells where what a node's sinks and keys ask for contradicts how its sources are
/// read, as far as that is declared: what depends on the SQL is told by the plan.
void check_streams(const Pipeline& pipeline, const Node& node, const std::string& path,
                   Diagnostics& diagnostics);

}  // namespace lakemill::language
