#include "lakemill/app/operation.h"

#include <algorithm>
#include <thread>

#include "lakemill/app/query.h"
#include "lakemill/base/text.h"
#include "lakemill/language/graph.h"
#include "lakemill/orchestrator/decide.h"

namespace lakemill::app {

namespace {

constexpr std::chrono::seconds kRefreshPeriod{1};
constexpr std::chrono::milliseconds kLookPeriod{500};  // for events of other processes
constexpr std::size_t kPageEvents = 1'000;
constexpr std::int64_t kPastEventsMax = 10'000;

const std::vector<events::EventType> kNodeEvents = {
    events::EventType::node_started,   events::EventType::node_succeeded,
    events::EventType::node_skipped,   events::EventType::node_failed,
    events::EventType::node_cancelled,
};

RunPicture picture_of(const data::Rows& rows) {
  RunPicture picture;
  for (const auto& row : rows.rows) {
    const auto event =
        events::event_from_columns(events::columns_of_row(rows.schema, row));
    if (event) add_event(picture, *event);
  }
  return picture;
}

}  // namespace

// Passes decisions on to who looks.
class Operation::Decisions final : public orchestrator::DecisionObserver {
 public:
  Decisions(DecisionEvents& events, OperationObserver& observer)
      : events_(events), observer_(observer) {}

  void on_entry(const std::string& pipeline, const orchestrator::PipelineState& state,
                const orchestrator::JournalEntry& entry, bool own) override {
    if (own) events_.tell(pipeline, entry);
    const orchestrator::RunState* run = state.find_run(entry.run_id);
    if (run != nullptr) {
      observer_.on_run_changed(pipeline, *run);
    } else {
      observer_.on_pipelines_changed();
    }
  }
  void on_problem(const std::string& pipeline, const Error& error) override {
    observer_.on_problem("pipeline " + pipeline, error);
  }

