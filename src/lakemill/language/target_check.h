#pragma once

#include "lakemill/language/diagnostic.h"
#include "lakemill/language/model.h"

namespace lakemill::language {

/// Tells of sinks that would destroy something: the place of another node's sink, files
/// of their own sources, the folder that the pipeline is in, Lakemill's own state; and
/// of modes that cannot be kept beside other sinks. Places are those that
/// link_written_tables() filled in.
void check_targets(const Pipeline& pipeline, Diagnostics& diagnostics);

}  // namespace lakemill::language
