// Events from add() to rows of the log's table.
#include "lakemill/events/event_writer.h"

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "lakemill/events/event_log_fixture_test.h"
#include "lakemill/testing/crashing_store.h"
#include "lakemill/testing/manual_clock.h"
#include "lakemill/testing/matchers.h"

namespace lakemill::events {
namespace {

using ::testing::IsEmpty;
using testkit::HasError;
using testkit::IsOk;

class EventWriterTest : public ::testing::Test {
 protected:
  std::unique_ptr<EventLog> open(storage::StoreProvider& stores) {
    auto log = EventLog::open(kRoot, {stores, checkpoints_, files_, clock_, random_});
    EXPECT_THAT(log, IsOk());
    return *std::move(log);
  }
  EventWriterOptions quick() {
    EventWriterOptions options;
    options.on_problem = [this](const Error& problem) {
      const std::lock_guard lock(mutex_);
      problems_.push_back(problem.message());
    };
    options.group_delay = std::chrono::milliseconds(5);
    return options;
  }
  // The rows of all files that the table names, by writer and sequence.
  std::map<std::pair<std::string, std::int64_t>, Json> rows() {
    std::map<std::pair<std::string, std::int64_t>, Json> found;
    auto scan = open(disk_)->scan();
    EXPECT_THAT(scan, IsOk());
    if (!scan) return found;
    auto store = disk_.open(std::string(kRoot) + "/_lakemill/events");
    for (const auto& file : (*scan)->files()) {
      auto text = (*store)->get(file.path);
      EXPECT_THAT(text, IsOk());
      for (const auto& line : split(*text, '\n')) {
        if (line.empty()) continue;
        auto row = parse_json(line);
        EXPECT_THAT(row, IsOk());
        const std::pair key(string_member(*row, "writer", ""),
                            integer_member(*row, "sequence", -1));
        EXPECT_TRUE(found.emplace(key, *row).second) << "twice: " << line;
      }
    }
    return found;
  }

