// The parser here finds a fault where the text has "FAULT".
#include "lakemill/language/sql_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/language/load_fixture.h"

namespace lakemill::language {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Checked {
  std::vector<std::string> seen;
  std::vector<std::string> told;
};

Checked check(const std::string& text) {
  Checked checked;
  MemoryFileReader reader({{"p.yaml", text}});
  LoadOptions options;
  options.reader = &reader;
  options.sql_parser = [&](std::string_view sql, SqlForm) -> std::optional<SqlFault> {
    checked.seen.emplace_back(sql);
    const std::size_t at = sql.find("FAULT");
    if (at == std::string_view::npos) return std::nullopt;
    return SqlFault{"syntax error", at};
  };
  const auto loaded = load_pipeline("p.yaml", options);
  for (const Diagnostic& diagnostic : loaded.diagnostics.sorted()) {
    checked.told.push_back(to_text(diagnostic));
  }
  return checked;
}

std::string step(const std::string& rest) {
  return testkit::one_node("  transformer:\n    nodes:\n" + rest);
}

TEST(SqlCheck, SeesFramesAndSecretsAsARunPutsThemIn) {
  const auto checked =
      check(step("    - expr: \"SELECT '{df}' FROM {df} WHERE k = ${secret.KEY}\"\n") +
            "  sink: {path: out}\n");
  EXPECT_THAT(checked.told, ElementsAre());
  EXPECT_THAT(checked.seen,
              ElementsAre("SELECT '{df}' FROM \"df\" WHERE k = '{secret.KEY'"));
}

TEST(SqlCheck, MapsAFaultIntoBlocksAndQuotes) {
  const auto checked =
      check(step("    - expr: |\n"
                 "        SELECT a,\n"
                 "          FAULT\n"
                 "    - expr: >\n"
                 "        SELECT a\n"
                 "        FROM {df}\n\n"
                 "        WHERE FAULT\n"
                 "    - expr: 'SELECT ''x'' AS FAULT'\n"
                 "    - expr: SELECT FAULT\n"));
  EXPECT_THAT(checked.told,
              ElementsAre(HasSubstr("p.yaml:9:11: error: syntax error"),
                          HasSubstr("p.yaml:14:15:"), HasSubstr("p.yaml:15:30:"),
                          HasSubstr("p.yaml:16:20:")));
}

TEST(SqlCheck, KeepsTheLineBehindAVariableInABlock) {
  const auto checked =
      check("variables: {limit: 12345}\n" + step("    - expr: |\n"
                                                 "        SELECT ${vars.limit},\n"
                                                 "          FAULT\n"));
  EXPECT_THAT(checked.told, ElementsAre(HasSubstr("p.yaml:10: error")));
}

TEST(SqlCheck, TellsFiltersExpectationsAndConditionsOfMerges) {
  const auto checked = check(
      "name: p\nnodes:\n- name: a\n"
      "  source: {path: a.csv, filter: FAULT}\n"
      "  expectations:\n"
      "  - {name: e, expr: FAULT, type: ROW}\n"
      "  - {name: f, expr: 'nw.col(\"FAULT\") > 1', type: ROW}\n"
      "  sink:\n    path: out\n    mode: MERGE\n"
      "    merge_cdc_options:\n      primary_keys: [k]\n"
      "      delete_where: op = FAULT\n");
  EXPECT_THAT(checked.told,
              ElementsAre(HasSubstr("p.yaml:4:33: error: the filter: syntax error"),
                          HasSubstr("p.yaml:6:21: error: expectation 'e': syntax"),
                          HasSubstr("p.yaml:13:26: error: delete_where: syntax")));
}

}  // namespace
}  // namespace lakemill::language
