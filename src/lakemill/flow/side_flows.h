#pragma once

#include <set>
#include <string>
#include <vector>

#include "lakemill/base/result.h"
#include "lakemill/language/model.h"

namespace lakemill::flow {

struct Workspace;

/// A replay into a side schema: its nodes have flows and state of their own, so that
/// nothing of the live ones is touched.
struct SideFlows {
  std::string schema;
  std::set<std::string> nodes;
  std::set<std::string> live_urls;  ///< tables that the nodes write when they are live

  bool has(const std::string& node) const { return nodes.contains(node); }
};

/// A table of a replayed node: where it is live, and its name in the side schema.
struct SideTable {
  std::string live_url;
  std::string live_name;
  std::string side_name;  ///< catalog.schema.table
};

struct SidePipeline {
  language::Pipeline pipeline;
  SideFlows flows;
  std::vector<SideTable> tables;
};

/// `workspace.pipeline` with the sinks of `nodes` in `schema` of their catalogs, and
/// with all that reads those sinks reading them there. A table by path gets the last
/// part of its path as its name. Sources of the nodes lose their bounds: a table is
/// swapped in by one batch. Errors: invalid (a sink that is no Delta table; a schema
/// that the pipeline writes to), denied.
Result<SidePipeline> make_side_pipeline(const Workspace& workspace,
                                        const std::vector<std::string>& nodes,
                                        const std::string& schema);

/// A node whose rows come from outside, by itself or by views that it reads: it reads
/// files or a server.
bool reads_outside(const language::Pipeline& pipeline, const language::Node& node);

/// The nodes that a replay makes anew: with `node`, it and all after it; else all that
/// are neither BRONZE nor read outside. In document order. Errors: invalid (the node's
/// rows come from outside; there is nothing to replay), not_found.
Result<std::vector<std::string>> replayed_nodes(const language::Pipeline& pipeline,
                                                const std::string& node);

}  // namespace lakemill::flow