  testkit::MemoryStoreProvider disk_;
  testkit::ManualClock clock_;
  SeededRandom random_{7};
  NoCheckpoints checkpoints_;
  JsonFiles files_{disk_};
  std::mutex mutex_;
  std::vector<std::string> problems_;  // guarded by mutex_
};

TEST_F(EventWriterTest, WritesWhatWasAddedWhenItGoes) {
  auto log = open(disk_);
  EXPECT_THAT(log->scan(), HasError(ErrorCode::not_found, ""));
  std::string writer_id;
  {
    EventWriter writer(*log, quick());
    writer_id = writer.id();
    writer.add(event_of(EventType::run_started, 1));
    writer.add(event_of(EventType::run_succeeded, 2));
  }
  const auto found = rows();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found.at({writer_id, 0}).at("type"), "run_started");
  EXPECT_EQ(found.at({writer_id, 1}).at("batch"), 2);
  EXPECT_THAT(problems_, IsEmpty());
}

TEST_F(EventWriterTest, GroupsEventsIntoFewCommits) {
  auto log = open(disk_);
  auto options = quick();
  options.group_delay = std::chrono::minutes(10);
  EventWriter writer(*log, options);
  for (int batch = 0; batch < 2'500; ++batch) {
    writer.add(event_of(EventType::batch_planned, batch));
  }
  ASSERT_THAT(writer.flush(), IsOk());
  EXPECT_EQ(rows().size(), 2'500U);
  EXPECT_LE(files_.writes, 5);
  EXPECT_THAT(writer.flush(), IsOk());
}

TEST_F(EventWriterTest, WritesSoonWithoutBeingAsked) {
  auto log = open(disk_);
  EventWriter writer(*log, quick());
  writer.add(event_of(EventType::notice, 0));
  for (int wait = 0; wait < 500 && !log->scan(); ++wait) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(rows().size(), 1U);
}

TEST_F(EventWriterTest, ChainsTheEventsOfAWriter) {
  auto log = open(disk_);
  std::vector<Event> told;
  {
    EventWriter writer(*log, quick());
    auto subscription =
        writer.subscribe([&](const Event& event) { told.push_back(event); });
    for (int batch = 0; batch < 5; ++batch) {
      writer.add(event_of(EventType::retry, batch));
      if (batch == 2) {
        EXPECT_THAT(writer.flush(), IsOk());
      }
    }
  }
  const auto found = rows();
  ASSERT_EQ(told.size(), 5U);
  std::string chain(kChainBegin);
  for (const auto& event : told) {
    chain = chain_of(chain, event);
    EXPECT_EQ(found.at({event.writer, event.sequence}).at("chain"), chain);
  }
}

TEST_F(EventWriterTest, GivesTheIdOfAnEventForOthersToNameAsTheirCause) {
  auto log = open(disk_);
  std::string first;
  {
    EventWriter writer(*log, quick());
    first = writer.add(event_of(EventType::run_started, 0));
    EXPECT_EQ(first, writer.id() + "-0");
    Event second = event_of(EventType::node_started, 1);
    second.caused_by = first;
    second.actor = "ada";
    writer.add(std::move(second));
  }
  for (const auto& [key, row] : rows()) {
    EXPECT_EQ(row.at("caused_by"), key.second == 0 ? Json() : Json(first));
    EXPECT_EQ(row.at("actor"), key.second == 0 ? Json() : Json("ada"));
  }
}

// A log from before there were subject, caused_by and actor gets them with the next
// event, by whichever of two processes comes first.
TEST_F(EventWriterTest, AddsColumnsThatAnOlderLogLacks) {
  data::Schema older = event_schema();
  older.fields.resize(older.fields.size() - 3);
  ASSERT_EQ(older.fields.back().name, "chain");
  auto store = disk_.open(std::string(kRoot) + "/_lakemill/events");
  ASSERT_THAT(store, IsOk());
  delta::Table table(*std::move(store), checkpoints_);
  {
    delta::Transaction creation(table, delta::NewTable{.schema = older,
                                                       .partition_columns = {},
                                                       .configuration = {},
                                                       .name = {},
                                                       .description = {}});
    ASSERT_THAT(creation.commit("CREATE TABLE", Json::object(), clock_, random_),
                IsOk());
  }
  auto log = open(disk_);
  auto other_log = open(disk_);
  auto scan = log->scan();
  ASSERT_THAT(scan, IsOk());
  EXPECT_EQ((*scan)->schema(), event_schema());
  {
    EventWriter writer(*log, quick());
    EventWriter other(*other_log, quick());
    std::vector<std::jthread> threads;
    for (EventWriter* each : {&writer, &other}) {
      threads.emplace_back([each] {
        for (int batch = 0; batch < 5; ++batch) {
          each->add(event_of(EventType::notice, batch));
          EXPECT_THAT(each->flush(), IsOk());
        }
      });
    }
  }
  EXPECT_EQ(rows().size(), 10U);
  const auto snapshot = table.latest();
  ASSERT_THAT(snapshot, IsOk());
  EXPECT_EQ((*snapshot)->metadata().schema, event_schema());
  EXPECT_THAT(problems_, IsEmpty());
}

TEST_F(EventWriterTest, TakesEventsFromManyThreadsAndManyWriters) {
  auto log = open(disk_);
  auto other_log = open(disk_);
  {
    EventWriter writer(*log, quick());
    EventWriter other(*other_log, quick());
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        for (int batch = 0; batch < 200; ++batch) {
          (thread % 2 == 0 ? writer : other).add(event_of(EventType::notice, batch));
          if (batch % 50 == 0) {
            EXPECT_THAT(writer.flush(), IsOk());
          }
        }
      });
    }
  }
  EXPECT_EQ(rows().size(), 800U);
  EXPECT_THAT(problems_, IsEmpty());
}

TEST_F(EventWriterTest, TellsOfAFailureOnceAndWritesLater) {
  auto log = open(disk_);
  {
    EventWriter writer(*log, quick());
    files_.refuse = true;
    writer.add(event_of(EventType::run_started, 0));
    EXPECT_THAT(writer.flush(), HasError(ErrorCode::unavailable, "full"));
    writer.add(event_of(EventType::run_succeeded, 1));
    EXPECT_THAT(writer.flush(), HasError(ErrorCode::unavailable, "full"));
    {
      const std::lock_guard lock(mutex_);
      EXPECT_THAT(problems_,
                  ::testing::ElementsAre("write the event log: the disk is full"));
    }
    files_.refuse = false;
    EXPECT_THAT(writer.flush(), IsOk());
  }
  EXPECT_EQ(rows().size(), 2U);
  EXPECT_EQ(problems_.size(), 1U);
}

