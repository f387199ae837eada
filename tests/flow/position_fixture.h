#pragma once

#include "flow_fixture.h"

#include "lakemill/testing/crashing_store.h"

// Pipelines that append and merge new files, and flows that have come some way.

namespace lakemill::flow {

inline constexpr const char* kPlans = "_lakemill/flows/p/n/0/plans";

inline std::string csv(int first, int last) {
  std::string text = "id,v\n";
  for (int id = first; id <= last; ++id) {
    text += std::to_string(id) + "," + std::to_string(id * 10) + "\n";
  }
  return text;
}

// Appends new files; `steps` goes below the node.
inline std::string appending(const std::string& rest, const std::string& node = "n") {
  return "name: p\nnodes:\n- name: " + node +
         "\n  sources: [{path: ./in, format: CSV, as_stream: true}]\n" + rest;
}

inline std::string plain() {
  return appending("  sinks: [{path: ./t, format: DELTA}]\n");
}

inline std::string with_quarantine(const std::string& expression,
                                   const std::string& node = "n") {
  return appending("  transformer: {nodes: [{expr: \"SELECT " + expression +
                       " AS id, v FROM {df}\"}]}\n"
                       "  expectations: [{name: even, expr: \"id::INT % 2 = 0\", "
                       "action: QUARANTINE}]\n"
                       "  sinks:\n"
                       "  - {path: ./t, format: DELTA}\n"
                       "  - {path: ./q, format: DELTA, is_quarantine: true}\n",
                   node);
}

// A bronze table of the files, and a stream of its rows.
inline constexpr const char* kStreamOfBronze =
    "name: p\nnodes:\n"
    "- name: b\n  layer: BRONZE\n  sources: [{path: ./in, format: CSV}]\n"
    "  sinks: [{path: ./b, format: DELTA}]\n"
    "- name: s\n  sources: [{node_name: b, as_stream: true}]\n"
    "  transformer: {nodes: [{expr: \"SELECT id FROM {df}\"}]}\n"
    "  sinks: [{path: ./s, format: DELTA}]\n";

// A lake in which three batches of one file each are in the table.
class ThreeBatches : public testing::Test {
 protected:
  void run_three(const std::string& yaml) {
    Lakehouse lake(stores_);
    for (int i = 0; i < 3; ++i) {
      put_file(stores_, "in/" + std::to_string(i) + ".csv", csv(2 * i + 1, 2 * i + 2));
      ASSERT_TRUE(all_well(lake.run(yaml)));
    }
    ASSERT_EQ(lake.version("t"), 2);
  }

  static std::string ids() { return "SELECT id FROM target ORDER BY id::INT"; }

  testkit::MemoryStoreProvider stores_;
};

// The call of the fault-free run that puts version 0 of the table at kLake/`path`.
inline std::int64_t commit_call(const std::vector<std::string>& trace,
                                const std::string& path) {
  for (std::size_t i = 0; i < trace.size(); ++i) {
    if (trace[i].starts_with("put_if_absent ") &&
        trace[i].ends_with("/" + path + "/_delta_log/00000000000000000000.json")) {
      return static_cast<std::int64_t>(i);
    }
  }
  ADD_FAILURE() << "no commit of " << path << " in " << testing::PrintToString(trace);
  return 0;
}

// Runs `yaml` up to just before the first commit of the table at `path`.
inline void die_before_commit(testkit::MemoryStoreProvider& stores,
                              const std::string& yaml, const std::string& path) {
  const auto copy = stores.copy();
  std::int64_t call = 0;
  {
    testkit::CrashingStoreProvider counted(*copy, {});
    Lakehouse lake(counted);
    ASSERT_TRUE(all_well(lake.run(yaml)));
    call = commit_call(counted.trace(), path);
  }
  testkit::CrashingStoreProvider dying(stores, {testkit::Fault::die_before, call});
  Lakehouse lake(dying);
  EXPECT_FALSE(lake.run(yaml).succeeded());
  ASSERT_TRUE(dying.died());
}

// A sequence that the target does not show, so that the state must hold it.
inline std::string merging(const std::string& value) {
  return appending(
      "  primary_keys: [id]\n"
      "  transformer: {nodes: [{expr: \"SELECT id, " +
      value + " AS v, " + value +
      " AS seq FROM {df}\"}]}\n"
      "  sinks:\n"
      "  - {path: ./t, format: DELTA, mode: MERGE, merge_cdc_options: "
      "{order_by: seq, exclude_columns: [seq]}}\n");
}

inline Start refresh_named() {
  Start start;
  start.full_refresh = true;
  start.named = true;
  return start;
}

}  // namespace lakemill::flow
