#include "lakemill/engine_duckdb/predicate_shape.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/session_fixture.h"

namespace lakemill::engine_duckdb {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

using PredicateShape = SessionFixture;

std::string fault_of(std::string_view text, PredicateUse use) {
  const auto fault = fault_in_predicate(text, use);
  return fault ? fault->message : "";
}

TEST_F(PredicateShape, KnowsAllAggregatesOfTheEngine) {
  // Those that need OVER, which no FUNCTION without it is bound to.
  const std::set<std::string> windows = {
      "cume_dist",  "dense_rank", "fill",      "first_value", "lag",
      "last_value", "lead",       "nth_value", "ntile",       "percent_rank",
      "rank",       "rank_dense", "row_number"};
  const std::string names = text(
      "SELECT string_agg(DISTINCT function_name, ',') FROM duckdb_functions() WHERE "
      "function_type = 'aggregate' OR (function_type = 'macro' AND function_name IN "
      "('weighted_avg', 'wavg', 'geomean', 'geometric_mean', 'percentile', "
      "'approx_percentile', 'percentile_approx'))");
  ASSERT_GT(split(names, ',').size(), 80U);
  for (const std::string& name : split(names, ',')) {
    if (windows.contains(name)) continue;
    EXPECT_THAT(fault_of(name + "(k) > 1", PredicateUse::row_check),
                HasSubstr("aggregate"))
        << name;
    EXPECT_THAT(fault_of(name + "(k) > 1", PredicateUse::aggregate), IsEmpty()) << name;
  }
}

TEST_F(PredicateShape, TellsWhatCannotBeTrueOrFalseOfOneRow) {
  const auto fault =
      fault_in_predicate("k > 0 AND\ncount(*) > 1", PredicateUse::row_check);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->message,
            "count is an aggregate of many rows, and a ROW expectation looks at one "
            "row; give it type: AGGREGATE");
  EXPECT_EQ(fault->offset, 10U);
  EXPECT_THAT(fault_of("unnest([true, false])", PredicateUse::row_check),
              HasSubstr("several rows"));
  EXPECT_THAT(fault_of("COLUMNS(*) IS NOT NULL", PredicateUse::row_check),
              HasSubstr("several values"));
  EXPECT_THAT(fault_of("sum(a) > 1", PredicateUse::filter), HasSubstr("a filter"));
  EXPECT_THAT(fault_of("sum(a) OVER () > 1", PredicateUse::filter),
              HasSubstr("other rows"));
  EXPECT_THAT(fault_of("max(a) = 1", PredicateUse::condition), HasSubstr("one change"));
}

TEST_F(PredicateShape, LeavesWhatGivesOneValueOfARow) {
  for (const char* text :
       {"k > 1", "max(a) OVER () > 1", "k IN (SELECT max(k) FROM main.silver.t)",
        "EXISTS (SELECT count(*) FROM t)", "least(*COLUMNS(*)) > 0",
        "list_filter(l, lambda x: x > 1) = []", "list_sum(l) > 1"}) {
    EXPECT_THAT(fault_of(text, PredicateUse::row_check), IsEmpty()) << text;
  }
  EXPECT_THAT(fault_of("COLUMNS(*) IS NOT NULL", PredicateUse::filter), IsEmpty());
}

TEST_F(PredicateShape, AnAggregateExpectationHasAnAggregate) {
  for (const char* text : {"k > 1", "sum(k) OVER () > 1", "k IN (SELECT 1)"}) {
    EXPECT_THAT(fault_of(text, PredicateUse::aggregate), HasSubstr("no aggregate"))
        << text;
  }
  for (const char* text : {"count(*) > 1", "max(k) > (SELECT 1)", "true",
                           "(SELECT count(*) FROM main.silver.t) > 1"}) {
    EXPECT_THAT(fault_of(text, PredicateUse::aggregate), IsEmpty()) << text;
  }
}

}  // namespace
}  // namespace lakemill::engine_duckdb
