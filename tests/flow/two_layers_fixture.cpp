#include "two_layers_fixture.h"

namespace lakemill::flow {

std::string two_layers(int factor) {
  return "name: p\nnodes:\n- name: b\n  layer: BRONZE\n"
         "  sources: [{path: ./in, format: CSV}]\n"
         "  sinks: [{path: ./b, format: DELTA}]\n"
         "- name: s\n  sources: [{node_name: b, as_stream: true}]\n"
         "  transformer: {nodes: [{expr: \"SELECT id::INT AS id, id::INT * " +
         std::to_string(factor) +
         " AS v FROM {df}\"}]}\n"
         "  expectations: [{name: odd, expr: \"id % 2 = 1\", action: QUARANTINE}]\n"
         "  sinks:\n  - {path: ./t, format: DELTA}\n"
         "  - {path: ./q, format: DELTA, is_quarantine: true}\n";
}

std::string commit_of(const std::string& table, int version) {
  return "/" + table + "/_delta_log/0000000000000000000" + std::to_string(version) +
         ".json";
}

TwoLayers::TwoLayers() {
  put_file(stores_, "in/0.csv", "id\n1\n2\n3\n");
  Lakehouse lake(stores_);
  EXPECT_TRUE(all_well(lake.run(two_layers(1))));
  put_file(stores_, "in/1.csv", "id\n4\n5\n6\n");
  EXPECT_TRUE(all_well(lake.run(two_layers(1))));
}

void TwoLayers::die_before(const std::string& path_end, const Work& work) {
  std::int64_t call = -1;
  {
    const auto copy = stores_.copy();
    testkit::CrashingStoreProvider counted(*copy, {});
    Lakehouse lake(counted);
    ASSERT_THAT(work(lake), testkit::IsOk());
    const auto trace = counted.trace();
    for (std::size_t i = 0; i < trace.size(); ++i) {
      if (trace[i].starts_with("put_if_absent ") && trace[i].ends_with(path_end)) {
        call = static_cast<std::int64_t>(i);
      }
    }
    ASSERT_GE(call, 0) << path_end << " in " << testing::PrintToString(trace);
  }
  testkit::CrashingStoreProvider dying(stores_, {testkit::Fault::die_before, call});
  Lakehouse lake(dying);
  EXPECT_FALSE(work(lake).has_value());
  ASSERT_TRUE(dying.died());
}

RowTexts TwoLayers::rows(const std::string& table) {
  Lakehouse lake(stores_, 99);
  return lake.rows(table, kRows);
}

}  // namespace lakemill::flow
