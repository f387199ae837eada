#include "lakemill/orchestrator/orchestrator.h"

#include <algorithm>

namespace lakemill::orchestrator {

namespace {

constexpr std::string_view kFolder = "_lakemill/orchestrator/";
constexpr std::chrono::milliseconds kLandingRetry{200};
constexpr int kDecisionsMax = 1'000;  // about one pipeline before the others' turn
constexpr std::string_view kStopped = "stopped";

Error no_run(const std::string& run_id) {
  return {ErrorCode::not_found,
          "no run " + run_id + " among those that go on or have ended lately"};
}

// What somebody asks for.
JournalEntry asked_for(EntryKind kind, const std::string& actor, Clock& clock) {
  JournalEntry entry = entry_of(kind, clock.now());
  entry.actor = actor;
  return entry;
}

double chance(Random& random) {
  return static_cast<double>(random.next() >> 11) * 0x1.0p-53;
}

}  // namespace

// An attempt that this process makes.
struct Orchestrator::Flight {
  RunOrder order;
  std::stop_source stop;
  bool has_ended = false;  // guarded by mutex_
  AttemptReport report;    // once it has ended
  std::jthread thread;
};

struct Orchestrator::Pipeline {
  std::string name;
  mutable std::mutex mutex;
  PipelineOrders orders;             // guarded by mutex
  std::unique_ptr<Journal> journal;  // guarded by mutex
  bool is_ordered = true;            // guarded by mutex; false: its file is gone
  bool problem_told = false;         // guarded by mutex
};

Orchestrator::Orchestrator(OrchestratorOptions options, OrchestratorServices services)
    : options_(std::move(options)), services_(services) {}

Orchestrator::~Orchestrator() { (void)stop_all_flights(); }

std::shared_ptr<Orchestrator::Pipeline> Orchestrator::find(
    const std::string& pipeline) const {
  const std::lock_guard lock(pipelines_mutex_);
  const auto found = pipelines_.find(pipeline);
  return found == pipelines_.end() ? nullptr : found->second;
}

Result<std::shared_ptr<Orchestrator::Pipeline>> Orchestrator::pipeline_named(
    const std::string& name) const {
  auto found = find(name);
  if (found == nullptr) {
    return Error(ErrorCode::not_found, "no pipeline '" + name + "'");
  }
  return found;
}

std::vector<std::shared_ptr<Orchestrator::Pipeline>> Orchestrator::pipelines() const {
  const std::lock_guard lock(pipelines_mutex_);
  std::vector<std::shared_ptr<Pipeline>> all;
  for (const auto& [name, pipeline] : pipelines_) all.push_back(pipeline);
  return all;
}

Result<std::shared_ptr<Orchestrator::Pipeline>> Orchestrator::pipeline_of(
    const std::string& run_id) const {
  for (const auto& pipeline : pipelines()) {
    const std::lock_guard lock(pipeline->mutex);
    if (pipeline->journal->state().find_run(run_id) != nullptr) return pipeline;
  }
  return no_run(run_id);
}

Result<std::shared_ptr<Orchestrator::Pipeline>> Orchestrator::open(
    const std::string& pipeline) {
  auto opened = std::make_shared<Pipeline>();
  opened->name = pipeline;
  LAKEMILL_TRY(
      opened->journal,
      Journal::open(services_.store, std::string(kFolder) + pipeline + "/journal",
                    options_.member, services_.random));
  const std::lock_guard lock(mutex_);
  successes_[pipeline] = opened->journal->state().last_success;
  return opened;
}

Status Orchestrator::set_orders(std::vector<PipelineOrders> orders) {
  std::map<std::string, std::shared_ptr<Pipeline>> next;
  std::optional<Error> first_error;
  for (PipelineOrders& each : orders) {
    auto pipeline = find(each.pipeline);
    if (pipeline == nullptr) {
      auto opened = open(each.pipeline);
      if (!opened) {
        if (!first_error) first_error = std::move(opened).error();
        continue;
      }
      pipeline = *std::move(opened);
    }
    const std::lock_guard lock(pipeline->mutex);
    pipeline->orders = std::move(each);
    pipeline->is_ordered = true;
    next.emplace(pipeline->name, pipeline);
  }
  for (const auto& pipeline : pipelines()) {
    if (next.contains(pipeline->name)) continue;
    const std::lock_guard lock(pipeline->mutex);
    pipeline->is_ordered = false;
    if (pipeline->journal->state().running() > 0)
      next.emplace(pipeline->name, pipeline);
  }
  {
    const std::lock_guard lock(pipelines_mutex_);
    pipelines_ = std::move(next);
  }
  wake();
  if (first_error) return *std::move(first_error);
  return {};
}

World Orchestrator::world() {
  World world;
  world.now = services_.clock.now();
  {
    const std::lock_guard lock(mutex_);
    const auto continuous = std::count_if(
        flights_.begin(), flights_.end(),
        [](const auto& flight) { return flight->order.wish.continuous; });
    const auto others = static_cast<std::ptrdiff_t>(flights_.size()) - continuous;
    world.may_start = others < options_.runs_max;
    world.may_start_continuous = continuous < options_.continuous_max;
  }
  world.is_gone = [this](const std::string& member) {
    return member != options_.member && services_.members.is_gone(member);
  };
  world.last_success = [this](const std::string& pipeline) {
    const std::lock_guard lock(mutex_);
    const auto found = successes_.find(pipeline);
    return found == successes_.end() ? 0 : found->second;
  };
  world.position = [this](const std::string& watch, bool now) {
    return services_.watches.position(watch, now);
  };
  world.new_id = [this] { return make_uuid(services_.random); };
  return world;
}

void Orchestrator::run(const std::stop_token& stop) {
  auto looked = services_.clock.elapsed() - options_.look_period;
  while (!stop.stop_requested()) {
    const bool look = services_.clock.elapsed() - looked >= options_.look_period;
    if (look) looked = services_.clock.elapsed();
    for (const auto& pipeline : pipelines()) work_on(*pipeline, look);
    const auto pause = until_next();
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, pause, [this] { return woken_; });
    woken_ = false;
  }
  // What was made here is written as ended, so that the next process need not guess.
  constexpr int kTriesMax = 25;
  for (int i = 0; i < kTriesMax && stop_all_flights(); ++i) {
    for (const auto& pipeline : pipelines()) {
      const std::lock_guard lock(pipeline->mutex);
      (void)land(*pipeline);
    }
    const std::lock_guard lock(mutex_);
    if (flights_.empty()) break;
    std::this_thread::sleep_for(kLandingRetry);
  }
}

