#include "source_sink_pairs.h"

#include <cstring>

namespace lakemill::flow {

namespace {

constexpr const char* kNames[] = {"Begins", "Adds", "Refreshes"};

constexpr const char* kUpstreamHead = R"(
name: u
nodes:
- name: up
  primary_keys: [id]
  sources: [{path: ./in, format: CSV, as_stream: true}]
  transformer: {nodes: [{expr: "SELECT id, v, seq::INT AS seq, op FROM {df}"}]}
  sinks:
  - path: ./up
    format: DELTA
)";

const std::string kLanded = R"(- name: landed
  layer: BRONZE
  sources: [{name: feed, path: ./in, format: CSV, max_files: 1}]
  sinks: [{path: ./landed, format: DELTA}]
)";

const std::string kPlain = "SELECT id, v, seq::INT AS seq, op FROM {df}";
const std::string kBySequence =
    "order_by: seq, delete_where: \"op = 'D'\", exclude_columns: [op]";

const From kFrom[] = {
    {"Files", "", "", "path: ./in, format: CSV, as_stream: true, max_files: 1",
     "path: ./in, format: CSV", kPlain, kBySequence},
    {"Appends", "", kUpstreamHead, "path: ./up, format: DELTA, as_stream: true",
     "path: ./up, format: DELTA", kPlain, kBySequence},
    {"Changes", "", merged_upstream(),
     "path: ./up, format: DELTA, as_stream: true, read_changes: true", "",
     "SELECT id, v, _op, _source_offset FROM {df}",
     "order_by: _source_offset, delete_where: \"_op = 'DELETE'\", exclude_columns: "
     "[_op, _source_offset]"},
    {"Node", kLanded, "", "node_name: landed, as_stream: true", "node_name: landed",
     kPlain, kBySequence},
};

const std::string kTotals =
    "SELECT id, count(*) AS n, sum(v::INT) AS total FROM {df} "
    "GROUP BY id ORDER BY id";

const Into kInto[] = {
    {"Appends", false, "", "", "path: ./t, format: DELTA", true},
    {"Overwrites", true, kTotals, "", "path: ./t, format: DELTA, mode: OVERWRITE",
     true},
    {"Merges", false, "", "  primary_keys: [id]\n",
     "path: ./t, format: DELTA, mode: MERGE, merge_cdc_options: {{changes}}", true},
    {"Histories", false, "", "  primary_keys: [id]\n",
     "path: ./t, format: DELTA, mode: MERGE, merge_cdc_options: {scd_type: 2, "
     "{changes}}",
     true},
    {"AFile", true, kTotals, "", "path: ./t/now.csv, format: CSV, mode: OVERWRITE",
     false},
    {"AFolder", false, "", "", "path: ./t, format: JSONL, mode: APPEND", false},
};

std::string sink_of(const Pair& pair) {
  constexpr const char* kPlace = "{changes}";
  std::string sink = pair.into.sink;
  const std::size_t found = sink.find(kPlace);
  if (found == std::string::npos) return sink;
  return sink.replace(found, std::strlen(kPlace), pair.from.changes);
}

void run_well(testkit::MemoryStoreProvider& stores, const std::string& yaml) {
  if (yaml.empty()) return;
  Lakehouse lake(stores);
  EXPECT_TRUE(all_well(lake.run(yaml)));
}

}  // namespace

std::string merged_upstream() {
  return std::string(kUpstreamHead) + R"(    mode: MERGE
    properties: {delta.enableChangeDataFeed: "true"}
    merge_cdc_options: {order_by: seq, delete_where: "op = 'D'", exclude_columns: [op]}
)";
}

std::string name_of(const Pair& pair) {
  return pair.from.name + "Into" + pair.into.name +
         kNames[static_cast<std::size_t>(pair.moment)];
}

void PrintTo(const Pair& pair, std::ostream* stream) { *stream << name_of(pair); }

std::string pipeline_of(const Pair& pair) {
  const auto& [from, into, moment] = pair;
  const std::string& sql = into.sql.empty() ? from.select : into.sql;
  return "name: p\nnodes:\n" + from.nodes + "- name: n\n" + into.keys +
         "  sources: [{" + (into.reads_whole ? from.whole : from.stream) +
         "}]\n  transformer: {nodes: [{expr: " + json_text(Json(sql)) +
         "}]}\n  sinks: [{" + sink_of(pair) + "}]\n";
}

std::vector<Pair> all_pairs() {
  std::vector<Pair> pairs;
  for (const From& from : kFrom) {
    for (const Into& into : kInto) {
      if (into.reads_whole && from.whole.empty()) continue;
      for (const Moment moment : {Moment::begins, Moment::adds, Moment::refreshes}) {
        pairs.push_back({from, into, moment});
      }
    }
  }
  return pairs;
}

std::unique_ptr<testkit::MemoryStoreProvider> beginning_of(const Pair& pair) {
  auto stores = std::make_unique<testkit::MemoryStoreProvider>();
  put_file(*stores, "in/a.csv", "id,v,seq,op\nx,10,1,U\ny,-5,1,U\nz,7,1,U\n");
  run_well(*stores, pair.from.upstream);
  if (pair.moment != Moment::begins) run_well(*stores, pipeline_of(pair));
  put_file(*stores, "in/b.csv", "id,v,seq,op\nx,11,3,U\nz,7,3,D\nw,,1,U\n");
  run_well(*stores, pair.from.upstream);
  put_file(*stores, "in/c.csv", "id,v,seq,op\nx,9,2,U\ny,6,2,U\nv,1,1,U\n");
  run_well(*stores, pair.from.upstream);
  return stores;
}

}  // namespace lakemill::flow
