#pragma once

#include <vector>

#include "lakemill/dml/table_change.h"

namespace lakemill::dml {

/// True if a commit of `change` needs change files: the table keeps a change data feed
/// and some of its rows go. (Files that only come, or a table that is replaced, tell
/// their changes by themselves.)
bool needs_change_files(const TableState& state, const TableChange& change);

/// Writes the change files of a commit: the rows that go and those that come, which
/// `change.keys` pairs to updates. Paths in the answer are relative to the table's
/// root. Errors: those of the engine and the store.
Result<std::vector<engine::WrittenFile>> write_change_files(
    const ChangeContext& context, const TableState& state, const TableChange& change);

/// Change files as the log's actions.
Result<std::vector<delta::AddCdcFile>> to_cdc_files(
    const std::vector<engine::WrittenFile>& files, const delta::Metadata& metadata,
    Instant now);

}  // namespace lakemill::dml
