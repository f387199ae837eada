#pragma once

#include "lakemill/delta/snapshot.h"

namespace lakemill::delta {

/// False if a reader of `table` finds at `now` what it found at `before`: no commit
/// after `before` up to `now` changed a row or the table's metadata (compaction and
/// whatever else only rearranges rows does not). True, too, where that cannot be told:
/// `now` lies before `before`, or a commit in between is gone.
bool may_have_changed(Table& table, Version before, Version now);

}  // namespace lakemill::delta
