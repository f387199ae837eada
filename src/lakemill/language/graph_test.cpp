#include "lakemill/language/graph.h"

#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/language/load.h"
#include "lakemill/language/quantity.h"
#include "lakemill/language/safe_expression.h"

namespace lakemill::language {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Pipeline pipeline_of(const std::string& nodes) {
  MemoryFileReader reader(
      std::map<std::string, std::string>{{"p.yaml", "name: p\nnodes:\n" + nodes}});
  LoadOptions options;
  options.reader = &reader;
  LoadedPipeline loaded = load_pipeline("p.yaml", options);
  EXPECT_EQ(loaded.diagnostics.to_text(), "");
  return loaded.pipeline.value_or(Pipeline());
}

const char* const kChain =
    "- {name: c, source: {node_name: b}, tags: [late]}\n"
    "- {name: b, source: {node_name: a}, execution_task_name: g}\n"
    "- {name: a, source: {path: a.csv}, tags: [raw]}\n"
    "- {name: d, source: {node_name: a}, execution_task_name: g}\n"
    "- {name: e, source: {node_name: c}, execution_task_name: g2}\n"
    "- {name: f, source: {path: f.csv}, execution_task_name: g2}\n";

TEST(FrameReferences, AreFoundOutsideOfQuotesAndComments) {
  const auto found = frame_references(
      "SELECT '{df}', \"{nodes.q}\", regexp(x, '[0-9]{8,8}') -- {nodes.c}\n"
      "FROM {df} JOIN { nodes.b } /* {sources.z} */ JOIN {sources.x} WHERE {8,8}");
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].kind, FrameReference::Kind::flow);
  EXPECT_EQ(found[1].name, "b");
  EXPECT_EQ(found[2].kind, FrameReference::Kind::source);
}

TEST(Upstream, ComesFromSourcesSqlArgumentsAndReferences) {
  const Pipeline pipeline = pipeline_of(
      "- {name: a, source: {path: a.csv}}\n- {name: b, source: {path: b.csv}}\n"
      "- {name: c, source: {path: c.csv}}\n- {name: d, source: {path: d.csv}}\n"
      "- name: x\n  depends_on: [d]\n  source: {node_name: a}\n  sink: {path: ./x}\n"
      "  expectations:\n"
      "  - {name: r, type: REFERENCE, columns: [k], to: {node: c}}\n"
      "  transformer:\n    nodes:\n    - expr: SELECT * FROM {df} JOIN {nodes.b}\n"
      "    - func_name: join\n      func_kwargs: {other: '{nodes.a}', \"on\": k}\n");
  EXPECT_THAT(upstream_of(pipeline.nodes[4]), ElementsAre("a", "b", "c", "d"));
}

TEST(Order, FollowsNeedsThenTheDocument) {
  const auto order = execution_order(pipeline_of(kChain));
  ASSERT_TRUE(order.has_value());
  EXPECT_THAT(*order, ElementsAre("a", "b", "c", "d", "e", "f"));
}

TEST(Order, NeverStartsAGroupBeforeWhatAnyMemberNeeds) {
  const Pipeline pipeline = pipeline_of(kChain);
  const auto needs = run_dependencies(pipeline);
  EXPECT_THAT(needs[5], ElementsAre(0U));  // f waits for c, which e of its group needs
  EXPECT_THAT(needs[3], ElementsAre(2U));
}

TEST(Order, OfAGroupThatNeedsItselfByOthersIsThatOfItsNodes) {
  const auto order = execution_order(
      pipeline_of("- {name: a, source: {path: x}, execution_task_name: g}\n"
                  "- {name: b, source: {node_name: a}}\n"
                  "- {name: c, source: {node_name: b}, execution_task_name: g}\n"));
  ASSERT_TRUE(order.has_value());
  EXPECT_THAT(*order, ElementsAre("a", "b", "c"));
}

