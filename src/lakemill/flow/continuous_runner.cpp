#include "lakemill/flow/continuous_runner.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "lakemill/base/cron.h"
#include "lakemill/base/path_pattern.h"
#include "lakemill/flow/named_tables.h"
#include "lakemill/flow/node_frames.h"
#include "lakemill/flow/run_graph.h"
#include "lakemill/sources/folder_watch.h"

namespace lakemill::flow {

namespace {

using std::chrono::microseconds;

constexpr microseconds kLookEvery = std::chrono::seconds(1);
// Where the system tells of changes: not of all, as of those on shared file systems.
constexpr microseconds kLookAtWatchedEvery = std::chrono::seconds(5);
// A server's stream is waited for while it is looked at.
constexpr microseconds kLookAtStreamEvery = std::chrono::milliseconds(100);
constexpr microseconds kNever = microseconds::max();
// After so many batches a flow that finds more and more gives way to others.
constexpr std::int64_t kBatchesOfARound = 8;

std::string log_of(const std::string& table_url) { return table_url + "/_delta_log"; }

// The folder whose changes tell of new entries: a table's log, or the part of a path
// before its first wildcard.
std::string folder_of(const Place& place) {
  if (place.is_delta) return log_of(place.url);
  if (!is_pattern(place.url)) return place.url;
  return std::string(fixed_folder(place.url));
}

void add(NodeReport& total, const NodeReport& round) {
  const NodeReport before = std::move(total);
  total = round;
  total.input_rows += before.input_rows;
  total.kept_rows += before.kept_rows;
  total.dropped_rows += before.dropped_rows;
  total.quarantined_rows += before.quarantined_rows;
  total.rejected_rows += before.rejected_rows;
  total.written_rows += before.written_rows;
  total.batches += before.batches;
  total.seconds += before.seconds;
  if (round.batches > 0 || before.batches == 0) return;
  total.version = before.version;
  total.batch = before.batch;
  total.generation = before.generation;
  total.strategy = before.strategy;
  total.reason = before.reason;
  if (total.status == NodeStatus::skipped) total.status = before.status;
}

/// A node that goes round after round. Guarded by the mutex of its run.
struct Flow {
  const language::Node* node = nullptr;
  std::unique_ptr<FlowState> state;
  std::vector<std::string> needs;
  std::vector<std::string> feeds;  ///< nodes that read it
  std::vector<std::string> logs;   ///< of the tables that its SQL names
  std::optional<Cron> cron;
  bool looks = false;         ///< reads something that is to be looked at
  bool is_watched = false;    ///< and all of it is watched
  bool reads_stream = false;  ///< of a server, which tells when something comes
  bool running = false;
  microseconds wanted{0};   ///< since then something has changed; kNever: nothing has
  bool been_round = false;  ///< has succeeded once
  bool started = false;     ///< the observer knows of it
  bool waits = false;       ///< for something that it reads to be there at all
  bool refreshed = false;   ///< what `--full-refresh` asks for was begun
  bool stopped = false;
  int failures = 0;
  microseconds due = kNever;  ///< on the clock's elapsed(): look, retry, or `every`
  NodeReport total;
};

class ContinuousRun {
 public:
  ContinuousRun(const Workspace& workspace, const RunOptions& options,
                RunObserver& observer, RunGraph graph)
      : workspace_(workspace), options_(options), observer_(observer) {
    for (const std::string& name : graph.order) {
      Flow flow;
      flow.node = workspace.pipeline.find_node(name);
      flow.state = std::make_unique<FlowState>(flow_state(workspace, *flow.node));
      flow.needs = graph.needs.at(name);
      flows_.emplace(name, std::move(flow));
    }
    for (const std::string& name : graph.order) {
      for (const std::string& need : flows_.at(name).needs) {
        flows_.at(need).feeds.push_back(name);
      }
    }
    order_ = std::move(graph.order);
  }

