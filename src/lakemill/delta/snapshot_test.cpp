#include "lakemill/delta/snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/delta/log_folder.h"
#include "lakemill/testing/manual_clock.h"
#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::delta {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testkit::HasError;
using testkit::IsOk;
using testkit::IsOkAnd;

class SnapshotTest : public ::testing::Test {
 protected:
  static AddFile add(const std::string& path) { return LogFolder::add(path); }
  static RemoveFile removal(const std::string& path) {
    return LogFolder::removal(path);
  }

  static std::vector<std::string> paths(const Snapshot& snapshot) {
    std::vector<std::string> all;
    for (const AddFile& file : snapshot.files()) all.push_back(file.path);
    return all;
  }
  std::vector<std::string> latest_paths() {
    const auto snapshot = table_.latest();
    EXPECT_THAT(snapshot, IsOk());
    return snapshot ? paths(**snapshot) : std::vector<std::string>();
  }
  Version latest_version() {
    const auto snapshot = table_.latest();
    EXPECT_THAT(snapshot, IsOk());
    return snapshot ? (*snapshot)->version() : -1;
  }
  // Version 0 with file a, then one more file a commit: b, c, …
  void commit_files(Version newest) {
    log_.commit(0, {Protocol{}, LogFolder::metadata(), add("a")});
    for (Version version = 1; version <= newest; ++version) {
      log_.commit(version, {add(std::string(1, static_cast<char>('a' + version)))});
    }
  }

  LogFolder log_{testkit::make_memory_store()};
  Table table_ = log_.table();
};

TEST_F(SnapshotTest, SaysThatThereIsNoTable) {
  EXPECT_THAT(table_exists(log_.store()), IsOkAnd(false));
  EXPECT_THAT(table_.latest(), HasError(ErrorCode::not_found, "no Delta table here"));
  EXPECT_THAT(table_.latest(), HasError(ErrorCode::not_found, "memory://test"));
  commit_files(0);
  EXPECT_THAT(table_exists(log_.store()), IsOkAnd(true));
}

TEST_F(SnapshotTest, ReplaysCommitsInOrder) {
  log_.commit(0, {Protocol{}, LogFolder::metadata(), add("b"), add("a")});
  log_.commit(1, {removal("a"), add("c"), SetTransaction{"flow", 1, 5},
                  DomainMetadata{"d", "1", false}, DomainMetadata{"e", "2", false}});
  log_.commit(2, {SetTransaction{"flow", 7, 6}, DomainMetadata{"d", "", true}});
  const auto snapshot = table_.latest();
  ASSERT_THAT(snapshot, IsOk());
  EXPECT_EQ((*snapshot)->version(), 2);
  EXPECT_THAT(paths(**snapshot), ElementsAre("b", "c"));
  EXPECT_EQ((*snapshot)->transaction("flow"), 7);
  EXPECT_EQ((*snapshot)->transaction("other"), std::nullopt);
  ASSERT_EQ((*snapshot)->domains().size(), 1U);
  EXPECT_EQ((*snapshot)->domains()[0].domain, "e");
  ASSERT_EQ((*snapshot)->tombstones().size(), 1U);
  EXPECT_EQ((*snapshot)->tombstones()[0].path, "a");
  EXPECT_EQ((*snapshot)->metadata(), LogFolder::metadata());
}

TEST_F(SnapshotTest, TakesTheSameFileWithAnotherVectorForAnotherFile) {
  AddFile with_vector = add("a");
  with_vector.deletion_vector =
      DeletionVectorDescriptor{"i", "abc", std::nullopt, 1, 1};
  RemoveFile removed_vector = removal("a");
  removed_vector.deletion_vector = with_vector.deletion_vector;
  log_.commit(0, {Protocol{}, LogFolder::metadata(), add("a")});
  log_.commit(1, {with_vector, removal("a")});
  const auto one = table_.latest();
  ASSERT_THAT(one, IsOk());
  ASSERT_EQ((*one)->files().size(), 1U);
  EXPECT_TRUE((*one)->files()[0].deletion_vector);
  log_.commit(2, {removed_vector, add("a")});
  const auto two = table_.latest();
  ASSERT_THAT(two, IsOk());
  ASSERT_EQ((*two)->files().size(), 1U);
  EXPECT_FALSE((*two)->files()[0].deletion_vector);
}

