#include "lakemill/flow/run_graph.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/language/load.h"
#include "lakemill/testing/matchers.h"

namespace lakemill::flow {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// "name < upstream upstream", a task group behind '@'.
language::Pipeline pipeline_of(const std::vector<std::string>& nodes) {
  language::Pipeline pipeline;
  for (const std::string& text : nodes) {
    language::Node node;
    std::string word;
    bool is_name = true;
    for (const char character : text + " ") {
      if (character != ' ') {
        word += character;
        continue;
      }
      if (is_name) {
        node.name = word;
        is_name = false;
      } else if (word.starts_with('@')) {
        node.execution_task_name = word.substr(1);
      } else if (word != "<") {
        language::Source source;
        source.kind = language::SourceKind::pipeline_node;
        source.node_name = word;
        node.sources.push_back(std::move(source));
      }
      word.clear();
    }
    pipeline.nodes.push_back(std::move(node));
  }
  return pipeline;
}

TEST(RunGraph, RunsEachNodeAfterWhatItNeeds) {
  const auto pipeline = pipeline_of({"gold < silver", "silver < bronze", "bronze"});
  const auto graph = make_run_graph(pipeline, {"gold", "silver", "bronze"});
  ASSERT_THAT(graph, testkit::IsOk());
  EXPECT_THAT(graph->order, ElementsAre("bronze", "silver", "gold"));
  EXPECT_THAT(graph->needs.at("gold"), ElementsAre("silver"));
  EXPECT_THAT(graph->needs.at("bronze"), IsEmpty());
}

TEST(RunGraph, LooksThroughNodesThatWereNotSelected) {
  const auto pipeline = pipeline_of({"a", "b < a", "c < b", "d < c b", "e"});
  const auto graph = make_run_graph(pipeline, {"a", "d", "e"});
  ASSERT_THAT(graph, testkit::IsOk());
  EXPECT_EQ(graph->order.size(), 3U);
  EXPECT_THAT(graph->needs.at("d"), ElementsAre("a"));
  EXPECT_THAT(graph->needs.at("e"), IsEmpty());
  EXPECT_FALSE(graph->needs.contains("b"));
}

TEST(RunGraph, LetsAGroupWaitForWhatAnyMemberNeeds) {
  const auto pipeline =
      pipeline_of({"x", "y", "a < x @g", "b < y @g", "c < a b @g", "d @other"});
  const auto graph = make_run_graph(pipeline, {"x", "y", "a", "b", "c", "d"});
  ASSERT_THAT(graph, testkit::IsOk());
  EXPECT_THAT(graph->needs.at("a"), UnorderedElementsAre("x", "y"));
  EXPECT_THAT(graph->needs.at("b"), UnorderedElementsAre("x", "y"));
  EXPECT_THAT(graph->needs.at("c"), UnorderedElementsAre("a", "b", "x", "y"));
  EXPECT_THAT(graph->needs.at("d"), IsEmpty());
}

TEST(RunGraph, LeavesOutAWaitOfAGroupThatWouldCloseACircle) {
  // m lies between two members of the group: a may not wait for it.
  const auto pipeline = pipeline_of({"a @g", "m < a", "b < m @g"});
  const auto graph = make_run_graph(pipeline, {"a", "m", "b"});
  ASSERT_THAT(graph, testkit::IsOk());
  EXPECT_THAT(graph->needs.at("a"), IsEmpty());
  EXPECT_THAT(graph->needs.at("m"), ElementsAre("a"));
  EXPECT_THAT(graph->needs.at("b"), ElementsAre("m"));
}

TEST(RunGraph, NeverWaitsForItself) {
  const auto pipeline =
      pipeline_of({"a @g", "b < a @g", "c < b @h", "d < c @g", "e @h"});
  const std::vector<std::string> all = {"a", "b", "c", "d", "e"};
  const auto graph = make_run_graph(pipeline, all);
  ASSERT_THAT(graph, testkit::IsOk());
  // Started in waves, all get their turn.
  std::vector<std::string> done;
  for (std::size_t wave = 0; wave < all.size(); ++wave) {
    for (const std::string& name : all) {
      const auto& needs = graph->needs.at(name);
      const bool ready =
          std::all_of(needs.begin(), needs.end(), [&](const std::string& need) {
            return std::find(done.begin(), done.end(), need) != done.end();
          });
      if (ready && std::find(done.begin(), done.end(), name) == done.end()) {
        done.push_back(name);
      }
    }
  }
  EXPECT_EQ(done.size(), all.size());
}

TEST(RunGraph, TellsOfACircle) {
  const auto pipeline = pipeline_of({"a < c", "b < a", "c < b"});
  EXPECT_THAT(make_run_graph(pipeline, {"a", "b", "c"}),
              testkit::HasError(ErrorCode::invalid, "a"));
}

}  // namespace
}  // namespace lakemill::flow
