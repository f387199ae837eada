#pragma once

#include <memory>
#include <string_view>

#include "lakemill/delta/snapshot.h"

namespace lakemill::delta {

// The columns that a change feed adds to the table's, and what the first may say.
// Source: PROTOCOL.md, "Change Data Files".
inline constexpr std::string_view kChangeType = "_change_type";
inline constexpr std::string_view kCommitVersion = "_commit_version";
inline constexpr std::string_view kCommitTimestamp = "_commit_timestamp";

inline constexpr std::string_view kInsert = "insert";
inline constexpr std::string_view kDelete = "delete";
inline constexpr std::string_view kUpdatePreimage = "update_preimage";
inline constexpr std::string_view kUpdatePostimage = "update_postimage";

/// Where a table's change files are, below its root.
inline constexpr std::string_view kChangeFolder = "_change_data";

/// All rows of a version as if they were inserted in it, with the columns of
/// Table::changes(): what a reader of changes begins with. Errors: those of
/// Snapshot::scan(); invalid (a column has a name that the feed needs).
Result<std::shared_ptr<const data::TableScan>> rows_as_changes(
    const Snapshot& snapshot);

}  // namespace lakemill::delta
