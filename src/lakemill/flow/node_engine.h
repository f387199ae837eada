#pragma once

#include <optional>
#include <string>

#include "lakemill/flow/workspace.h"

namespace lakemill::flow {

/// Whether the pipeline wants a node on Spark, and a Spark remote is named.
bool wants_spark(const Workspace& workspace, const language::Node& node);

/// Why a node cannot run on Spark, whatever its SQL is: what it reads or writes.
/// Nothing if it can. Source: docs/design/0013-spark.md.
std::optional<std::string> why_not_on_spark(const Workspace& workspace,
                                            const language::Node& node);

/// The workspace as a node works with it: on Spark if the pipeline wants that and the
/// node can, else on the embedded engine. A second call changes nothing.
Workspace workspace_of(const Workspace& workspace, const language::Node& node);

}  // namespace lakemill::flow