void Orchestrator::work_on(Pipeline& pipeline, bool look) {
  const std::lock_guard lock(pipeline.mutex);
  Status done = land(pipeline);
  if (done && look) {
    done = pipeline.journal->catch_up(
        [&](const PipelineState& state, const JournalEntry& entry) {
          hear(pipeline, state, entry, false);
        });
  }
  if (done) done = decide_on(pipeline);
  if (!done && !pipeline.problem_told) {
    services_.observer.on_problem(pipeline.name, done.error());
  }
  pipeline.problem_told = !done;
}

Status Orchestrator::decide_on(Pipeline& pipeline) {
  if (!pipeline.is_ordered) return {};
  for (int i = 0; i < kDecisionsMax; ++i) {
    if (!decide(pipeline.journal->state(), pipeline.orders, world())) return {};
    LAKEMILL_TRY(const auto entry, append(pipeline, [&](const PipelineState& state) {
                   return decide(state, pipeline.orders, world());
                 }));
    if (!entry) return {};
    if (entry->kind == EntryKind::run_started) take_off(pipeline, *entry);
  }
  wake();  // there is more to decide, after the other pipelines
  return {};
}

Result<std::optional<JournalEntry>> Orchestrator::append(
    Pipeline& pipeline, const Journal::Decide& decide) {
  return pipeline.journal->append(
      decide, [&](const PipelineState& state, const JournalEntry& entry) {
        hear(pipeline, state, entry, entry.member == options_.member);
      });
}

void Orchestrator::hear(Pipeline& pipeline, const PipelineState& state,
                        const JournalEntry& entry, bool own) {
  if (entry.kind == EntryKind::cancel_requested) stop_flight(entry.run_id);
  if (entry.kind == EntryKind::run_ended) {
    const std::lock_guard lock(mutex_);
    successes_[pipeline.name] = state.last_success;
    woken_ = true;  // others may come after it
  }
  services_.observer.on_entry(pipeline.name, state, entry, own);
}

