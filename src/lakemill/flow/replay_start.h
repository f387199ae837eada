#pragma once

#include <optional>
#include <string>

#include "lakemill/flow/workspace.h"

namespace lakemill::flow {

/// From where a replay goes: `--from`.
struct ReplayStart {
  enum class Kind : std::uint8_t {
    beginning,
    batch,      ///< of the node's own flow
    version,    ///< of a table that the node reads
    offset,     ///< of the source that its upstream node reads
    timestamp,  ///< batches planned at that instant and later
  };
  Kind kind = Kind::beginning;
  std::int64_t number = 0;  ///< batch, version, arrival
  std::string lsn;          ///< of an offset: 16 hex digits, or empty
  Instant instant;
  std::string text;  ///< as written
};

/// "beginning", "batch:12", "version:7", "timestamp:2026-01-31T12:00:00Z",
/// "offset:12" (arrival), "offset:16/B374D848" (PostgreSQL), or a `_source_offset`.
/// Errors: invalid.
Result<ReplayStart> parse_replay_start(const std::string& text);

/// The last batch of the node's newest generation that lies before `start`; nothing if
/// the first batch already covers it. Errors: invalid (the node is recomputed as a
/// whole, nothing lies behind `start`, an offset of several upstream nodes), corrupt.
Result<std::optional<BatchPlan>> batch_before(const Workspace& workspace,
                                              const language::Node& node,
                                              const ReplayStart& start);

/// Begins a generation of `node` in `workspace` whose first batch is what the live
/// flow's tables held after `last`: rows, quarantine and the state of merges. The next
/// batch then reads on behind `last`. `live` has the same flows as `workspace` for a
/// replay in place: then a run finishes what a crash leaves.
/// Errors: invalid (a sink that is no Delta table), not_found (a version that was
/// cleaned away).
Status begin_with_rows_after(const Workspace& live, const BatchPlan& last,
                             const Workspace& workspace, const language::Node& node,
                             const std::string& run_id);

/// Finishes a copy of rows that begin_with_rows_after() began in place: `plan` says of
/// which batch. Errors: as begin_with_rows_after().
Status finish_copy(const Workspace& workspace, const language::Node& node,
                   const BatchPlan& plan);

}  // namespace lakemill::flow
