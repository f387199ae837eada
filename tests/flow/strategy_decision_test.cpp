// Which strategy a node gets, and why: the table of design.md, section 6.
#include "flow_fixture.h"

namespace lakemill::flow {
namespace {

struct Case {
  std::string name;
  std::string node;  // below "- name: n"
  Strategy strategy;
  StrategyReason reason;
};

void PrintTo(const Case& item, std::ostream* stream) { *stream << item.name; }

std::string pipeline(const std::string& node) {
  return "name: p\nnodes:\n- name: n\n" + node;
}

const std::vector<Case> kCases = {
    {"WholeFiles", R"(
  sources: [{path: ./in, format: CSV}]
  sinks: [{path: ./t, format: DELTA}]
)",
     Strategy::replace, StrategyReason::whole_sources},
    {"Overwrite", R"(
  sources: [{path: ./in, format: CSV, as_stream: true}]
  sinks: [{path: ./t, format: DELTA, mode: OVERWRITE}]
)",
     Strategy::replace, StrategyReason::mode_overwrite},
    {"WholeFilesAppended", R"(
  sources: [{path: ./in, format: CSV}]
  sinks: [{path: ./t, format: DELTA, mode: APPEND}]
)",
     Strategy::append, StrategyReason::mode_append},
    {"WholeFilesMerged", R"(
  primary_keys: [id]
  sources: [{path: ./in, format: CSV}]
  sinks: [{path: ./t, format: DELTA, mode: MERGE, merge_cdc_options: {order_by: v}}]
)",
     Strategy::merge, StrategyReason::mode_merge},
    {"NewFilesRowWise", R"(
  sources: [{path: ./in, format: CSV, as_stream: true}]
  transformer: {nodes: [{expr: "SELECT id, upper(v) AS v FROM {df} WHERE id <> '1'"}]}
  sinks: [{path: ./t, format: DELTA}]
)",
     Strategy::append, StrategyReason::row_wise},
    {"NewFilesOfBronze", R"(
  layer: BRONZE
  sources: [{path: ./in, format: CSV}]
  sinks: [{path: ./t, format: DELTA}]
)",
     Strategy::append, StrategyReason::row_wise},
    {"NewFilesMerged", R"(
  primary_keys: [id]
  sources: [{path: ./in, format: CSV, as_stream: true}]
  sinks: [{path: ./t, format: DELTA, mode: MERGE, merge_cdc_options: {order_by: v}}]
)",
     Strategy::merge, StrategyReason::mode_merge},
    {"Aggregate", R"(
  sources: [{path: ./in, format: CSV, as_stream: true}]
  transformer: {nodes: [{expr: "SELECT count(*) AS n FROM {df}"}]}
  sinks: [{path: ./t, format: DELTA}]
)",
     Strategy::replace, StrategyReason::not_row_wise},
    {"Window", R"(
  sources: [{path: ./in, format: CSV, as_stream: true}]
  transformer: {nodes: [{expr: "SELECT id, row_number() OVER (ORDER BY id) AS r FROM {df}"}]}
  sinks: [{path: ./t, format: DELTA}]
)",
     Strategy::replace, StrategyReason::not_row_wise},
    {"Distinct", R"(
  sources: [{path: ./in, format: CSV, as_stream: true}]
  transformer: {nodes: [{expr: "SELECT DISTINCT v FROM {df}"}]}
  sinks: [{path: ./t, format: DELTA}]
)",
     Strategy::replace, StrategyReason::not_row_wise},
    {"Limit", R"(
  sources: [{path: ./in, format: CSV, as_stream: true}]
  transformer: {nodes: [{expr: "SELECT * FROM {df} LIMIT 1"}]}
  sinks: [{path: ./t, format: DELTA}]
)",
     Strategy::replace, StrategyReason::not_row_wise},
    {"SelfJoin", R"(
  sources: [{path: ./in, format: CSV, as_stream: true}]
  transformer: {nodes: [{expr: "SELECT a.id FROM {df} a JOIN {df} b ON a.id = b.id"}]}
  sinks: [{path: ./t, format: DELTA}]
)",
     Strategy::replace, StrategyReason::not_row_wise},
    {"DuplicatesDropped", R"(
  sources: [{path: ./in, format: CSV, as_stream: true, drop_duplicates: true}]
  sinks: [{path: ./t, format: DELTA}]
)",
     Strategy::replace, StrategyReason::not_row_wise},
    {"RefreshReplace", R"(
  refresh: REPLACE
  sources: [{path: ./in, format: CSV, as_stream: true}]
  sinks: [{path: ./t, format: DELTA}]
)",
     Strategy::replace, StrategyReason::refresh_key},
};

class StrategyDecision : public testing::TestWithParam<Case> {};

TEST_P(StrategyDecision, FollowsSourcesModeAndSql) {
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/a.csv", "id,v\n1,x\n2,y\n");
  Lakehouse lake(stores);
  const auto decision = lake.decide_next(pipeline(GetParam().node), "n");
  ASSERT_THAT(decision, testkit::IsOk());
  EXPECT_EQ(to_text(decision->strategy), to_text(GetParam().strategy));
  EXPECT_EQ(to_text(decision->reason), to_text(GetParam().reason));
  EXPECT_TRUE(paths_below(stores, "t").empty()) << "deciding wrote to the target";

  const RunReport report = lake.run(pipeline(GetParam().node));
  ASSERT_TRUE(all_well(report));
  EXPECT_EQ(report_of(report, "n").strategy, GetParam().strategy);
  EXPECT_EQ(report_of(report, "n").batches, 1);
  const auto before = stores.objects();
  const RunReport again = lake.run(pipeline(GetParam().node));
  ASSERT_TRUE(all_well(again));
  EXPECT_EQ(report_of(again, "n").strategy, Strategy::skip);
  EXPECT_EQ(report_of(again, "n").status, NodeStatus::skipped);
  EXPECT_EQ(stores.objects(), before) << "a second run changed something";
}

