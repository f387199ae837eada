#include "lakemill/orchestrator/decide.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <deque>

namespace lakemill::orchestrator {

namespace {

constexpr std::chrono::hours kRetryDelayMax{24};

std::optional<Instant> instant_behind(const Trigger& trigger, Instant cursor) {
  if (const auto* cron = std::get_if<CronTrigger>(&trigger.what)) {
    const auto next = cron->schedule.next_after(cursor);
    return next ? std::optional(*next) : std::nullopt;
  }
  if (const auto* interval = std::get_if<IntervalTrigger>(&trigger.what)) {
    return cursor + interval->interval;
  }
  return std::nullopt;
}

// An attempt whose process is gone.
std::optional<JournalEntry> end_interrupted(const PipelineState& state,
                                            const PipelineOrders& orders,
                                            const World& world) {
  for (const RunState& run : state.open) {
    if (run.status != RunStatus::running || !world.is_gone(run.member)) continue;
    JournalEntry entry = end_of_attempt(run, RunOutcome::interrupted, world.now);
    entry.message = "the process that made it is gone";
    if (run.interruptions < orders.interruptions_max && !run.cancel_requested) {
      entry.retry_at = world.now;
    }
    return entry;
  }
  return std::nullopt;
}

// A run that is to stop and that nobody makes.
std::optional<JournalEntry> end_cancelled(const PipelineState& state,
                                          const World& world) {
  for (const RunState& run : state.open) {
    if (!run.cancel_requested || run.status == RunStatus::running) continue;
    return end_of_attempt(run, RunOutcome::cancelled, world.now);
  }
  return std::nullopt;
}

JournalEntry cancellation(const RunState& run, const World& world) {
  JournalEntry entry = entry_of(EntryKind::cancel_requested, world.now);
  entry.run_id = run.run_id;
  return entry;
}

// Where a trigger that is new begins to look; nothing: that is not known yet.
std::optional<std::string> first_cursor(const Trigger& trigger, const World& world) {
  if (const auto* after = std::get_if<AfterTrigger>(&trigger.what)) {
    return std::to_string(world.last_success(after->pipeline));
  }
  if (const auto* change = std::get_if<ChangeTrigger>(&trigger.what)) {
    return world.position(change->watch, false);
  }
  return format_instant(world.now);
}

// What a trigger comes to that has looked up to `cursor`.
JournalEntry trigger_entry(EntryKind kind, const Trigger& trigger, std::string cursor,
                           const World& world) {
  JournalEntry entry = entry_of(kind, world.now);
  entry.trigger = trigger.id;
  entry.cursor = std::move(cursor);
  return entry;
}

JournalEntry skipped(const Trigger& trigger, std::string cursor, const char* reason,
                     std::int64_t count, const World& world) {
  JournalEntry entry =
      trigger_entry(EntryKind::run_skipped, trigger, std::move(cursor), world);
  entry.reason = reason;
  entry.count = count;
  return entry;
}

bool waits(const PipelineState& state, const Trigger& trigger) {
  return std::any_of(state.open.begin(), state.open.end(), [&](const RunState& run) {
    return run.status == RunStatus::queued && run.trigger == trigger.id;
  });
}

// Why a trigger that fires makes no run; null: it makes one.
const char* reason_to_skip(const PipelineState& state, const PipelineOrders& orders,
                           const Trigger& trigger) {
  if (state.paused) return "paused";
  if (orders.overlap == Overlap::skip &&
      state.open.size() >= static_cast<std::size_t>(orders.runs_max)) {
    return "overlap";
  }
  if (trigger.catchup != Catchup::all && waits(state, trigger)) return "waits";
  if (state.open.size() >= kQueueMax) return "queue_full";
  return nullptr;
}

JournalEntry request_of(const Trigger& trigger, std::string cursor,
                        const World& world) {
  JournalEntry entry =
      trigger_entry(EntryKind::run_requested, trigger, std::move(cursor), world);
  entry.run_id = world.new_id();
  entry.wish.parameters = trigger.parameters;
  entry.wish.priority = trigger.priority;
  return entry;
}

// What a trigger that fires comes to.
JournalEntry fire(const PipelineState& state, const PipelineOrders& orders,
                  const Trigger& trigger, std::string cursor, const World& world) {
  if (const char* reason = reason_to_skip(state, orders, trigger)) {
    return skipped(trigger, std::move(cursor), reason, 1, world);
  }
  return request_of(trigger, std::move(cursor), world);
}

// The instants that have come since a trigger's cursor.
struct Passed {
  std::int64_t count = 0;
  std::deque<Instant> newest;  // at most kCatchupMax, the oldest first
};

Passed passed_since(const Trigger& trigger, Instant cursor, Instant now) {
  Passed passed;
  const auto* interval = std::get_if<IntervalTrigger>(&trigger.what);
  if (interval != nullptr && now > cursor) {  // far behind: not one by one
    const std::int64_t steps = (now - cursor) / interval->interval;
    passed.count = std::max<std::int64_t>(0, steps - kCatchupMax);
    cursor += passed.count * interval->interval;
  }
  for (auto next = instant_behind(trigger, cursor); next && *next <= now;
       next = instant_behind(trigger, *next)) {
    ++passed.count;
    passed.newest.push_back(*next);
    if (passed.newest.size() > kCatchupMax) passed.newest.pop_front();
  }
  return passed;
}

// A cursor behind which `instant` comes next.
Instant cursor_before(const Trigger& trigger, Instant instant) {
  const auto* interval = std::get_if<IntervalTrigger>(&trigger.what);
  if (interval != nullptr) return instant - interval->interval;
  return instant - std::chrono::microseconds(1);
}

// What has passed beyond what is made up for is told first, as one entry.
std::optional<JournalEntry> fire_by_clock(const PipelineState& state,
                                          const PipelineOrders& orders,
                                          const Trigger& trigger, Instant cursor,
                                          const World& world) {
  const Passed passed = passed_since(trigger, cursor, world.now);
  if (passed.count == 0) return std::nullopt;
  const Instant newest = passed.newest.back();
  std::size_t kept = trigger.catchup == Catchup::all ? passed.newest.size() : 1;
  const bool late = newest + kLateMax < world.now;
  if (trigger.catchup == Catchup::skip && late) kept = 0;
  const auto missed = passed.count - static_cast<std::int64_t>(kept);
  if (kept == 0) {
    return skipped(trigger, format_instant(newest), "missed", missed, world);
  }
  const Instant first_kept = passed.newest[passed.newest.size() - kept];
  if (missed > 0) {
    const Instant before = cursor_before(trigger, first_kept);
    return skipped(trigger, format_instant(before), "missed", missed, world);
  }
  return fire(state, orders, trigger, format_instant(first_kept), world);
}

// What this process knows of the other pipeline may be older than the cursor, which
// another process moved.
std::optional<JournalEntry> fire_after(const PipelineState& state,
                                       const PipelineOrders& orders,
                                       const Trigger& trigger,
                                       const std::string& pipeline,
                                       const std::string& cursor, const World& world) {
  const std::int64_t newest = world.last_success(pipeline);
  std::int64_t seen = 0;
  (void)std::from_chars(cursor.data(), cursor.data() + cursor.size(), seen);
  if (newest <= seen) return std::nullopt;
  return fire(state, orders, trigger, std::to_string(newest), world);
}

// A paused pipeline keeps its cursor: what changes meanwhile makes one run later. It is
// looked at once more before a run is made, since what is known may be older than the
// cursor, which another process moved.
std::optional<JournalEntry> fire_by_change(const PipelineState& state,
                                           const PipelineOrders& orders,
                                           const Trigger& trigger,
                                           const std::string& watch,
                                           const std::string& cursor,
                                           const World& world) {
  if (state.paused) return std::nullopt;
  const auto known = world.position(watch, false);
  if (!known || *known == cursor) return std::nullopt;
  const auto newest = world.position(watch, true);
  if (!newest || *newest == cursor) return std::nullopt;
  return fire(state, orders, trigger, *newest, world);
}

// When a run without end may begin again.
Instant next_continuous(const PipelineState& state, const Trigger& trigger) {
  const auto last = std::find_if(
      state.ended.rbegin(), state.ended.rend(),
      [&](const RunState& run) { return run.trigger == trigger.id; });
  if (last == state.ended.rend() || !last->ended_at) return Instant();
  return *last->ended_at + kContinuousDelay;
}

std::optional<JournalEntry> keep_going(const PipelineState& state,
                                       const Trigger& trigger, const World& world) {
  for (const RunState& run : state.open) {
    if (run.trigger != trigger.id) continue;
    if (!state.paused || run.cancel_requested) return std::nullopt;
    return cancellation(run, world);
  }
  if (state.paused || next_continuous(state, trigger) > world.now) return std::nullopt;
  JournalEntry entry = request_of(trigger, "", world);
  entry.wish.continuous = true;
  return entry;
}

std::optional<JournalEntry> fire_trigger(const PipelineState& state,
                                         const PipelineOrders& orders,
                                         const Trigger& trigger, const World& world) {
  const auto held = state.cursors.find(trigger.id);
  if (held == state.cursors.end()) {
    auto cursor = first_cursor(trigger, world);
    if (!cursor) return std::nullopt;
    return trigger_entry(EntryKind::trigger_began, trigger, *std::move(cursor), world);
  }
  if (const auto* after = std::get_if<AfterTrigger>(&trigger.what)) {
    return fire_after(state, orders, trigger, after->pipeline, held->second, world);
  }
  if (const auto* change = std::get_if<ChangeTrigger>(&trigger.what)) {
    return fire_by_change(state, orders, trigger, change->watch, held->second, world);
  }
  if (std::holds_alternative<ContinuousTrigger>(trigger.what)) {
    return keep_going(state, trigger, world);
  }
  const auto cursor = parse_instant(held->second);
  if (!cursor) return std::nullopt;
  return fire_by_clock(state, orders, trigger, *cursor, world);
}

bool is_ready(const RunState& run, Instant now) {
  return run.status == RunStatus::queued ||
         (run.status == RunStatus::waiting_to_retry && run.retry_at &&
          *run.retry_at <= now);
}

// The run that waits and matters most; of equals the one that waits longest.
const RunState* next_to_start(const PipelineState& state, Instant now) {
  const RunState* best = nullptr;
  for (const RunState& run : state.open) {
    if (!is_ready(run, now)) continue;
    if (best == nullptr || run.wish.priority > best->wish.priority) best = &run;
  }
  return best;
}

// With `cancel_running` the run that goes on makes room for what waits.
std::optional<JournalEntry> make_room(const PipelineState& state,
                                      const PipelineOrders& orders,
                                      const World& world) {
  if (orders.overlap != Overlap::cancel_running) return std::nullopt;
  for (const RunState& run : state.open) {
    if (run.status != RunStatus::running || run.cancel_requested) continue;
    return cancellation(run, world);
  }
  return std::nullopt;
}

std::optional<JournalEntry> start(const PipelineState& state,
                                  const PipelineOrders& orders, const World& world) {
  const RunState* run = next_to_start(state, world.now);
  if (run == nullptr) return std::nullopt;
  if (state.running() >= orders.runs_max) return make_room(state, orders, world);
  const bool has_room =
      run->wish.continuous ? world.may_start_continuous : world.may_start;
  if (!has_room) return std::nullopt;
  JournalEntry entry = entry_of(EntryKind::run_started, world.now);
  entry.run_id = run->run_id;
  entry.attempt = run->attempt + 1;
  return entry;
}

}  // namespace

std::optional<JournalEntry> decide(const PipelineState& state,
                                   const PipelineOrders& orders, const World& world) {
  if (auto entry = end_interrupted(state, orders, world)) return entry;
  if (auto entry = end_cancelled(state, world)) return entry;
  for (const Trigger& trigger : orders.triggers) {
    if (auto entry = fire_trigger(state, orders, trigger, world)) return entry;
  }
  return start(state, orders, world);
}

std::optional<Instant> next_instant(const PipelineState& state,
                                    const PipelineOrders& orders, Instant now) {
  std::optional<Instant> soonest;
  const auto consider = [&](std::optional<Instant> instant) {
    if (instant && (!soonest || *instant < *soonest)) soonest = instant;
  };
  for (const Trigger& trigger : orders.triggers) {
    const auto held = state.cursors.find(trigger.id);
    if (std::holds_alternative<ChangeTrigger>(trigger.what)) continue;  // who watches
    if (held == state.cursors.end()) {
      consider(now);
      continue;
    }
    if (std::holds_alternative<ContinuousTrigger>(trigger.what)) {
      const Instant next = next_continuous(state, trigger);
      if (state.open.empty() && !state.paused && next > now) consider(next);
      continue;
    }
    const auto cursor = parse_instant(held->second);
    if (cursor) consider(instant_behind(trigger, *cursor));
  }
  for (const RunState& run : state.open) {  // one that is due waits for room
    if (run.retry_at && *run.retry_at > now) consider(run.retry_at);
  }
  return soonest;
}

JournalEntry end_of_attempt(const RunState& run, RunOutcome outcome, Instant at) {
  JournalEntry entry = entry_of(EntryKind::run_ended, at);
  entry.run_id = run.run_id;
  entry.attempt = run.attempt;
  entry.outcome = outcome;
  return entry;
}

std::vector<Instant> instants_after(const Trigger& trigger, Instant cursor,
                                    int count_max) {
  std::vector<Instant> instants;
  while (static_cast<int>(instants.size()) < count_max) {
    const auto next = instant_behind(trigger, cursor);
    if (!next) break;
    cursor = *next;
    instants.push_back(cursor);
  }
  return instants;
}

std::chrono::milliseconds retry_delay(const Retries& retries, int attempt,
                                      double chance) {
  const std::chrono::duration<double> first = retries.delay;
  const double grown = first.count() * std::pow(retries.backoff, attempt - 1);
  const double spread = 1 + retries.jitter * (2 * chance - 1);
  const double longest = std::chrono::duration<double>(kRetryDelayMax).count();
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::duration<double>(std::min(grown * spread, longest)));
}

}  // namespace lakemill::orchestrator
