#pragma once

#include <string>

#include "lakemill/sinks/change_sql.h"
#include "lakemill/sinks/sink.h"
#include "lakemill/sinks/table_sink.h"

namespace lakemill::sinks {

/// A state with so many files is written anew as one.
inline constexpr std::size_t kStateFilesMax = 64;

/// What is left of a state table when it is written anew, as SQL over `state` (all its
/// columns): one row of each fact, without what may be forgotten. A forgotten fact
/// raises the horizon, which counts from the batch after this one; no live key is
/// forgotten.
///
/// Row by row (SCD 1): deletes folded in before `cutoff` go. From a log of changes: the
/// changes of a key before `cutoff`, as far as nothing newer lies between them, become
/// one. Where deleted rows stay (SOFT), a log keeps everything.
std::string retained_state_sql(const std::string& state, const ChangeColumns& columns,
                               const ChangeOptions& options, const Batch& batch);

}  // namespace lakemill::sinks