TEST_F(SnapshotTest, MeetsRemovalsInOtherSpellings) {
  log_.commit(0, {Protocol{}, LogFolder::metadata(), add("/x/a%20b"), add("c%23"),
                  add("file:/y")});
  log_.commit(1, {removal("file:///x/a b"), removal("c#"), removal("/y")});
  EXPECT_THAT(latest_paths(), IsEmpty());
}

TEST_F(SnapshotTest, MovesForwardByTheNewCommitsOnly) {
  commit_files(1);
  const auto one = table_.latest();
  ASSERT_THAT(one, IsOk());
  EXPECT_EQ(*table_.latest(), *one);
  log_.put(LogFolder::name(0) + ".json", "damaged behind our back");
  log_.commit(2, {removal("a"), add("c")});
  EXPECT_THAT(latest_paths(), ElementsAre("b", "c"));
  EXPECT_THAT(paths(**one), ElementsAre("a", "b"));
}

TEST_F(SnapshotTest, SeesThatATableWasMadeAnew) {
  commit_files(2);
  EXPECT_EQ(latest_version(), 2);
  for (Version version = 0; version <= 2; ++version) {
    log_.remove(LogFolder::name(version) + ".json");
  }
  EXPECT_THAT(table_.latest(), HasError(ErrorCode::not_found, "no Delta table"));
  log_.commit(0, {Protocol{}, LogFolder::metadata(), add("new")});
  log_.commit(1, {});
  log_.commit(2, {});
  EXPECT_THAT(latest_paths(), ElementsAre("new"));
}

TEST_F(SnapshotTest, NamesAGapInTheLog) {
  commit_files(3);
  log_.remove(LogFolder::name(2) + ".json");
  EXPECT_THAT(table_.latest(), HasError(ErrorCode::corrupt, "version 2 is missing"));
  EXPECT_THAT(table_.at_version(1), IsOk());
}

TEST_F(SnapshotTest, NamesTheVersionAndTheLineThatAreBroken) {
  commit_files(1);
  log_.put(LogFolder::name(2) + ".json", "{\"add\":{\"path\":\"x\"");
  EXPECT_THAT(table_.latest(), HasError(ErrorCode::corrupt, "version 2"));
  EXPECT_THAT(table_.latest(), HasError(ErrorCode::corrupt, "line 1"));
}

TEST_F(SnapshotTest, NeedsAProtocolAndMetadata) {
  log_.commit(0, {LogFolder::metadata()});
  EXPECT_THAT(table_.latest(), HasError(ErrorCode::corrupt, "no protocol action"));
  log_.commit(0, {Protocol{}});
  EXPECT_THAT(table_.latest(), HasError(ErrorCode::corrupt, "no metaData action"));
}

TEST_F(SnapshotTest, RefusesAProtocolThatItDoesNotKnow) {
  log_.commit(0, {Protocol{99, 99, {}, {}}, LogFolder::metadata()});
  EXPECT_THAT(table_.latest(), HasError(ErrorCode::unsupported, "99"));
  log_.commit(0, {Protocol{3, 7, {"sheared"}, {"sheared"}}, LogFolder::metadata()});
  const auto snapshot = table_.latest();
  ASSERT_THAT(snapshot, IsOk());
  EXPECT_THAT((*snapshot)->scan(), HasError(ErrorCode::unsupported, "sheared"));
}

