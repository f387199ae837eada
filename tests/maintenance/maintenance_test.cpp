// Optimize, vacuum, restore and the upkeep of the log, over real files.
#include <atomic>
#include <thread>

#include "table_fixture.h"

namespace lakemill::dml {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using testkit::HasError;
using testkit::IsOk;

const Properties kVectors = {{"delta.enableDeletionVectors", "true"}};

class Maintenance : public MaintenanceTest {
 protected:
  void append_rows(int count, const std::string& part) {
    for (int i = 0; i < count; ++i) {
      ASSERT_THAT(
          world_.append("(" + std::to_string(next_id_++) + ", " + part + ", 1)"),
          IsOk());
    }
  }

  std::vector<std::string> stored(const std::string& prefix) {
    std::vector<std::string> paths;
    const auto objects = world_.store().list(prefix, "");
    EXPECT_THAT(objects, IsOk());
    for (const auto& info : *objects) paths.push_back(info.path);
    return paths;
  }

  std::string operation_of_newest() {
    return world_.table().history(1)->front().operation;
  }

  int next_id_ = 0;
};

TEST_F(Maintenance, OptimizeWritesTheSmallFilesOfAPartitionTogether) {
  ASSERT_THAT(world_.create(kVectors, true), IsOk());
  append_rows(3, "'a b'");
  append_rows(3, "NULL");
  append_rows(1, "'alone'");
  const RowTexts before = world_.rows();
  const auto done = world_.optimize();
  ASSERT_THAT(done, IsOk());
  EXPECT_EQ(done->version, 8);
  EXPECT_EQ(done->files_removed, 6);
  EXPECT_EQ(done->files_added, 2);
  EXPECT_EQ(world_.file_count(), 3U);
  EXPECT_EQ(world_.rows(), before);
  EXPECT_EQ(operation_of_newest(), "OPTIMIZE");
  for (const delta::AddFile& file : (*world_.table().latest())->files()) {
    EXPECT_THAT(file.stats, HasSubstr("numRecords"));
  }
  const auto again = world_.optimize();
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->version, -1);
  EXPECT_EQ(world_.version(), 8);
}

TEST_F(Maintenance, OptimizeWritesFilesAnewThatLostMuch) {
  ASSERT_THAT(world_.create(kVectors, false), IsOk());
  ASSERT_THAT(world_.append("(1, 'a', 1), (2, 'a', 2), (3, 'a', 3)"), IsOk());
  ASSERT_THAT(world_.remove("id = 2"), IsOk());
  const auto done = world_.optimize();
  ASSERT_THAT(done, IsOk());
  EXPECT_EQ(done->files_removed, 1);
  EXPECT_THAT(world_.rows(), ElementsAre("1|a|1", "3|a|3"));
  for (const delta::AddFile& file : (*world_.table().latest())->files()) {
    EXPECT_FALSE(file.deletion_vector.has_value());
  }
  // A file of which all rows are gone leaves nothing behind.
  ASSERT_THAT(world_.append("(7, 'a', 1), (8, 'a', 2)"), IsOk());
  ASSERT_THAT(world_.remove("id > 6"), IsOk());
  ASSERT_THAT(world_.optimize(), IsOk());
  EXPECT_THAT(world_.rows(), ElementsAre("1|a|1", "3|a|3"));
}

TEST_F(Maintenance, OptimizeIsPutBehindAppendsAndGivesUpFilesThatOthersChanged) {
  ASSERT_THAT(world_.create(kVectors, true), IsOk());
  append_rows(2, "'a'");
  append_rows(2, "'b'");
  TableWorld other(stores_, clock_, 7);
  const auto stale = *world_.table().latest();
  ASSERT_THAT(other.append("(50, 'a', 1)"), IsOk());
  ASSERT_THAT(other.remove("id = 0"), IsOk());
  // Files 0 and 1 are of partition a: the bin of that partition is lost.
  delta::Transaction transaction(world_.table(), stale);
  for (const delta::AddFile& file : stale->files()) {
    if (file.partition_values.at("part") != "a") continue;
    delta::RemoveFile remove = delta::removal_of(file);
    remove.data_change = false;
    transaction.remove(std::move(remove));
  }
  const auto outcome =
      transaction.commit("OPTIMIZE", Json::object(), clock_, world_.random());
  ASSERT_THAT(outcome, IsOk());
  EXPECT_TRUE(std::holds_alternative<delta::Conflicted>(*outcome));
  const auto done = world_.optimize();
  ASSERT_THAT(done, IsOk());
  EXPECT_EQ(done->bins_lost, 0);
  EXPECT_THAT(world_.rows(), ElementsAre("1|a|1", "2|b|1", "3|b|1", "50|a|1"));
}

