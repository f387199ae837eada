#include "lakemill/flow/side_flows.h"

#include <algorithm>
#include <map>

#include "lakemill/base/folder_name.h"
#include "lakemill/base/text.h"
#include "lakemill/flow/node_frames.h"
#include "lakemill/flow/workspace.h"
#include "lakemill/language/graph.h"

namespace lakemill::flow {

namespace {

constexpr int kViewDepthMax = 64;

Error at(const language::Location& location, const std::string& message) {
  return {ErrorCode::invalid, to_text(location) + ": " + message};
}

bool reads_outside(const language::Pipeline& pipeline, const language::Node& node,
                   int depth) {
  if (depth > kViewDepthMax) return false;
  for (const language::Source& source : node.sources) {
    if (source.kind == language::SourceKind::postgres) return true;
    if (source.kind == language::SourceKind::file && source.written_by.empty() &&
        source.format != language::FileFormat::delta) {
      return true;
    }
  }
  const auto read = nodes_read_by(node);
  return std::any_of(read.begin(), read.end(), [&](const std::string& name) {
    const language::Node* view = pipeline.find_node(name);
    return view != nullptr && view->is_view() &&
           reads_outside(pipeline, *view, depth + 1);
  });
}

std::string last_part(const std::string& url) {
  std::string path = url;
  while (path.ends_with('/')) path.pop_back();
  return path.substr(path.rfind('/') + 1);
}

// Rewrites one pipeline.
class SideMaker {
 public:
  SideMaker(const Workspace& workspace, const std::vector<std::string>& nodes,
            const std::string& schema)
      : workspace_(workspace) {
    made_.pipeline = workspace.pipeline;
    made_.flows.schema = schema;
    made_.flows.nodes = {nodes.begin(), nodes.end()};
  }

  Result<SidePipeline> make() {
    LAKEMILL_TRY_OK(check_folder_name(made_.flows.schema));
    for (const language::Node& node : workspace_.pipeline.nodes) {
      LAKEMILL_TRY_OK(check_schema(node));
      if (made_.flows.has(node.name)) LAKEMILL_TRY_OK(name_sinks(node));
    }
    for (language::Node& node : made_.pipeline.nodes) {
      if (!made_.flows.has(node.name)) continue;
      LAKEMILL_TRY_OK(move_sinks(node));
    }
    // Sources are placed by the node as it was written: its sinks do not matter.
    for (language::Node& node : made_.pipeline.nodes) LAKEMILL_TRY_OK(move_reads(node));
    return std::move(made_);
  }

 private:
  static bool holds_rows(const language::Sink& sink) {
    return sink.kind != language::SinkKind::pipeline_view;
  }

  Status check_schema(const language::Node& node) const {
    for (const language::Sink& sink : node.sinks) {
      if (!holds_rows(sink)) continue;
      LAKEMILL_TRY(const Place place, place_of(workspace_, node, sink));
      const auto parts = split(place.name, '.');
      if (!place.in_catalog || parts[1] != made_.flows.schema) continue;
      return Error(ErrorCode::invalid,
                   "--into " + made_.flows.schema + ": node " + node.name +
                       " writes table " + place.name +
                       " of that schema; name one that no node writes to");
    }
    return {};
  }

  Status name_sinks(const language::Node& node) {
    for (const language::Sink& sink : node.sinks) {
      if (!holds_rows(sink)) continue;
      LAKEMILL_TRY(const Place place, place_of(workspace_, node, sink));
      if (!place.is_delta) {
        return at(sink.location,
                  "node " + node.name + " writes " + place.name +
                      ", which is no Delta table and has no place in a schema; replay "
                      "without --into, or without this node (--node)");
      }
      if (side_of_.contains(place.url)) continue;
      language::TableName name = sink.table;
      std::string live_schema = "path";
      name.catalog = workspace_.project.catalog;
      name.table = last_part(place.url);
      if (place.in_catalog) {
        const auto parts = split(place.name, '.');
        name.catalog = parts[0];
        live_schema = parts[1];
        name.table = parts[2];
      }
      name.schema = made_.flows.schema;
      if (taken_.contains(name.to_text())) name.table = live_schema + "_" + name.table;
      auto checked = check_folder_name(name.table);
      if (!checked) return at(sink.location, checked.error().message());
      if (!taken_.insert(name.to_text()).second) {
        return at(sink.location, "two tables of the replay would be " + name.to_text());
      }
      made_.tables.push_back({place.url, place.name, name.to_text()});
      made_.flows.live_urls.insert(place.url);
      side_of_.emplace(place.url, name);
    }
    return {};
  }

