// Every event once, in one order, for whoever reads from wherever.
#include "lakemill/events/event_feed.h"

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/events/event_log_fixture_test.h"
#include "lakemill/events/event_query.h"
#include "lakemill/events/event_writer.h"
#include "lakemill/testing/crashing_store.h"
#include "lakemill/testing/manual_clock.h"

namespace lakemill::events {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testkit::HasError;
using testkit::IsOk;

constexpr std::chrono::seconds kPatience{60};

// An event as a test sees it: where it stands, and what it is.
std::vector<std::string> texts_of(const std::vector<FedEvent>& events) {
  std::vector<std::string> texts;
  for (const FedEvent& fed : events) {
    texts.push_back(to_text(fed.at) + " " + json_text(event_json(*fed.event)));
  }
  return texts;
}

class EventFeedTest : public ::testing::Test {
 protected:
  // What one process has.
  struct Process {
    std::unique_ptr<EventLog> log;
    std::unique_ptr<EventFeed> feed;
    std::unique_ptr<EventWriter> writer;
  };

  EventFeedOptions quick() {
    EventFeedOptions options;
    options.look_period = std::chrono::milliseconds(5);
    options.on_problem = [this](const Error& problem) {
      const std::lock_guard lock(mutex_);
      problems_.push_back(problem.message());
    };
    return options;
  }

  std::unique_ptr<EventLog> open_log(storage::StoreProvider& stores) {
    auto log = EventLog::open(kRoot, {stores, checkpoints_, files_, clock_, random_});
    EXPECT_THAT(log, IsOk());
    return *std::move(log);
  }

  Process start(EventFeedOptions options) { return start(disk_, std::move(options)); }

  Process start(storage::StoreProvider& stores, EventFeedOptions options) {
    Process process;
    process.log = open_log(stores);
    auto feed = EventFeed::open(*process.log, rows_, std::move(options));
    EXPECT_THAT(feed, IsOk());
    if (feed) process.feed = *std::move(feed);
    EventWriterOptions writing;
    writing.group_delay = std::chrono::milliseconds(1);
    process.writer = std::make_unique<EventWriter>(*process.log, writing);
    return process;
  }

  // A version of its own for the events.
  static void tell(Process& process, int count) {
    for (int i = 0; i < count; ++i) {
      process.writer->add(event_of(EventType::notice, ++told_));
    }
    ASSERT_THAT(process.writer->flush(), IsOk());
  }

  // All behind `position`, in pages of `page` events, until `count` are there.
  static std::vector<FedEvent> read(EventFeed& feed, FeedPosition position,
                                    std::size_t count, std::size_t page) {
    std::vector<FedEvent> found;
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (found.size() < count && std::chrono::steady_clock::now() < end) {
      auto events = feed.read_after(position, page);
      EXPECT_THAT(events, IsOk());
      if (!events) break;
      EXPECT_LE(events->events.size(), page);
      EXPECT_LE(position, events->end);
      position = events->end;
      for (FedEvent& fed : events->events) found.push_back(std::move(fed));
      if (found.size() < count) feed.wait_beyond(position, {}, kPatience);
    }
    return found;
  }

  static inline std::int64_t told_ = 0;
  testkit::MemoryStoreProvider disk_;
  testkit::ManualClock clock_;
  SeededRandom random_{7};
  NoCheckpoints checkpoints_;
  JsonFiles files_{disk_};
  JsonRows rows_{disk_};
  std::mutex mutex_;
  std::vector<std::string> problems_;  // guarded by mutex_
};

TEST_F(EventFeedTest, HasNothingWhileNothingHasHappened) {
  Process process = start(quick());
  EXPECT_EQ(process.feed->end(), FeedPosition());
  const auto page = process.feed->read_after({}, 10);
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(page->events, IsEmpty());
  EXPECT_EQ(page->end, FeedPosition());
  EXPECT_FALSE(process.feed->wait_beyond({}, {}, std::chrono::milliseconds(20)));
}

TEST_F(EventFeedTest, GivesWhatThisProcessTellsWithoutReadingFiles) {
  EventFeedOptions options = quick();
  options.look_period = std::chrono::minutes(10);
  Process process = start(options);
  tell(process, 3);
  const auto found = read(*process.feed, {}, 3, 2);
  ASSERT_THAT(found, SizeIs(3));
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].event->sequence, static_cast<std::int64_t>(i));
    if (i > 0) {
      EXPECT_LT(found[i - 1].at, found[i].at);
    }
  }
  EXPECT_EQ(process.feed->end(), found.back().at);
  EXPECT_EQ(rows_.reads, 0);
}

