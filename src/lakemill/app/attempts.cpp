#include "lakemill/app/attempts.h"

#include <algorithm>

namespace lakemill::app {

using orchestrator::AttemptReport;
using orchestrator::RunOrder;
using orchestrator::RunOutcome;

namespace {

constexpr std::chrono::seconds kSettlePeriod{1};

// Who shows nothing: events tell all.
class Silent final : public flow::RunObserver {
 public:
  bool wants_progress() const override { return false; }
  void on_node_started(const language::Node&) override {}
  void on_node_progress(const language::Node&, const engine::Progress&) override {}
  void on_node_finished(const language::Node&, const flow::NodeReport&) override {}
};

// Stops an attempt when it is told to, or when its time is over.
class Deadline {
 public:
  Deadline(std::optional<std::chrono::microseconds> time, std::stop_token outer)
      : forward_(std::move(outer), Forward{&stop_}) {
    if (!time) return;
    timer_ = std::jthread([this, time = *time](const std::stop_token& ended) {
      std::unique_lock lock(mutex_);
      if (changed_.wait_for(lock, ended, time, [] { return false; })) return;
      if (ended.stop_requested()) return;
      has_passed_ = true;
      stop_.request_stop();
    });
  }

  std::stop_token token() const { return stop_.get_token(); }
  bool has_passed() {
    const std::lock_guard lock(mutex_);
    return has_passed_;
  }

 private:
  struct Forward {
    std::stop_source* stop;
    void operator()() const { stop->request_stop(); }
  };

  std::stop_source stop_;
  std::stop_callback<Forward> forward_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool has_passed_ = false;  // guarded by mutex_
  std::jthread timer_;       // last: it uses all of the above
};

bool is_done(const flow::NodeReport& node) {
  return node.status == flow::NodeStatus::succeeded ||
         node.status == flow::NodeStatus::skipped;
}

AttemptReport failed(std::string message, bool can_pass) {
  return {RunOutcome::failed, std::move(message), {}, can_pass};
}

AttemptReport report_of(const flow::RunReport& run) {
  AttemptReport report;
  report.outcome = run.succeeded()   ? RunOutcome::succeeded
                   : run.cancelled() ? RunOutcome::cancelled
                                     : RunOutcome::failed;
  report.can_pass = report.outcome == RunOutcome::failed;
  for (const flow::NodeReport& node : run.nodes) {
    if (is_done(node)) report.done_nodes.push_back(node.node);
    const bool has_failed = node.status == flow::NodeStatus::failed ||
                            node.status == flow::NodeStatus::expectation_failed;
    if (!has_failed) continue;
    if (report.message.empty()) {
      report.message = "node " + node.node + ": " +
                       (node.error ? node.error->message() : "failed");
    }
    if (!node.error || !node.error->retryable()) report.can_pass = false;
  }
  return report;
}

}  // namespace

std::string flow_run_id(const std::string& run_id, int attempt) {
  return attempt <= 1 ? run_id : run_id + "." + std::to_string(attempt);
}

Attempts::Attempts(Workbench& workbench, const PipelineSet& pipelines,
                   const DecisionEvents& decisions, std::string member)
    : workbench_(workbench),
      pipelines_(pipelines),
      decisions_(decisions),
      member_(std::move(member)),
      thread_([this](const std::stop_token& stop) { settle(stop); }) {}

Attempts::~Attempts() = default;

// Takes marks away once all that their runs told is written; those that stay make the
// next run look for what is missing.
void Attempts::settle(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (true) {
    (void)stopped_.wait_for(lock, stop, kSettlePeriod, [] { return false; });
    auto marks = std::exchange(marks_, {});
    lock.unlock();
    if (!marks.empty()) {
      const auto writer = workbench_.event_writer();
      if (writer && (*writer)->flush()) {
        for (const auto& mark : marks) mark->remove();
      }
    }
    lock.lock();
    if (stop.stop_requested()) return;
  }
}

RunOrigin Attempts::origin_of(const RunOrder& order) const {
  return {decisions_.request_of(order.run_id), order.actor, order.attempt, member_};
}

// Of an attempt that could not even begin.
void Attempts::tell_failure(const RunOrder& order, const Error& error) {
  const auto writer = workbench_.event_writer();
  if (!writer) return;
  const RunOrigin origin = origin_of(order);
  events::Event event;
  event.type = events::EventType::run_failed;
  event.run_id = flow_run_id(order.run_id, order.attempt);
  event.pipeline = order.pipeline;
  event.message = error.message();
  event.caused_by = origin.caused_by;
  event.actor = origin.actor;
  event.details = {
      {"seconds", 0.0}, {"attempt", order.attempt}, {"member", origin.member}};
  (*writer)->add(std::move(event));
}

Result<PipelineRun> Attempts::make(const RunOrder& order, std::stop_token stop) {
  auto pipeline = pipelines_.find(order.pipeline);
  if (pipeline == nullptr) {
    return Error(ErrorCode::not_found,
                 "no pipeline file of the project has '" + order.pipeline + "'");
  }
  if (!order.wish.parameters.empty() || !pipeline->parameters.empty()) {
    LAKEMILL_TRY(auto own,
                 workbench_.with_parameters(*pipeline, order.wish.parameters));
    pipeline = std::make_shared<const language::Pipeline>(std::move(own));
  }
  RunRequest request;
  request.run_id = flow_run_id(order.run_id, order.attempt);
  request.origin = origin_of(order);
  request.selectors = order.wish.selectors;
  request.full_refresh = order.wish.full_refresh;
  request.without = order.wish.without;
  request.continuous = order.wish.continuous;
  if (!request.continuous) {  // there a node is never done
    request.without.insert(request.without.end(), order.done_nodes.begin(),
                           order.done_nodes.end());
  }
  request.stop = std::move(stop);
  request.settle = [this](std::unique_ptr<RunMark> mark) {
    const std::lock_guard lock(mutex_);
    marks_.push_back(std::move(mark));
  };
  Silent silent;
  return app::run(workbench_, *pipeline, request, silent);
}

AttemptReport Attempts::run(const RunOrder& order, std::stop_token stop) {
  const auto pipeline = pipelines_.find(order.pipeline);
  const auto time = pipeline == nullptr ? std::nullopt
                                        : pipeline->orchestration.timeouts.run;
  Deadline deadline(time, std::move(stop));
  const auto made = make(order, deadline.token());
  if (!made) tell_failure(order, made.error());
  AttemptReport report = made ? report_of(made->report)
                              : failed(made.error().message(), made.error().retryable());
  if (order.wish.continuous && made && deadline.token().stop_requested() &&
      report.outcome == RunOutcome::succeeded) {
    report.outcome = RunOutcome::cancelled;  // it has no end of its own
  }
  if (deadline.has_passed() && report.outcome == RunOutcome::cancelled) {
    report.outcome = RunOutcome::failed;
    report.message = "it took longer than the timeout of the pipeline";
    report.can_pass = true;
  }
  return report;
}

}  // namespace lakemill::app
