#include "lakemill/app/project_graph.h"

#include <map>

#include "lakemill/language/graph.h"
#include "lakemill/language/written_tables.h"

namespace lakemill::app {

namespace {

std::string id_of(const language::Pipeline& pipeline, const std::string& node) {
  return pipeline.name + "/" + node;
}

}  // namespace

std::vector<GraphEdge> project_edges(
    const std::vector<std::shared_ptr<const language::Pipeline>>& pipelines,
    const language::Project& project) {
  struct Use {
    const language::Pipeline* pipeline;
    std::string node;
  };
  std::vector<GraphEdge> edges;
  std::multimap<std::string, Use> writers;  // by place
  std::multimap<std::string, Use> readers;
  for (const auto& pipeline : pipelines) {
    for (const language::Node& node : pipeline->nodes) {
      for (const std::string& upstream : language::upstream_of(node)) {
        edges.push_back({id_of(*pipeline, upstream), id_of(*pipeline, node.name)});
      }
    }
    for (auto& used : language::used_tables(*pipeline, project)) {
      (used.is_written ? writers : readers)
          .emplace(used.place, Use{pipeline.get(), used.node});
    }
  }
  for (const auto& [place, reader] : readers) {
    const auto [first, last] = writers.equal_range(place);
    for (auto writer = first; writer != last; ++writer) {
      const Use& from = writer->second;
      if (from.pipeline == reader.pipeline) continue;  // an edge of its own graph
      edges.push_back(
          {id_of(*from.pipeline, from.node), id_of(*reader.pipeline, reader.node)});
    }
  }
  return edges;
}

}  // namespace lakemill::app