TEST_F(SnapshotTest, BeginsWithTheNewestCheckpoint) {
  commit_files(5);
  log_.checkpoint(1, {Protocol{}, LogFolder::metadata(), add("old")});
  log_.checkpoint(3, {Protocol{}, LogFolder::metadata(), add("x"), removal("y"),
                      SetTransaction{"flow", 9, {}}});
  log_.remove(LogFolder::name(0) + ".json");
  const auto snapshot = table_.latest();
  ASSERT_THAT(snapshot, IsOk());
  EXPECT_THAT(paths(**snapshot), ElementsAre("e", "f", "x"));
  EXPECT_EQ((*snapshot)->transaction("flow"), 9);
  EXPECT_EQ((*snapshot)->tombstones().size(), 1U);
  EXPECT_EQ(log_.format().read_count, 1);

  const auto old = table_.at_version(2);
  ASSERT_THAT(old, IsOk());
  EXPECT_THAT(paths(**old), ElementsAre("c", "old"));
  EXPECT_THAT(table_.at_version(0), HasError(ErrorCode::not_found, "versions 1 to 5"));
  EXPECT_THAT(table_.at_version(6), HasError(ErrorCode::not_found, "versions 1 to 5"));
  EXPECT_THAT(table_.at_version(-1), HasError(ErrorCode::not_found, "version -1"));
}

TEST_F(SnapshotTest, DoesNotTrustTheLastCheckpointFile) {
  commit_files(4);
  log_.checkpoint(2, {Protocol{}, LogFolder::metadata(), add("x")});
  log_.checkpoint(3, {Protocol{}, LogFolder::metadata(), add("z")});
  for (const char* text : {"not json", R"({"version":99})", R"({"version":2,"size":1})",
                           R"({"version":1})", R"({"version":4})"}) {
    log_.put("_last_checkpoint", text);
    const auto snapshot = log_.table().latest();
    ASSERT_THAT(snapshot, IsOk()) << text;
    EXPECT_THAT(paths(**snapshot), ElementsAre("e", "z")) << text;
  }
}

TEST_F(SnapshotTest, FallsBackToAnOlderCheckpointThatCanBeRead) {
  commit_files(4);
  log_.checkpoint(1, {Protocol{}, LogFolder::metadata(), add("x")});
  log_.put(LogFolder::name(3) + ".checkpoint.parquet", "!");
  log_.put("_last_checkpoint", R"({"version":3,"size":1})");
  EXPECT_THAT(latest_paths(), ElementsAre("c", "d", "e", "x"));
  log_.put(LogFolder::name(1) + ".checkpoint.parquet", "!");
  const auto replayed = log_.table().latest();
  ASSERT_THAT(replayed, IsOk());
  EXPECT_THAT(paths(**replayed), ElementsAre("a", "b", "c", "d", "e"));
  log_.remove(LogFolder::name(0) + ".json");
  EXPECT_THAT(log_.table().latest(),
              HasError(ErrorCode::corrupt, "the checkpoint of version 3"));
}

TEST_F(SnapshotTest, BelievesACheckpointThatCanBeReadEvenIfItIsWrong) {
  commit_files(2);
  log_.checkpoint(1, {LogFolder::metadata(), add("x")});
  EXPECT_THAT(table_.latest(), HasError(ErrorCode::corrupt, "no protocol action"));
}

TEST_F(SnapshotTest, LeavesOutAnIncompleteMultiPartCheckpoint) {
  commit_files(3);
  const std::string name = LogFolder::name(2) + ".checkpoint.";
  log_.put(name + "0000000001.0000000002.parquet",
           LogFolder::lines({Protocol{}, LogFolder::metadata(), add("x")}));
  EXPECT_THAT(latest_paths(), ElementsAre("a", "b", "c", "d"));
  log_.put(name + "0000000002.0000000002.parquet", LogFolder::lines({add("y")}));
  const auto snapshot = log_.table().latest();
  ASSERT_THAT(snapshot, IsOk());
  EXPECT_THAT(paths(**snapshot), ElementsAre("d", "x", "y"));
}

