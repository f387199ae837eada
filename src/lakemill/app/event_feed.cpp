#include "lakemill/app/event_feed.h"

#include <cstdio>

#include "lakemill/events/event_query.h"
#include "lakemill/sources/folder_watch.h"
#include "lakemill/storage/path.h"

namespace lakemill::app {

namespace {

class EngineEventRows final : public events::EventRows {
 public:
  EngineEventRows(engine::Engine& engine, Clock& clock)
      : engine_(engine), clock_(clock) {}

  Result<data::Rows> read(const events::AddedEvents& added,
                          std::int64_t rows_max) override {
    LAKEMILL_TRY(const auto session,
                 engine_.open_session({clock_.now(), 0, {}, {}, {}, {}}));
    LAKEMILL_TRY_OK(session->bind("events", engine::TableRelation{added.scan}));
    return session->query(
        events::select_in_feed_order("events", added.groups, rows_max),
        engine::Origin::lakemill, rows_max);
  }

 private:
  engine::Engine& engine_;
  Clock& clock_;
};

class WatchedFeed final : public ProjectFeed {
 public:
  WatchedFeed(engine::Engine& engine, Clock& clock) : rows_(engine, clock) {}

  Status start(events::EventLog& log, std::chrono::milliseconds look_period) {
    folder_ = log.url();
    if (!storage::has_scheme(folder_)) {
      watch_ = sources::FolderWatch::start([this](const std::string&) { nudge(); });
    }
    events::EventFeedOptions options;
    options.look_period = look_period;
    options.on_problem = [](const Error& error) {
      std::fprintf(stderr, "lakemill: warning: %s\n", error.message().c_str());
    };
    // The folder comes with the first event.
    options.before_look = [this] {
      if (watch_ != nullptr && !is_watched_) is_watched_ = watch_->watch(folder_);
    };
    LAKEMILL_TRY(auto feed, events::EventFeed::open(log, rows_, std::move(options)));
    const std::lock_guard lock(mutex_);
    feed_ = std::move(feed);
    return {};
  }

  ~WatchedFeed() override {
    std::unique_ptr<events::EventFeed> feed;
    {
      const std::lock_guard lock(mutex_);
      feed = std::move(feed_);  // no nudge reaches it from here on
    }
    feed.reset();  // its thread has done with the watch
  }

  events::EventFeed& feed() override { return *feed_; }

 private:
  void nudge() {
    const std::lock_guard lock(mutex_);
    if (feed_ != nullptr) feed_->nudge();
  }

  EngineEventRows rows_;
  std::string folder_;
  std::unique_ptr<sources::FolderWatch> watch_;
  bool is_watched_ = false;  // only the feed's thread
  std::mutex mutex_;
  std::unique_ptr<events::EventFeed> feed_;  // for nudges guarded by mutex_
};

}  // namespace

Result<std::unique_ptr<ProjectFeed>> ProjectFeed::open(
    Workbench& workbench, std::chrono::milliseconds look_period) {
  LAKEMILL_TRY(events::EventLog * log, workbench.event_log());
  auto feed = std::make_unique<WatchedFeed>(workbench.engine(), workbench.clock());
  LAKEMILL_TRY_OK(feed->start(*log, look_period));
  return std::unique_ptr<ProjectFeed>(std::move(feed));
}

}  // namespace lakemill::app
