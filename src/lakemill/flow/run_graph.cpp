#include "lakemill/flow/run_graph.h"

#include <algorithm>
#include <set>

#include "lakemill/language/graph.h"

namespace lakemill::flow {

namespace {

using Needs = std::map<std::string, std::set<std::string>>;

// True if `from` comes to need `to`, directly or through others.
bool reaches(const Needs& needs, const std::string& from, const std::string& to,
             std::set<std::string>& seen) {
  if (!seen.insert(from).second) return false;
  const auto found = needs.find(from);
  if (found == needs.end()) return false;
  return found->second.contains(to) ||
         std::any_of(
             found->second.begin(), found->second.end(),
             [&](const std::string& next) { return reaches(needs, next, to, seen); });
}

// The selected nodes that `node` needs, directly or through nodes that were not
// selected.
void add_needs(const language::Pipeline& pipeline, const language::Node& node,
               const std::set<std::string>& chosen, std::set<std::string>& seen,
               std::set<std::string>& needs) {
  for (const std::string& upstream : language::upstream_of(node)) {
    if (!seen.insert(upstream).second) continue;
    const language::Node* next = pipeline.find_node(upstream);
    if (chosen.contains(upstream)) {
      needs.insert(upstream);
    } else if (next != nullptr) {
      add_needs(pipeline, *next, chosen, seen, needs);
    }
  }
}

// Lets every member of a task group wait for what any member needs from outside of the
// group; a wait that would close a circle is left out.
void widen_to_groups(const language::Pipeline& pipeline, Needs& needs) {
  std::map<std::string, std::vector<std::string>> groups;
  for (const language::Node& node : pipeline.nodes) {
    if (!node.execution_task_name.empty() && needs.contains(node.name)) {
      groups[node.execution_task_name].push_back(node.name);
    }
  }
  for (const auto& [group, members] : groups) {
    std::set<std::string> outside;
    for (const std::string& member : members) {
      for (const std::string& need : needs.at(member)) {
        if (std::find(members.begin(), members.end(), need) == members.end()) {
          outside.insert(need);
        }
      }
    }
    for (const std::string& member : members) {
      for (const std::string& need : outside) {
        std::set<std::string> seen;
        if (!reaches(needs, need, member, seen)) needs[member].insert(need);
      }
    }
  }
}

}  // namespace

Result<RunGraph> make_run_graph(const language::Pipeline& pipeline,
                                const std::vector<std::string>& selected) {
  LAKEMILL_TRY(const auto order, language::execution_order(pipeline));
  const std::set<std::string> chosen(selected.begin(), selected.end());
  Needs needs;
  for (const language::Node& node : pipeline.nodes) {
    if (!chosen.contains(node.name)) continue;
    std::set<std::string> seen;
    add_needs(pipeline, node, chosen, seen, needs[node.name]);
  }
  widen_to_groups(pipeline, needs);
  RunGraph graph;
  for (const std::string& name : order) {
    if (!chosen.contains(name)) continue;
    graph.order.push_back(name);
    graph.needs[name] = {needs[name].begin(), needs[name].end()};
  }
  return graph;
}

}  // namespace lakemill::flow
