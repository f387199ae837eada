#pragma once

#include "lakemill/delta/snapshot.h"
#include "lakemill/sources/source.h"

namespace lakemill::sources {

/// What commits `from`..`to` of a table changed, for an engine: the table's columns,
/// `_op` and `_source_offset` ("version/row", in a version what goes before what
/// comes).
/// `_op` is INSERT, UPDATE (the row as it became) or DELETE (the row as it was).
/// Errors: those of Table::changes().
Result<Slice> changes_slice(delta::Table& table, delta::Version from,
                            delta::Version to);

/// The rows of a version in the same columns: what a reader of changes begins with.
/// `_op` is SNAPSHOT.
Result<Slice> snapshot_slice(const delta::Snapshot& snapshot);

}  // namespace lakemill::sources