TEST(Selection, TakesNamesTagsGroupsAndWhatIsAroundThem) {
  const Pipeline pipeline = pipeline_of(kChain);
  const auto select = [&](std::vector<std::string> selectors) {
    auto selected = select_nodes(pipeline, selectors);
    return selected ? *selected : std::vector<std::string>{selected.error().message()};
  };
  EXPECT_THAT(select({}), ElementsAre("c", "b", "a", "d", "e", "f"));
  EXPECT_THAT(select({"b"}), ElementsAre("b"));
  EXPECT_THAT(select({"*b"}), ElementsAre("b", "a"));
  EXPECT_THAT(select({"b*"}), ElementsAre("c", "b", "e"));
  EXPECT_THAT(select({"*b*"}), ElementsAre("c", "b", "a", "e"));
  EXPECT_THAT(select({"tag:raw", "f"}), ElementsAre("a", "f"));
  EXPECT_THAT(select({"*group:g"}), ElementsAre("b", "a", "d"));
  EXPECT_THAT(select({"tag:rwa"})[0],
              HasSubstr("has no tag 'rwa'; did you mean 'raw'?"));
}

TEST(Quantities, AreReadAsPeopleWriteThem) {
  EXPECT_EQ(*parse_duration("1h 30m"), std::chrono::minutes(90));
  EXPECT_EQ(*parse_duration("90"), std::chrono::seconds(90));
  EXPECT_EQ(*parse_duration("1.5 days"), std::chrono::hours(36));
  EXPECT_EQ(*parse_size("1.5GiB"), 1'610'612'736);
  EXPECT_EQ(*parse_size("4096"), 4096);
  for (const char* bad : {"", "m", "-5m", "5x", "1h 30", "1e99 w", "nan", "5mm"}) {
    EXPECT_FALSE(parse_duration(bad).has_value()) << bad;
  }
  EXPECT_TRUE(check_cron("*/5 0 * * MON-FRI").has_value());
  for (const char* bad :
       {"every five minutes at noon", "61 * * * *", "0 0 30 2 *", "* * * *"}) {
    EXPECT_FALSE(check_cron(bad).has_value()) << bad;
  }
}

TEST(SafeExpressions, GiveWhatPythonGivesOrSayWhy) {
  const auto lookup =
      [](const std::vector<std::string>& path) -> Result<std::optional<Tree>> {
    if (path == std::vector<std::string>{"vars", "env"}) {
      return std::optional<Tree>(make_string("dev"));
    }
    return std::optional<Tree>();
  };
  const auto evaluate = [&](const std::string& text) {
    const auto value = evaluate_expression(text, lookup);
    return value ? json_text(to_json(*value)) : value.error().message();
  };
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"1 + 2 * 3", "7"},
      {"-7 // 2", "-4"},
      {"-7 % 3", "2"},
      {"2 ** 10", "1024"},
      {"7 / 2", "3.5"},
      {"not 1 == 2 and 3 > 2 > 1", "true"},
      {"'x' if vars.env == 'dev' else unknown.name", "\"x\""},
      {"vars['env'].upper() + '_' + 'a,b'.split(',')[-1]", "\"DEV_b\""},
      {"'e' in vars.env and 3 not in [1, 2]", "true"},
      {"'ab' * 2", "\"abab\""},
      {"None or 'y'", "\"y\""},
      {"1 / 0", "column 3: division by zero"},
      {"9223372036854775807 + 1", "column 21: the number is too large"},
      {"'a' * 999999999", "column 5: the text is too large"},
      {"vars.nothing", "column 6: unknown name 'vars.nothing'"},
      {"open('x')", "column 5: only methods of strings can be called"},
      {"vars.env.__class__()", "column 19: a string has no method __class__()"},
      {"1 +", "column 4: the expression ends too early"},
      {"(1", "column 3: ')' is missing"},
      {"'x", "column 1: the string is not closed"},
      {"1 ; 2", "column 3: ';' is unexpected"},
  };
  for (const auto& [text, expected] : cases) {
    SCOPED_TRACE(text);
    EXPECT_EQ(evaluate(text), expected);
  }
  EXPECT_THAT(evaluate(std::string(2000, '(')), HasSubstr("nested too deeply"));
  EXPECT_THAT(evaluate(std::string(2000, '-') + "1"), HasSubstr("nested too deeply"));
  EXPECT_THAT(evaluate(std::string(5000, '1')), HasSubstr("longer than"));
}

}  // namespace
}  // namespace lakemill::language
