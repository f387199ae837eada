#include <algorithm>
#include <array>
#include <cctype>
#include <set>

#include "lakemill/app/run.h"
#include "lakemill/base/text.h"
#include "lakemill/flow/node_engine.h"
#include "lakemill/flow/node_sinks.h"
#include "lakemill/flow/run_graph.h"
#include "lakemill/language/graph.h"
#include "lakemill/storage/overlay_store.h"

namespace lakemill::app {

namespace {

// What one source brings, in words.
std::string describe_slice(const flow::SourceSlice& slice) {
  // Sources without a name are numbered, which tells people nothing.
  const std::string& source = slice.source;
  const bool numbered =
      source.substr(source.rfind('/') + 1).find_first_not_of("0123456789") ==
      std::string::npos;
  const std::string of = numbered ? "" : " of " + source;
  if (const Json* arrival = find_member(slice.to, "arrival")) {
    const auto count =
        arrival->get<std::int64_t>() - integer_member(slice.from, "arrival", 0);
    return std::to_string(count) + (count == 1 ? " new file" : " new files") + of;
  }
  if (const Json* files = find_member(slice.to, "files")) {
    return std::to_string(files->size()) + (files->size() == 1 ? " file" : " files") +
           of;
  }
  if (const Json* version = find_member(slice.to, "version")) {
    const std::string to = std::to_string(version->get<std::int64_t>());
    if (!slice.incremental) return "version " + to + of;
    return "versions " + std::to_string(integer_member(slice.from, "version", -1) + 1) +
           " to " + to + of;
  }
  return (numbered ? "inline rows" : "rows") + of;
}

// True if `message` names `place` as a whole: not as the beginning of another.
bool names(std::string_view message, std::string_view place) {
  if (place.empty()) return false;
  const auto goes_on = [](char character) {
    return (std::isalnum(static_cast<unsigned char>(character)) != 0 ||
            character == '_') ||
           character == '/' || character == '.';
  };
  std::size_t begin = message.find(place);
  for (; begin != std::string_view::npos; begin = message.find(place, begin + 1)) {
    const std::size_t end = begin + place.size();
    const bool begins = begin == 0 || !goes_on(message[begin - 1]);
    if (begins && (end == message.size() || !goes_on(message[end]))) return true;
  }
  return false;
}

// What nodes that run before will have written, and is not there yet.
class Unwritten {
 public:
  // `who`: the node, for people.
  Status add(const flow::Workspace& workspace, const language::Node& node,
             const std::string& who) {
    for (const language::Sink& sink : node.sinks) {
      if (sink.kind == language::SinkKind::pipeline_view) continue;
      LAKEMILL_TRY(const flow::Place place, flow::place_of(workspace, node, sink));
      if (!sink.is_view()) {
        LAKEMILL_TRY(const bool exists, flow::target_exists(workspace, place));
        if (exists) continue;
      }
      places_.push_back({who, place});
    }
    return {};
  }

  // Whose writing `error`, of planning a node, asks for; empty: nobody's.
  std::string writer_missed_by(const Error& error) const {
    constexpr std::array<std::string_view, 4> kMissing = {
        "there is no table ", "no Delta table here", "no file at ", "no files at "};
    const std::string& message = error.message();
    const bool is_missing =
        std::any_of(kMissing.begin(), kMissing.end(), [&](std::string_view words) {
          return message.find(words) != std::string::npos;
        });
    if (!is_missing) return "";
    for (const auto& [who, place] : places_) {
      if (names(message, place.name) || names(message, place.url)) return who;
    }
    return "";
  }

 private:
  std::vector<std::pair<std::string, flow::Place>> places_;
};

// Plans nodes in order, and remembers which will change.
class Planner {
 public:
  Planner(const flow::Workspace& workspace, const RunRequest& request,
          Unwritten unwritten)
      : workspace_(workspace), request_(request), unwritten_(std::move(unwritten)) {}

  PlannedNode plan(const language::Node& node) {
    PlannedNode planned;
    planned.node = node.name;
    planned.layer = to_text(node.layer);
    planned.upstream = language::upstream_of(node);
    planned.error = blocked_by(planned.upstream);
    if (!planned.error) {
      const auto done =
          node.is_view() ? plan_view(node, planned) : plan_node(node, planned);
      if (!done) wait_or_fail(done.error(), planned);
    }
    const bool waits = !planned.waits_for.empty();
    if (planned.error) failing_.insert(node.name);
    if (waits) waiting_.insert(node.name);
    if (planned.strategy != flow::Strategy::skip || planned.error || waits) {
      if (!node.is_view()) changing_.insert(node.name);
    }
    if (planned.error) return planned;
    if (const auto noted = unwritten_.add(workspace_, node, "node " + node.name);
        !noted) {
      planned.error = noted.error();
    }
    return planned;
  }

 private:
  // A run would not come to what depends on a node that fails.
  std::optional<Error> blocked_by(const std::vector<std::string>& upstream) const {
    for (const std::string& name : upstream) {
      if (!failing_.contains(name)) continue;
      return Error(ErrorCode::cancelled,
                   "would not run, because node " + name + " would not succeed");
    }
    return std::nullopt;
  }

