#pragma once

#include <stop_token>

#include "lakemill/flow/batch_runner.h"

namespace lakemill::flow {

/// Whether a batch of `node` that failed so may go on without some of its files: a
/// source has `on_error: DEAD_LETTER`, and the error will not pass.
bool may_set_aside(const language::Node& node, const Error& error);

/// Finds the files of `plan` that make it fail, each tried by itself, and takes them
/// out of it: they become its dead letters. False, and `plan` as it was, where no file
/// by itself is at fault, or the node fails without any row. Errors: those that may
/// pass, cancelled.
Result<bool> set_aside(const Workspace& workspace, const language::Node& node,
                       NodeQuery& query, BatchPlan& plan, const std::stop_token& stop);

/// Appends the plan's dead letters to `<target>_dead_letter`, by the batch's
/// transaction, once: after all sinks, as only then no other plan can take its place.
/// Errors: those of the sink.
Status commit_dead_letters(const Workspace& workspace, engine::Session& session,
                           const Place& target, const BatchPlan& plan,
                           const sinks::Batch& batch);

/// The same for a batch that the node's sinks hold: who committed it may have died
/// since. Errors: those of the sink.
Status complete_dead_letters(const Workspace& workspace, const language::Node& node,
                             const BatchPlan& plan, const std::string& run_id);

}  // namespace lakemill::flow