TEST_F(Maintenance, OptimizeWorksBesideWriters) {
  ASSERT_THAT(world_.create(kVectors, true), IsOk());
  append_rows(4, "'a'");
  constexpr int kRounds = 15;
  TableWorld appender(stores_, clock_, 11);
  TableWorld merger(stores_, clock_, 12);
  TableWorld optimizer(stores_, clock_, 13);
  std::atomic<int> failures = 0;
  const auto must = [&](const auto& result) {
    if (!result) {
      ++failures;
      ADD_FAILURE() << result.error().message();
    }
  };
  {
    std::jthread appends([&] {
      for (int i = 0; i < kRounds; ++i) {
        must(appender.append("(" + std::to_string(1000 + i) + ", 'a', 0)"));
      }
    });
    std::jthread merges([&] {
      for (int i = 0; i < kRounds; ++i) {
        must(merger.merge("(" + std::to_string(i % 4) + ", 'a', " + std::to_string(i) +
                          ")"));
      }
    });
    std::jthread optimizes([&] {
      for (int i = 0; i < kRounds; ++i) must(optimizer.optimize());
    });
  }
  ASSERT_EQ(failures, 0);
  EXPECT_THAT(
      world_.query("SELECT count(*), count(DISTINCT id) FROM t"),
      ElementsAre(std::to_string(kRounds + 4) + "|" + std::to_string(kRounds + 4)));
  EXPECT_THAT(world_.query("SELECT id, v FROM t WHERE id < 4"),
              ElementsAre("0|12", "1|13", "2|14", "3|11"));
  EXPECT_THAT(world_.misfit(1, world_.version()), IsEmpty());
}

TEST_F(Maintenance, VacuumRemovesWhatNoVersionOfTheRetentionNames) {
  ASSERT_THAT(world_.create({{"delta.enableDeletionVectors", "true"},
                             {"delta.enableChangeDataFeed", "true"}},
                            true),
              IsOk());
  append_rows(3, "'a'");
  ASSERT_THAT(world_.merge("(0, 'a', 7)"), IsOk());
  ASSERT_THAT(world_.optimize(), IsOk());
  const RowTexts before = world_.rows();
  ASSERT_THAT(world_.store().put("part=a/orphan.parquet", "x"), IsOk());
  ASSERT_THAT(world_.store().put("_hidden/file", "x"), IsOk());
  ASSERT_THAT(world_.store().put(".hidden", "x"), IsOk());
  ASSERT_THAT(world_.store().put("inner/_delta_log/00000000000000000000.json", "x"),
              IsOk());
  ASSERT_THAT(world_.store().put("inner/data.parquet", "x"), IsOk());

  pass_days(6);
  auto done = world_.vacuum({});
  ASSERT_THAT(done, IsOk());
  EXPECT_THAT(done->paths, IsEmpty());
  pass_days(2);
  ASSERT_THAT(world_.store().put("part=a/young.parquet", "x"), IsOk());
  const auto dry = world_.vacuum({std::nullopt, false, true});
  ASSERT_THAT(dry, IsOk());
  // Three appended files and one of the merge, the orphan, the change file.
  EXPECT_THAT(dry->paths, SizeIs(6));
  EXPECT_THAT(dry->paths, Contains("part=a/orphan.parquet"));
  EXPECT_THAT(dry->paths, Contains(StartsWith("_change_data/part=a/cdc-")));
  const delta::Version version = world_.version();
  done = world_.vacuum({});
  ASSERT_THAT(done, IsOk());
  EXPECT_EQ(done->paths, dry->paths);
  for (const std::string& path : done->paths) {
    EXPECT_THAT(world_.store().head(path), HasError(ErrorCode::not_found, ""));
  }
  for (const char* path :
       {"part=a/young.parquet", "_hidden/file", ".hidden", "inner/data.parquet"}) {
    EXPECT_THAT(world_.store().head(path), IsOk()) << path;
  }
  EXPECT_EQ(world_.rows(), before);
  EXPECT_EQ(world_.version(), version + 2);
  const auto history = world_.table().history(2);
  EXPECT_EQ(history->at(0).operation, "VACUUM END");
  EXPECT_EQ(history->at(1).operation, "VACUUM START");
}

