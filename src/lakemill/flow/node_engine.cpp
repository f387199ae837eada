#include "lakemill/flow/node_engine.h"

#include <algorithm>

#include "lakemill/flow/node_frames.h"
#include "lakemill/language/streams.h"

namespace lakemill::flow {

namespace {

using language::FileFormat;
using language::SinkKind;
using language::SourceKind;

constexpr int kViewDepthMax = 64;  // views that read views

bool spark_reads(FileFormat format) {
  return format == FileFormat::delta || format == FileFormat::csv ||
         format == FileFormat::parquet || format == FileFormat::jsonl;
}

std::optional<std::string> refused_source(const language::Node& node,
                                          const language::Source& source) {
  if (source.kind == SourceKind::postgres) return "it reads PostgreSQL";
  if (language::is_incremental(node, source) || source.read_changes) {
    return "it reads only what is new of a source";
  }
  if (source.kind == SourceKind::file && !spark_reads(source.format)) {
    return "it reads files that are neither DELTA, PARQUET, CSV nor JSONL";
  }
  if (source.drop_duplicates && !source.drop_duplicates_columns.empty()) {
    return "a source has drop_duplicates of some columns";
  }
  return std::nullopt;
}

// Of a node and of the views that it reads.
std::optional<std::string> refused_input(const Workspace& workspace,
                                         const language::Node& node, int depth) {
  if (depth > kViewDepthMax) return std::nullopt;  // said where the node is opened
  for (const language::Source& source : node.sources) {
    if (auto reason = refused_source(node, source)) return reason;
  }
  for (const std::string& name : nodes_read_by(node)) {
    const language::Node* upstream = workspace.pipeline.find_node(name);
    if (upstream == nullptr || !upstream->is_view()) continue;
    if (auto reason = refused_input(workspace, *upstream, depth + 1)) return reason;
  }
  return std::nullopt;
}

std::optional<std::string> refused_output(const language::Node& node) {
  for (const language::Sink& sink : node.sinks) {
    if (sink.is_view()) continue;
    if (sink.kind == SinkKind::file && sink.format != FileFormat::delta) {
      return "it writes files that are no Delta table";
    }
    if (sink.merge_cdc_options || sink.mode == language::SinkMode::merge ||
        sink.mode == language::SinkMode::update) {
      return "it merges changes";
    }
    if (sink.schema_evolution == language::SchemaEvolution::rescue) {
      return "its sink has schema_evolution: RESCUE";
    }
  }
  return std::nullopt;
}

}  // namespace

bool wants_spark(const Workspace& workspace, const language::Node& node) {
  return workspace.spark != nullptr && (node.backend == language::Backend::spark ||
                                        node.backend == language::Backend::pyspark);
}

std::optional<std::string> why_not_on_spark(const Workspace& workspace,
                                            const language::Node& node) {
  if (node.layer == language::Layer::bronze) {
    return "BRONZE rows carry their place in the source";
  }
  if (auto reason = refused_input(workspace, node, 0)) return reason;
  return refused_output(node);
}

Workspace workspace_of(const Workspace& workspace, const language::Node& node) {
  const bool on_spark =
      wants_spark(workspace, node) && !why_not_on_spark(workspace, node);
  if (!on_spark || workspace.engine_commits) return workspace;
  return with_engine(workspace, *workspace.spark, true);
}

}  // namespace lakemill::flow
