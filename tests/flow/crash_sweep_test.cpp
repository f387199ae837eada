// Dies at the store calls of a run, before and after they act, and loses their answers;
// then starts again. Whatever happened, the tables come to what an undisturbed run
// makes of the same files, and a further run changes nothing.
//
// All calls with LAKEMILL_SOAK=1; else a sample, whose seed is printed and can be given
// as LAKEMILL_SEED.
#include <cstdlib>
#include <iostream>
#include <random>

#include "flow_fixture.h"

namespace lakemill::flow {
namespace {

using testkit::CrashingStoreProvider;
using testkit::Fault;
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

using Tables = std::map<std::string, RowTexts>;

Tables tables_of(MemoryStoreProvider& stores) {
  Lakehouse lake(stores);
  Tables tables;
  for (const char* name : kTables) tables[name] = lake.bag(name);
  return tables;
}

void put_first_files(MemoryStoreProvider& stores) {
  put_file(stores, "in/a.csv",
           "id,v,seq,op\nx,10,1,U\ny,-5,1,U\nz,7,1,U\nz,2000,2,U\n");
}

void put_more_files(MemoryStoreProvider& stores) {
  put_file(stores, "in/b.csv", "id,v,seq,op\nx,11,3,U\nz,7,3,D\nw,,1,U\n");
  put_file(stores, "in/c.csv", "id,v,seq,op\nx,9,2,U\ny,6,2,U\nv,1,1,U\n");
}

bool all_calls() {
  const char* soak = std::getenv("LAKEMILL_SOAK");
  return soak != nullptr && std::string(soak) == "1";
}

std::uint64_t seed() {
  const char* given = std::getenv("LAKEMILL_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
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
    std::string call;
    {
      CrashingStoreProvider failing(*stores, plan);
      {
        Lakehouse lake(failing);
        (void)lake.run(kPipeline);
      }
      const auto trace = failing.trace();
      if (static_cast<std::size_t>(plan.at_call) < trace.size()) {
        call = trace[static_cast<std::size_t>(plan.at_call)];
      }
    }
    SCOPED_TRACE("fault " + std::to_string(static_cast<int>(plan.fault)) + " at call " +
                 std::to_string(plan.at_call) + ": " + call);
    {
      Lakehouse lake(*stores, 43);
      ASSERT_TRUE(all_well(lake.run(kPipeline)));
    }
    ASSERT_EQ(tables_of(*stores), expected);
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
    expected = tables_of(*stores);
  }
  ASSERT_EQ(expected.at("current").size(), 5U) << "a header and four rows";
  ASSERT_EQ(expected.at("bad").size(), 3U) << "a header and two rows";
  const std::int64_t stride = all_calls() ? 1 : kStride;
  const std::uint64_t chosen = seed();
  std::cout << calls << " store calls, every " << stride
            << ". is tried, LAKEMILL_SEED=" << chosen << "\n";
  std::mt19937_64 random(chosen);
  int cases = 0;
  for (const Fault fault : {Fault::die_before, Fault::die_after, Fault::lose_answer}) {
    const auto first =
        static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(stride));
    for (std::int64_t call = first; call < calls; call += stride) {
      expect_recovery(*base, {fault, call}, expected);
      if (HasFatalFailure()) return;
      ++cases;
    }
  }
  std::cout << cases << " cases\n";
}

INSTANTIATE_TEST_SUITE_P(Runs, CrashSweep, testing::Values(false, true),
                         [](const auto& given) {
                           return given.param ? "ThatAddsToTables" : "ThatMakesTables";
                         });

}  // namespace
}  // namespace lakemill::flow
