#include "lakemill/notify/delivery_window.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "lakemill/base/check.h"
#include "lakemill/base/json.h"

namespace lakemill::notify {

namespace {

std::size_t size_of(const events::Event& event) {
  constexpr std::size_t kRest = 512;
  return kRest + event.message.size() + json_text(event.details).size();
}

}  // namespace

std::chrono::microseconds DeliveryWindow::Entry::spent(
    std::chrono::microseconds elapsed) const {
  return spent_before + (first_attempt ? elapsed - *first_attempt
                                       : std::chrono::microseconds(0));
}

DeliveryWindow::DeliveryWindow(WindowLimits limits, const Progress& begin)
    : limits_(limits),
      read_to_(begin.position),
      lanes_(limits.lanes),
      done_before_(begin.done_beyond.begin(), begin.done_beyond.end()) {
  LAKEMILL_CHECK(limits.lanes > 0);
  for (const auto& failing : begin.failing) failing_before_[failing.at] = failing;
}

std::size_t DeliveryWindow::room() const {
  if (entries_.size() >= limits_.events_max) return 0;
  if (open_bytes_ >= limits_.bytes_max) return 0;
  return limits_.events_max - entries_.size();
}

std::size_t DeliveryWindow::open_count() const {
  std::size_t count = 0;
  for (const auto& lane : lanes_) count += lane.size();
  return count;
}

void DeliveryWindow::add(events::FedEvent fed) {
  LAKEMILL_CHECK(read_to_ < fed.at);
  const events::FeedPosition at = fed.at;
  const events::FeedPosition before = std::exchange(read_to_, at);
  if (done_before_.erase(at) > 0) {
    if (entries_.empty()) return;
    fed.event.reset();
    entries_.emplace(at, Entry{.fed = std::move(fed), .before = before});
    return;
  }
  Entry entry{.fed = std::move(fed), .before = before};
  entry.lane = std::hash<std::string>()(events::subject_of(*entry.fed.event)) %
               lanes_.size();
  entry.size_bytes = size_of(*entry.fed.event);
  const auto failing = failing_before_.find(at);
  if (failing != failing_before_.end()) {
    entry.attempts = failing->second.attempts;
    entry.spent_before = failing->second.spent;
    failing_before_.erase(failing);
  }
  open_bytes_ += entry.size_bytes;
  const auto [added, is_new] = entries_.emplace(at, std::move(entry));
  LAKEMILL_CHECK(is_new);
  lanes_[added->second.lane].push_back(&added->second);
}

void DeliveryWindow::pass(events::FeedPosition position) {
  read_to_ = std::max(read_to_, position);
  done_before_.erase(done_before_.begin(), done_before_.upper_bound(position));
  failing_before_.erase(failing_before_.begin(),
                        failing_before_.upper_bound(position));
}

DeliveryWindow::Entry* DeliveryWindow::head(std::size_t lane) {
  auto& open = lanes_.at(lane);
  return open.empty() ? nullptr : open.front();
}

void DeliveryWindow::finish(Entry& entry) {
  auto& open = lanes_.at(entry.lane);
  LAKEMILL_CHECK(!open.empty() && open.front() == &entry);
  open.pop_front();
  open_bytes_ -= entry.size_bytes;
  entry.fed.event.reset();
  trim();
}

void DeliveryWindow::trim() {
  while (!entries_.empty() && entries_.begin()->second.fed.event == nullptr) {
    entries_.erase(entries_.begin());
  }
}

events::FeedPosition DeliveryWindow::position() const {
  return entries_.empty() ? read_to_ : entries_.begin()->second.before;
}

Progress DeliveryWindow::progress(std::chrono::microseconds elapsed) const {
  using std::chrono::milliseconds;
  Progress progress{.position = position(), .done_beyond = {}, .failing = {}};
  for (const auto& [at, entry] : entries_) {
    if (entry.fed.event == nullptr) {
      progress.done_beyond.push_back(at);
    } else if (entry.attempts > 0) {
      progress.failing.push_back(
          {at, entry.attempts,
           std::chrono::duration_cast<milliseconds>(entry.spent(elapsed))});
    }
  }
  progress.done_beyond.insert(progress.done_beyond.end(), done_before_.begin(),
                              done_before_.end());
  for (const auto& [at, failing] : failing_before_) progress.failing.push_back(failing);
  return progress;
}

}  // namespace lakemill::notify
