// Many small commits with maintenance between them: tables stay compacted and
// checkpointed, the log stays short, and a batch takes no longer at the end than at the
// beginning. 20,000 batches with LAKEMILL_SOAK=1.
#include <chrono>
#include <iostream>

#include "table_fixture.h"

namespace lakemill::dml {
namespace {

using testkit::IsOk;

class SmallBatches : public testing::TestWithParam<bool> {};

TEST_P(SmallBatches, LeaveAnOrderlyTableAndTakeNoLongerInTheEnd) {
  const bool merges = GetParam();
  const int batches = soak() ? 20'000 : 600;
  const int tenth = batches / 10;
  testkit::ManualClock clock;
  testkit::MemoryStoreProvider stores(clock);
  TableWorld world(stores, clock, 1);
  ASSERT_THAT(world.create({{"delta.enableDeletionVectors", "true"},
                            {"delta.logRetentionDuration", "interval 1 days"},
                            {"delta.deletedFileRetentionDuration", "interval 1 days"}},
                           false),
              IsOk());
  const MaintenancePolicy policy;
  std::vector<double> seconds;
  std::size_t files_max = 0;
  std::size_t log_max = 0;
  std::size_t stored_max = 0;
  for (int batch = 0; batch < batches; ++batch) {
    const auto begin = std::chrono::steady_clock::now();
    const std::string values = "(" + std::to_string(merges ? batch % 500 : batch) +
                               ", 'a', " + std::to_string(batch) + ")";
    ASSERT_THAT(merges ? world.merge(values) : world.append(values), IsOk());
    ASSERT_THAT(maintain(world.context(), policy), IsOk());
    const std::chrono::duration<double> taken =
        std::chrono::steady_clock::now() - begin;
    seconds.push_back(taken.count());
    clock.advance(std::chrono::minutes(10));  // 144 a day
    files_max = std::max(files_max, world.file_count());
    if (batch % 300 == 299) {
      ASSERT_THAT(world.vacuum({}), IsOk());
      log_max = std::max(log_max, world.store().list("_delta_log/", "")->size());
      stored_max = std::max(stored_max, world.store().list("part-", "")->size());
    }
  }
  const auto median = [&](auto first, auto last) {
    std::vector<double> part(first, last);
    std::ranges::nth_element(part, part.begin() + std::ssize(part) / 2);
    return part[part.size() / 2];
  };
  const double early = median(seconds.begin() + tenth, seconds.begin() + 2 * tenth);
  const double late = median(seconds.end() - tenth, seconds.end());
  std::cout << batches << (merges ? " merges" : " appends") << ": a batch took "
            << early * 1000 << " ms at first, " << late * 1000
            << " ms at last; at most " << files_max << " files, " << log_max
            << " log entries, " << stored_max << " stored files\n";
  EXPECT_LE(files_max, policy.small_files_max + 20);
  EXPECT_LT(log_max, 1000U);
  EXPECT_LT(stored_max, 1500U);
  EXPECT_LT(late, early * 3 + 0.02);
  const std::string rows = std::to_string(merges ? std::min(batches, 500) : batches);
  const auto last = std::to_string(batches - 1);
  EXPECT_EQ(world.query("SELECT count(*), count(DISTINCT id), max(v) FROM t"),
            RowTexts{rows + "|" + rows + "|" + last});
}

INSTANTIATE_TEST_SUITE_P(All, SmallBatches, testing::Bool(), [](const auto& test) {
  return std::string(test.param ? "merges" : "appends");
});

}  // namespace
}  // namespace lakemill::dml
