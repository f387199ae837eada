#include "lakemill/notify/subscription.h"

#include <algorithm>
#include <span>
#include <utility>

#include "lakemill/base/check.h"
#include "lakemill/base/folder_name.h"

namespace lakemill::notify {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::size_t kEventsPerRead = 64;
constexpr milliseconds kKeepPeriod{1'000};
// Where nothing was delivered: events that are not for it may be looked at again.
constexpr milliseconds kKeepPassedPeriod{30'000};
constexpr milliseconds kWaitMax{500};  // for events; a stop ends it

std::string position_path(const std::string& name) {
  return subscription_folder(name) + "position.json";
}

}  // namespace

Result<std::unique_ptr<Subscription>> Subscription::open(
    SubscriptionSpec spec, SubscriptionServices services) {
  LAKEMILL_TRY_OK(check_folder_name(spec.name));
  if (!spec.selector.where.empty() && services.predicates == nullptr) {
    return Error(ErrorCode::invalid, "subscription " + spec.name +
                                         ": nobody is there to judge its condition");
  }
  const std::string path = position_path(spec.name);
  auto found = services.store.get(path);
  if (!found && found.error().code() == ErrorCode::not_found) {
    const Progress begin{.position = spec.begin.value_or(services.source.end()),
                         .done_beyond = {},
                         .failing = {}};
    // Kept at once: what happens from here on shall not be missed after a crash.
    const auto put = services.store.put_if_absent(path, text_of(begin));
    if (!put && put.error().code() != ErrorCode::exists) return put.error();
    found = services.store.get(path);
  }
  LAKEMILL_TRY(const std::string text, std::move(found));
  auto progress = parse_progress(text);
  if (!progress) {
    return std::move(progress).error().while_doing(services.store.url() + "/" + path);
  }
  return std::unique_ptr<Subscription>(
      new Subscription(std::move(spec), services, progress.value()));
}

Subscription::Subscription(SubscriptionSpec spec, SubscriptionServices services,
                           const Progress& progress)
    : spec_(std::move(spec)),
      own_subject_("subscription/" + spec_.name),
      services_(services),
      letters_(services.store, spec_.name),
      window_(spec_.limits, progress),
      kept_(progress) {}

Subscription::~Subscription() = default;

void Subscription::run(const std::stop_token& stop) {
  std::vector<Lane> lanes(spec_.limits.lanes);
  while (!stop.stop_requested()) {
    keep_progress(false);
    const bool has_read = read();
    start_lanes(lanes, stop);
    if (has_read) continue;
    std::unique_lock lock(mutex_);
    const auto finished = finished_;
    const auto wakes = wakes_;
    if (window_.room() == 0 || is_told(Trouble::reading)) {
      changed_.wait_for(lock, stop, kWaitMax,
                        [&] { return finished_ != finished || wakes_ != wakes; });
      continue;
    }
    const auto read_to = window_.read_to();
    lock.unlock();
    (void)services_.source.wait_beyond(read_to, stop, kWaitMax);
  }
  lanes.clear();  // waits for their threads, which `stop` ends
  keep_progress(true);
}

bool Subscription::step(const std::stop_token& stop) {
  keep_progress(false);
  const bool has_read = read();
  DeliveryWindow::Entry* due = nullptr;
  {
    const std::lock_guard lock(mutex_);
    const auto now = services_.clock.elapsed();
    for (std::size_t turn = 0; turn < window_.lanes() && due == nullptr; ++turn) {
      next_lane_ = (next_lane_ + 1) % window_.lanes();
      due = window_.head(next_lane_);
      if (due != nullptr && due->due > now) due = nullptr;
    }
  }
  if (due == nullptr) return has_read;
  attempt(*due, stop);
  return true;
}

void Subscription::wake() {
  const std::lock_guard lock(mutex_);
  ++wakes_;
  changed_.notify_all();
}

SubscriptionStatus Subscription::status() const {
  const std::lock_guard lock(mutex_);
  SubscriptionStatus status = status_;
  status.position = window_.position();
  status.waiting = window_.open_count();
  status.is_full = window_.room() == 0;
  return status;
}

// ---------------------------------------------------------------------------- reading

// True: the position moved, or can move at once.
bool Subscription::read() {
  events::FeedPosition from;
  std::size_t room = 0;
  {
    const std::lock_guard lock(mutex_);
    from = window_.read_to();
    room = window_.room();
  }
  if (room == 0) return false;
  auto page = services_.source.read_after(from, std::min(room, kEventsPerRead));
  if (!page && page.error().code() == ErrorCode::not_found) {
    return reset(from);
  }
  auto passed = page ? selected(page->events)
                     : Result<std::vector<events::FedEvent>>(page.error());
  if (!passed) {
    tell(Trouble::reading, std::move(passed).error().while_doing("read events"));
    return false;
  }
  const std::lock_guard lock(mutex_);
  is_told(Trouble::reading) = false;
  for (auto& fed : passed.value()) window_.add(std::move(fed));
  window_.pass(page->end);
  return !page->events.empty();
}

Result<std::vector<events::FedEvent>> Subscription::selected(
    const std::vector<events::FedEvent>& events) {
  std::vector<events::FedEvent> passed;
  std::copy_if(events.begin(), events.end(), std::back_inserter(passed),
               [&](const events::FedEvent& fed) {
                 return events::subject_of(*fed.event) != own_subject_ &&
                        spec_.selector.may_pass(*fed.event);
               });
  if (spec_.selector.where.empty() || passed.empty()) return passed;
  LAKEMILL_TRY(const std::vector<bool> holds, judge(passed));
  std::vector<events::FedEvent> held;
  for (std::size_t at = 0; at < passed.size(); ++at) {
    if (holds[at]) held.push_back(std::move(passed[at]));
  }
  return held;
}

// An event of which the condition cannot be judged does not pass, and holds up no other.
Result<std::vector<bool>> Subscription::judge(
    std::span<const events::FedEvent> events) {
  auto holds = services_.predicates->hold(spec_.selector.where, events);
  if (holds) {
    LAKEMILL_CHECK(holds->size() == events.size());
    return holds;
  }
  if (holds.error().code() != ErrorCode::invalid) return holds;
  if (events.size() == 1) {
    const Error error = std::move(holds).error().while_doing(
        "judge event " + events::id_of(*events.front().event));
    services_.observer.on_problem(spec_.name, error);
    const std::lock_guard lock(mutex_);
    note_error(error.message());
    return std::vector<bool>{false};
  }
  const std::size_t half = events.size() / 2;
  LAKEMILL_TRY(auto judged, judge(events.first(half)));
  LAKEMILL_TRY(const auto rest, judge(events.subspan(half)));
  judged.insert(judged.end(), rest.begin(), rest.end());
  return judged;
}

bool Subscription::reset(events::FeedPosition lost) {
  auto oldest = services_.source.oldest_beyond(lost);
  if (!oldest) {
    tell(Trouble::reading, std::move(oldest).error().while_doing("read events"));
    return false;
  }
  services_.observer.on_reset(spec_.name, lost, oldest.value());
  const std::lock_guard lock(mutex_);
  window_.pass(oldest.value());
  note_error("events behind " + events::to_text(lost) + " are gone from the log up to " +
             events::to_text(oldest.value()));
  return true;
}

void Subscription::keep_progress(bool at_once) {
  Progress progress;
  std::int64_t finished = 0;
  const auto now = services_.clock.elapsed();
  {
    const std::lock_guard lock(mutex_);
    const microseconds period =
        finished_ != kept_finished_ ? kKeepPeriod : kKeepPassedPeriod;
    if (!at_once && kept_at_ && now - *kept_at_ < period) return;
    progress = window_.progress(now);
    finished = finished_;
  }
  kept_at_ = now;
  if (progress == kept_) return;
  const auto put =
      services_.store.put(position_path(spec_.name), text_of(progress));
  if (!put) {
    tell(Trouble::keeping, Error(put.error()).while_doing("keep the position"));
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    is_told(Trouble::keeping) = false;
  }
  kept_ = std::move(progress);
  kept_finished_ = finished;
}

void Subscription::tell(Trouble trouble, const Error& error) {
  bool is_new = false;
  {
    const std::lock_guard lock(mutex_);
    is_new = !std::exchange(is_told(trouble), true);
    note_error(error.message());
  }
  if (is_new) services_.observer.on_problem(spec_.name, error);
}

// ------------------------------------------------------------------------- delivering

void Subscription::start_lanes(std::vector<Lane>& lanes, const std::stop_token& stop) {
  for (std::size_t index = 0; index < lanes.size(); ++index) {
    Lane& lane = lanes[index];
    {
      const std::lock_guard lock(mutex_);
      if (lane.is_running || window_.head(index) == nullptr) continue;
      lane.is_running = true;
    }
    // The one before has nothing left to do but to end.
    lane.thread = std::jthread([this, &lane, index, stop] { run_lane(lane, index, stop); });
  }
}

void Subscription::run_lane(Lane& lane, std::size_t index,
                            const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    DeliveryWindow::Entry* head = window_.head(index);
    if (head == nullptr) break;
    const auto pause = head->due - services_.clock.elapsed();
    if (pause > microseconds(0)) {
      const auto wakes = wakes_;
      changed_.wait_for(lock, stop, pause, [&] { return wakes_ != wakes; });
      continue;
    }
    lock.unlock();
    attempt(*head, stop);
    lock.lock();
  }
  lane.is_running = false;
}

void Subscription::attempt(DeliveryWindow::Entry& entry, const std::stop_token& stop) {
  if (entry.refusal.empty() && !deliver(entry, stop)) return;
  if (!entry.refusal.empty()) {
    put_dead_letter(entry);
    return;
  }
  const std::lock_guard lock(mutex_);
  ++status_.delivered;
  status_.failures = 0;
  status_.last_delivery_at = services_.clock.now();
  window_.finish(entry);
  ++finished_;
  changed_.notify_all();
}

// False: to be tried again. True: it was delivered, or the entry has a refusal.
bool Subscription::deliver(DeliveryWindow::Entry& entry, const std::stop_token& stop) {
  std::int64_t attempt = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!entry.first_attempt) entry.first_attempt = services_.clock.elapsed();
    attempt = entry.attempts + 1;
  }
  auto outcome = services_.target.deliver({entry.fed, attempt}, stop);
  if (outcome.verdict == Verdict::delivered) return true;
  const std::lock_guard lock(mutex_);
  if (outcome.verdict == Verdict::again && stop.stop_requested()) return false;
  note_failure(entry, std::move(outcome));
  return !entry.refusal.empty();
}

