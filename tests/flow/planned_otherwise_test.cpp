// Two runners that plan the same batch otherwise: one commits the first of a batch's
// tables just before the other would, and dies. What the other then makes is all of one
// plan. The moment is chosen, not hoped for: a store calls the second runner in
// between.
#include "flow_fixture.h"

#include "lakemill/testing/interrupting_store.h"

namespace lakemill::flow {
namespace {

struct Case {
  std::string name;
  std::string node;
  std::string first_table;  // the one that is committed first
  RowTexts target;          // of both files
  RowTexts quarantine;      // likewise
};

void PrintTo(const Case& item, std::ostream* stream) { *stream << item.name; }

// Both read all files as a whole, so that a file that comes in between makes another
// plan of the same batch.
std::string pipeline(const Case& item) {
  return "name: p\nnodes:\n- name: n\n  primary_keys: [id]\n"
         "  sources: [{path: ./in, format: CSV}]\n"
         "  transformer: {nodes: [{expr: \"SELECT id::INT AS id, v, v::INT AS seq FROM "
         "{df}\"}]}\n" +
         item.node;
}

class PlannedOtherwise : public testing::TestWithParam<Case> {};

TEST_P(PlannedOtherwise, IsCompletedAsTheFirstOnePlannedIt) {
  const Case& item = GetParam();
  const std::string yaml = pipeline(item);
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/a.csv", "id,v\n1,10\n2,20\n");
  const std::string commit = item.first_table + "/_delta_log/00000000000000000000.json";
  const auto other_runner = [&] {
    put_file(stores, "in/b.csv", "id,v\n3,30\n4,40\n1,11\n");
    std::int64_t call = -1;
    {
      const auto copy = stores.copy();
      testkit::CrashingStoreProvider counted(*copy, {});
      Lakehouse lake(counted, 5);
      ASSERT_TRUE(all_well(lake.run(yaml)));
      const auto trace = counted.trace();
      for (std::size_t i = 0; i < trace.size(); ++i) {
        if (trace[i].ends_with(commit) && trace[i].starts_with("put_if_absent")) {
          call = static_cast<std::int64_t>(i);
        }
      }
    }
    ASSERT_GE(call, 0);
    testkit::CrashingStoreProvider dying(stores, {testkit::Fault::die_after, call});
    Lakehouse lake(dying, 5);
    EXPECT_FALSE(lake.run(yaml).succeeded());
  };
  testkit::InterruptingProvider interrupted(stores, {commit, other_runner});
  {
    Lakehouse lake(interrupted, 6);
    ASSERT_TRUE(all_well(lake.run(yaml)));
  }
  ASSERT_TRUE(interrupted.interrupted());
  Lakehouse lake(stores, 7);
  EXPECT_EQ(lake.rows("t", "SELECT id, v FROM target ORDER BY ALL"), item.target);
  if (!item.quarantine.empty()) {
    EXPECT_EQ(lake.rows("q", "SELECT id, v FROM target ORDER BY ALL"), item.quarantine);
  }
  const auto objects = stores.objects();
  ASSERT_TRUE(all_well(lake.run(yaml)));
  EXPECT_TRUE(stores.objects() == objects);
}

INSTANTIATE_TEST_SUITE_P(
    Sinks, PlannedOtherwise,
    testing::Values(Case{"QuarantineBeforeTarget",
                         "  expectations: [{name: even, expr: \"id % 2 = 0\", action: "
                         "QUARANTINE}]\n"
                         "  sinks:\n  - {path: ./t, format: DELTA, mode: OVERWRITE}\n"
                         "  - {path: ./q, format: DELTA, is_quarantine: true}\n",
                         "lake/q",
                         {"2|20", "4|40"},
                         {"1|10", "1|11", "3|30"}},
                    Case{
                        "StateBeforeTarget",
                        "  sinks:\n  - {path: ./t, format: DELTA, mode: MERGE, "
                        "merge_cdc_options: {order_by: seq, exclude_columns: [seq]}}\n",
                        "change_state/0",
                        {"1|11", "2|20", "3|30", "4|40"},
                        {}},
                    Case{"Target",
                         "  sinks:\n  - {path: ./t, format: DELTA, mode: OVERWRITE}\n",
                         "lake/t",
                         {"1|10", "1|11", "2|20", "3|30", "4|40"},
                         {}}),
    [](const auto& given) { return given.param.name; });

}  // namespace
}  // namespace lakemill::flow
