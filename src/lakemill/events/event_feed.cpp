#include "lakemill/events/event_feed.h"

#include <algorithm>
#include <utility>

#include "lakemill/base/check.h"
#include "lakemill/base/text.h"
#include "lakemill/delta/change_feed.h"

namespace lakemill::events {

namespace {

constexpr delta::Version kVersionsPerRead = 32;
constexpr std::int64_t kRowsPerReadMax = 1'000'000'000;  // of those: all
constexpr std::size_t kOwnGroupsMax = 64;  // beyond it they come from the log

// About as much as its row.
std::size_t size_of(const Event& event) {
  constexpr std::size_t kRest = 256;
  return kRest + event.message.size() + json_text(event.details).size();
}

}  // namespace

Result<std::unique_ptr<EventFeed>> EventFeed::open(EventLog& log, EventRows& rows,
                                                   EventFeedOptions options) {
  std::unique_ptr<EventFeed> feed(new EventFeed(log, rows, std::move(options)));
  // Followed first: what comes between is known twice rather than not at all.
  log.follow([feed = feed.get()](delta::Version version, const EventGroup& group) {
    feed->hear(version, group);
  });
  LAKEMILL_TRY(const delta::Version newest, log.newest_version());
  feed->skip_to(newest + 1);
  feed->thread_ = std::jthread(
      [feed = feed.get()](const std::stop_token& stop) { feed->run(stop); });
  return feed;
}

EventFeed::EventFeed(EventLog& log, EventRows& rows, EventFeedOptions options)
    : log_(log), rows_(rows), options_(std::move(options)) {}

EventFeed::~EventFeed() {
  log_.follow(nullptr);
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

FeedPosition EventFeed::end() const {
  const std::lock_guard lock(mutex_);
  return end_;
}

void EventFeed::nudge() {
  const std::lock_guard lock(mutex_);
  nudged_ = true;
  wanted_.notify_all();
}

bool EventFeed::wait_beyond(FeedPosition position, const std::stop_token& stop,
                            std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return grown_.wait_for(lock, stop, timeout, [&] { return position < end_; });
}

Result<FeedPage> EventFeed::read_after(FeedPosition position, std::size_t count_max) {
  LAKEMILL_CHECK(count_max > 0);
  while (true) {
    FeedPosition begin;
    {
      const std::lock_guard lock(mutex_);
      if (begin_ <= position) return page_of_kept(position, count_max);
      begin = begin_;
    }
    // Older than what is kept: from the log, up to where that begins.
    const delta::Version last = begin.index > 0 ? begin.version : begin.version - 1;
    const delta::Version to = std::min(last, position.version + kVersionsPerRead - 1);
    const std::int64_t rows_max = static_cast<std::int64_t>(count_max) + position.index;
    LAKEMILL_TRY(Batch batch, read(position.version, to, rows_max));
    FeedPage page;
    for (Kept& kept : batch.events) {
      if (position < kept.fed.at) page.events.push_back(std::move(kept.fed));
    }
    const bool is_cut = batch.row_count == rows_max;
    page.end = std::max(position, is_cut ? batch.end : FeedPosition{to + 1, 0});
    if (!page.events.empty()) return page;
    position = page.end;
  }
}

FeedPage EventFeed::page_of_kept(FeedPosition position, std::size_t count_max) const {
  FeedPage page;
  auto next = std::upper_bound(
      kept_.begin(), kept_.end(), position,
      [](FeedPosition sought, const Kept& kept) { return sought < kept.fed.at; });
  while (next != kept_.end() && page.events.size() < count_max) {
    page.events.push_back((next++)->fed);
  }
  const bool is_cut = next != kept_.end();
  page.end = is_cut ? page.events.back().at : std::max(position, end_);
  return page;
}

// On the thread of who appended.
void EventFeed::hear(delta::Version version, const EventGroup& group) {
  const std::lock_guard lock(mutex_);
  own_[version] = group.rows;
  if (own_.size() > kOwnGroupsMax) own_.erase(own_.begin());
  wanted_.notify_all();
}

void EventFeed::run(const std::stop_token& stop) {
  bool at_store = true;
  while (!stop.stop_requested()) {
    const auto looked = look(at_store);
    const bool tell = !looked && !problem_told_;
    problem_told_ = !looked;
    if (tell && options_.on_problem) {
      options_.on_problem(Error(looked.error()).while_doing("read the event log"));
    }
    std::unique_lock lock(mutex_);
    // After a failure only what others say or time passes is a reason to try again.
    const bool in_time = wanted_.wait_for(lock, stop, options_.look_period, [&] {
      return nudged_ || (looked.has_value() && !own_.empty());
    });
    at_store = !in_time || nudged_;
    nudged_ = false;
  }
}

// Takes what there is from next_ on; only what this process appended, and what must lie
// before that, unless `at_store`.
Status EventFeed::look(bool at_store) {
  delta::Version newest = -1;
  if (at_store) {
    if (options_.before_look) options_.before_look();
    LAKEMILL_TRY(newest, log_.newest_version());
  }
  while (true) {
    std::string rows;
    delta::Version to = newest;
    {
      const std::lock_guard lock(mutex_);
      own_.erase(own_.begin(), own_.lower_bound(next_));
      if (!own_.empty() && own_.begin()->first == next_) {
        rows = std::move(own_.begin()->second);
        own_.erase(own_.begin());
      } else if (!own_.empty()) {
        to = own_.begin()->first - 1;
      }
    }
    if (!rows.empty()) {
      keep(events_in(rows, next_), next_ + 1);
      continue;
    }
    if (to < next_) return {};
    to = std::min(to, next_ + kVersionsPerRead - 1);
    auto batch = read(next_, to, kRowsPerReadMax);
    if (!batch && batch.error().code() == ErrorCode::not_found) {
      skip_to(to + 1);  // whoever wants them is told so by read_after()
    }
    if (!batch) return std::move(batch).error();
    keep(*std::move(batch), to + 1);
  }
}

EventFeed::Batch EventFeed::events_in(const std::string& rows, delta::Version version) {
  Batch batch;
  batch.end.version = version;
  for (const std::string_view line : split(rows, '\n')) {
    if (line.empty()) continue;
    ++batch.row_count;
    ++batch.end.index;
    const auto columns = parse_json(line);
    LAKEMILL_CHECK(columns.has_value());  // row_of() has written it
    auto event = event_from_columns(*columns);
    LAKEMILL_CHECK(event.has_value());
    batch.events.push_back(
        {{batch.end, std::make_shared<const Event>(*std::move(event))}, line.size()});
  }
  return batch;
}

Result<EventFeed::Batch> EventFeed::read(delta::Version from, delta::Version to,
                                         std::int64_t rows_max) {
  Batch batch;
  batch.end.version = -1;
  LAKEMILL_TRY(const AddedEvents added, log_.added(from, to));
  if (added.scan->files().empty()) return batch;
  LAKEMILL_TRY(const data::Rows rows, rows_.read(added, rows_max));
  for (const auto& row : rows.rows) {
    const Json columns = columns_of_row(rows.schema, row);
    const auto version = integer_member(columns, delta::kCommitVersion, -1);
    if (version != batch.end.version) batch.end = {version, 0};
    ++batch.row_count;
    ++batch.end.index;
    auto event = event_from_columns(columns);
    if (!event) continue;  // `events verify` names it
    const std::size_t size_bytes = size_of(*event);
    batch.events.push_back(
        {{batch.end, std::make_shared<const Event>(*std::move(event))}, size_bytes});
  }
  return batch;
}

void EventFeed::keep(Batch batch, delta::Version next) {
  next_ = next;
  const std::lock_guard lock(mutex_);
  for (Kept& kept : batch.events) {
    kept_bytes_ += kept.size_bytes;
    end_ = kept.fed.at;
    kept_.push_back(std::move(kept));
  }
  while (kept_.size() > options_.events_max || kept_bytes_ > options_.bytes_max) {
    begin_ = kept_.front().fed.at;
    kept_bytes_ -= kept_.front().size_bytes;
    kept_.pop_front();
  }
  if (!batch.events.empty()) grown_.notify_all();
}

void EventFeed::skip_to(delta::Version next) {
  next_ = next;
  const std::lock_guard lock(mutex_);
  kept_.clear();
  kept_bytes_ = 0;
  begin_ = end_ = {next, 0};
  grown_.notify_all();
}

}  // namespace lakemill::events