void Orchestrator::take_off(Pipeline& pipeline, const JournalEntry& started) {
  const RunState* run = pipeline.journal->state().find_run(started.run_id);
  if (run == nullptr) return;
  auto flight = std::make_shared<Flight>();
  flight->order = {pipeline.name, run->run_id, run->attempt, run->wish,
                   run->actor,     run->done_nodes};
  if (run->cancel_requested) flight->stop.request_stop();
  const std::lock_guard lock(mutex_);
  flights_.push_back(flight);
  flight->thread = std::jthread([this, flight = flight.get()] { fly(*flight); });
}

void Orchestrator::fly(Flight& flight) {
  AttemptReport report = services_.runs.run(flight.order, flight.stop.get_token());
  const std::lock_guard lock(mutex_);
  flight.report = std::move(report);
  flight.has_ended = true;
  woken_ = true;
  changed_.notify_all();
}

// Writes how attempts of the pipeline ended, and lets go of them.
Status Orchestrator::land(Pipeline& pipeline) {
  std::vector<std::shared_ptr<Flight>> landed;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& flight : flights_) {
      const bool is_of_it = flight->order.pipeline == pipeline.name;
      if (is_of_it && flight->has_ended) landed.push_back(flight);
    }
  }
  for (const auto& flight : landed) {
    // Nothing is written if somebody took this process for gone.
    LAKEMILL_TRY_OK(append(pipeline, [&](const PipelineState& state) {
      return end_of(pipeline, state, *flight);
    }));
    const std::lock_guard lock(mutex_);
    std::erase(flights_, flight);
  }
  return {};
}

std::optional<JournalEntry> Orchestrator::end_of(const Pipeline& pipeline,
                                                 const PipelineState& state,
                                                 const Flight& flight) {
  const RunState* run = state.find_run(flight.order.run_id);
  if (run == nullptr || run->status != RunStatus::running ||
      run->attempt != flight.order.attempt || run->member != options_.member) {
    return std::nullopt;
  }
  const AttemptReport& report = flight.report;
  JournalEntry entry = end_of_attempt(*run, report.outcome, services_.clock.now());
  entry.message = report.message;
  entry.done_nodes = report.done_nodes;
  const Retries& retries = pipeline.orders.retries;
  if (report.outcome == RunOutcome::cancelled && !run->cancel_requested) {
    entry.outcome = RunOutcome::interrupted;  // it goes on in the next process
    entry.reason = kStopped;
    entry.retry_at = entry.at;
  } else if (report.outcome == RunOutcome::failed && report.can_pass &&
             !run->cancel_requested && run->failures + 1 < retries.attempts_max) {
    entry.retry_at =
        entry.at + retry_delay(retries, run->failures + 1, chance(services_.random));
  }
  return entry;
}

void Orchestrator::stop_flight(const std::string& run_id) {
  const std::lock_guard lock(mutex_);
  for (const auto& flight : flights_) {
    if (flight->order.run_id == run_id) flight->stop.request_stop();
  }
}

void Orchestrator::restart_continuous(const std::string& pipeline) {
  const std::lock_guard lock(mutex_);
  for (const auto& flight : flights_) {
    const bool is_meant =
        flight->order.pipeline == pipeline && flight->order.wish.continuous;
    if (is_meant) flight->stop.request_stop();
  }
}

// Whether there were any.
bool Orchestrator::stop_all_flights() {
  std::vector<std::shared_ptr<Flight>> flights;
  {
    const std::lock_guard lock(mutex_);
    flights = flights_;
  }
  for (const auto& flight : flights) flight->stop.request_stop();
  for (const auto& flight : flights) {
    if (flight->thread.joinable()) flight->thread.join();
  }
  return !flights.empty();
}

std::chrono::milliseconds Orchestrator::until_next() const {
  const Instant now = services_.clock.now();
  std::chrono::milliseconds pause = options_.look_period;
  for (const auto& pipeline : pipelines()) {
    const std::lock_guard lock(pipeline->mutex);
    if (!pipeline->is_ordered || pipeline->problem_told) continue;  // at the next look
    const auto next = next_instant(pipeline->journal->state(), pipeline->orders, now);
    if (!next) continue;
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*next - now);
    pause = std::min(pause, std::max(wait, std::chrono::milliseconds(1)));
  }
  return pause;
}

void Orchestrator::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_all();
}