TEST_F(Maintenance, VacuumKeepsWhatTimeTravelNeeds) {
  ASSERT_THAT(world_.create(kVectors, false), IsOk());
  append_rows(3, "'a'");
  pass_days(10);
  const RowTexts then = world_.rows();
  const delta::Version version = world_.version();
  ASSERT_THAT(world_.remove("id = 1"), IsOk());
  ASSERT_THAT(world_.remove("id = 2"), IsOk());
  ASSERT_THAT(world_.optimize(), IsOk());
  pass_days(6);
  ASSERT_THAT(world_.vacuum({}), IsOk());
  EXPECT_EQ(world_.rows_at(version), then);
  EXPECT_THAT(world_.rows_at(version + 1), SizeIs(2));
  pass_days(2);
  ASSERT_THAT(world_.vacuum({}), IsOk());
  EXPECT_THAT(world_.rows_at(version), Each(StartsWith("error")));
  EXPECT_THAT(world_.rows(), ElementsAre("0|a|1"));
}

TEST_F(Maintenance, VacuumWithLessThanTheRetentionMustBeForced) {
  ASSERT_THAT(world_.create({}, false), IsOk());
  append_rows(3, "'a'");
  ASSERT_THAT(world_.optimize(), IsOk());
  clock_.advance(std::chrono::minutes(1));
  EXPECT_THAT(world_.vacuum({0, false, false}),
              HasError(ErrorCode::invalid, "--force"));
  const auto done = world_.vacuum({0, true, false});
  ASSERT_THAT(done, IsOk());
  EXPECT_THAT(done->paths, SizeIs(3));
  EXPECT_THAT(world_.rows(), SizeIs(3));
}

TEST_F(Maintenance, RestoreMakesATableWhatItWas) {
  ASSERT_THAT(world_.create(kVectors, true), IsOk());
  append_rows(3, "'a'");
  ASSERT_THAT(world_.remove("id = 1"), IsOk());
  const RowTexts then = world_.rows();
  const delta::Version version = world_.version();
  ASSERT_THAT(world_.remove("id = 0"), IsOk());
  ASSERT_THAT(world_.overwrite("(9, 'z', 9)"), IsOk());
  const auto done = world_.restore(version);
  ASSERT_THAT(done, IsOk());
  EXPECT_EQ(done->restored, version);
  EXPECT_EQ(world_.rows(), then);
  EXPECT_EQ(operation_of_newest(), "RESTORE");
  const auto again = world_.restore(version);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->version, done->version);
  EXPECT_THAT(world_.restore(99), HasError(ErrorCode::not_found, "version 99"));
  EXPECT_THAT(delta::restore(world_.table(), {}, clock_, world_.random()),
              HasError(ErrorCode::invalid, "to which time"));
}

