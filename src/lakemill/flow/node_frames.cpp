#include "lakemill/flow/node_frames.h"

#include <algorithm>

#include "lakemill/flow/node_sinks.h"
#include "lakemill/flow/source_opening.h"
#include "lakemill/language/graph.h"
#include "lakemill/language/streams.h"

namespace lakemill::flow {

namespace {

constexpr int kViewDepthMax = 64;  // views that read views

// Adds the nodes that `{nodes.x}` in text names.
void add_node_references(const std::string& text, std::vector<std::string>& names) {
  for (const auto& reference : language::frame_references(text)) {
    if (reference.kind == language::FrameReference::Kind::node &&
        std::find(names.begin(), names.end(), reference.name) == names.end()) {
      names.push_back(reference.name);
    }
  }
}

void add_node_references(const language::Tree& tree, std::vector<std::string>& names) {
  if (tree.is_string()) add_node_references(tree.text, names);
  for (const language::Tree& item : tree.items) add_node_references(item, names);
  for (const language::TreeEntry& entry : tree.entries) {
    add_node_references(entry.value, names);
  }
}

// The nodes that a node's steps read besides its sources.
std::vector<std::string> nodes_in_steps(const language::Node& node) {
  std::vector<std::string> names;
  for (const language::Step& step : node.steps) {
    if (step.is_sql()) {
      add_node_references(step.sql().text, names);
      continue;
    }
    for (const language::Tree& argument : step.method().arguments) {
      add_node_references(argument, names);
    }
    for (const auto& argument : step.method().named_arguments) {
      add_node_references(argument.value, names);
    }
  }
  return names;
}

class Opening {
 public:
  Opening(const Workspace& workspace, const GivenRelations* given)
      : workspace_(workspace), given_(given) {}

  Result<OpenInputs> open(const language::Node& node, FlowState& state,
                          Reading reading) {
    LAKEMILL_TRY_OK(open_frames(inputs_.root, node, "", state, reading, 0));
    return std::move(inputs_);
  }

 private:
  Status open_frames(Frames& frames, const language::Node& node,
                     const std::string& prefix, FlowState& state, Reading reading,
                     int depth) {
    if (depth > kViewDepthMax) {
      return Error(ErrorCode::invalid, "views are nested too deeply at " + node.name);
    }
    frames.prefix = prefix;
    for (std::size_t i = 0; i < node.sources.size(); ++i) {
      const language::Source& source = node.sources[i];
      const std::string name = source.name.empty() ? std::to_string(i) : source.name;
      Frame frame;
      frame.source = &source;
      frame.id = prefix + name;
      if (given_ != nullptr) {
        LAKEMILL_TRY_OK(open_given(frame, node, given_names(source, i)));
        frames.sources.push_back(std::move(frame));
        continue;
      }
      if (source.kind == language::SourceKind::pipeline_node) {
        frame.view = view_named(source.node_name);
      }
      const Reading inner =
          language::is_incremental(node, source) ? reading : Reading::whole;
      LAKEMILL_TRY_OK(open_frame(frame, node, state,
                                 frame.view != nullptr ? inner : reading, depth));
      frames.sources.push_back(std::move(frame));
    }
    for (const std::string& name : nodes_in_steps(node)) {
      Frame frame;
      frame.id = prefix + "nodes." + name;
      if (given_ != nullptr) {
        LAKEMILL_TRY_OK(open_given(frame, node, {name}));
        frames.nodes.emplace(name, std::move(frame));
        continue;
      }
      frame.view = view_named(name);
      LAKEMILL_TRY_OK(open_named(frame, node, name, state, depth));
      frames.nodes.emplace(name, std::move(frame));
    }
    return {};
  }

  // The relation that stands in for a source, under the first of its names that is
  // given.
  Status open_given(Frame& frame, const language::Node& node,
                    const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      const auto found = given_->find(name);
      if (name.empty() || found == given_->end()) continue;
      frame.leaf = inputs_.leaves.size();
      inputs_.leaves.push_back({frame.id, nullptr, ""});
      LAKEMILL_TRY(inputs_.given[frame.leaf],
                   with_columns(workspace_, frame.source, name, found->second));
      return {};
    }
    return nothing_given(node, frame.source, names);
  }

  const language::Node* view_named(const std::string& name) const {
    const language::Node* node = workspace_.pipeline.find_node(name);
    return node != nullptr && node->is_view() ? node : nullptr;
  }

  Status open_frame(Frame& frame, const language::Node& node, FlowState& state,
                    Reading reading, int depth) {
    if (frame.view != nullptr) {
      frame.inner = std::make_unique<Frames>();
      return open_frames(*frame.inner, *frame.view, frame.id + "/", state, reading,
                         depth + 1);
    }
    auto leaf = open_leaf(workspace_, node, *frame.source, state, frame.id, reading);
    if (!leaf) return std::move(leaf).error();
    LAKEMILL_TRY_OK(await_writer(*leaf, node, *frame.source));
    frame.leaf = inputs_.leaves.size();
    inputs_.leaves.push_back(*std::move(leaf));
    return {};
  }

  // A table or file that another node has yet to write stands open, as its node does.
  Status await_writer(Leaf& leaf, const language::Node& node,
                      const language::Source& source) const {
    if (source.written_by.empty()) return {};
    LAKEMILL_TRY(const Place place, place_of(workspace_, node, source));
    LAKEMILL_TRY(const bool exists, target_exists(workspace_, place));
    if (exists) return {};
    leaf.stream_declared = leaf.incremental();
    leaf.source = nullptr;
    leaf.upstream_node = source.written_by.front();
    leaf.of_quarantine = source.reads_quarantine;
    return {};
  }

  Status open_named(Frame& frame, const language::Node& node, const std::string& name,
                    FlowState& state, int depth) {
    if (frame.view != nullptr)
      return open_frame(frame, node, state, Reading::whole, depth);
    const language::Node* upstream = workspace_.pipeline.find_node(name);
    if (upstream == nullptr) {
      return Error(ErrorCode::invalid,
                   "node " + node.name + ": no node '" + name + "'");
    }
    LAKEMILL_TRY(Leaf leaf,
                 open_upstream(workspace_, *upstream, state, frame.id, false, {}));
    frame.leaf = inputs_.leaves.size();
    inputs_.leaves.push_back(std::move(leaf));
    return {};
  }

  const Workspace& workspace_;
  const GivenRelations* given_;
  OpenInputs inputs_;
};

void add_leaves(const Frames& frames, std::vector<std::size_t>& found) {
  const auto add = [&found](const Frame& frame) {
    if (frame.view != nullptr) {
      add_leaves(*frame.inner, found);
    } else {
      found.push_back(frame.leaf);
    }
  };
  for (const Frame& frame : frames.sources) add(frame);
  for (const auto& [name, frame] : frames.nodes) add(frame);
}

}  // namespace

std::vector<std::string> nodes_read_by(const language::Node& node) {
  std::vector<std::string> names = nodes_in_steps(node);
  for (const language::Source& source : node.sources) {
    if (source.kind == language::SourceKind::pipeline_node &&
        std::find(names.begin(), names.end(), source.node_name) == names.end()) {
      names.push_back(source.node_name);
    }
  }
  return names;
}

Result<OpenInputs> open_inputs(const Workspace& workspace, const language::Node& node,
                               FlowState& state, Reading reading,
                               const GivenRelations* given) {
  return Opening(workspace, given).open(node, state, reading);
}

std::vector<std::size_t> leaves_of(const Frame& view) {
  std::vector<std::size_t> found;
  add_leaves(*view.inner, found);
  return found;
}

}  // namespace lakemill::flow