  Result<RunReport> run() {
    LAKEMILL_TRY_OK(read_schedules());
    const auto begin = workspace_.clock.elapsed();
    const std::stop_callback on_stop(options_.stop, [this] {
      const std::scoped_lock lock(mutex_);  // nobody is between looking and waiting
      changed_.notify_all();
    });
    start_watching();
    const int workers = std::max(
        1, std::min<int>(options_.parallel_nodes_max, static_cast<int>(order_.size())));
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < workers; ++i) {
        threads.emplace_back([this] { work(); });
      }
    }
    watch_.reset();
    RunReport report;
    for (const std::string& name : options_.nodes) {
      report.nodes.push_back(std::move(flows_.at(name).total));
    }
    report.seconds =
        std::chrono::duration<double>(workspace_.clock.elapsed() - begin).count();
    return report;
  }

 private:
  Status read_schedules() {
    for (auto& [name, flow] : flows_) {
      flow.total.node = name;
      flow.total.status = NodeStatus::skipped;
      if (!flow.node->every || flow.node->every->cron.empty()) continue;
      auto cron = Cron::parse(flow.node->every->cron);
      if (!cron) {
        return Error(ErrorCode::invalid, to_text(flow.node->location) +
                                             ": every: " + cron.error().message());
      }
      flow.cron = *cron;
    }
    return {};
  }

  void start_watching() {
    watch_ = sources::FolderWatch::start([this](const std::string& folder) {
      const std::scoped_lock lock(mutex_);
      for (const std::string& name : watched_[folder]) want(flows_.at(name));
      changed_.notify_all();
    });
    const std::scoped_lock lock(mutex_);
    for (auto& [name, flow] : flows_) watch_sources(name, flow);
  }

  // With mutex_ held.
  void watch_sources(const std::string& name, Flow& flow) {
    flow.looks = false;
    flow.is_watched = true;
    watch_inputs(name, flow, *flow.node);
    for (const std::string& log : flow.logs) watch_folder(name, flow, log);
  }

  // What `node` reads: that of the flow, or a view on its way.
  void watch_inputs(const std::string& name, Flow& flow, const language::Node& node) {
    for (const language::Source& source : node.sources) {
      if (source.kind == language::SourceKind::dataframe ||
          source.kind == language::SourceKind::pipeline_node) {
        continue;
      }
      flow.looks = true;  // also where the system tells: it may miss something
      if (source.kind == language::SourceKind::postgres) {
        flow.reads_stream = true;
        flow.is_watched = false;
        continue;
      }
      const auto place = place_of(workspace_, node, source);
      if (place) {
        watch_folder(name, flow, folder_of(*place));
      } else {
        flow.is_watched = false;
      }
    }
    for (const std::string& read : nodes_read_by(node)) watch_node(name, flow, read);
  }

  // Other processes may run the node too. Of one that this run runs its commits tell,
  // so that looking now and then is enough for the others.
  void watch_node(const std::string& name, Flow& flow, const std::string& read) {
    const language::Node* upstream = workspace_.pipeline.find_node(read);
    if (upstream == nullptr) return;
    if (upstream->is_view()) return watch_inputs(name, flow, *upstream);
    const auto place = place_of(workspace_, *upstream, *upstream->primary_sink());
    const bool was_watched = flow.is_watched;
    if (place) watch_folder(name, flow, folder_of(*place));
    if (flows_.contains(read)) flow.is_watched = was_watched;
  }

  void watch_folder(const std::string& name, Flow& flow, const std::string& folder) {
    flow.looks = true;
    if (watch_ == nullptr) {
      flow.is_watched = false;
      return;
    }
    std::vector<std::string>& listeners = watched_[folder];
    if (std::find(listeners.begin(), listeners.end(), name) == listeners.end()) {
      listeners.push_back(name);
    }
    if (!watch_->watch(folder)) flow.is_watched = false;
  }

  std::vector<std::string> logs_of(const std::vector<std::string>& tables) const {
    std::vector<std::string> logs;
    for (const std::string& relation : tables) {
      const auto table = table_in_sql(workspace_, relation);
      if (table && *table != nullptr) logs.push_back(log_of((*table)->store().url()));
    }
    return logs;
  }