TEST_F(EventFeedTest, GivesEveryoneTheSameOrderWhereverTheyReadFrom) {
  Process one = start(quick());
  Process other = start(quick());
  for (int round = 0; round < 4; ++round) {
    tell(one, 3);
    tell(other, 2);
    tell(other, 1);
  }
  const auto from_one = texts_of(read(*one.feed, {}, 24, 1'000));
  ASSERT_THAT(from_one, SizeIs(24));
  EXPECT_EQ(texts_of(read(*other.feed, {}, 24, 5)), from_one);
  EventFeedOptions small = quick();
  small.events_max = 2;
  Process late = start(small);
  const auto all = read(*late.feed, {}, 24, 7);
  ASSERT_EQ(texts_of(all), from_one);
  for (std::size_t from = 0; from < all.size(); ++from) {
    for (const std::size_t page : {std::size_t{1}, std::size_t{4}}) {
      const auto rest = texts_of(read(*one.feed, all[from].at, 23 - from, page));
      EXPECT_THAT(rest, ::testing::ElementsAreArray(
                            from_one.begin() + static_cast<std::ptrdiff_t>(from) + 1,
                            from_one.end()));
    }
  }
}

TEST_F(EventFeedTest, ReadsFromTheLogWhatIsNoLongerKept) {
  for (const bool by_count : {true, false}) {
    EventFeedOptions options = quick();
    if (by_count) {
      options.events_max = 3;
    } else {
      options.bytes_max = 1'000;
    }
    testkit::MemoryStoreProvider disk;
    JsonFiles files(disk);
    JsonRows rows(disk);
    auto log = EventLog::open(kRoot, {disk, checkpoints_, files, clock_, random_});
    ASSERT_THAT(log, IsOk());
    auto feed = EventFeed::open(**log, rows, options);
    ASSERT_THAT(feed, IsOk());
    {
      EventWriter writer(**log, {});
      for (int i = 0; i < 40; ++i) {
        writer.add(event_of(EventType::notice, i));
        if (i % 3 == 0) {
          ASSERT_THAT(writer.flush(), IsOk());
        }
      }
    }
    const auto found = read(**feed, {}, 40, 6);
    ASSERT_THAT(found, SizeIs(40));
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(*found[i].event->batch, static_cast<std::int64_t>(i));
    }
    EXPECT_GT(rows.reads, 0);
  }
}

TEST_F(EventFeedTest, BeginsWithWhatComesForWhoeverStartsAtItsEnd) {
  Process before = start(quick());
  tell(before, 2);
  Process process = start(quick());
  const FeedPosition begin = process.feed->end();
  tell(before, 1);
  const auto found = read(*process.feed, begin, 1, 10);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].event->sequence, 2);
}

