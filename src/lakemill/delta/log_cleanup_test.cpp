#include "lakemill/delta/log_cleanup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/delta/log_folder.h"
#include "lakemill/testing/manual_clock.h"
#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::delta {
namespace {

using ::testing::Contains;
using ::testing::Not;
using testkit::HasError;
using testkit::IsOk;

/// A log with a commit a day, of a table whose entries are kept for two days.
class LogCleanupTest : public ::testing::Test {
 protected:
  LogCleanupTest() : log_(*stores_.open("memory://lake/t")) {
    metadata_.configuration["delta.logRetentionDuration"] = "interval 2 days";
    for (Version version = 0; version < 10; ++version) {
      if (version == 0) {
        log_.commit(0, {Protocol{}, metadata_});
      } else {
        log_.commit(version, {LogFolder::add("f" + std::to_string(version))});
      }
      clock_.advance(std::chrono::hours(24));
    }
  }

  void checkpoint(Version version) { log_.checkpoint(version, actions_of(version)); }

  std::vector<Action> actions_of(Version version) {
    std::vector<Action> actions = {Protocol{}, metadata_};
    for (Version v = 1; v <= version; ++v) {
      actions.emplace_back(LogFolder::add("f" + std::to_string(v)));
    }
    return actions;
  }

  std::vector<std::string> names() {
    std::vector<std::string> found;
    const auto objects = log_.store().list("_delta_log/", "");
    EXPECT_THAT(objects, IsOk());
    for (const auto& info : *objects) found.push_back(info.path.substr(11));
    return found;
  }

  Result<LogCleanup> clean() {
    Table table = log_.table();
    return clean_log(table, clock_.now());
  }

  testkit::ManualClock clock_;
  testkit::MemoryStoreProvider stores_{clock_};
  Metadata metadata_ = LogFolder::metadata();
  LogFolder log_;
};

TEST_F(LogCleanupTest, KeepsTheNewestCheckpointThatIsOldEnoughAndAllBehindIt) {
  for (const Version version : {2, 5, 8}) checkpoint(version);
  log_.put(LogFolder::name(3) + ".crc", "{}");
  log_.put(LogFolder::name(6) + ".crc", "{}");
  log_.put(LogFolder::name(4) + "." + LogFolder::name(6) + ".compacted.json", "{}");
  log_.put(LogFolder::name(6) + "." + LogFolder::name(7) + ".compacted.json", "{}");
  // Ten days went by: version 8 is of two days ago at midnight, so its checkpoint is
  // the cut.
  const auto done = clean();
  ASSERT_THAT(done, IsOk());
  EXPECT_EQ(done->oldest, 8);
  EXPECT_THAT(names(), testing::ElementsAre(LogFolder::name(8) + ".checkpoint.parquet",
                                            LogFolder::name(8) + ".json",
                                            LogFolder::name(9) + ".json"));
  EXPECT_EQ(done->removed, 14U);
  Table table = log_.table();
  EXPECT_EQ((*table.latest())->files().size(), 9U);
  EXPECT_THAT(table.at_version(8), IsOk());
  EXPECT_THAT(table.at_version(7), HasError(ErrorCode::not_found, "8 to 9"));
  EXPECT_EQ(clean()->removed, 0U);
}

TEST_F(LogCleanupTest, NeedsACheckpointThatIsOldEnough) {
  EXPECT_EQ(clean()->removed, 0U);
  checkpoint(9);
  const std::vector<std::string> before = names();
  EXPECT_EQ(clean()->removed, 0U);
  EXPECT_EQ(names(), before);
}

TEST_F(LogCleanupTest, RemovesNothingBehindACheckpointThatCannotBeRead) {
  log_.put(LogFolder::name(7) + ".checkpoint.parquet", "! not Parquet");
  const std::vector<std::string> before = names();
  EXPECT_THAT(clean(), HasError(ErrorCode::corrupt, "version 7"));
  EXPECT_EQ(names(), before);
}

TEST_F(LogCleanupTest, RemovesSidecarsThatNoCheckpointNames) {
  const std::string uuid = ".checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json";
  const auto lines = [&](const std::string& sidecar) {
    return LogFolder::lines(
        {Protocol{}, metadata_, CheckpointMetadata{8}, Sidecar{sidecar, 1, 1}});
  };
  for (const char* name : {"named", "old"}) {
    log_.put(std::string("_sidecars/") + name + ".parquet",
             LogFolder::lines({LogFolder::add("f1")}));
  }
  clock_.advance(std::chrono::hours(72));
  log_.put("_sidecars/young.parquet", "");
  log_.put(LogFolder::name(8) + uuid, lines("named.parquet"));
  const auto done = clean();
  ASSERT_THAT(done, IsOk());
  EXPECT_EQ(done->oldest, 8);
  EXPECT_THAT(names(), Contains("_sidecars/named.parquet"));
  EXPECT_THAT(names(), Contains("_sidecars/young.parquet"));
  EXPECT_THAT(names(), Not(Contains("_sidecars/old.parquet")));
}

}  // namespace
}  // namespace lakemill::delta
