// Two processes that run one flow at the same time, over one set of objects: every row
// comes once, and no version is missing.
#include <cstdlib>
#include <iostream>
#include <thread>

#include "flow_fixture.h"

namespace lakemill::flow {
namespace {

constexpr int kRounds = 50;

constexpr const char* kPipeline = R"(
name: p
nodes:
- name: b
  layer: BRONZE
  sources: [{name: feed, path: ./in, format: CSV, max_files: 1}]
  sinks: [{path: ./b, format: DELTA}]
- name: s
  sources: [{node_name: b, as_stream: true}]
  transformer: {nodes: [{expr: "SELECT id::INT AS id, v FROM {df}"}]}
  expectations: [{name: odd, expr: "id % 2 = 1", action: QUARANTINE}]
  sinks:
  - {path: ./s, format: DELTA}
  - {path: ./q, format: DELTA, is_quarantine: true}
- name: m
  primary_keys: [id]
  sources: [{node_name: b, as_stream: true}]
  transformer: {nodes: [{expr: "SELECT id::INT % 5 AS id, v, id::INT AS seq FROM {df}"}]}
  sinks:
  - {path: ./m, format: DELTA, mode: MERGE, merge_cdc_options: {order_by: seq}}
- name: g
  sources: [{node_name: b}]
  transformer: {nodes: [{expr: "SELECT id::INT % 2 AS odd, count(*) AS n FROM {df} GROUP BY ALL"}]}
  expectations: [{name: is_odd, expr: "odd = 1", action: QUARANTINE}]
  sinks:
  - {path: ./g, format: DELTA, mode: OVERWRITE}
  - {path: ./gq, format: DELTA, is_quarantine: true}
)";

void expect_contiguous(const testkit::MemoryStoreProvider& stores,
                       const std::string& table) {
  std::int64_t next = 0;
  for (const std::string& path : paths_below(stores, table + "/_delta_log")) {
    const std::string name = path.substr(path.rfind('/') + 1);
    if (name.size() != 25 || !name.ends_with(".json")) continue;
    EXPECT_EQ(std::stoll(name.substr(0, 20)), next) << table;
    ++next;
  }
  EXPECT_GT(next, 0) << table;
}

TEST(Races, TwoRunnersOfOneFlowBringEveryRowOnce) {
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE(round);
    testkit::MemoryStoreProvider stores;
    int id = 0;
    const auto add_file = [&](int number) {
      std::string text = "id,v\n";
      for (int i = 0; i < 4; ++i) {
        ++id;
        text += std::to_string(id) + ",v" + std::to_string(id) + "\n";
      }
      put_file(stores, "in/" + std::to_string(number) + ".csv", text);
    };
    for (int i = 0; i < 3; ++i) add_file(i);
    std::vector<RunReport> reports(2);
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < reports.size(); ++i) {
        threads.emplace_back([&, i] {
          Lakehouse lake(stores, 100 + i);
          reports[i] = lake.run(kPipeline);
        });
      }
      add_file(3);
    }
    // A runner that loses may say so, but nothing of what it says may be lost.
    for (const RunReport& report : reports) {
      for (const NodeReport& node : report.nodes) {
        if (node.error) {
          EXPECT_EQ(node.error->code(), ErrorCode::unavailable)
              << node.node << ": " << node.error->message();
        }
      }
    }
    Lakehouse lake(stores, 7);
    ASSERT_TRUE(all_well(lake.run(kPipeline)));
    EXPECT_EQ(lake.rows("b", "SELECT count(*), count(DISTINCT id) FROM target"),
              RowTexts{"16|16"});
    EXPECT_EQ(lake.rows("s", "SELECT count(*), count(DISTINCT id) FROM target"),
              RowTexts{"8|8"});
    EXPECT_EQ(lake.rows("q", "SELECT count(*), count(DISTINCT id) FROM target"),
              RowTexts{"8|8"});
    EXPECT_EQ(lake.rows("m", "SELECT id, seq FROM target ORDER BY id"),
              (RowTexts{"0|15", "1|16", "2|12", "3|13", "4|14"}));
    EXPECT_EQ(lake.rows("g", "SELECT odd, n FROM target"), RowTexts{"1|8"});
    EXPECT_EQ(lake.rows("gq", "SELECT odd, n FROM target"), RowTexts{"0|8"});
    for (const char* table : {"b", "s", "q", "m", "g", "gq"}) {
      expect_contiguous(stores, table);
    }
    const auto objects = stores.objects();
    Lakehouse after(stores, 8);
    ASSERT_TRUE(all_well(after.run(kPipeline)));
    EXPECT_TRUE(stores.objects() == objects) << "a further run changed something";
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace lakemill::flow