// The answer to a commit was lost; before it is tried again its file is written together
// with others, so that the table names it no more.
TEST_F(EventWriterTest, DoesNotRepeatAGroupWhoseFileWasPutTogetherWithOthers) {
  auto log = open(disk_);
  EventGroup group;
  Event event = event_of(EventType::notice, 0);
  event.writer = "w";
  group.file_name = "events-w-0.parquet";
  group.rows = row_of(event, chain_of(kChainBegin, event)) + "\n";
  group.events = {event};
  ASSERT_THAT(log->append(group), IsOk());
  auto store = disk_.open(std::string(kRoot) + "/_lakemill/events");
  ASSERT_THAT(store, IsOk());
  delta::Table table(*store, checkpoints_);
  const auto snapshot = table.latest();
  ASSERT_THAT(snapshot, IsOk());
  delta::Transaction compaction(table, *snapshot);
  delta::AddFile together = (*snapshot)->files().front();
  delta::RemoveFile gone = delta::removal_of(together);
  gone.data_change = together.data_change = false;
  together.path = "together.parquet";
  ASSERT_THAT((*store)->put(together.path, group.rows), IsOk());
  compaction.remove(std::move(gone));
  compaction.add(std::move(together));
  ASSERT_THAT(compaction.commit("OPTIMIZE", Json::object(), clock_, random_), IsOk());
  EXPECT_THAT(log->append(group), IsOk());
  EXPECT_EQ(rows().size(), 1U);  // rows() fails on an event that is there twice
}

TEST_F(EventWriterTest, SaysHowManyEventsAreLostInTheEnd) {
  auto log = open(disk_);
  files_.refuse = true;
  {
    EventWriter writer(*log, quick());
    for (int batch = 0; batch < 3; ++batch)
      writer.add(event_of(EventType::notice, batch));
  }
  ASSERT_FALSE(problems_.empty());
  EXPECT_THAT(problems_.back(), ::testing::HasSubstr("3 events could not be written"));
}

TEST_F(EventWriterTest, DropsTheOldestRemarksWhenTooMuchWaitsAndSaysSo) {
  auto log = open(disk_);
  auto options = quick();
  options.queue_events_max = 10;
  options.group_delay = std::chrono::minutes(10);
  {
    EventWriter writer(*log, options);
    for (int batch = 0; batch < 8; ++batch)
      writer.add(event_of(EventType::notice, batch));
    for (int batch = 8; batch < 14; ++batch) {
      writer.add(event_of(EventType::node_failed, batch));
    }
    EXPECT_THAT(writer.flush(), IsOk());
  }
  std::vector<std::int64_t> batches;
  std::vector<std::string> notices;
  for (const auto& [key, row] : rows()) {
    if (row.at("type") == "notices_dropped") {
      notices.push_back(row.at("details").get<std::string>());
    } else {
      batches.push_back(row.at("batch").get<std::int64_t>());
    }
  }
  EXPECT_THAT(batches, ::testing::ElementsAre(4, 5, 6, 7, 8, 9, 10, 11, 12, 13));
  EXPECT_THAT(notices, ::testing::ElementsAre(R"({"count":4})"));
}

// Goal: an event that a process told is in the log once, or lost with the process, but
// never twice, whichever store call goes wrong. Where the process lives on, it is
// there.
TEST_F(EventWriterTest, HasEachEventOnceWhicheverStoreCallGoesWrong) {
  const auto run = [this](storage::StoreProvider& stores) {
    auto log = open(stores);
    EventWriter writer(*log, quick());
    writer.add(event_of(EventType::run_started, 0));
    (void)writer.flush();  // may fail by design
    writer.add(event_of(EventType::run_succeeded, 1));
    (void)writer.flush();
  };
  testkit::CrashingStoreProvider counting(disk_, {});
  run(counting);
  ASSERT_GT(counting.calls(), 2);
  for (std::int64_t call = 0; call < counting.calls(); ++call) {
    for (const auto fault : {testkit::Fault::die_before, testkit::Fault::die_after,
                             testkit::Fault::lose_answer, testkit::Fault::refuse}) {
      SCOPED_TRACE(::testing::Message()
                   << counting.trace()[static_cast<std::size_t>(call)] << ", fault "
                   << static_cast<int>(fault));
      const auto before = rows().size();
      testkit::CrashingStoreProvider crashing(disk_, {.fault = fault, .at_call = call});
      run(crashing);
      const auto after = rows().size();  // rows() fails on an event that is there twice
      ASSERT_LE(after, before + 2);
      if (!crashing.died()) {
        ASSERT_EQ(after, before + 2);
      }
    }
  }
}

}  // namespace
}  // namespace lakemill::events
