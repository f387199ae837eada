#include "lakemill/events/event_writer.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace lakemill::events {

namespace {

// A failed group is tried again after this long, unless a flush asks sooner.
constexpr std::chrono::milliseconds kRetryDelay{2'000};

std::string file_name_of(const Event& first) {
  return "events-" + first.writer + "-" + std::to_string(first.sequence) + ".parquet";
}

}  // namespace

EventWriter::EventWriter(EventLog& log, EventWriterOptions options)
    : log_(log),
      options_(std::move(options)),
      id_(make_uuid(log.random())),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

EventWriter::~EventWriter() {
  thread_.request_stop();
  work_.notify_all();
  thread_.join();
  finish();
}

EventBus::Subscription EventWriter::subscribe(EventBus::Callback callback) {
  return bus_.subscribe(std::move(callback));
}

std::string EventWriter::add(Event event) {
  event = stored_form(std::move(event));
  bus_.publish(event, [this](Event& identified) {
    const std::lock_guard lock(mutex_);
    enqueue(identified);
  });
  return id_of(event);
}

void EventWriter::enqueue(Event& event) {
  const bool was_idle = queued() == 0;
  event.writer = id_;
  event.sequence = next_sequence_++;
  event.time = log_.clock().now();
  queues_.at(static_cast<std::size_t>(describe(event.type).level)).push_back(event);
  make_room();
  if (was_idle || queued() >= options_.group_events_max) work_.notify_all();
}

void EventWriter::make_room() {
  while (queued() > options_.queue_events_max) {
    const auto least = std::find_if(queues_.begin(), queues_.end(),
                                    [](const auto& queue) { return !queue.empty(); });
    least->pop_front();
    ++dropped_;
  }
}

std::size_t EventWriter::queued() const {
  std::size_t count = 0;
  for (const auto& queue : queues_) count += queue.size();
  return count;
}

void EventWriter::tell_dropped() {
  if (dropped_ == 0) return;
  Event event;
  event.type = EventType::notices_dropped;
  event.message = std::to_string(dropped_) +
                  " events came faster than they could be written and were left out";
  event.details = Json{{"count", dropped_}};
  event = stored_form(std::move(event));
  event.writer = id_;
  event.sequence = next_sequence_++;
  event.time = log_.clock().now();
  queues_.at(static_cast<std::size_t>(describe(event.type).level))
      .push_back(std::move(event));
  dropped_ = 0;
}

std::optional<EventGroup> EventWriter::take_group() {
  tell_dropped();
  EventGroup group;
  while (group.events.size() < options_.group_events_max) {
    // the oldest of all levels, so that a writer's events stay in order
    std::deque<Event>* oldest = nullptr;
    for (auto& queue : queues_) {
      if (queue.empty()) continue;
      if (oldest == nullptr || queue.front().sequence < oldest->front().sequence) {
        oldest = &queue;
      }
    }
    if (oldest == nullptr) break;
    group.events.push_back(std::move(oldest->front()));
    oldest->pop_front();
  }
  if (group.events.empty()) return std::nullopt;
  return group;
}

void EventWriter::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (!pending_) {
      work_.wait(lock, stop, [this] { return queued() > 0; });
      // wait for more to come, but not long
      work_.wait_for(lock, stop, options_.group_delay, [this] {
        return queued() >= options_.group_events_max || flush_to_ > settled_;
      });
      if (stop.stop_requested()) return;  // finish() writes the rest
      pending_ = take_group();
      if (!pending_) continue;
    }
    const auto asked = flushes_;  // who asks from here on wants another attempt
    lock.unlock();
    try_to_write(*pending_);
    lock.lock();
    if (!pending_) continue;
    work_.wait_for(lock, stop, kRetryDelay, [&] { return flushes_ != asked; });
  }
}

// Without mutex_. Leaves pending_ empty if the group is in the table.
void EventWriter::try_to_write(EventGroup& group) {
  if (group.file_name.empty()) {
    group.file_name = file_name_of(group.events.front());
    for (const auto& event : group.events) {
      chain_ = chain_of(chain_, event);
      group.rows.append(row_of(event, chain_)).push_back('\n');
    }
  }
  auto appended = log_.append(group);
  const bool tell = !appended && !problem_told_;
  problem_told_ = !appended;
  if (tell && options_.on_problem) {
    options_.on_problem(Error(appended.error()).while_doing("write the event log"));
  }
  const std::lock_guard lock(mutex_);
  ++attempts_;
  failure_.reset();
  if (appended) {
    settled_ = group.events.back().sequence + 1;
    pending_.reset();
  } else {
    failure_ = std::move(appended).error();
  }
  answered_.notify_all();
}

Status EventWriter::flush() {
  std::unique_lock lock(mutex_);
  const auto wanted = next_sequence_;
  // events that were dropped at the end are settled with what comes before them
  if (queued() == 0 && !pending_ && dropped_ == 0) return {};
  flush_to_ = std::max(flush_to_, wanted);
  ++flushes_;
  auto seen = attempts_;
  work_.notify_all();
  while (settled_ < wanted) {
    answered_.wait(lock, [&] { return attempts_ != seen; });
    seen = attempts_;
    if (failure_) return *failure_;
  }
  return {};
}

// After the thread has ended.
void EventWriter::finish() {
  while (true) {
    if (!pending_) {
      const std::lock_guard lock(mutex_);
      pending_ = take_group();
      if (!pending_) return;
    }
    try_to_write(*pending_);
    if (pending_) break;
  }
  if (!options_.on_problem) return;
  std::unique_lock lock(mutex_);
  Error lost(failure_->code(), std::to_string(queued() + pending_->events.size()) +
                                   " events could not be written to " + log_.url() +
                                   " and are lost: " + failure_->message());
  lock.unlock();
  options_.on_problem(lost);
}

}  // namespace lakemill::events