void Subscription::note_failure(DeliveryWindow::Entry& entry, DeliveryOutcome outcome) {
  ++entry.attempts;
  ++status_.failures;
  note_error(outcome.error);
  const auto now = services_.clock.elapsed();
  const microseconds pause =
      std::max(pause_after(entry.attempts),
               microseconds(outcome.pause.value_or(milliseconds(0))));
  const auto& retries = spec_.retries;
  const bool is_over =
      (retries.attempts_max && entry.attempts >= *retries.attempts_max) ||
      entry.spent(now) + pause > retries.total_max;
  entry.due = now + pause;
  if (outcome.verdict != Verdict::refused && !is_over) return;
  entry.refusal = outcome.error.empty() ? "no reason was given" : outcome.error;
}

microseconds Subscription::pause_after(std::int64_t attempts) {
  constexpr std::int64_t kDoublingsMax = 30;  // keeps the factor within its type
  const std::int64_t factor = std::int64_t{1} << std::min(attempts - 1, kDoublingsMax);
  const microseconds delay =
      std::min<microseconds>(spec_.retries.delay_max, spec_.retries.delay_min * factor);
  const double share = static_cast<double>(services_.random.next() >> 11U) * 0x1p-53;
  return microseconds(static_cast<std::int64_t>(static_cast<double>(delay.count()) *
                                                (0.5 + share)));
}

