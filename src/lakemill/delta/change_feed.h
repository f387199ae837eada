#pragma once

#include <string_view>

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

}  // namespace lakemill::delta
