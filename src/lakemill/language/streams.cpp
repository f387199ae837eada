#include "lakemill/language/streams.h"

#include <set>
#include <utility>

#include "lakemill/language/graph.h"

namespace lakemill::language {

namespace {

// How the rows come that a node reads, itself or by views.
struct Inputs {
  bool any_incremental = false;
  bool any_whole = false;
  /// The views that were looked into, each as it is read: many may read one.
  std::set<std::pair<const Node*, bool>> seen;
};

void add_inputs(const Pipeline& pipeline, const Node& node, bool as_declared,
                Inputs& inputs) {
  if (!inputs.seen.emplace(&node, as_declared).second) return;
  const auto add = [&](const Node* upstream, bool incremental) {
    if (upstream != nullptr && upstream->is_view()) {
      add_inputs(pipeline, *upstream, incremental, inputs);
    } else if (incremental) {
      inputs.any_incremental = true;
    } else {
      inputs.any_whole = true;
    }
  };
  for (const Source& source : node.sources) {
    const bool is_node = source.kind == SourceKind::pipeline_node;
    const bool has_news = source.kind != SourceKind::dataframe;
    add(is_node ? pipeline.find_node(source.node_name) : nullptr,
        as_declared && has_news && is_incremental(node, source));
  }
  for (const Step& step : node.steps) {
    for (const StepReference& reference : step_references(step)) {
      if (reference.frame.kind != FrameReference::Kind::node) continue;
      add(pipeline.find_node(reference.frame.name), false);
    }
  }
}

// A strategy that `refresh` forces, and a mode that asks for another.
void check_forced(const Node& node, const std::string& path, Diagnostics& diagnostics) {
  const bool merges = node.refresh == Refresh::merge;
  if (!merges && node.refresh != Refresh::append) return;
  for (const Sink& sink : node.sinks) {
    const bool fits = merges ? sink.asks_to_merge()
                             : !sink.asks_to_merge() && !sink.asks_to_replace();
    if (sink.is_quarantine || sink.is_view() || fits) continue;
    diagnostics.error(sink.location, path,
                      "node " + node.name +
                          " has refresh: " + (merges ? "MERGE" : "APPEND") +
                          ", which this sink's mode contradicts",
                      "take one of them back");
    return;
  }
}

}  // namespace

bool is_incremental(const Node& node, const Source& source) {
  if (source.as_stream) return *source.as_stream;
  const bool is_fixed = source.version || !source.timestamp.empty();
  return node.layer == Layer::bronze && !is_fixed &&
         (source.kind == SourceKind::file || source.kind == SourceKind::postgres);
}

void check_streams(const Pipeline& pipeline, const Node& node, const std::string& path,
                   Diagnostics& diagnostics) {
  const Sink* keeps = node.sink_that(&Sink::keeps_rows);
  const std::string mode =
      keeps != nullptr && keeps->asks_to_append() ? "APPEND" : "MERGE";
  if (keeps != nullptr && node.refresh == Refresh::replace) {
    diagnostics.error(keeps->location, path,
                      "node " + node.name +
                          " has refresh: REPLACE, which this sink's mode " + mode +
                          " contradicts",
                      "take one of them back");
    return;
  }
  check_forced(node, path, diagnostics);
  const bool must_append = node.refresh == Refresh::append ||
                           node.sink_that(&Sink::asks_to_append) != nullptr;
  if (keeps == nullptr && !node.strict && !must_append) return;
  Inputs inputs;
  add_inputs(pipeline, node, true, inputs);
  if (!inputs.any_incremental || node.refresh == Refresh::replace) return;
  const Sink* replaced = node.sink_that(&Sink::asks_to_replace);
  if (replaced != nullptr) {
    if (keeps == nullptr) return;
    diagnostics.error(
        replaced->location, path,
        "node " + node.name +
            " reads a stream, which this sink's mode would read as a whole with every "
            "batch, and its sink at " +
            to_text(keeps->location) + " has mode " + mode +
            ", which takes what is new",
        "write them in two nodes, or read the source with as_stream: false");
    return;
  }
  if (!inputs.any_whole || (!node.strict && !must_append)) return;
  diagnostics.error(node.location, path,
                    "node " + node.name +
                        " would have to be recomputed, because new rows of one source "
                        "meet all rows of another, but " +
                        (node.strict ? "`strict` is set" : "appending is asked for"),
                    "read all sources with as_stream: true, or all with false");
}

}  // namespace lakemill::language
