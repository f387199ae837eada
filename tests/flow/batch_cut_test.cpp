// How the input is cut into batches does not change what comes out.
#include <random>

#include "flow_fixture.h"

namespace lakemill::flow {
namespace {

std::string pipeline(const std::string& limit) {
  return "name: p\nnodes:\n"
         "- name: b\n  layer: BRONZE\n  sources: [{name: feed, path: ./in, format: "
         "CSV" +
         limit +
         "}]\n  sinks: [{path: ./b, format: DELTA}]\n"
         "- name: s\n  layer: SILVER\n  sources: [{node_name: b, as_stream: true}]\n"
         "  transformer: {nodes: [{expr: \"SELECT id::INT AS id, v FROM {df}\"}]}\n"
         "  expectations: [{name: few, expr: \"id % 3 > 0\", action: QUARANTINE}]\n"
         "  sinks:\n  - {path: ./s, format: DELTA}\n"
         "  - {path: ./q, format: DELTA, is_quarantine: true}\n"
         "- name: m\n  primary_keys: [id]\n"
         "  sources: [{node_name: b, as_stream: true}]\n"
         "  transformer: {nodes: [{expr: \"SELECT id::INT % 7 AS id, v, id::INT AS seq "
         "FROM {df}\"}]}\n"
         "  sinks: [{path: ./m, format: DELTA, mode: MERGE, merge_cdc_options: "
         "{order_by: seq}}]\n";
}

// What does not depend on the batch that brought it.
RowTexts content(Lakehouse& lake, const std::string& path) {
  const std::string columns =
      path == "b" ? "id, v, _source, _source_file, _source_offset, _rescued" : "*";
  const std::string without = path == "q" ? " EXCLUDE (_failed_expectations)" : "";
  return lake.rows(path, "SELECT " + columns + without + " FROM target ORDER BY ALL");
}

TEST(BatchCuts, OneBatchAndOneBatchForEachFileGiveTheSameRows) {
  std::mt19937_64 random(7);
  testkit::MemoryStoreProvider whole;
  testkit::MemoryStoreProvider bounded;
  testkit::MemoryStoreProvider one_by_one;
  Lakehouse lake(one_by_one);
  int id = 0;
  for (int file = 0; file < 6; ++file) {
    std::string text = "id,v\n";
    const int rows = static_cast<int>(random() % 6);  // none, too
    for (int i = 0; i < rows; ++i) {
      text += std::to_string(++id) + "," + std::to_string(random() % 100) + "\n";
    }
    const std::string path = "in/" + std::to_string(file) + ".csv";
    for (auto* stores : {&whole, &bounded, &one_by_one}) put_file(*stores, path, text);
    ASSERT_TRUE(all_well(lake.run(pipeline(""))));
  }
  Lakehouse at_once(whole);
  ASSERT_TRUE(all_well(at_once.run(pipeline(""))));
  Lakehouse in_parts(bounded);
  const RunReport report = in_parts.run(pipeline(", max_files: 2"));
  ASSERT_TRUE(all_well(report));
  EXPECT_EQ(report_of(report, "b").batches, 3);
  for (const char* table : {"b", "s", "q", "m"}) {
    const RowTexts expected = content(at_once, table);
    EXPECT_EQ(content(lake, table), expected) << table;
    EXPECT_EQ(content(in_parts, table), expected) << table;
    EXPECT_GT(expected.size(), 1U) << table;
  }
}

}  // namespace
}  // namespace lakemill::flow
