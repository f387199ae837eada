#include "lakemill/flow/run_graph.h"

#include <set>

#include "lakemill/language/graph.h"

namespace lakemill::flow {

namespace {

// Per node of a pipeline, by position: the positions of those that must run before it.
using Dependencies = std::vector<std::vector<std::size_t>>;

// The selected nodes that the node at `position` needs, directly or through nodes that
// were not selected.
void add_needs(const language::Pipeline& pipeline, const Dependencies& dependencies,
               const std::set<std::string>& chosen, std::size_t position,
               std::set<std::size_t>& seen, std::set<std::string>& needs) {
  for (const std::size_t upstream : dependencies[position]) {
    if (!seen.insert(upstream).second) continue;
    const std::string& name = pipeline.nodes[upstream].name;
    if (chosen.contains(name)) {
      needs.insert(name);
    } else {
      add_needs(pipeline, dependencies, chosen, upstream, seen, needs);
    }
  }
}

}  // namespace

Result<RunGraph> make_run_graph(const language::Pipeline& pipeline,
                                const std::vector<std::string>& selected) {
  LAKEMILL_TRY(const auto order, language::execution_order(pipeline));
  const Dependencies dependencies = language::run_dependencies(pipeline);
  const std::set<std::string> chosen(selected.begin(), selected.end());
  RunGraph graph;
  for (const std::string& name : order) {
    if (chosen.contains(name)) graph.order.push_back(name);
  }
  for (std::size_t i = 0; i < pipeline.nodes.size(); ++i) {
    if (!chosen.contains(pipeline.nodes[i].name)) continue;
    std::set<std::size_t> seen;
    std::set<std::string> needs;
    add_needs(pipeline, dependencies, chosen, i, seen, needs);
    graph.needs[pipeline.nodes[i].name] = {needs.begin(), needs.end()};
  }
  return graph;
}

}  // namespace lakemill::flow