  Status move_sinks(language::Node& node) {
    const language::Node& live = *workspace_.pipeline.find_node(node.name);
    for (std::size_t i = 0; i < node.sinks.size(); ++i) {
      language::Sink& sink = node.sinks[i];
      if (!holds_rows(sink)) continue;
      LAKEMILL_TRY(const Place place, place_of(workspace_, live, live.sinks[i]));
      sink.kind = language::SinkKind::table;
      sink.table = side_of_.at(place.url);
      sink.path.clear();
    }
    for (language::Source& source : node.sources) source.limits = {};
    return {};
  }

  Status move_reads(language::Node& node) {
    const bool moves = made_.flows.has(node.name) || node.is_view();
    if (!moves) return {};
    for (language::Source& source : node.sources) {
      const bool has_place = source.kind == language::SourceKind::table ||
                             source.kind == language::SourceKind::file;
      if (!has_place) continue;
      LAKEMILL_TRY(const Place place, place_of(workspace_, node, source));
      const auto side = side_of_.find(place.url);
      if (side == side_of_.end()) continue;
      source.kind = language::SourceKind::table;
      source.table = side->second;
      source.path.clear();
    }
    for (language::Expectation& expectation : node.expectations) {
      if (expectation.to_table.table.empty()) continue;
      LAKEMILL_TRY(const Place place, place_of(workspace_, node, expectation.to_table));
      const auto side = side_of_.find(place.url);
      if (side != side_of_.end()) expectation.to_table = side->second;
    }
    return {};
  }

  const Workspace& workspace_;
  SidePipeline made_;
  std::map<std::string, language::TableName> side_of_;  // by live URL
  std::set<std::string> taken_;
};

}  // namespace

Result<SidePipeline> make_side_pipeline(const Workspace& workspace,
                                        const std::vector<std::string>& nodes,
                                        const std::string& schema) {
  return SideMaker(workspace, nodes, schema).make();
}

bool reads_outside(const language::Pipeline& pipeline, const language::Node& node) {
  return reads_outside(pipeline, node, 0);
}

Result<std::vector<std::string>> replayed_nodes(const language::Pipeline& pipeline,
                                                const std::string& node) {
  if (node.empty()) {
    std::vector<std::string> names;
    for (const language::Node& item : pipeline.nodes) {
      if (item.layer != language::Layer::bronze && !reads_outside(pipeline, item)) {
        names.push_back(item.name);
      }
    }
    const bool any = std::any_of(names.begin(), names.end(), [&](const auto& name) {
      return !pipeline.find_node(name)->is_view();
    });
    if (any) return names;
    return Error(ErrorCode::invalid,
                 "pipeline " + pipeline.name +
                     " has nothing to replay: every node is BRONZE or reads outside; "
                     "`run --full-refresh --select NODE` reads a source again");
  }
  LAKEMILL_TRY(auto names, language::select_nodes(pipeline, {node + "*"}));
  for (const std::string& name : names) {
    const language::Node& item = *pipeline.find_node(name);
    if (item.layer != language::Layer::bronze && !reads_outside(pipeline, item)) {
      continue;
    }
    return at(item.location,
              "node " + name +
                  " takes its rows from outside, and a replay asks no source again: "
                  "replay the nodes behind it, or read the source again with `run "
                  "--full-refresh --select " +
                  name + "`");
  }
  return names;
}

}  // namespace lakemill::flow