 private:
  DecisionEvents& events_;
  OperationObserver& observer_;
};

Operation::Operation(Workbench& workbench, OperationObserver& observer)
    : workbench_(workbench),
      observer_(observer),
      started_at_(workbench.clock().now()),
      pipelines_(workbench) {}

Operation::~Operation() = default;

Result<std::unique_ptr<Operation>> Operation::open(Workbench& workbench,
                                                   OperationObserver& observer) {
  std::unique_ptr<Operation> operation(new Operation(workbench, observer));
  LAKEMILL_TRY(operation->store_, workbench.stores().open(workbench.root()));
  LAKEMILL_TRY(operation->members_,
               ProcessMembers::join(*operation->store_, workbench.clock(),
                                    workbench.random()));
  LAKEMILL_TRY(events::EventWriter * writer, workbench.event_writer());
  operation->told_ = std::make_unique<DecisionEvents>(*writer);
  operation->attempts_ =
      std::make_unique<Attempts>(workbench, operation->pipelines_, *operation->told_,
                                 operation->members_->id());
  operation->decisions_ = std::make_unique<Decisions>(*operation->told_, observer);
  operation->watches_ =
      std::make_unique<Watches>(workbench, [each = operation.get()] {
        if (each->is_ready_) each->orchestrator_->wake();
      });
  orchestrator::OrchestratorOptions options;
  options.member = operation->members_->id();
  const language::Server& settings = workbench.project().server;
  options.runs_max = static_cast<int>(settings.runs_max);
  options.continuous_max = static_cast<int>(settings.continuous_max);
  operation->orchestrator_ = std::make_unique<orchestrator::Orchestrator>(
      std::move(options),
      orchestrator::OrchestratorServices{*operation->store_, workbench.clock(),
                                         workbench.random(), *operation->attempts_,
                                         *operation->members_, *operation->watches_,
                                         *operation->decisions_});
  operation->subscription_ =
      writer->subscribe([each = operation.get()](const events::Event& event) {
        each->picture_.add(event);
        if (event.type == events::EventType::table_committed) {
          each->watches_->table_changed(string_member(event.details, "url", ""));
        }
      });
  LAKEMILL_TRY(operation->feed_, ProjectFeed::open(workbench, kLookPeriod));
  return operation;
}

// Tells of files that are other ones now. What is there at the start is no change.
void Operation::tell_changes(const std::vector<ServedFile>& before,
                             const std::vector<ServedFile>& now, bool is_first) {
  const auto writer = workbench_.event_writer();
  if (!writer) return;
  const auto tell = [&](events::EventType type, const ServedFile& file, Json details) {
    events::Event event;
    event.type = type;
    if (file.pipeline != nullptr) event.pipeline = file.pipeline->name;
    details["file"] = file.file;
    event.details = std::move(details);
    (*writer)->add(std::move(event));
  };
  const auto find = [](const std::vector<ServedFile>& files, const std::string& file) {
    return std::find_if(files.begin(), files.end(),
                        [&](const ServedFile& item) { return item.file == file; });
  };
  for (const ServedFile& file : now) {
    const auto old = find(before, file.file);
    const bool is_new = old == before.end();
    if (!file.fault.empty() && (is_new || old->fault != file.fault)) {
      tell(events::EventType::configuration_invalid, file,
           {{"diagnostics", split(file.fault, '\n')}});
    } else if (!is_first && file.fault.empty() &&
               (is_new || old->pipeline != file.pipeline)) {
      tell(events::EventType::configuration_changed, file, {{"is_new", is_new}});
    }
  }
  for (const ServedFile& file : before) {
    if (find(now, file.file) != now.end()) continue;
    tell(events::EventType::configuration_changed, file, {{"is_gone", true}});
  }
}

void Operation::refresh() {
  const auto before = pipelines_.files();
  const auto changed = pipelines_.refresh();
  std::optional<Error> problem;
  if (!changed) problem = changed.error();
  if (changed && *changed) {
    tell_changes(before, pipelines_.files(), !is_ready_);
    std::vector<orchestrator::PipelineOrders> orders;
    std::map<std::string, std::vector<std::string>> faults;
    for (const ServedFile& file : pipelines_.files()) {
      if (file.pipeline == nullptr) continue;
      ServedOrders each = orders_of(workbench_, *file.pipeline);
      auto& told = faults[file.pipeline->name];
      for (const language::Diagnostic& fault : each.faults) {
        told.push_back(to_text(fault));
      }
      orders.push_back(std::move(each.orders));
    }
    {
      const std::lock_guard lock(mutex_);
      faults_ = std::move(faults);
    }
    const Status set = orchestrator_->set_orders(std::move(orders));
    if (!set) problem = set.error();
    for (const ServedFile& file : before) {  // runs without end go by files of now
      if (file.pipeline == nullptr) continue;
      const std::string& name = file.pipeline->name;
      if (pipelines_.find(name) != file.pipeline) {
        orchestrator_->restart_continuous(name);
      }
    }
    observer_.on_pipelines_changed();
  }
  if (problem && !problem_told_) observer_.on_problem("the pipelines", *problem);
  problem_told_ = problem.has_value();
}

// Events of other processes are put into the picture too; of this one's the picture
// knows already.
void Operation::follow_events(const std::stop_token& stop) {
  events::EventFeed& feed = feed_->feed();
  events::FeedPosition position = feed.end();
  const auto writer = workbench_.event_writer();
  const std::string own = writer ? (*writer)->id() : "";
  while (!stop.stop_requested()) {
    (void)feed.wait_beyond(position, stop, kLookPeriod);
    const auto page = feed.read_after(position, kPageEvents);
    if (!page) {  // told by the feed; what was cleaned away is passed over
      if (page.error().code() == ErrorCode::not_found) position = feed.end();
      continue;
    }
    for (const events::FedEvent& fed : page->events) {
      if (fed.event->writer != own) picture_.add(*fed.event);
      watches_->event_came(describe(fed.event->type).name);
      observer_.on_event(fed);
    }
    position = page->end;
  }
}

void Operation::run(const std::stop_token& stop) {
  std::jthread following([this](const std::stop_token& end) { follow_events(end); });
  refresh();
  is_ready_ = true;
  std::jthread deciding([this](const std::stop_token& end) { orchestrator_->run(end); });
  std::mutex waiting;
  std::condition_variable_any stopped;
  std::unique_lock lock(waiting);
  while (!stop.stop_requested()) {
    (void)stopped.wait_for(lock, stop, kRefreshPeriod, [] { return false; });
    if (!stop.stop_requested()) refresh();
  }
}

std::vector<ServedTrigger> Operation::triggers_of(
    const language::Pipeline& pipeline, const orchestrator::PipelineView& view) const {
  std::vector<ServedTrigger> triggers;
  for (const language::Trigger& trigger : pipeline.orchestration.triggers) {
    ServedTrigger served{trigger_kind(trigger), trigger_text(trigger), std::nullopt};
    const std::string id = identity_of(trigger);
    const auto order =
        std::find_if(view.orders.triggers.begin(), view.orders.triggers.end(),
                     [&](const auto& item) { return item.id == id; });
    const auto cursor = view.state.cursors.find(id);
    if (order != view.orders.triggers.end() && cursor != view.state.cursors.end()) {
      if (const auto from = parse_instant(cursor->second)) {
        const auto next = orchestrator::instants_after(*order, *from, 1);
        if (!next.empty()) served.next = next.front();
      }
    }
    triggers.push_back(std::move(served));
  }
  return triggers;
}

ServedPipeline Operation::served(const ServedFile& file) const {
  ServedPipeline served;
  served.file = file;
  if (file.pipeline == nullptr) return served;
  served.name = file.pipeline->name;
  const auto view = orchestrator_->view(served.name);
  if (view) {
    served.triggers = triggers_of(*file.pipeline, *view);
    served.state = view->state;
  }
  const std::lock_guard lock(mutex_);
  const auto faults = faults_.find(served.name);
  if (faults != faults_.end()) served.faults = faults->second;
  return served;
}

std::vector<ServedPipeline> Operation::pipelines() const {
  std::vector<ServedPipeline> all;
  for (const ServedFile& file : pipelines_.files()) all.push_back(served(file));
  return all;
}

Result<ServedPipeline> Operation::pipeline(const std::string& name) const {
  std::vector<std::string> names;
  for (const ServedFile& file : pipelines_.files()) {
    if (file.pipeline == nullptr) continue;
    if (file.pipeline->name == name) return served(file);
    names.push_back(file.pipeline->name);
  }
  const auto guess = nearest(name, names);
  return Error(ErrorCode::not_found,
               "no pipeline '" + name + "'" +
                   (guess ? "; did you mean '" + *guess + "'?" : ""));
}

std::vector<ServedRun> Operation::runs(const RunFilter& filter,
                                       std::size_t count_max) const {
  std::vector<ServedRun> found;
  const auto take = [&](const std::string& pipeline, const auto& runs) {
    for (const orchestrator::RunState& run : runs) {
      if (filter.status && run.status != *filter.status) continue;
      found.push_back({pipeline, run});
    }
  };
  for (const orchestrator::PipelineView& view : orchestrator_->views()) {
    const std::string& pipeline = view.orders.pipeline;
    if (!filter.pipeline.empty() && pipeline != filter.pipeline) continue;
    take(pipeline, view.state.open);
    take(pipeline, view.state.ended);
  }
  const auto is_open = [](const ServedRun& item) {
    return item.run.status != orchestrator::RunStatus::ended;
  };
  std::sort(found.begin(), found.end(), [&](const ServedRun& a, const ServedRun& b) {
    if (is_open(a) != is_open(b)) return is_open(a);
    if (a.run.requested_at != b.run.requested_at) {
      return a.run.requested_at > b.run.requested_at;
    }
    return a.run.run_id > b.run.run_id;
  });
  if (found.size() > count_max) found.resize(count_max);
  return found;
}

Result<ServedRun> Operation::run_of(const std::string& run_id) const {
  for (const orchestrator::PipelineView& view : orchestrator_->views()) {
    const orchestrator::RunState* run = view.state.find_run(run_id);
    if (run != nullptr) return ServedRun{view.orders.pipeline, *run};
  }
  return Error(ErrorCode::not_found, "no run '" + run_id + "' among the last " +
                                         std::to_string(orchestrator::kEndedRunsMax) +
                                         " of each pipeline");
}

Result<RunPicture> Operation::nodes_of(const ServedRun& served) {
  RunPicture all;
  for (int attempt = 1; attempt <= served.run.attempt; ++attempt) {
    const std::string id = flow_run_id(served.run.run_id, attempt);
    auto picture = picture_.run(id);
    if (!picture) {  // another process made it, or this one long ago
      events::EventFilter filter;
      filter.types = kNodeEvents;
      filter.run_id = id;
      LAKEMILL_TRY(const auto rows, list_events(workbench_, filter, kPastEventsMax));
      picture = picture_of(rows);
    }
    for (NodePicture& node : *picture) {  // of each node its newest attempt
      std::erase_if(all, [&](const auto& item) { return item.node == node.node; });
      all.push_back(std::move(node));
    }
  }
  return all;
}

Result<std::map<std::string, NodePicture>> Operation::nodes_of(
    const std::string& pipeline) {
  bool is_known = false;
  {
    const std::lock_guard lock(mutex_);
    is_known = past_known_.contains(pipeline);
  }
  if (!is_known) {
    events::EventFilter filter;
    filter.types = kNodeEvents;
    filter.pipeline = pipeline;
    LAKEMILL_TRY(const auto rows, list_events(workbench_, filter, kPastEventsMax));
    picture_.add_past(pipeline, picture_of(rows));
    const std::lock_guard lock(mutex_);
    past_known_.insert(pipeline);
  }
  return picture_.nodes_of(pipeline);
}

Result<data::Rows> Operation::events(const events::EventFilter& filter,
                                     std::int64_t count_max) {
  return list_events(workbench_, filter, count_max);
}

Result<orchestrator::RunTicket> Operation::request(const std::string& pipeline,
                                                   const orchestrator::RunWish& wish,
                                                   const std::string& actor,
                                                   const std::string& key) {
  LAKEMILL_TRY(const ServedPipeline served, this->pipeline(pipeline));
  LAKEMILL_TRY(const auto nodes,
               language::select_nodes(*served.file.pipeline, wish.selectors));
  (void)nodes;  // a selector that names nothing is told before there is a run
  return orchestrator_->request(pipeline, wish, actor, key);
}

Status Operation::cancel(const std::string& run_id, const std::string& actor) {
  return orchestrator_->cancel(run_id, actor);
}

Result<orchestrator::RunTicket> Operation::retry(const std::string& run_id,
                                                 bool from_beginning,
                                                 const std::string& actor) {
  return orchestrator_->retry(run_id, from_beginning, actor);
}

Status Operation::set_paused(const std::string& pipeline, bool paused,
                             const std::string& actor) {
  return orchestrator_->set_paused(pipeline, paused, actor);
}

}  // namespace lakemill::app