// Where it cannot be written, that is tried again: the event is not lost.
void Subscription::put_dead_letter(DeliveryWindow::Entry& entry) {
  const DeadLetter letter{entry.fed, entry.attempts, entry.refusal,
                          services_.clock.now()};
  const auto put = letters_.put(letter);
  if (!put) {
    tell(Trouble::writing_letters,
         Error(put.error()).while_doing("write a dead letter"));
    const std::lock_guard lock(mutex_);
    entry.due = services_.clock.elapsed() + pause_after(1);
    return;
  }
  if (letter.event.event->type != events::EventType::delivery_failed) {
    services_.observer.on_dead_letter(spec_.name, letter);
  }
  const std::lock_guard lock(mutex_);
  is_told(Trouble::writing_letters) = false;
  ++status_.dead_letters;
  window_.finish(entry);
  ++finished_;
  changed_.notify_all();
}

void Subscription::note_error(std::string error) {
  status_.last_error = std::move(error);
  status_.last_error_at = services_.clock.now();
}

// ----------------------------------------------------------------------- dead letters

Result<std::vector<DeadLetter>> Subscription::dead_letters(
    std::optional<events::FeedPosition> after, std::size_t count_max) {
  return letters_.list(after, count_max);
}

Status Subscription::redeliver(events::FeedPosition at, const std::stop_token& stop) {
  LAKEMILL_TRY(const DeadLetter letter, letters_.get(at));
  const auto outcome =
      services_.target.deliver({letter.event, letter.attempts + 1}, stop);
  if (outcome.verdict != Verdict::delivered) {
    return Error(ErrorCode::unavailable,
                 "event " + events::id_of(*letter.event.event) +
                     " was not delivered to subscription " + spec_.name + ": " +
                     outcome.error);
  }
  return letters_.remove(at);
}

}  // namespace lakemill::notify