TEST_F(Maintenance, RestoreKeepsFlowsAndNamesFilesThatVacuumTook) {
  ASSERT_THAT(world_.create(kVectors, false), IsOk());
  append_rows(2, "'a'");
  delta::Transaction transaction(world_.table(), *world_.table().latest());
  transaction.set_transaction("flow", 7);
  ASSERT_THAT(transaction.commit("WRITE", Json::object(), clock_, world_.random()),
              IsOk());
  ASSERT_THAT(world_.restore(1), IsOk());
  EXPECT_EQ((*world_.table().latest())->transaction("flow"), 7);
  EXPECT_THAT(world_.rows(), SizeIs(1));
  ASSERT_THAT(world_.overwrite("(5, 'b', 5)"), IsOk());
  clock_.advance(std::chrono::minutes(1));
  ASSERT_THAT(world_.vacuum({0, true, false}), IsOk());
  EXPECT_THAT(world_.restore(2), HasError(ErrorCode::not_found, "part-"));
  EXPECT_THAT(world_.restore(2), HasError(ErrorCode::not_found, "vacuum"));
  EXPECT_THAT(world_.rows(), ElementsAre("5|b|5"));
}

TEST_F(Maintenance, TheLogIsCleanedUpToACheckpointAndStaysReadable) {
  ASSERT_THAT(world_.create({{"delta.logRetentionDuration", "interval 5 days"}}, false),
              IsOk());
  for (int day = 0; day < 24; ++day) {
    pass_days(1);
    append_rows(1, "'a'");
  }
  // Commits of 24 days, checkpoints at 10 and 20: what is older than five days at the
  // checkpoint of day 20 goes up to version 10.
  const std::vector<std::string> log = stored("_delta_log/0");
  EXPECT_EQ(log.front(), "_delta_log/00000000000000000010.checkpoint.parquet");
  EXPECT_EQ(log.at(1), "_delta_log/00000000000000000010.json");
  EXPECT_THAT(world_.rows(), SizeIs(24));
  TableWorld fresh(stores_, clock_, 5);
  for (const int version : {10, 11, 19, 20, 24}) {
    EXPECT_THAT(fresh.rows_at(version), SizeIs(static_cast<std::size_t>(version)));
  }
  EXPECT_THAT(fresh.table().at_version(9),
              HasError(ErrorCode::not_found, "versions 10 to 24"));
  EXPECT_THAT(fresh.table().changes(3, 12),
              HasError(ErrorCode::not_found, "the oldest that can is version 10"));
  EXPECT_THAT(fresh.changes(11, 12), SizeIs(2));
}

TEST_F(Maintenance, TheLogIsLeftAloneWhereTheTableSaysSo) {
  ASSERT_THAT(world_.create({{"delta.logRetentionDuration", "interval 1 days"},
                             {"delta.enableExpiredLogCleanup", "false"}},
                            false),
              IsOk());
  for (int day = 0; day < 21; ++day) {
    pass_days(1);
    append_rows(1, "'a'");
  }
  EXPECT_THAT(stored("_delta_log/0"), Contains("_delta_log/00000000000000000000.json"));
}

TEST_F(Maintenance, AWriterThatSleptThroughACleanUpLosesNothing) {
  ASSERT_THAT(world_.create({{"delta.logRetentionDuration", "interval 1 days"}}, false),
              IsOk());
  append_rows(1, "'a'");
  const auto stale = *world_.table().latest();
  TableWorld other(stores_, clock_, 9);
  for (int day = 0; day < 21; ++day) {
    pass_days(1);
    ASSERT_THAT(other.append("(" + std::to_string(100 + day) + ", 'b', 1)"), IsOk());
  }
  ASSERT_THAT(stored("_delta_log/0"),
              Not(Contains("_delta_log/00000000000000000002.json")));
  delta::Transaction transaction(world_.table(), stale);
  transaction.set_transaction("flow", 1);
  const auto outcome =
      transaction.commit("WRITE", Json::object(), clock_, world_.random());
  ASSERT_THAT(outcome, IsOk());
  ASSERT_TRUE(std::holds_alternative<delta::Conflicted>(*outcome));
  EXPECT_THAT(std::get<delta::Conflicted>(*outcome).reason, HasSubstr("cleaned away"));
  // By the commit loop it is repeated on what is there now.
  ASSERT_THAT(world_.append("(1, 'a', 1)"), IsOk());
  EXPECT_THAT(world_.rows(), SizeIs(23));
}

}  // namespace
}  // namespace lakemill::dml
