#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lakemill/language/model.h"

namespace lakemill::app {

/// One node's rows go into another. Ids are "<pipeline>/<node>".
struct GraphEdge {
  std::string from;
  std::string to;
};

/// What leads where in a project: within pipelines as their graphs say, and between
/// pipelines by the tables that one writes and another reads as sources.
std::vector<GraphEdge> project_edges(
    const std::vector<std::shared_ptr<const language::Pipeline>>& pipelines,
    const language::Project& project);

}  // namespace lakemill::app