TEST_F(SnapshotTest, ReadsV2CheckpointsWithTheirSidecars) {
  commit_files(3);
  log_.put("_sidecars/one.parquet", LogFolder::lines({add("x"), add("y")}));
  log_.put("_sidecars/two.parquet", LogFolder::lines({removal("z")}));
  const std::vector<Action> manifest = {
      CheckpointMetadata{2}, Protocol{}, LogFolder::metadata(),
      Sidecar{"one.parquet", 1, 1},
      Sidecar{"file:/t/_delta_log/_sidecars/two.parquet"}};
  const std::string name =
      LogFolder::name(2) + ".checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.";
  for (const char* kind : {"json", "parquet"}) {
    log_.put(name + kind, LogFolder::lines(manifest));
    const auto snapshot = log_.table().latest();
    ASSERT_THAT(snapshot, IsOk()) << kind;
    EXPECT_THAT(paths(**snapshot), ElementsAre("d", "x", "y"));
    EXPECT_EQ((*snapshot)->tombstones().size(), 1U);
    log_.remove(name + kind);
  }
  log_.put(name + "json", LogFolder::lines(manifest));
  log_.remove("_sidecars/two.parquet");
  const auto replayed = log_.table().latest();
  ASSERT_THAT(replayed, IsOk());
  EXPECT_THAT(paths(**replayed), ElementsAre("a", "b", "c", "d"));
}

TEST_F(SnapshotTest, KeepsWorkingWhenOnlyTheCheckpointIsLeft) {
  log_.checkpoint(7, {Protocol{}, LogFolder::metadata(), add("x")});
  EXPECT_EQ(latest_version(), 7);
  EXPECT_EQ(latest_version(), 7);
  log_.commit(8, {add("y")});
  EXPECT_THAT(latest_paths(), ElementsAre("x", "y"));
}

TEST_F(SnapshotTest, GivesTheSameOldSnapshotWhileSomebodyHoldsIt) {
  commit_files(3);
  const auto one = table_.at_version(1);
  ASSERT_THAT(one, IsOk());
  EXPECT_EQ(*table_.at_version(1), *one);
  EXPECT_THAT(paths(**one), ElementsAre("a", "b"));
}

// ---- time ----

class TimeTravelTest : public ::testing::Test {
 protected:
  static Instant ms(std::int64_t value) {
    return Instant(std::chrono::milliseconds(value));
  }
  static CommitInfo info(std::int64_t in_commit_ms) {
    return {Json{{"operation", "WRITE"}, {"inCommitTimestamp", in_commit_ms}}};
  }
  Version version_at(std::int64_t time_ms) {
    const auto snapshot = table_.at_time(ms(time_ms));
    EXPECT_THAT(snapshot, IsOk());
    return snapshot ? (*snapshot)->version() : -1;
  }
  void commit_at(std::int64_t time_ms, Version version,
                 const std::vector<Action>& actions) {
    clock_.set(ms(time_ms));
    log_.commit(version, actions);
  }

  testkit::ManualClock clock_{ms(0)};
  testkit::MemoryStoreProvider provider_{clock_};
  LogFolder log_{provider_.open("memory://test").value()};
  Table table_ = log_.table();
};

TEST_F(TimeTravelTest, FollowsTheFilesTimesMadeMonotone) {
  commit_at(1000, 0, {Protocol{}, LogFolder::metadata()});
  commit_at(3000, 1, {});
  commit_at(2000, 2, {});  // a clock that was set back: counts as 3001
  commit_at(9000, 3, {});
  EXPECT_EQ(version_at(1000), 0);
  EXPECT_EQ(version_at(2999), 0);
  EXPECT_EQ(version_at(3000), 1);
  EXPECT_EQ(version_at(3001), 2);
  EXPECT_EQ(version_at(99999), 3);
  EXPECT_THAT(table_.at_time(ms(999)),
              HasError(ErrorCode::not_found, "version 0 of 1970-01-01T00:00:01"));
  EXPECT_EQ((*table_.latest())->timestamp_ms(), 9000);
}

