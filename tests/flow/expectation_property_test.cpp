// Kept + dropped + quarantined = input, whatever the data and the expectations: rows
// with nulls, expressions that are null, several actions on one row. The counts and the
// rows are computed again by plain SQL.
#include <cstdlib>
#include <iostream>
#include <random>

#include "flow_fixture.h"

#include "lakemill/base/text.h"

namespace lakemill::flow {
namespace {

constexpr int kCases = 220;

struct Rule {
  std::string name;
  std::string expression;
  std::string action;
};

struct Case {
  bool held_back = false;  // judged over the whole target before anything is written
  std::string rows;        // a JSON array of objects, also YAML's flow syntax
  std::vector<Rule> rules;
};

std::string any_of(std::mt19937_64& random, const std::vector<std::string>& choices) {
  return choices[random() % choices.size()];
}

std::string random_value(std::mt19937_64& random) {
  return random() % 4 == 0 ? "null"
                           : std::to_string(static_cast<int>(random() % 11) - 5);
}

std::string random_text(std::mt19937_64& random) {
  return any_of(random, {"null", "\"\"", "\"a\"", "\"ab\"", "\"b%\"", "\"A\""});
}

std::string random_expression(std::mt19937_64& random) {
  const std::string number = std::to_string(static_cast<int>(random() % 7) - 3);
  const std::string column = any_of(random, {"x", "y"});
  const std::vector<std::string> shapes = {
      column + " > " + number,
      column + " IS NOT NULL",
      column + " IS NULL",
      column + " IN (" + number + ", 0, NULL)",
      "x + y < " + number,
      "NOT (" + column + " = " + number + ")",
      "s LIKE 'a%'",
      "s IS NOT DISTINCT FROM 'a'",
      "coalesce(" + column + ", " + number + ") <= 1",
      "CASE WHEN x > 0 THEN y > 0 END",
      "x BETWEEN y AND " + number,
      "NULL::BOOLEAN",
      "true",
  };
  std::string expression = any_of(random, shapes);
  const auto kind = random() % 4;
  if (kind == 0)
    expression = "(" + expression + ") AND (" + any_of(random, shapes) + ")";
  if (kind == 1)
    expression = "(" + expression + ") OR (" + any_of(random, shapes) + ")";
  return expression;
}

// Every so many cases more rows than the engine takes at a time.
Case random_case(std::mt19937_64& random, int number) {
  Case made;
  made.held_back = number % 3 == 0;
  const int rows = number % 25 == 7 ? 2000 + static_cast<int>(random() % 4000)
                                    : 1 + static_cast<int>(random() % 30);
  for (int i = 0; i < rows; ++i) {
    made.rows += std::string(i == 0 ? "[" : ", ") + "{\"n\": " + std::to_string(i) +
                 ", \"x\": " + random_value(random) +
                 ", \"y\": " + random_value(random) +
                 ", \"s\": " + random_text(random) + "}";
  }
  made.rows += "]";
  const int rules = 1 + static_cast<int>(random() % 4);
  for (int i = 0; i < rules; ++i) {
    made.rules.push_back(
        {"r" + std::to_string(i), random_expression(random),
         any_of(random, {"QUARANTINE", "QUARANTINE", "DROP", "WARN"})});
  }
  return made;
}

std::string pipeline(const Case& item) {
  std::string text =
      "name: p\nnodes:\n- name: n\n"
      "  sources: [{path: ./in.json, format: JSON, schema: {n: int, x: int, y: int, s: "
      "string}}]\n"
      "  expectations:\n";
  for (const Rule& rule : item.rules) {
    text += "  - {name: " + rule.name + ", expr: \"" + rule.expression +
            "\", action: " + rule.action + "}\n";
  }
  if (item.held_back) {
    text +=
        "  - {name: counted, type: AGGREGATE, expr: \"count(*) >= 0\", action: "
        "WARN}\n";
  }
  return text +
         "  sinks:\n  - {path: ./t, format: DELTA}\n"
         "  - {path: ./q, format: DELTA, is_quarantine: true}\n";
}

// True for a row that fails one of the rules with that action: null fails.
std::string fails_any(const std::vector<Rule>& rules, const std::string& action) {
  std::string condition = "false";
  for (const Rule& rule : rules) {
    if (rule.action == action) {
      condition += " OR (" + rule.expression + ") IS NOT TRUE";
    }
  }
  return "(" + condition + ")";
}

std::string input(const Case& item) {
  return "(SELECT * FROM (SELECT unnest(from_json(" + quote_literal(item.rows) +
         ", '[{\"n\":\"INT\",\"x\":\"INT\",\"y\":\"INT\",\"s\":\"VARCHAR\"}]'), "
         "recursive := true)))";
}

TEST(Expectations, KeepDropAndQuarantineEveryRowOnce) {
  const char* given = std::getenv("LAKEMILL_SEED");
  const std::uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::cout << kCases << " cases, LAKEMILL_SEED=" << seed << "\n";
  std::mt19937_64 random(seed);
  testkit::MemoryStoreProvider stores;
  Lakehouse lake(stores);
  for (int number = 0; number < kCases; ++number) {
    const Case item = random_case(random, number);
    const std::string yaml = pipeline(item);
    SCOPED_TRACE("case " + std::to_string(number) + "\n" + yaml +
                 item.rows.substr(0, 3000));
    for (const char* folder : {"t", "q", "_lakemill"}) remove_folder(stores, folder);
    put_file(stores, "in.json", item.rows);
    const RunReport report = lake.run(yaml);
    ASSERT_TRUE(all_well(report));

    const std::string quarantined = fails_any(item.rules, "QUARANTINE");
    const std::string dropped = fails_any(item.rules, "DROP");
    const std::string columns = "n, x, y, s";
    const RowTexts kept_rows =
        lake.answer("SELECT " + columns + " FROM " + input(item) + " WHERE NOT " +
                    quarantined + " AND NOT " + dropped + " ORDER BY n");
    const RowTexts quarantined_rows =
        lake.answer("SELECT " + columns + " FROM " + input(item) + " WHERE " +
                    quarantined + " ORDER BY n");
    const RowTexts input_rows = lake.answer("SELECT n FROM " + input(item));
    ASSERT_EQ(lake.rows("t", "SELECT " + columns + " FROM target ORDER BY n"),
              kept_rows);
    ASSERT_EQ(lake.rows("q", "SELECT " + columns + " FROM target ORDER BY n"),
              quarantined_rows);

    const NodeReport& node = report_of(report, "n");
    ASSERT_EQ(node.input_rows, static_cast<std::int64_t>(input_rows.size()));
    ASSERT_EQ(node.kept_rows, static_cast<std::int64_t>(kept_rows.size()));
    ASSERT_EQ(node.quarantined_rows,
              static_cast<std::int64_t>(quarantined_rows.size()));
    ASSERT_EQ(node.kept_rows + node.dropped_rows + node.quarantined_rows,
              node.input_rows);
    // Each quarantined row names exactly the rules that it fails.
    for (const Rule& rule : item.rules) {
      if (rule.action != "QUARANTINE") continue;
      const RowTexts named = lake.rows(
          "q", "SELECT n FROM target WHERE list_contains(_failed_expectations, '" +
                   rule.name + "') ORDER BY n");
      const RowTexts failing =
          lake.answer("SELECT n FROM " + input(item) + " WHERE (" + rule.expression +
                      ") IS NOT TRUE ORDER BY n");
      ASSERT_EQ(named, failing) << rule.name;
    }
  }
}

}  // namespace
}  // namespace lakemill::flow
