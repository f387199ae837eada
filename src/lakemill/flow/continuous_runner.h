#pragma once

#include "lakemill/flow/pipeline_runner.h"

namespace lakemill::flow {

/// How long a flow waits before it tries a failed batch again: from the first to the
/// longest, doubled each time.
inline constexpr std::chrono::milliseconds kRetryDelayFirst{500};
inline constexpr std::chrono::milliseconds kRetryDelayMax{60'000};

/// How often a batch whose fault does not look passing is tried before its flow stops.
inline constexpr int kPoisonAttemptsMax = 3;

/// Runs the selected nodes until `options.stop` is requested: the very batches that
/// run_pipeline() makes, again and again. A node runs when something it reads has
/// changed: an upstream node's commit tells it at once, a local folder or the log of a
/// table that another process writes (the tables of upstream nodes and those that SQL
/// names included) as soon as the system tells, and everything else by looking every
/// second. A node with `every` runs at its times and takes all that
/// has come.
///
/// A batch that fails for a reason that can pass is tried again, ever later; one that
/// fails otherwise is tried kPoisonAttemptsMax times, then its flow stops while the
/// others go on. What is not there yet, an empty folder or a table that nobody has
/// made, is waited for; what a flow has had batches of and is gone, or folders that are
/// empty again, fail, and are tried again, ever later. The observer hears of the first
/// round of each node and of every round that wrote or failed. Ends by itself only when
/// all flows have stopped.
///
/// The report sums up all rounds of a node. Errors: invalid (a circle).
Result<RunReport> run_continuously(const Workspace& workspace,
                                   const RunOptions& options, RunObserver& observer);

}  // namespace lakemill::flow
