#pragma once

#include <map>
#include <string>
#include <vector>

#include "lakemill/language/model.h"

namespace lakemill::flow {

/// What a run does in which order.
struct RunGraph {
  std::vector<std::string> order;  ///< the selected nodes, each after what it needs
  /// Per selected node: the selected nodes that must be done before it starts. What a
  /// member of a task group needs, its whole group waits for.
  std::map<std::string, std::vector<std::string>> needs;
};

/// Errors: invalid (a circle, naming it).
Result<RunGraph> make_run_graph(const language::Pipeline& pipeline,
                                const std::vector<std::string>& selected);

}  // namespace lakemill::flow