  void work() {
    std::unique_lock lock(mutex_);
    while (!options_.stop.stop_requested()) {
      Flow* flow = next_flow();
      if (flow == nullptr) {
        if (all_stopped()) break;
        wait(lock);
        continue;
      }
      flow->running = true;
      flow->wanted = kNever;
      flow->due = kNever;
      const bool first = !flow->started;
      flow->started = true;
      const NodeRunOptions options = node_options(*flow);
      lock.unlock();
      if (first) observer_.on_node_started(*flow->node);
      NodeReport report = run_node(workspace_, *flow->node, *flow->state, options);
      auto logs = logs_of(report.named_tables);
      const bool waits = is_missing(report) && !has_batch(*flow->state);
      lock.lock();
      flow->running = false;
      if (!logs.empty()) flow->logs = std::move(logs);
      finish_round(*flow, std::move(report), first, waits, lock);
      changed_.notify_all();
    }
    changed_.notify_all();
  }

  // The flow that may run now and has waited for it longest, so that none waits for
  // ever behind others that always have something to do.
  Flow* next_flow() {
    const microseconds now = workspace_.clock.elapsed();
    Flow* next = nullptr;
    microseconds longest = kNever;
    for (const std::string& name : order_) {
      Flow& flow = flows_.at(name);
      if (flow.running || flow.stopped) continue;
      const microseconds since = ready_since(flow);
      if (since > now || since >= longest || !needs_are_there(flow)) continue;
      longest = since;
      next = &flow;
    }
    return next;
  }

  static microseconds ready_since(const Flow& flow) {
    const bool waits_for_its_time = flow.failures > 0 || is_scheduled(flow);
    return waits_for_its_time ? flow.due : std::min(flow.due, flow.wanted);
  }

  static bool is_scheduled(const Flow& flow) {
    return flow.been_round && flow.node->every.has_value();
  }

  bool needs_are_there(const Flow& flow) const {
    return std::all_of(
        flow.needs.begin(), flow.needs.end(),
        [this](const std::string& need) { return flows_.at(need).been_round; });
  }

  // True also if what runs or waits can never come to run again.
  bool all_stopped() const {
    return std::all_of(flows_.begin(), flows_.end(), [this](const auto& item) {
      const Flow& flow = item.second;
      return flow.stopped || (!flow.running && !needs_can_come(flow));
    });
  }

  bool needs_can_come(const Flow& flow) const {
    return std::none_of(flow.needs.begin(), flow.needs.end(),
                        [this](const std::string& need) {
                          const Flow& upstream = flows_.at(need);
                          return !upstream.been_round &&
                                 (upstream.stopped || !needs_can_come(upstream));
                        });
  }

  void wait(std::unique_lock<std::mutex>& lock) {
    microseconds due = kNever;
    for (const auto& [name, flow] : flows_) {
      if (!flow.running && !flow.stopped && needs_are_there(flow)) {
        due = std::min(due, flow.due);
      }
    }
    if (due == kNever) {
      changed_.wait(lock);
    } else {
      changed_.wait_for(lock,
                        std::max(microseconds(0), due - workspace_.clock.elapsed()));
    }
  }

  // With mutex_ held.
  void want(Flow& flow) {
    flow.wanted = std::min(flow.wanted, workspace_.clock.elapsed());
    if (!flow.node->is_view()) return;
    for (const std::string& name : flow.feeds) want(flows_.at(name));
  }

  static bool is_missing(const NodeReport& report) {
    return report.error && report.error->code() == ErrorCode::not_found;
  }

  // What was there once and is gone is a failure, not something to come.
  static bool has_batch(FlowState& state) {
    const auto generation = state.newest_generation();
    if (!generation) return false;
    const auto plan = state.last_plan(*generation);
    return plan && plan->has_value();
  }

