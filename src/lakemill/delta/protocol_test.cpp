#include "lakemill/delta/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lakemill::delta {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Metadata with_columns(std::vector<data::Field> fields) {
  Metadata metadata;
  metadata.schema.fields = std::move(fields);
  return metadata;
}

Metadata plain() {
  return with_columns({{"id", data::make_type(data::TypeKind::int64)}});
}

Metadata with_property(std::string name, std::string value) {
  Metadata metadata = plain();
  metadata.configuration[std::move(name)] = std::move(value);
  return metadata;
}

TEST(Protocol, NamesEveryReaderFeatureThatIsMissing) {
  auto status = check_readable({3, 7, {"deletionVectors", "variantType", "zebra"}, {}});
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code(), ErrorCode::unsupported);
  EXPECT_THAT(status.error().message(), HasSubstr("variantType, zebra"));
  EXPECT_TRUE(check_readable({1, 2, {}, {}}).has_value());
  EXPECT_TRUE(check_readable({2, 6, {}, {}}).has_value());
  EXPECT_TRUE(check_readable({3, 7, {}, {"rowTracking"}}).has_value());
  for (const int version : {0, 4, 99}) {
    EXPECT_FALSE(check_readable({version, 7, {}, {}}).has_value());
  }
}

TEST(Protocol, NamesEveryWriterFeatureThatIsMissing) {
  auto status =
      check_writable({1, 7, {}, {"appendOnly", "rowTracking", "zebra"}}, plain());
  ASSERT_FALSE(status.has_value());
  EXPECT_THAT(status.error().message(), HasSubstr("rowTracking, zebra"));
  for (const int version : {1, 2, 3, 4, 5, 6}) {
    EXPECT_TRUE(check_writable({1, version, {}, {}}, plain()).has_value()) << version;
  }
  EXPECT_FALSE(check_writable({1, 8, {}, {}}, plain()).has_value());
}

TEST(Protocol, RefusesToWriteWhereRulesForRowsAreNotEvaluated) {
  Metadata metadata = with_property("delta.constraints.positive", "id > 0");
  data::Field generated{"twice", data::make_type(data::TypeKind::int64)};
  generated.metadata["delta.generationExpression"] = "id * 2";
  metadata.schema.fields.push_back(generated);
  auto status = check_writable({1, 4, {}, {}}, metadata);
  ASSERT_FALSE(status.has_value());
  EXPECT_THAT(status.error().message(),
              HasSubstr("CHECK constraint 'positive', generated column 'twice'"));
}

TEST(Protocol, GivesNewTablesTheLowestThatDoes) {
  EXPECT_EQ(protocol_for(plain(), std::nullopt).value(), (Protocol{1, 2, {}, {}}));
  EXPECT_EQ(
      protocol_for(with_property("delta.enableChangeDataFeed", "true"), {}).value(),
      (Protocol{1, 4, {}, {}}));
  EXPECT_EQ(protocol_for(with_property("delta.columnMapping.mode", "name"), {}).value(),
            (Protocol{2, 5, {}, {}}));

  Metadata metadata = with_property("delta.enableDeletionVectors", "TRUE");
  metadata.schema.fields.push_back(
      {"at", data::make_array(data::make_type(data::TypeKind::timestamp_ntz), true)});
  const std::vector<std::string> features = {"deletionVectors", "timestampNtz"};
  EXPECT_EQ(protocol_for(metadata, {}).value(), (Protocol{3, 7, features, features}));
  EXPECT_TRUE(check_writable(protocol_for(metadata, {}).value(), metadata).has_value());
}

TEST(Protocol, AddsToAnExistingTableWhatItLacks) {
  const Metadata vectors = with_property("delta.enableDeletionVectors", "true");
  const Protocol legacy{2, 5, {}, {}};
  const auto upgraded = protocol_for(vectors, legacy).value();
  EXPECT_EQ(upgraded.min_reader_version, 3);
  EXPECT_THAT(upgraded.reader_features,
              ElementsAre("columnMapping", "deletionVectors"));
  EXPECT_THAT(
      upgraded.writer_features,
      ElementsAre("appendOnly", "changeDataFeed", "checkConstraints", "columnMapping",
                  "deletionVectors", "generatedColumns", "invariants"));
  EXPECT_EQ(protocol_for(vectors, upgraded).value(), upgraded);
  EXPECT_EQ(protocol_for(plain(), legacy).value(), legacy);

  const auto writer_only =
      protocol_for(with_property("delta.enableInCommitTimestamps", "true"), {}).value();
  EXPECT_EQ(writer_only, (Protocol{1, 7, {}, {"inCommitTimestamp"}}));
}

TEST(Protocol, RefusesNewTablesThatNeedWhatIsMissing) {
  auto protocol = protocol_for(with_property("delta.enableRowTracking", "true"), {});
  ASSERT_FALSE(protocol.has_value());
  EXPECT_THAT(protocol.error().message(), HasSubstr("rowTracking"));
  Metadata variant = with_columns({{"v", data::make_type(data::TypeKind::variant)}});
  EXPECT_FALSE(protocol_for(variant, {}).has_value());
}

TEST(Protocol, TakesAPropertyOnlyWithItsFeature) {
  const Metadata metadata = with_property("delta.enableDeletionVectors", "true");
  EXPECT_FALSE(deletion_vectors_enabled({1, 2, {}, {}}, metadata));
  EXPECT_TRUE(deletion_vectors_enabled(protocol_for(metadata, {}).value(), metadata));
  const Metadata mapped = with_property("delta.columnMapping.mode", "id");
  EXPECT_EQ(column_mapping_mode({1, 7, {}, {}}, mapped), "none");
  EXPECT_EQ(column_mapping_mode({2, 5, {}, {}}, mapped), "id");
  EXPECT_TRUE(append_only({1, 2, {}, {}}, with_property("delta.appendOnly", "true")));
  EXPECT_FALSE(append_only({1, 7, {}, {}}, with_property("delta.appendOnly", "true")));
}

}  // namespace
}  // namespace lakemill::delta