TEST_F(TimeTravelTest, FollowsTheCommitsOwnTimesWhereTheTableHasThem) {
  Metadata metadata = LogFolder::metadata();
  metadata.configuration = {{"delta.enableInCommitTimestamps", "true"},
                            {"delta.inCommitTimestampEnablementVersion", "2"},
                            {"delta.inCommitTimestampEnablementTimestamp", "5000"}};
  commit_at(1000, 0, {Protocol{}, LogFolder::metadata()});
  commit_at(2000, 1, {});
  commit_at(90000, 2,
            {info(5000), Protocol{1, 7, {}, {"inCommitTimestamp"}}, metadata});
  commit_at(90001, 3, {info(6000)});
  commit_at(90002, 4, {info(7000)});
  EXPECT_EQ(version_at(1500), 0);
  EXPECT_EQ(version_at(4999), 1);
  EXPECT_EQ(version_at(5000), 2);
  EXPECT_EQ(version_at(6999), 3);
  EXPECT_EQ(version_at(7000), 4);
  EXPECT_EQ((*table_.latest())->timestamp_ms(), 7000);
  const auto history = table_.history(10);
  ASSERT_THAT(history, IsOk());
  EXPECT_EQ((*history)[0].timestamp_ms, 7000);
  EXPECT_EQ((*history)[4].timestamp_ms, 1000);
}

TEST_F(TimeTravelTest, TellsTheHistoryNewestFirst) {
  commit_at(1000, 0,
            {CommitInfo{Json{{"operation", "CREATE TABLE"}}}, Protocol{},
             LogFolder::metadata()});
  commit_at(2000, 1, {LogFolder::add("a")});
  commit_at(3000, 2, {LogFolder::add("b"), CommitInfo{Json{{"operation", "WRITE"}}}});
  const auto history = table_.history(100);
  ASSERT_THAT(history, IsOk());
  ASSERT_EQ(history->size(), 3U);
  EXPECT_EQ((*history)[0].operation, "WRITE");
  EXPECT_EQ((*history)[1].operation, "");
  EXPECT_EQ((*history)[2].operation, "CREATE TABLE");
  EXPECT_EQ((*history)[1].timestamp_ms, 2000);
  EXPECT_EQ(table_.history(2)->size(), 2U);
}

// ---- following ----

TEST_F(SnapshotTest, GivesTheActionsOfCommits) {
  commit_files(2);
  const auto commits = table_.commits(1, 2);
  ASSERT_THAT(commits, IsOk());
  ASSERT_EQ(commits->size(), 2U);
  EXPECT_EQ(std::get<AddFile>((*commits)[1].actions[0]).path, "c");
  EXPECT_THAT(table_.commits(1, 3), HasError(ErrorCode::not_found, "version 3"));
}

TEST_F(SnapshotTest, GivesTheFilesThatARangeAppended) {
  commit_files(2);
  AddFile rearranged = add("ab");
  rearranged.data_change = false;
  RemoveFile from = removal("b");
  from.data_change = false;
  log_.commit(3, {rearranged, from});
  log_.commit(4, {add("e")});
  const auto scan = table_.appended(1, 4);
  ASSERT_THAT(scan, IsOk());
  std::vector<std::string> found;
  for (const data::DataFile& file : (*scan)->files()) {
    found.push_back(file.path + "@" + std::to_string(file.version));
  }
  EXPECT_THAT(found, ElementsAre("b@1", "c@2", "e@4"));
  EXPECT_EQ((*scan)->version(), 4);
  const auto none = table_.appended(5, 4);
  ASSERT_THAT(none, IsOk());
  EXPECT_THAT((*none)->files(), IsEmpty());
  log_.commit(5, {removal("a"), add("f")});
  EXPECT_THAT(table_.appended(1, 5),
              HasError(ErrorCode::invalid, "version 5 removed rows"));
  log_.commit(6, {CommitInfo{Json{{"operation", "MERGE"}}}, removal("f"), add("g")});
  EXPECT_THAT(table_.appended(6, 6),
              HasError(ErrorCode::invalid, "version 6 (MERGE) removed rows"));
}

}  // namespace
}  // namespace lakemill::delta