  void finish_round(Flow& flow, NodeReport report, bool first, bool waits,
                    std::unique_lock<std::mutex>& lock) {
    if (report.status == NodeStatus::cancelled) return;  // given up whole, by a stop
    if (report.batches > 0) {  // also those before one that failed
      flow.refreshed = true;
      for (const std::string& name : flow.feeds) want(flows_.at(name));
      if (report.batches == kBatchesOfARound) want(flow);  // there may be more
    }
    if (waits) {
      wait_for_source(flow, std::move(report), lock);
      return;
    }
    flow.waits = false;
    const bool holds =
        report.status == NodeStatus::succeeded || report.status == NodeStatus::skipped;
    const bool tells = first || report.batches > 0 || !holds;
    add(flow.total, report);
    if (holds) {
      flow.failures = 0;
      flow.been_round = flow.refreshed = true;
      watch_sources(flow.node->name, flow);
      schedule(flow);
    } else {
      fail(flow, report);
    }
    const bool retries = flow.failures > 0 && !flow.stopped;
    lock.unlock();
    if (retries) {
      observer_.on_node_retry(*flow.node, *report.error, delay_after(flow.failures));
    } else if (tells) {
      observer_.on_node_finished(*flow.node, report);
    }
    lock.lock();
  }

  // An empty folder, or a table that nobody has made yet, is looked at until something
  // is there. Told once.
  void wait_for_source(Flow& flow, NodeReport report,
                       std::unique_lock<std::mutex>& lock) {
    const Error missing = *std::move(report.error);
    report.error.reset();
    report.status = NodeStatus::skipped;
    add(flow.total, report);
    flow.failures = 0;
    watch_sources(flow.node->name, flow);
    schedule(flow);
    const microseconds now = workspace_.clock.elapsed();
    flow.due = std::min(flow.due, now + look_every(flow));
    const auto delay =
        std::chrono::duration_cast<std::chrono::milliseconds>(flow.due - now);
    if (std::exchange(flow.waits, true)) return;
    lock.unlock();
    observer_.on_node_retry(*flow.node, missing, delay);
    lock.lock();
  }

  void schedule(Flow& flow) {
    const microseconds now = workspace_.clock.elapsed();
    if (!flow.node->every) {
      if (flow.looks) flow.due = now + look_every(flow);
    } else if (flow.node->every->period) {
      flow.due = now + *flow.node->every->period;
    } else {
      const Instant wall = workspace_.clock.now();
      const auto next = flow.cron->next_after(wall);
      flow.due = next ? now + (*next - wall) : kNever;
    }
  }

  static microseconds look_every(const Flow& flow) {
    if (flow.reads_stream) return kLookAtStreamEvery;
    return flow.is_watched ? kLookAtWatchedEvery : kLookEvery;
  }

  void fail(Flow& flow, const NodeReport& report) {
    ++flow.failures;
    // A folder that is empty for a while may be filled again.
    const bool can_pass =
        is_missing(report) || (report.error && report.error->retryable());
    flow.stopped = !report.error || (!can_pass && flow.failures >= kPoisonAttemptsMax);
    flow.due = workspace_.clock.elapsed() + delay_after(flow.failures);
  }

  static std::chrono::milliseconds delay_after(int failures) {
    auto delay = kRetryDelayFirst;
    for (int i = 1; i < failures && delay < kRetryDelayMax; ++i) delay *= 2;
    return std::min(delay, kRetryDelayMax);
  }

  // What was asked for once holds until a round has done it.
  NodeRunOptions node_options(const Flow& flow) const {
    NodeRunOptions options = options_for(options_, *flow.node, observer_);
    // A stream under load never ends; of a server, the next batch waits for more.
    if (!flow.node->every)
      options.batches_max = flow.reads_stream ? 1 : kBatchesOfARound;
    if (flow.refreshed) options.full_refresh = false;
    if (flow.been_round) options.adopt_node.clear();
    return options;
  }

  const Workspace& workspace_;
  const RunOptions& options_;
  RunObserver& observer_;
  std::vector<std::string> order_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Flow> flows_;                        // guarded by mutex_
  std::map<std::string, std::vector<std::string>> watched_;  // guarded by mutex_
  std::unique_ptr<sources::FolderWatch> watch_;
};

}  // namespace

Result<RunReport> run_continuously(const Workspace& workspace,
                                   const RunOptions& options, RunObserver& observer) {
  if (workspace.postgres != nullptr) {
    workspace.postgres->stop_on(options.stop);
    workspace.postgres->follow();
  }
  LAKEMILL_TRY(RunGraph graph, make_run_graph(workspace.pipeline, options.nodes));
  return ContinuousRun(workspace, options, observer, std::move(graph)).run();
}

}  // namespace lakemill::flow
