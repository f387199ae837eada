#include "lakemill/sources/arrival_log.h"

#include <algorithm>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/testing/crashing_store.h"
#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::sources {
namespace {

using testing::ElementsAre;
using testkit::HasError;
using testkit::IsOk;

storage::ObjectInfo file(const std::string& path, std::int64_t modified_ms,
                         const std::string& etag = "e") {
  return {path, 10, modified_ms, etag};
}

std::vector<std::string> urls(const std::vector<Arrival>& arrivals) {
  std::vector<std::string> names;
  for (const Arrival& arrival : arrivals) names.push_back(arrival.url);
  return names;
}

class ArrivalLogs : public testing::Test {
 protected:
  ArrivalLog log() { return {store_, "arrivals/feed", {}}; }

  testkit::MemoryStoreProvider stores_;
  std::shared_ptr<storage::ObjectStore> store_ = *stores_.open("memory://lake");
};

TEST_F(ArrivalLogs, NumbersNewFilesByTimeThenPath) {
  ArrivalLog first = log();
  ASSERT_THAT(first.add({file("/b", 2), file("/c", 1), file("/a", 2)}, false, {}),
              IsOk());
  ASSERT_THAT(first.refresh(), IsOk());
  EXPECT_EQ(first.last(), 3);
  EXPECT_THAT(urls(first.between(0, 3)), ElementsAre("/c", "/a", "/b"));
  ASSERT_THAT(first.add({file("/a", 2), file("/early", 0)}, false, {}), IsOk());
  EXPECT_THAT(urls(first.between(3, first.last())), ElementsAre("/early"));
  EXPECT_EQ(first.find("/early")->number, 4);
  EXPECT_EQ(first.find("/none"), nullptr);

  ArrivalLog again = log();
  ASSERT_THAT(again.refresh(), IsOk());
  EXPECT_THAT(urls(again.between(0, again.last())),
              ElementsAre("/c", "/a", "/b", "/early"));
  EXPECT_EQ(again.find("/a")->modified_ms, 2);
  EXPECT_EQ(again.find("/a")->size_bytes, 10);
}

TEST_F(ArrivalLogs, KnowsTheFilesOfAProjectThatMoved) {
  ArrivalLog before(store_, "arrivals/moved", {"/old/pipelines", "/old"});
  ASSERT_THAT(before.add({file("/old/pipelines/a", 1), file("/old/data/b", 2),
                          file("/elsewhere/c", 3), file("/older/d", 4)},
                         false, {}),
              IsOk());
  ArrivalLog after(store_, "arrivals/moved", {"/new/pipelines", "/new"});
  ASSERT_THAT(after.refresh(), IsOk());
  for (const char* url :
       {"/new/pipelines/a", "/new/data/b", "/elsewhere/c", "/older/d"}) {
    EXPECT_NE(after.find(url), nullptr) << url;
  }
  EXPECT_EQ(after.find("/old/data/b"), nullptr);
}

TEST_F(ArrivalLogs, TakesAChangedFileForANewOneOnlyWhereThatIsAskedFor) {
  ArrivalLog first = log();
  ASSERT_THAT(first.add({file("/a", 1)}, false, {}), IsOk());
  ASSERT_THAT(first.add({file("/a", 2, "other")}, false, {}), IsOk());
  EXPECT_EQ(first.last(), 1);
  ASSERT_THAT(first.add({file("/a", 2, "other")}, true, {}), IsOk());
  EXPECT_EQ(first.last(), 2);
  EXPECT_EQ(first.find("/a")->number, 2);
  ASSERT_THAT(first.add({file("/a", 2, "other")}, true, {}), IsOk());
  EXPECT_EQ(first.last(), 2);
}

TEST_F(ArrivalLogs, NumbersAFileAgainThatNoBatchHasRead) {
  ArrivalLog first = log();
  ASSERT_THAT(first.add({file("/a", 1), file("/b", 1)}, false, {}), IsOk());
  ASSERT_THAT(first.add({file("/a", 2, "other"), file("/b", 1)}, false, {1}), IsOk());
  EXPECT_EQ(first.last(), 3);
  EXPECT_EQ(first.find("/a")->number, 3);
  EXPECT_EQ(first.find("/a")->instead_of, 1);
  EXPECT_TRUE(first.never_read(3, {1, 3}));
  EXPECT_FALSE(first.never_read(3, {3})) << "a batch read arrival 1";
  EXPECT_FALSE(first.never_read(3, {1})) << "a batch will read arrival 3";
  ASSERT_THAT(first.add({file("/a", 3, "third")}, false, {1}), IsOk());
  EXPECT_EQ(first.last(), 3) << "arrival 3 is to be read";
  ASSERT_THAT(first.add({file("/a", 3, "third")}, false, {3}), IsOk());
  EXPECT_EQ(first.last(), 3) << "arrival 1 was read: the change is ignored";
  ArrivalLog again = log();
  ASSERT_THAT(again.refresh(), IsOk());
  EXPECT_EQ(again.find("/a")->instead_of, 1);
}

TEST_F(ArrivalLogs, RefusesAnArrivalThatStandsForALaterOne) {
  ASSERT_THAT(
      store_->put("arrivals/feed/000000000001.json",
                  R"([{"number":1,"url":"/a","size":1,"etag":"e","instead_of":1}])"),
      IsOk());
  EXPECT_THAT(log().refresh(), HasError(ErrorCode::corrupt, "is not before it"));
}

TEST_F(ArrivalLogs, WritesNothingWhereNothingIsNew) {
  ArrivalLog first = log();
  ASSERT_THAT(first.add({}, false, {}), IsOk());
  ASSERT_THAT(first.add({file("/a", 1)}, false, {}), IsOk());
  const auto objects = stores_.objects();
  ASSERT_THAT(first.add({file("/a", 1)}, false, {}), IsOk());
  EXPECT_EQ(stores_.objects(), objects);
  EXPECT_EQ(objects.size(), 1U);
}

TEST_F(ArrivalLogs, HasADigestThatTellsTheOrder) {
  ArrivalLog first = log();
  ASSERT_THAT(first.add({file("/a", 1)}, false, {}), IsOk());
  ASSERT_THAT(first.add({file("/b", 0)}, false, {}), IsOk());
  EXPECT_EQ(first.digest(0), "");
  EXPECT_NE(first.digest(1), first.digest(2));
  ArrivalLog same = log();
  ASSERT_THAT(same.refresh(), IsOk());
  EXPECT_EQ(same.digest(2), first.digest(2));
  ArrivalLog anew(store_, "arrivals/anew",
                  FileBase{});  // all found at once: another order
  ASSERT_THAT(anew.add({file("/a", 1), file("/b", 0)}, false, {}), IsOk());
  EXPECT_NE(anew.digest(2), first.digest(2));
}

TEST_F(ArrivalLogs, OfTwoProcessesNumbersEveryFileOnce) {
  for (int round = 0; round < 30; ++round) {
    const std::string folder = "race/" + std::to_string(round);
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&, i] {
          ArrivalLog mine(store_, folder, FileBase{});
          std::vector<storage::ObjectInfo> files;
          for (int j = 0; j <= 4 + i; ++j) files.push_back(file(std::to_string(j), j));
          EXPECT_THAT(mine.add(files, false, {}), IsOk());
          EXPECT_GE(mine.last(), 0);
        });
      }
    }
    ArrivalLog all(store_, folder, FileBase{});
    ASSERT_THAT(all.refresh(), IsOk());
    auto names = urls(all.between(0, all.last()));
    std::sort(names.begin(), names.end());
    EXPECT_THAT(names, ElementsAre("0", "1", "2", "3", "4", "5", "6"));
    EXPECT_EQ(all.between(6, 7).front().number, 7);
  }
}

