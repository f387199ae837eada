#include "lakemill/flow/node_frames.h"

#include <algorithm>

#include "lakemill/flow/node_sinks.h"
#include "lakemill/flow/source_identity.h"
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

  Result<OpenInputs> open(const language::Node& node, FlowState& state, Reading reading,
                          const BatchPlan* known) {
    LAKEMILL_TRY_OK(make_frames(inputs_.root, node, "", reading, 0));
    std::vector<SourceIdentity> identities;
    for (const ToOpen& item : to_open_) identities.push_back(item.identity);
    const auto ids = known != nullptr
                         ? known_ids(identities, known->slices, known->former_slices)
                         : known_ids(identities, {}, {});
    for (std::size_t i = 0; i < to_open_.size(); ++i) {
      LAKEMILL_TRY_OK(open_frame(to_open_[i], ids[i], state));
    }
    return std::move(inputs_);
  }

  Result<OpenInputs> open_over(const language::Node& node) {
    LAKEMILL_TRY_OK(make_frames(inputs_.root, node, "", Reading::whole, 0));
    return std::move(inputs_);
  }

 private:
  // A leaf that stands in `frame`.
  struct ToOpen {
    Frame* frame = nullptr;
    const language::Node* node = nullptr;      // that reads it
    const language::Node* upstream = nullptr;  // if it is named in a step
    SourceIdentity identity;
    Reading reading = Reading::whole;
  };

  // The frames of what a node reads, with nothing opened yet but what is given.
  Status make_frames(Frames& frames, const language::Node& node,
                     const std::string& prefix, Reading reading, int depth) {
    if (depth > kViewDepthMax) {
      return Error(ErrorCode::invalid, "views are nested too deeply at " + node.name);
    }
    frames.prefix = prefix;
    frames.sources.reserve(node.sources.size());  // what is to open points to them
    for (std::size_t i = 0; i < node.sources.size(); ++i) {
      const language::Source& source = node.sources[i];
      Frame& frame = frames.sources.emplace_back();
      frame.source = &source;
      frame.id = prefix + name_of_source(source, i);
      if (given_ != nullptr) {
        LAKEMILL_TRY_OK(open_given(frame, node, given_names(source, i)));
        continue;
      }
      if (source.kind == language::SourceKind::pipeline_node) {
        frame.view = view_named(source.node_name);
      }
      const Reading inner =
          language::is_incremental(node, source) ? reading : Reading::whole;
      LAKEMILL_TRY_OK(
          make_frame(frame, node, frame.view != nullptr ? inner : reading, depth));
    }
    for (const std::string& name : nodes_in_steps(node)) {
      Frame& frame = frames.nodes[name];
      frame.id = prefix + "nodes." + name;
      if (given_ != nullptr) {
        LAKEMILL_TRY_OK(open_given(frame, node, {name}));
        continue;
      }
      frame.view = view_named(name);
      LAKEMILL_TRY_OK(make_named(frame, node, name, depth));
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
      inputs_.defined_ids.push_back(frame.id);
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

  Status make_frame(Frame& frame, const language::Node& node, Reading reading,
                    int depth) {
    if (frame.view != nullptr) {
      frame.inner = std::make_unique<Frames>();
      return make_frames(*frame.inner, *frame.view, frame.id + "/", reading, depth + 1);
    }
    to_open_.push_back({&frame,
                        &node,
                        nullptr,
                        {frame.id, what_is_read(workspace_, node, *frame.source)},
                        reading});
    return {};
  }

  Status make_named(Frame& frame, const language::Node& node, const std::string& name,
                    int depth) {
    if (frame.view != nullptr) return make_frame(frame, node, Reading::whole, depth);
    const language::Node* upstream = workspace_.pipeline.find_node(name);
    if (upstream == nullptr) {
      return Error(ErrorCode::invalid,
                   "node " + node.name + ": no node '" + name + "'");
    }
    to_open_.push_back({&frame,
                        &node,
                        upstream,
                        {frame.id, what_is_read(workspace_, *upstream)},
                        Reading::whole});
    return {};
  }

  Status open_frame(const ToOpen& item, const std::string& id, FlowState& state) {
    Frame& frame = *item.frame;
    auto leaf =
        item.upstream != nullptr
            ? open_upstream(workspace_, *item.upstream, state, id, false, {})
            : open_leaf(workspace_, *item.node, *frame.source, state, id, item.reading);
    if (!leaf) return std::move(leaf).error();
    leaf->reads = item.identity.reads;
    leaf->declared = frame.source;
    const bool of_node = item.upstream != nullptr ||
                         frame.source->kind == language::SourceKind::pipeline_node;
    if (of_node) leaf->writer = flow_id(workspace_, leaf->upstream_node);
    if (frame.source != nullptr) {
      LAKEMILL_TRY_OK(await_writer(*leaf, *item.node, *frame.source));
    }
    frame.leaf = inputs_.leaves.size();
    inputs_.leaves.push_back(*std::move(leaf));
    inputs_.defined_ids.push_back(frame.id);
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

  const Workspace& workspace_;
  const GivenRelations* given_;
  OpenInputs inputs_;
  std::vector<ToOpen> to_open_;  // in the order of the leaves
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
                               const BatchPlan* known) {
  return Opening(workspace, nullptr).open(node, state, reading, known);
}

Result<OpenInputs> open_inputs_over(const Workspace& workspace,
                                    const language::Node& node,
                                    const GivenRelations& given) {
  return Opening(workspace, &given).open_over(node);
}

std::vector<std::size_t> leaves_of(const Frame& view) {
  std::vector<std::size_t> found;
  add_leaves(*view.inner, found);
  return found;
}

}  // namespace lakemill::flow
