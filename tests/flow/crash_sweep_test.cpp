// Dies at the store calls of a run, before and after they act, and loses their answers;
// then starts again. Whatever happened, the tables come to what an undisturbed run
// makes of the same files, and a further run changes nothing.
//
// All calls with LAKEMILL_SOAK=1; else a sample, whose seed is printed and can be given
// as LAKEMILL_SEED.
#include "crash_sweep.h"

namespace lakemill::flow {
namespace {

using testkit::CrashingStoreProvider;
using testkit::MemoryStoreProvider;

constexpr std::int64_t kStride = 7;  // every so many calls are tried in a sample

constexpr const char* kPipeline = R"(
name: p
nodes:
- name: landed
  layer: BRONZE
  sources: [{name: feed, path: ./in, format: CSV}]
  sinks: [{path: ./landed, format: DELTA}]
- name: clean
  layer: SILVER
  sources: [{node_name: landed, as_stream: true}]
  transformer: {nodes: [{expr: "SELECT id, v::INT AS v, seq::INT AS seq, op FROM {df}"}]}
  expectations:
  - {name: positive, expr: "v > 0", action: QUARANTINE}
  - {name: small, expr: "v < 1000", action: DROP}
  sinks:
  - {path: ./clean, format: DELTA}
  - {path: ./bad, format: DELTA, is_quarantine: true}
- name: totals
  layer: GOLD
  sources: [{node_name: clean}]
  transformer: {nodes: [{expr: "SELECT id, count(*) AS n, sum(v) AS total FROM {df} GROUP BY id"}]}
  sinks: [{path: ./totals, format: DELTA, mode: OVERWRITE}]
- name: current
  layer: SILVER
  primary_keys: [id]
  sources: [{node_name: landed, as_stream: true}]
  transformer: {nodes: [{expr: "SELECT id, v, seq::INT AS seq, op FROM {df}"}]}
  sinks:
  - path: ./current
    format: DELTA
    mode: MERGE
    merge_cdc_options: {order_by: seq, delete_where: "op = 'D'", exclude_columns: [op]}
)";

constexpr const char* kTables[] = {"landed", "clean", "bad", "totals", "current"};

void put_first_files(MemoryStoreProvider& stores) {
  put_file(stores, "in/a.csv",
           "id,v,seq,op\nx,10,1,U\ny,-5,1,U\nz,7,1,U\nz,2000,2,U\n");
}

void put_more_files(MemoryStoreProvider& stores) {
  put_file(stores, "in/b.csv", "id,v,seq,op\nx,11,3,U\nz,7,3,D\nw,,1,U\n");
  put_file(stores, "in/c.csv", "id,v,seq,op\nx,9,2,U\ny,6,2,U\nv,1,1,U\n");
}

class CrashSweep : public testing::TestWithParam<bool> {
 protected:
  // The stores before the run that is disturbed.
  static std::unique_ptr<MemoryStoreProvider> beginning(bool tables_exist) {
    auto stores = std::make_unique<MemoryStoreProvider>();
    put_first_files(*stores);
    if (tables_exist) {
      Lakehouse lake(*stores);
      EXPECT_TRUE(all_well(lake.run(kPipeline)));
    }
    put_more_files(*stores);
    return stores;
  }

  static void expect_recovery(const MemoryStoreProvider& base, testkit::FaultPlan plan,
                              const Tables& expected) {
    const auto stores = base.copy();
    std::string fault;
    {
      CrashingStoreProvider failing(*stores, plan);
      {
        Lakehouse lake(failing);
        (void)lake.run(kPipeline);
      }
      fault = text_of(plan, failing);
    }
    SCOPED_TRACE(fault);
    {
      Lakehouse lake(*stores, 43);
      ASSERT_TRUE(all_well(lake.run(kPipeline)));
    }
    ASSERT_EQ(tables_of(*stores, kTables), expected);
    const auto objects = stores->objects();
    Lakehouse lake(*stores, 44);
    ASSERT_TRUE(all_well(lake.run(kPipeline)));
    ASSERT_EQ(stores->objects().size(), objects.size());
    ASSERT_TRUE(stores->objects() == objects) << "a further run changed something";
  }
};

TEST_P(CrashSweep, EndsWithTheTablesOfAnUndisturbedRun) {
  const bool tables_exist = GetParam();
  const auto base = beginning(tables_exist);
  std::int64_t calls = 0;
  Tables expected;
  {
    const auto stores = base->copy();
    CrashingStoreProvider counted(*stores, {});
    {
      Lakehouse lake(counted);
      ASSERT_TRUE(all_well(lake.run(kPipeline)));
    }
    calls = counted.calls();
    expected = tables_of(*stores, kTables);
  }
  ASSERT_EQ(expected.at("current").size(), 5U) << "a header and four rows";
  ASSERT_EQ(expected.at("bad").size(), 3U) << "a header and two rows";
  const std::int64_t stride = all_calls() ? 1 : kStride;
  try_faults(calls, stride, [&](testkit::FaultPlan plan) {
    expect_recovery(*base, plan, expected);
    return !HasFatalFailure();
  });
}

INSTANTIATE_TEST_SUITE_P(Runs, CrashSweep, testing::Values(false, true),
                         [](const auto& given) {
                           return given.param ? "ThatAddsToTables" : "ThatMakesTables";
                         });

}  // namespace
}  // namespace lakemill::flow
