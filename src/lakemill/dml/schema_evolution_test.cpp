#include "lakemill/dml/schema_evolution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/data/type_text.h"
#include "lakemill/testing/matchers.h"

namespace lakemill::dml {
namespace {

using data::TypeKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testkit::HasError;
using testkit::IsOk;

data::Field field(const std::string& name, data::Type type) {
  return {name, std::move(type), true, Json::object()};
}

data::Type type(TypeKind kind) { return data::make_type(kind); }

class SchemaEvolution : public testing::Test {
 protected:
  Result<Evolution> evolve(const data::Schema& query, const EvolutionRules& rules) {
    return evolve_schema(table_, query, rules, random_);
  }
  Result<Evolution> evolve(const data::Schema& query) {
    return evolve(query, EvolutionRules{});
  }
  static std::vector<std::string> columns(const Evolution& evolution) {
    std::vector<std::string> names;
    for (const auto& item : evolution.metadata.schema.fields) {
      names.push_back(item.name + " " + data::to_text(item.type));
    }
    return names;
  }

  SeededRandom random_{1};
  delta::Metadata table_ = [] {
    delta::Metadata metadata;
    metadata.schema.fields = {field("Id", type(TypeKind::int64)),
                              field("v", type(TypeKind::int32))};
    return metadata;
  }();
};

TEST_F(SchemaEvolution, AddsNewColumnsAtTheEndAndKeepsTheTablesSpelling) {
  const auto evolution = evolve(
      {{field("w", type(TypeKind::string)), field("ID", type(TypeKind::int64))}});
  ASSERT_THAT(evolution, IsOk());
  EXPECT_THAT(columns(*evolution),
              ElementsAre(HasSubstr("Id "), HasSubstr("v "), HasSubstr("w string")));
  EXPECT_THAT(evolution->changes, ElementsAre(HasSubstr("column w added")));
}

TEST_F(SchemaEvolution, ChangesNothingWhereTheColumnsFit) {
  const auto evolution =
      evolve({{field("id", type(TypeKind::int32)), field("v", type(TypeKind::int16))}});
  ASSERT_THAT(evolution, IsOk());
  EXPECT_TRUE(evolution->metadata == table_) << "narrower types are cast";
  EXPECT_THAT(evolution->changes, IsEmpty());
}

TEST_F(SchemaEvolution, WidensATypeOnlyWhereTheTableMayHoldWiderOnes) {
  const data::Schema wider{{field("v", type(TypeKind::int64))}};
  EXPECT_THAT(evolve(wider), HasError(ErrorCode::invalid, "v"));
  table_.configuration["delta.enableTypeWidening"] = "true";
  const auto evolution = evolve(wider);
  ASSERT_THAT(evolution, IsOk());
  EXPECT_EQ(evolution->metadata.schema.find("v")->type.kind, TypeKind::int64);
  EXPECT_THAT(evolution->changes, ElementsAre(HasSubstr("column v widened")));
  const Json& noted =
      evolution->metadata.schema.find("v")->metadata.at("delta.typeChanges");
  ASSERT_EQ(noted.size(), 1U);
  EXPECT_EQ(noted[0].at("fromType"), "integer");
  EXPECT_EQ(noted[0].at("toType"), "long");
}

TEST_F(SchemaEvolution, RefusesATypeThatDoesNotFitNamingBoth) {
  EXPECT_THAT(evolve({{field("v", type(TypeKind::boolean))}}),
              HasError(ErrorCode::invalid, "boolean"));
}

TEST_F(SchemaEvolution, RefusesEveryDifferenceWhereNoneMayBe) {
  const EvolutionRules strict{false, false};
  EXPECT_THAT(
      evolve({{field("Id", type(TypeKind::int64)), field("v", type(TypeKind::int32)),
               field("w", type(TypeKind::int32))}},
             strict),
      HasError(ErrorCode::invalid, "w"));
}

TEST_F(SchemaEvolution, TakesTheBatchsSchemaWhereAllRowsAreReplaced) {
  const auto evolution =
      evolve({{field("v", type(TypeKind::string))}}, EvolutionRules{true, true});
  ASSERT_THAT(evolution, IsOk());
  EXPECT_THAT(columns(*evolution), ElementsAre("v string"));
}

TEST_F(SchemaEvolution, KeepsWhatTheTableSaysBelowAColumnThatIsReplacedAlike) {
  data::Field strict = field("a", type(TypeKind::int32));
  strict.nullable = false;
  table_.schema.fields.push_back(field("s", data::make_struct({strict})));
  const data::Type given = data::make_struct({field("a", type(TypeKind::int32))});
  const auto evolution = evolve({{field("s", given)}}, {true, true});
  ASSERT_THAT(evolution, IsOk());
  EXPECT_THAT(evolution->changes,
              ElementsAre(HasSubstr("Id dropped"), HasSubstr("v dropped")));
  EXPECT_FALSE(evolution->metadata.schema.fields[0].type.children[0].nullable);
}

TEST_F(SchemaEvolution, GivesNewColumnsOfAMappedTableANumberAndAName) {
  table_.configuration["delta.columnMapping.mode"] = "name";
  map_columns(table_, table_.schema, random_);
  EXPECT_EQ(table_.schema.find("Id")->metadata.at("delta.columnMapping.physicalName"),
            "Id")
      << "files that are there have it by its name";
  auto evolution = evolve({{field("w", type(TypeKind::int32))}});
  ASSERT_THAT(evolution, IsOk());
  map_columns(evolution->metadata, table_.schema, random_);
  const Json& metadata = evolution->metadata.schema.find("w")->metadata;
  EXPECT_EQ(metadata.at("delta.columnMapping.id"), 3);
  EXPECT_NE(metadata.at("delta.columnMapping.physicalName"), "w");
}

TEST(FitsWithoutLoss, IsTrueOfTypesWhoseEveryValueIsOneOfTheOther) {
  EXPECT_TRUE(fits_without_loss(type(TypeKind::int8), type(TypeKind::int64)));
  EXPECT_TRUE(fits_without_loss(type(TypeKind::int32), type(TypeKind::float64)));
  EXPECT_FALSE(fits_without_loss(type(TypeKind::int64), type(TypeKind::float64)));
  EXPECT_FALSE(fits_without_loss(type(TypeKind::int64), type(TypeKind::int32)));
  EXPECT_TRUE(fits_without_loss(type(TypeKind::int32), data::make_decimal(12, 2)));
  EXPECT_FALSE(fits_without_loss(type(TypeKind::int32), data::make_decimal(11, 2)));
  EXPECT_FALSE(fits_without_loss(type(TypeKind::string), type(TypeKind::date)));
}

}  // namespace
}  // namespace lakemill::dml
