#include "lakemill/flow/named_columns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lakemill::flow {
namespace {

using ::testing::HasSubstr;

data::Schema rows() {
  data::Schema schema;
  for (const char* name : {"id", "Amount", "day"}) {
    schema.fields.push_back({name, data::make_type(data::TypeKind::int64)});
  }
  return schema;
}

language::NamedColumn named(const std::string& option, const std::string& column) {
  return {option, {column, {"p.yaml", 7, 20}}};
}

language::Node merging(language::NamedColumn column) {
  language::Node node;
  language::Sink& sink = node.sinks.emplace_back();
  sink.merge_cdc_options = language::MergeCdcOptions();
  sink.merge_cdc_options->scd_type = 2;
  sink.named_columns = {std::move(column)};
  return node;
}

TEST(NamedColumns, AreFoundIgnoringCase) {
  EXPECT_TRUE(check_named_columns(merging(named("order_by", "AMOUNT")), rows(), true)
                  .has_value());
}

TEST(NamedColumns, ToldWithTheirPlaceAndWhatWasMeant) {
  const auto checked =
      check_named_columns(merging(named("order_by", "amuont")), rows(), false);
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().message(),
            "p.yaml:7:20: order_by names column 'amuont', which the rows do not have; "
            "did you mean 'Amount'?");
  const auto far =
      check_named_columns(merging(named("primary_keys", "zzz")), rows(), false);
  EXPECT_THAT(far.error().message(), HasSubstr("they have id, Amount, day"));
}

TEST(NamedColumns, MayBeOnesThatTheTableHasBesides) {
  const auto node = merging(named("partition_by", "__start_at"));
  EXPECT_TRUE(check_named_columns(node, rows(), true).has_value());
  const auto wrong = merging(named("partition_by", "dya"));
  EXPECT_FALSE(check_named_columns(wrong, rows(), true).has_value());
  // What an old table holds is not known here.
  EXPECT_TRUE(check_named_columns(wrong, rows(), false).has_value());
}

TEST(NamedColumns, OfAnExpectationOverTheTableWaitForTheTable) {
  language::Node node = merging(named("order_by", "id"));
  language::Expectation& unique = node.expectations.emplace_back();
  unique.name = "u";
  unique.type = language::ExpectationType::unique;
  unique.named_columns = {named("columns", "idd")};
  EXPECT_TRUE(check_named_columns(node, rows(), false).has_value());
  const auto checked = check_named_columns(node, rows(), true);
  ASSERT_FALSE(checked.has_value());
  EXPECT_THAT(checked.error().message(), HasSubstr("expectation 'u': columns names"));
}

}  // namespace
}  // namespace lakemill::flow
