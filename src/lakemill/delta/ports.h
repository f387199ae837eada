#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/result.h"

namespace lakemill::delta {

/// What this module asks of an engine: it does no Parquet of its own.
///
/// Thread-safety: implementations allow concurrent calls.
class CheckpointFormat {
 public:
  virtual ~CheckpointFormat() = default;

  /// Reads a Parquet checkpoint, part or sidecar at `url`, as one JSON action a line
  /// (absent actions and null members left out; maps as objects; a `stats_parsed`
  /// struct is given as the JSON text `stats` where the file has no `stats`, a
  /// `partitionValues_parsed` likewise left out). Errors: not_found, corrupt.
  virtual Result<std::string> read(std::string_view url) = 0;

  /// Writes the actions (one JSON object a line, as in a commit) as one classic Parquet
  /// checkpoint at `url`, with the columns that PROTOCOL.md, "Checkpoint Schema" names,
  /// typed statistics of the texts included where the table's properties ask for them;
  /// complete or not at all. Gives its size in bytes. Errors: denied, unavailable.
  virtual Result<std::int64_t> write(std::string_view url,
                                     std::string_view actions) = 0;
};

}  // namespace lakemill::delta