// Files are written together with others, and then removed for good: events keep their
// places all the same.
TEST_F(EventFeedTest, PassesOverWhatOnlyRearrangesFiles) {
  Process process = start(quick());
  tell(process, 2);
  tell(process, 1);
  Process before = start(quick());
  const auto places = texts_of(read(*before.feed, {}, 3, 10));
  auto store = disk_.open(std::string(kRoot) + "/_lakemill/events");
  ASSERT_THAT(store, IsOk());
  delta::Table table(*store, checkpoints_);
  {
    const auto snapshot = table.latest();
    ASSERT_THAT(snapshot, IsOk());
    delta::Transaction compaction(table, *snapshot);
    std::string all;
    for (const delta::AddFile& file : (*snapshot)->files()) {
      all += *(*store)->get(file.path);
      delta::RemoveFile gone = delta::removal_of(file);
      gone.data_change = false;
      compaction.remove(std::move(gone));
    }
    ASSERT_THAT((*store)->put("compacted.parquet", all), IsOk());
    delta::AddFile added;
    added.path = "compacted.parquet";
    added.size_bytes = std::ssize(all);
    added.data_change = false;
    compaction.add(std::move(added));
    const auto outcome =
        compaction.commit("OPTIMIZE", Json::object(), clock_, random_);
    ASSERT_THAT(outcome, IsOk());
    ASSERT_TRUE(std::holds_alternative<delta::Committed>(*outcome));
    for (const delta::AddFile& file : (*snapshot)->files()) {
      ASSERT_THAT((*store)->remove(file.path), IsOk());
    }
  }
  tell(process, 1);
  EXPECT_THAT(read(*process.feed, {}, 4, 10), SizeIs(4));
  Process late = start(quick());
  const auto found = read(*late.feed, {}, 4, 1);
  ASSERT_THAT(found, SizeIs(4));
  EXPECT_THAT(texts_of({found.begin(), found.begin() + 3}),
              ::testing::ElementsAreArray(places));
  EXPECT_EQ(found[3].event->sequence, 3);
  const auto page = late.feed->read_after(found.back().at, 10);
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(page->events, IsEmpty());
}

TEST_F(EventFeedTest, WakesWhoWaits) {
  EventFeedOptions options = quick();
  options.look_period = std::chrono::minutes(10);
  Process reader = start(options);
  Process other = start(quick());
  const FeedPosition begin = reader.feed->end();
  std::jthread waiting([&](const std::stop_token& stop) {
    EXPECT_TRUE(reader.feed->wait_beyond(begin, stop, kPatience));
  });
  tell(other, 1);
  reader.feed->nudge();
  waiting.join();
  std::stop_source stopping;
  std::jthread stopped([&] {
    EXPECT_FALSE(reader.feed->wait_beyond(reader.feed->end(), stopping.get_token(),
                                          std::chrono::hours(1)));
  });
  stopping.request_stop();
}

TEST_F(EventFeedTest, SaysWhatIsGoneAndGoesOn) {
  Process before = start(quick());
  tell(before, 1);
  tell(before, 1);
  const std::string first =
      std::string(kRoot) + "/_lakemill/events/_delta_log/00000000000000000000.json";
  ASSERT_TRUE(disk_.objects().contains(first));
  Process process = start(quick());
  disk_.tamper(first, nullptr);
  EXPECT_THAT(process.feed->read_after({}, 10), HasError(ErrorCode::not_found, "0"));
  EXPECT_THAT(process.feed->read_after({1, 0}, 10), IsOk());
}

TEST_F(EventFeedTest, TellsOfAFailureOnceAndGoesOnAfterIt) {
  Process reader = start(quick());
  Process other = start(quick());
  rows_.refuse = true;
  for (int round = 0; round < 5; ++round) tell(other, 1);
  const int before = rows_.reads;
  while (rows_.reads < before + 3) std::this_thread::yield();
  EXPECT_EQ(reader.feed->end(), FeedPosition());
  rows_.refuse = false;
  EXPECT_THAT(read(*reader.feed, {}, 5, 2), SizeIs(5));
  const std::lock_guard lock(mutex_);
  EXPECT_THAT(problems_, ElementsAre("read the event log: no engine"));
}

