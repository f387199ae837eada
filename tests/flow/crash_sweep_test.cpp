// Dies at the store calls of a run, before and after they act, and loses their answers;
// then starts again. Whatever happened, the tables come to what an undisturbed run
// makes of the same files, and a further run changes nothing.
//
// All calls with LAKEMILL_SOAK=1; else a sample, whose seed is printed and can be given
// as LAKEMILL_SEED.
#include "crash_sweep.h"

#include "source_sink_pairs.h"

namespace lakemill::flow {
namespace {

using testkit::MemoryStoreProvider;

constexpr std::int64_t kStride = 12;  // every so many calls are tried in a sample

// Files by way of bronze into tables of all modes.
constexpr const char* kLayers = R"(
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

// Changes of a table (merged_upstream) into tables and files.
constexpr const char* kOfATable = R"(
name: p
nodes:
- name: changes
  sources: [{path: ./up, format: DELTA, as_stream: true, read_changes: true}]
  transformer: {nodes: [{expr: "SELECT id, v, _op FROM {df}"}]}
  sinks: [{path: ./changes, format: DELTA}]
- name: mirrored
  primary_keys: [id]
  sources: [{path: ./up, format: DELTA, as_stream: true, read_changes: true}]
  sinks:
  - path: ./mirrored
    format: DELTA
    mode: MERGE
    merge_cdc_options: {order_by: _source_offset, delete_where: "_op = 'DELETE'", exclude_columns: [_op, _source_offset]}
- name: history
  primary_keys: [id]
  sources: [{path: ./up, format: DELTA, as_stream: true, read_changes: true}]
  sinks:
  - path: ./history
    format: DELTA
    mode: MERGE
    merge_cdc_options: {scd_type: 2, order_by: _source_offset, delete_where: "_op = 'DELETE'", exclude_columns: [_op]}
- name: filed
  sources: [{node_name: changes, as_stream: true}]
  sinks: [{path: ./filed, format: CSV, mode: APPEND}]
- name: whole
  sources: [{path: ./up, format: DELTA}]
  sinks: [{path: ./whole/now.jsonl, format: JSONL, mode: OVERWRITE}]
)";

// Files into files, a sum of all, and what cannot be read set aside.
constexpr const char* kIntoFiles = R"(
name: p
nodes:
- name: rows
  sources: [{path: ./in, format: CSV, as_stream: true, max_files: 1}]
  sinks: [{path: ./rows, format: CSV, mode: APPEND}]
- name: sums
  sources: [{path: ./in, format: CSV}]
  transformer: {nodes: [{expr: "SELECT id, sum(v::INT) AS total FROM {df} GROUP BY id ORDER BY id"}]}
  sinks: [{path: ./sums/now.csv, format: CSV, mode: OVERWRITE}]
- name: read
  sources: [{name: feed, path: ./poisoned, format: JSONL, schema: {id: bigint}, as_stream: true, on_error: DEAD_LETTER}]
  sinks: [{path: ./read, format: DELTA}]
)";

using Paths = std::vector<const char*>;

struct Swept {
  std::string name;
  std::string yaml;
  std::string upstream;  // run before, undisturbed; empty: none
  bool adds = false;     // the pipeline has run once before the run that is disturbed
  Paths tables;
  Paths folders;  // of files
};

void PrintTo(const Swept& item, std::ostream* stream) { *stream << item.name; }

void put_first_files(MemoryStoreProvider& stores) {
  put_file(stores, "in/a.csv",
           "id,v,seq,op\nx,10,1,U\ny,-5,1,U\nz,7,1,U\nz,2000,2,U\n");
  put_file(stores, "poisoned/a.jsonl", "{\"id\": 1}\n");
}

void put_more_files(MemoryStoreProvider& stores) {
  put_file(stores, "in/b.csv", "id,v,seq,op\nx,11,3,U\nz,7,3,D\nw,,1,U\n");
  put_file(stores, "in/c.csv", "id,v,seq,op\nx,9,2,U\ny,6,2,U\nv,1,1,U\n");
  put_file(stores, "poisoned/b.jsonl", "poison\n");
  put_file(stores, "poisoned/c.jsonl", "{\"id\": 2}\n");
}

void run_well(MemoryStoreProvider& stores, const std::string& yaml) {
  if (yaml.empty()) return;
  Lakehouse lake(stores);
  EXPECT_TRUE(all_well(lake.run(yaml)));
}

class CrashSweep : public testing::TestWithParam<Swept> {
 protected:
  // The stores before the run that is disturbed.
  static std::unique_ptr<MemoryStoreProvider> beginning() {
    auto stores = std::make_unique<MemoryStoreProvider>();
    put_first_files(*stores);
    run_well(*stores, GetParam().upstream);
    if (GetParam().adds) run_well(*stores, GetParam().yaml);
    put_more_files(*stores);
    run_well(*stores, GetParam().upstream);
    return stores;
  }
};

TEST_P(CrashSweep, EndsWithTheTablesOfAnUndisturbedRun) {
  const auto base = beginning();
  Disturbed run{.beginning = *base, .yaml = GetParam().yaml};
  run.tables = GetParam().tables;
  run.folders = GetParam().folders;
  sweep(run, all_calls() ? 1 : kStride);
}

const Paths kLayered = {"landed", "clean", "bad", "totals", "current"};

INSTANTIATE_TEST_SUITE_P(
    Runs, CrashSweep,
    testing::Values(Swept{"ThatMakesTables", kLayers, "", false, kLayered, {}},
                    Swept{"ThatAddsToTables", kLayers, "", true, kLayered, {}},
                    Swept{"OfATablesChanges",
                          kOfATable,
                          merged_upstream(),
                          true,
                          {"changes", "mirrored", "history"},
                          {"filed", "whole"}},
                    Swept{"OfFilesIntoFiles",
                          kIntoFiles,
                          "",
                          true,
                          {"read", "read_dead_letter"},
                          {"rows", "sums"}}),
    [](const auto& given) { return given.param.name; });

}  // namespace
}  // namespace lakemill::flow