  // What is missing now may be there when a run comes to the node.
  void wait_or_fail(const Error& error, PlannedNode& planned) const {
    planned.waits_for = unwritten_.writer_missed_by(error);
    for (const std::string& upstream : planned.upstream) {
      // Its columns are not known before it has run.
      const bool unknown =
          error.message().find("reads node " + upstream + ", which has not run yet") !=
          std::string::npos;
      if (unknown && waiting_.contains(upstream))
        planned.waits_for = "node " + upstream;
    }
    if (planned.waits_for.empty()) planned.error = error;
  }

  Status plan_view(const language::Node& node, PlannedNode& planned) {
    planned.strategy = flow::Strategy::view;
    planned.reason = flow::StrategyReason::no_sink;
    if (const language::Sink* sink = node.primary_sink();
        sink != nullptr && sink->kind == language::SinkKind::table) {
      LAKEMILL_TRY(const auto place, flow::place_of(workspace_, node, *sink));
      planned.target = place.name;
    }
    for (const std::string& upstream : planned.upstream) {
      if (changing_.contains(upstream)) changing_.insert(node.name);
    }
    return {};
  }

  Status plan_node(const language::Node& node, PlannedNode& planned) {
    LAKEMILL_TRY(const auto place,
                 flow::place_of(workspace_, node, *node.primary_sink()));
    planned.target = place.name;
    LAKEMILL_TRY(const bool left_alone, flow::leaves_targets_alone(workspace_, node));
    if (left_alone) {
      planned.strategy = flow::Strategy::skip;
      planned.reason = flow::StrategyReason::target_exists;
      return {};
    }
    flow::FlowState state = flow::flow_state(workspace_, node);
    flow::NodeRunOptions options;
    options.run_id = "plan";
    const bool named = !request_.selectors.empty();
    options.full_refresh =
        request_.full_refresh && (named || node.layer != language::Layer::bronze);
    const flow::Workspace own = flow::workspace_of(workspace_, node);
    LAKEMILL_TRY(const auto decision,
                 flow::decide(own, node, state, options, expected_));
    planned.strategy = decision.strategy;
    planned.reason = decision.reason;
    planned.detail = decision.detail;
    planned.schema = decision.schema;
    std::erase_if(planned.schema.fields, [](const data::Field& field) {
      return field.name.starts_with("_lakemill_");
    });
    expected_[node.name] = planned.schema;
    for (const std::string& upstream : planned.upstream) {
      if (!changing_.contains(upstream)) continue;
      planned.changes.push_back("what node " + upstream + " will write");
      if (planned.strategy == flow::Strategy::skip) {
        planned.strategy = decision.plan.strategy;
        planned.reason = decision.plan.reason;
      }
    }
    if (decision.strategy == flow::Strategy::skip) return {};
    for (const flow::SourceSlice& slice : decision.plan.slices) {
      planned.changes.push_back(describe_slice(slice));
    }
    return {};
  }

  const flow::Workspace& workspace_;
  const RunRequest& request_;
  flow::ExpectedSchemas expected_;
  std::set<std::string> changing_;
  std::set<std::string> failing_;
  std::set<std::string> waiting_;
  Unwritten unwritten_;
};

// What a run of the whole project writes before it comes to `pipeline`.
Result<Unwritten> unwritten_before(Workbench& workbench,
                                   const language::Pipeline& pipeline,
                                   const RunRequest& request) {
  Unwritten unwritten;
  if (!request.selectors.empty()) return unwritten;
  for (const language::Pipeline& other : workbench.pipelines()) {
    if (&other == &pipeline) break;
    LAKEMILL_TRY(const flow::Workspace workspace, workbench.workspace(other));
    for (const language::Node& node : other.nodes) {
      LAKEMILL_TRY_OK(unwritten.add(
          workspace, node, "node " + node.name + " of pipeline " + other.name));
    }
  }
  return unwritten;
}

}  // namespace

Result<std::vector<PlannedNode>> plan(Workbench& workbench,
                                      const language::Pipeline& pipeline,
                                      const RunRequest& request) {
  LAKEMILL_TRY(flow::Workspace workspace, workbench.workspace(pipeline));
  workspace.state_store = storage::make_overlay_store(std::move(workspace.state_store));
  LAKEMILL_TRY(const auto nodes, language::select_nodes(pipeline, request.selectors));
  LAKEMILL_TRY(const auto graph, flow::make_run_graph(pipeline, nodes));
  workspace.postgres->look_only();
  LAKEMILL_TRY(Unwritten unwritten, unwritten_before(workbench, pipeline, request));
  Planner planner(workspace, request, std::move(unwritten));
  std::vector<PlannedNode> planned;
  for (const std::string& name : graph.order) {
    planned.push_back(planner.plan(*pipeline.find_node(name)));
  }
  return planned;
}

}  // namespace lakemill::app