INSTANTIATE_TEST_SUITE_P(Table, StrategyDecision, testing::ValuesIn(kCases),
                         [](const auto& given) { return given.param.name; });

TEST(StrategyChoice, StrictRefusesToReplace) {
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/a.csv", "id,v\n1,x\n");
  Lakehouse lake(stores);
  const std::string yaml = pipeline(R"(
  strict: true
  sources: [{path: ./in, format: CSV, as_stream: true}]
  transformer: {nodes: [{expr: "SELECT count(*) AS n FROM {df}"}]}
  sinks: [{path: ./t, format: DELTA}]
)");
  const RunReport report = lake.run(yaml);
  EXPECT_EQ(report_of(report, "n").status, NodeStatus::failed);
  EXPECT_THAT(error_of(report, "n"), testing::HasSubstr("`strict` is set"));
  EXPECT_EQ(lake.version("t"), -1);
}

TEST(StrategyChoice, AppendModeRefusesSqlThatNeedsAllRows) {
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/a.csv", "id,v\n1,x\n");
  Lakehouse lake(stores);
  const RunReport report = lake.run(pipeline(R"(
  sources: [{path: ./in, format: CSV, as_stream: true}]
  transformer: {nodes: [{expr: "SELECT count(*) AS n FROM {df}"}]}
  sinks: [{path: ./t, format: DELTA, mode: APPEND}]
)"));
  EXPECT_EQ(report_of(report, "n").status, NodeStatus::failed);
  EXPECT_THAT(error_of(report, "n"), testing::HasSubstr("row-wise"));
}

TEST(StrategyChoice, NewRowsThatMeetAWholeTableAreRecomputed) {
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/a.csv", "id,v\n1,x\n");
  put_file(stores, "names/n.csv", "id,name\n1,one\n2,two\n");
  Lakehouse lake(stores);
  const std::string yaml = pipeline(R"(
  sources:
  - {name: facts, path: ./in, format: CSV, as_stream: true}
  - {name: names, path: ./names, format: CSV}
  transformer: {nodes: [{expr: "SELECT f.id, n.name FROM {sources.facts} f JOIN {sources.names} n ON f.id = n.id"}]}
  sinks: [{path: ./t, format: DELTA}]
)");
  const auto decision = lake.decide_next(yaml, "n");
  ASSERT_THAT(decision, testkit::IsOk());
  EXPECT_EQ(decision->strategy, Strategy::replace);
  ASSERT_TRUE(all_well(lake.run(yaml)));
  put_file(stores, "in/b.csv", "id,v\n2,y\n");
  ASSERT_TRUE(all_well(lake.run(yaml)));
  EXPECT_THAT(lake.rows("t", "SELECT id, name FROM target ORDER BY id"),
              testing::ElementsAre("1|one", "2|two"));
  put_file(stores, "names/n.csv", "id,name\n1,ONE\n2,two\n");
  ASSERT_TRUE(all_well(lake.run(yaml)));
  EXPECT_THAT(lake.rows("t", "SELECT id, name FROM target ORDER BY id"),
              testing::ElementsAre("1|ONE", "2|two"));
}

TEST(StrategyChoice, AnEditedDefinitionIsRecomputedWhereAllRowsAreRead) {
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/a.csv", "id,v\n1,x\n");
  Lakehouse lake(stores);
  const auto yaml = [](const std::string& sql) {
    return pipeline(
        "\n  sources: [{path: ./in, format: CSV}]\n  transformer: {nodes: "
        "[{expr: \"" +
        sql + "\"}]}\n  sinks: [{path: ./t, format: DELTA}]\n");
  };
  ASSERT_TRUE(all_well(lake.run(yaml("SELECT id FROM {df}"))));
  const RunReport edited = lake.run(yaml("SELECT id || '!' AS id FROM {df}"));
  ASSERT_TRUE(all_well(edited));
  EXPECT_EQ(report_of(edited, "n").strategy, Strategy::replace);
  EXPECT_THAT(lake.rows("t", "SELECT id FROM target"), testing::ElementsAre("1!"));
}

TEST(StrategyChoice, IgnoreLeavesATargetThatIsThereAndErrorFails) {
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/a.csv", "id,v\n1,x\n");
  Lakehouse lake(stores);
  const auto yaml = [](const std::string& mode) {
    return pipeline(
        "\n  sources: [{path: ./in, format: CSV}]\n"
        "  sinks: [{path: ./t, format: DELTA, mode: " +
        mode + "}]\n");
  };
  ASSERT_TRUE(all_well(lake.run(yaml("IGNORE"))));
  put_file(stores, "in/b.csv", "id,v\n2,y\n");
  const RunReport ignored = lake.run(yaml("IGNORE"));
  ASSERT_TRUE(all_well(ignored));
  EXPECT_EQ(report_of(ignored, "n").reason, StrategyReason::target_exists);
  EXPECT_EQ(lake.version("t"), 0);
  const RunReport refused = lake.run(yaml("ERROR"));
  EXPECT_THAT(error_of(refused, "n"), testing::HasSubstr("exists already"));
}

}  // namespace
}  // namespace lakemill::flow