// Goal: whichever store call of a writer goes wrong, readers in its process and in
// others get each event that is in the log once, in the order of its writer.
TEST_F(EventFeedTest, HasEachEventOnceWhicheverStoreCallGoesWrong) {
  Process watcher = start(quick());
  std::size_t known = 0;
  const auto run = [&](storage::StoreProvider& stores) {
    auto log = EventLog::open(kRoot, {stores, checkpoints_, files_, clock_, random_});
    if (!log) return;
    const auto feed = EventFeed::open(**log, rows_, quick());
    EventWriterOptions options;
    options.group_delay = std::chrono::milliseconds(1);
    EventWriter writer(**log, options);
    for (int i = 0; i < 2; ++i) {
      writer.add(event_of(EventType::notice, ++told_));
      (void)writer.flush();  // may fail by design
    }
  };
  testkit::CrashingStoreProvider counting(disk_, {});
  run(counting);
  ASSERT_GT(counting.calls(), 5);
  // Looks at the log come by time: calls are not the same ones each time.
  for (std::int64_t call = 0; call < counting.calls() + 4; ++call) {
    for (const auto fault : {testkit::Fault::die_after, testkit::Fault::lose_answer,
                             testkit::Fault::refuse}) {
      testkit::CrashingStoreProvider crashing(disk_, {.fault = fault, .at_call = call});
      run(crashing);
    }
  }
  const auto log = open_log(disk_);
  const auto scan = log->scan();
  ASSERT_THAT(scan, IsOk());
  for (const data::DataFile& file : (*scan)->files()) {
    auto store = disk_.open((*scan)->table_url());
    known += split(*(*store)->get(file.path), '\n').size() - 1;
  }
  const auto found = read(*watcher.feed, {}, known, 3);
  ASSERT_EQ(found.size(), known);
  std::map<std::string, std::int64_t> last;
  for (const FedEvent& fed : found) {
    const auto before = last.find(fed.event->writer);
    if (before != last.end()) {
      EXPECT_GT(fed.event->sequence, before->second);
    }
    last[fed.event->writer] = fed.event->sequence;
  }
  EXPECT_THAT(watcher.feed->read_after(found.back().at, 1)->events, IsEmpty());
}

TEST_F(EventFeedTest, ServesManyReadersWhileManyWrite) {
  EventFeedOptions options = quick();
  options.events_max = 20;
  Process one = start(options);
  Process other = start(options);
  constexpr int kEvents = 100;
  std::vector<std::vector<std::string>> seen(4);
  {
    std::vector<std::jthread> threads;
    for (Process* process : {&one, &other}) {
      threads.emplace_back([process] {
        for (int i = 0; i < kEvents; ++i) {
          process->writer->add(event_of(EventType::notice, i));
          if (i % 10 == 0) {
            EXPECT_THAT(process->writer->flush(), IsOk());
          }
        }
      });
    }
    for (std::size_t reader = 0; reader < seen.size(); ++reader) {
      threads.emplace_back([&, reader] {
        EventFeed& feed = reader % 2 == 0 ? *one.feed : *other.feed;
        seen[reader] = texts_of(read(feed, {}, 2 * kEvents, 7 + reader));
      });
    }
  }
  ASSERT_THAT(seen[0], SizeIs(2 * kEvents));
  for (const auto& texts : seen) EXPECT_EQ(texts, seen[0]);
}

TEST(FeedPosition, IsTwoNumbersAsText) {
  EXPECT_EQ(to_text(FeedPosition{12, 3}), "12.3");
  const auto parsed = parse_feed_position("12.3");
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(*parsed, (FeedPosition{12, 3}));
  for (const char* bad : {"", "12", "12.", ".3", "-1.0", "1.-2", "1.2.3", "1.2 ",
                          "99999999999999999999.0", "1.3000000000"}) {
    EXPECT_THAT(parse_feed_position(bad),
                HasError(ErrorCode::invalid, "no position among events"))
        << bad;
  }
}

TEST(SelectInFeedOrder, OrdersByVersionWriterAndSequence) {
  EXPECT_EQ(select_in_feed_order("events", {}, 5),
            "SELECT * FROM events ORDER BY \"_commit_version\", \"writer\", "
            "\"sequence\" LIMIT 5");
  EXPECT_THAT(select_in_feed_order("events", {{3, "it's", 0, 4}}, 5),
              ::testing::HasSubstr("(VALUES (3, 'it''s', 0, 4))"));
}

}  // namespace
}  // namespace lakemill::events