TEST_F(ArrivalLogs, SettlesALostAnswerByReadingWhatWasWritten) {
  for (std::int64_t call = 0; call < 3; ++call) {
    testkit::CrashingStoreProvider losing(stores_, {testkit::Fault::lose_answer, call});
    ArrivalLog first(*losing.open("memory://lake"), "lost/" + std::to_string(call),
                     FileBase{});
    (void)first.add({file("/a", 1), file("/b", 2)}, false, {});
    ArrivalLog again(store_, "lost/" + std::to_string(call), FileBase{});
    ASSERT_THAT(again.add({file("/a", 1), file("/b", 2)}, false, {}), IsOk());
    EXPECT_THAT(urls(again.between(0, again.last())), ElementsAre("/a", "/b"));
  }
}

// Every file comes alone, as in a stream.
TEST_F(ArrivalLogs, ReadsALongLogFromItsCheckpointAndWhatCameAfter) {
  ArrivalLog writer{store_, "arrivals/long", {"/base", "/base"}};
  for (int i = 0; i < 120; ++i) {
    const std::string path = (i % 2 == 0 ? "/base/" : "/far/") + std::to_string(i);
    ASSERT_THAT(writer.add({file(path, i)}, false, {}), IsOk());
  }
  const std::string checkpoint = "memory://lake/arrivals/long/checkpoint.json";
  ASSERT_TRUE(stores_.objects().contains(checkpoint));

  testkit::CrashingStoreProvider counted(stores_, {});
  ArrivalLog reader{
      *counted.open("memory://lake"), "arrivals/long", {"/base", "/base"}};
  ASSERT_THAT(reader.refresh(), IsOk());
  EXPECT_EQ(reader.last(), 120);
  EXPECT_EQ(urls(reader.between(0, 120)), urls(writer.between(0, 120)));
  EXPECT_EQ(reader.digest(120), writer.digest(120));
  EXPECT_LT(counted.calls(), 60) << "not every object is read";
  const auto opened = counted.calls();
  ASSERT_THAT(reader.refresh(), IsOk());
  EXPECT_EQ(counted.calls(), opened + 1) << "the next object is asked for by its name";

  // What is wrong with a checkpoint does no harm.
  const std::string damaged = R"([{"number": 7}])";
  for (const std::string* content :
       {&damaged, static_cast<const std::string*>(nullptr)}) {
    stores_.tamper(checkpoint, content);
    ArrivalLog without{store_, "arrivals/long", {"/base", "/base"}};
    ASSERT_THAT(without.refresh(), IsOk());
    EXPECT_EQ(without.digest(120), writer.digest(120));
    const auto objects = stores_.objects();
    ASSERT_TRUE(content != nullptr || !objects.contains(checkpoint))
        << "who only reads writes none";
    ASSERT_THAT(without.add({}, false, {}), IsOk());
    EXPECT_TRUE(stores_.objects().contains(checkpoint));
  }
}

TEST_F(ArrivalLogs, TellsOfDamageAndGaps) {
  ArrivalLog first = log();
  ASSERT_THAT(first.add({file("/a", 1)}, false, {}), IsOk());
  ASSERT_THAT(first.add({file("/b", 1)}, false, {}), IsOk());
  const std::string object = "memory://lake/arrivals/feed/000000000001.json";
  ASSERT_TRUE(stores_.objects().contains(object));
  const std::string damaged = "[{\"number\":";
  stores_.tamper(object, &damaged);
  ArrivalLog reader = log();
  EXPECT_THAT(reader.refresh(), HasError(ErrorCode::corrupt, "is damaged"));
  stores_.tamper(object, nullptr);
  ArrivalLog gap = log();
  EXPECT_THAT(gap.refresh(), HasError(ErrorCode::corrupt, "lacks arrival 1"));
}

}  // namespace
}  // namespace lakemill::sources
