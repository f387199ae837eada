#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lakemill/base/result.h"

namespace lakemill::engine_duckdb {

/// What a checkpoint's `add` holds beside the texts of a commit where the table asks
/// for it (`delta.checkpoint.writeStatsAsStruct`): SQL over `line`, one action as JSON.
struct TypedStatistics {
  std::string stats;             ///< the value of `stats_parsed`
  std::string partition_values;  ///< that of `partitionValues_parsed`; empty: no such
  bool with_text = true;         ///< false: `stats` is left out
};

/// Of the table whose protocol and metadata are among `actions` (one a line, from the
/// first one on); nothing if it does not ask for them. Bounds that could have lost
/// digits in JSON are left out. Source: PROTOCOL.md, "Checkpoint Schema". Errors:
/// corrupt (an action, or a type that DuckDB does not have).
Result<std::optional<TypedStatistics>> typed_statistics(std::string_view actions);

}  // namespace lakemill::engine_duckdb