Result<RunTicket> Orchestrator::request(const std::string& pipeline,
                                        const RunWish& wish, const std::string& actor,
                                        const std::string& key) {
  LAKEMILL_TRY(const auto found, pipeline_named(pipeline));
  RunTicket ticket;
  bool is_full = false;
  {
    const std::lock_guard lock(found->mutex);
    LAKEMILL_TRY(
        const auto entry,
        append(*found, [&](const PipelineState& state) -> std::optional<JournalEntry> {
          const RunState* held = key.empty() ? nullptr : state.run_of_key(key);
          is_full = held == nullptr && state.open.size() >= kQueueMax;
          if (held != nullptr) ticket = {held->run_id, false};
          if (held != nullptr || is_full) return std::nullopt;
          JournalEntry wanted =
              asked_for(EntryKind::run_requested, actor, services_.clock);
          wanted.key = key;
          wanted.run_id = make_uuid(services_.random);
          wanted.wish = wish;
          return wanted;
        }));
    if (entry) ticket = {entry->run_id, true};
  }
  if (is_full) {
    return Error(ErrorCode::unavailable, std::to_string(kQueueMax) + " runs of '" +
                                             pipeline + "' wait already; ask later");
  }
  wake();
  return ticket;
}

Status Orchestrator::cancel(const std::string& run_id, const std::string& actor) {
  LAKEMILL_TRY(const auto pipeline, pipeline_of(run_id));
  bool has_ended = false;
  {
    const std::lock_guard lock(pipeline->mutex);
    LAKEMILL_TRY_OK(append(
        *pipeline, [&](const PipelineState& state) -> std::optional<JournalEntry> {
          const RunState* run = state.find_run(run_id);
          has_ended = run == nullptr || run->status == RunStatus::ended;
          if (has_ended || run->cancel_requested) return std::nullopt;
          JournalEntry wanted =
              asked_for(EntryKind::cancel_requested, actor, services_.clock);
          wanted.run_id = run_id;
          return wanted;
        }));
  }
  if (has_ended) return Error(ErrorCode::invalid, "run " + run_id + " has ended");
  wake();
  return {};
}

Result<RunTicket> Orchestrator::retry(const std::string& run_id, bool from_beginning,
                                      const std::string& actor) {
  LAKEMILL_TRY(const auto pipeline, pipeline_of(run_id));
  RunWish wish;
  {
    const std::lock_guard lock(pipeline->mutex);
    const RunState* run = pipeline->journal->state().find_run(run_id);
    if (run == nullptr) return no_run(run_id);
    if (run->status != RunStatus::ended) {
      return Error(ErrorCode::invalid, "run " + run_id + " has not ended");
    }
    if (run->outcome == RunOutcome::succeeded) {
      return Error(ErrorCode::invalid,
                   "run " + run_id + " has succeeded; ask for a new one");
    }
    wish = run->wish;
    if (!from_beginning) {
      wish.without.insert(wish.without.end(), run->done_nodes.begin(),
                          run->done_nodes.end());
    }
  }
  // Asked for twice, it is made once; from the beginning is another wish.
  const std::string key =
      (from_beginning ? "retry from the beginning of " : "retry of ") + run_id;
  return request(pipeline->name, wish, actor, key);
}

Status Orchestrator::set_paused(const std::string& pipeline, bool paused,
                                const std::string& actor) {
  LAKEMILL_TRY(const auto found, pipeline_named(pipeline));
  const std::lock_guard lock(found->mutex);
  LAKEMILL_TRY_OK(
      append(*found, [&](const PipelineState& state) -> std::optional<JournalEntry> {
        if (state.paused == paused) return std::nullopt;
        return asked_for(paused ? EntryKind::paused : EntryKind::resumed, actor,
                         services_.clock);
      }));
  return {};
}

Result<PipelineView> Orchestrator::view(const std::string& pipeline) const {
  LAKEMILL_TRY(const auto found, pipeline_named(pipeline));
  const std::lock_guard lock(found->mutex);
  return PipelineView{found->orders, found->journal->state()};
}

std::vector<PipelineView> Orchestrator::views() const {
  std::vector<PipelineView> views;
  for (const auto& pipeline : pipelines()) {
    const std::lock_guard lock(pipeline->mutex);
    views.push_back({pipeline->orders, pipeline->journal->state()});
  }
  return views;
}

}  // namespace lakemill::orchestrator
