#include "lakemill/flow/change_states.h"

#include "lakemill/base/hash.h"
#include "lakemill/language/definition.h"

namespace lakemill::flow {

namespace {

// What a target is called in plans: the same after the project was moved.
std::string name_of_target(const Workspace& workspace, const Place& place) {
  if (place.in_catalog) return place.name;
  const std::string& folder = workspace.project.folder.empty()
                                  ? workspace.pipeline.folder
                                  : workspace.project.folder;
  if (!place.url.starts_with(folder + "/")) return place.url;
  return "./" + place.url.substr(folder.size() + 1);
}

std::string by_index(const language::Node& node, const language::Sink& sink) {
  return std::to_string(&sink - node.sinks.data());
}

// Where each merge remembers its changes if no plan says otherwise.
ChangeStates by_index(const Workspace& workspace, const language::Node& node) {
  ChangeStates states;
  for (const language::Sink& sink : node.sinks) {
    if (!sink.merge_cdc_options) continue;
    const auto place = place_of(workspace, node, sink);
    if (place) states[name_of_target(workspace, *place)] = by_index(node, sink);
  }
  return states;
}

}  // namespace

std::string change_state_folder(const Workspace& workspace, const language::Node& node,
                                const language::Sink& sink, const Place& place,
                                const ChangeStates& known) {
  const auto found = known.find(name_of_target(workspace, place));
  return found == known.end() ? by_index(node, sink) : found->second;
}

Result<ChangeStates> change_states_behind(const Workspace& workspace,
                                          const language::Node& node, FlowState& state,
                                          const BatchPlan* last) {
  constexpr std::size_t kDigits = 16;
  if (last == nullptr) return ChangeStates();
  const bool edited = last->definition != definition_hash(node.definition);
  if (!edited) return last->change_states;
  ChangeStates states = last->change_states;
  if (states.empty()) {
    const auto definition = state.load_definition(last->definition);
    if (!definition) return states;  // an old one that was cleaned away
    LAKEMILL_TRY(const language::Node before,
                 language::node_from_definition(*definition));
    states = by_index(workspace, before);
  }
  const ChangeStates now = by_index(workspace, node);
  for (const auto& [target, index] : now) {
    // The place of a sink may have been another's.
    states.try_emplace(target, "t" + sha256_hex(target).substr(0, kDigits));
  }
  return states == now ? ChangeStates() : states;
}

}  // namespace lakemill::flow
