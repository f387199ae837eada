#pragma once

#include <memory>
#include <string>

#include "lakemill/flow/node_query.h"

namespace lakemill::flow {

/// Opens one source of `node`, or says that the upstream node behind it has not run
/// (a null source). `id` names it in the flow's state.
Result<Leaf> open_leaf(const Workspace& workspace, const language::Node& node,
                       const language::Source& source, FlowState& state,
                       const std::string& id, Reading reading);

/// The output of an upstream node with a sink, as a source.
Result<Leaf> open_upstream(const Workspace& workspace, const language::Node& upstream,
                           FlowState& state, const std::string& id, bool incremental,
                           const language::BatchLimits& limits);

/// Whether the types of columns are told from the values that are found.
bool finds_out_types(const engine::FilesRelation& files);

/// How the engine reads and writes files of a format; Parquet for what is no file
/// format of its own (DELTA).
engine::FileFormat engine_format(language::FileFormat format);

}  // namespace lakemill::flow
