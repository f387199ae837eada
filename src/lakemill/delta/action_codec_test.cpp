#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/delta/action.h"
#include "lakemill/testing/matchers.h"

namespace lakemill::delta {
namespace {

using ::testing::HasSubstr;
using testkit::HasError;
using testkit::IsOk;

template <typename Body>
Body read(std::string_view line) {
  Result<std::optional<Action>> action = action_from_line(line);
  EXPECT_THAT(action, IsOk()) << line;
  if (!action || !*action || !std::holds_alternative<Body>(**action)) {
    ADD_FAILURE() << "another action: " << line;
    return {};
  }
  return std::get<Body>(**action);
}

const char* const kLines[] = {
    R"({"protocol":{"minReaderVersion":1,"minWriterVersion":2}})",
    R"({"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors"],"writerFeatures":["appendOnly","deletionVectors"]}})",
    R"({"metaData":{"id":"7","name":"t","format":{"provider":"parquet","options":{}},"schemaString":"{\"fields\":[{\"metadata\":{},\"name\":\"a\",\"nullable\":true,\"type\":\"long\"}],\"type\":\"struct\"}","partitionColumns":["a"],"configuration":{"k":"v"},"createdTime":5}})",
    R"({"add":{"path":"a=1/x%20y.parquet","partitionValues":{"a":"1","b":null,"c":""},"size":10,"modificationTime":20,"dataChange":true,"stats":"{\"numRecords\":3}","tags":{"t":"u"},"deletionVector":{"storageType":"u","pathOrInlineDv":"ab^-aqEH.-t@S}K{vb[*k^","offset":4,"sizeInBytes":40,"cardinality":6},"baseRowId":7,"defaultRowCommitVersion":8,"clusteringProvider":"liquid"}})",
    R"({"add":{"path":"x","partitionValues":{},"size":1,"modificationTime":2,"dataChange":false}})",
    R"({"remove":{"path":"x","deletionTimestamp":9,"dataChange":true,"extendedFileMetadata":true,"partitionValues":{"p":null},"size":3}})",
    R"({"remove":{"path":"x","dataChange":false}})",
    R"({"txn":{"appId":"a","version":3,"lastUpdated":4}})",
    R"({"txn":{"appId":"","version":-1}})",
    R"({"domainMetadata":{"domain":"d","configuration":"{\"a\":1}","removed":true}})",
    R"({"cdc":{"path":"_change_data/x","partitionValues":{"p":"1"},"size":3,"dataChange":false}})",
    R"({"commitInfo":{"operation":"WRITE","timestamp":123}})",
    R"({"checkpointMetadata":{"version":4}})",
    R"({"sidecar":{"path":"x.parquet","sizeInBytes":5,"modificationTime":6}})",
};

TEST(ActionCodec, WritesTheVeryLineThatItRead) {
  for (const char* line : kLines) {
    const Result<std::optional<Action>> action = action_from_line(line);
    ASSERT_THAT(action, IsOk()) << line;
    ASSERT_TRUE(action->has_value()) << line;
    EXPECT_EQ(to_line(**action), line);
  }
}

TEST(ActionCodec, TellsAnAbsentPartitionValueFromANullAndAnEmptyOne) {
  const auto add = read<AddFile>(kLines[3]);
  EXPECT_EQ(add.partition_values.at("a"), "1");
  EXPECT_EQ(add.partition_values.at("b"), std::nullopt);
  EXPECT_EQ(add.partition_values.at("c"), "");
  EXPECT_FALSE(add.partition_values.contains("d"));
}

TEST(ActionCodec, TakesNullsForAbsentMembers) {
  const auto add = read<AddFile>(
      R"({"add":{"path":"x","partitionValues":null,"size":1,"modificationTime":null,)"
      R"("dataChange":true,"stats":null,"tags":null,"deletionVector":null},)"
      R"("remove":null})");
  EXPECT_EQ(add.stats, "");
  EXPECT_FALSE(add.deletion_vector);
  const auto metadata = read<Metadata>(
      R"({"metaData":{"id":"i","name":null,"format":{"provider":"parquet"},)"
      R"("partitionColumns":[],"configuration":{}}})");
  EXPECT_FALSE(metadata.name);
  EXPECT_TRUE(metadata.schema.fields.empty());
}

TEST(ActionCodec, PassesOverWhatLaterVersionsMayAdd) {
  const auto unknown = action_from_line(R"({"future":{"x":[1,{"y":"}"}]}})");
  ASSERT_THAT(unknown, IsOk());
  EXPECT_FALSE(unknown->has_value());
  const auto add = read<AddFile>(
      R"({"add":{"z":{"a":[1e400,"\"]"]},"path":"x","size":1,"w":null},"other":[]})");
  EXPECT_EQ(add.path, "x");
}

TEST(ActionCodec, ReadsEscapesAndSurrogates) {
  const auto add =
      read<AddFile>("{\"add\":{\"path\":\"\\u00e9\\n\\ud83d\\ude00\\/\",\"size\":1}}");
  EXPECT_EQ(add.path, "é\n😀/");
  EXPECT_EQ(read<AddFile>(to_line(add)).path, add.path);
}

TEST(ActionCodec, GivesVectorsAnIdentity) {
  const auto add = read<AddFile>(kLines[3]);
  EXPECT_EQ(add.deletion_vector->unique_id(), "uab^-aqEH.-t@S}K{vb[*k^@4");
  EXPECT_EQ((DeletionVectorDescriptor{"i", "wi5b", std::nullopt, 1, 1}).unique_id(),
            "iwi5b");
}

TEST(ActionCodec, SaysWhatIsWrongWithALine) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "expected '{'"},
      {"[1]", "expected '{'"},
      {R"({"add":{"path":"x","size":1})", "expected ','"},
      {R"({"add":{"path":"x","size":1}} x)", "text behind the action"},
      {R"({"add":{"size":1}})", "add: it lacks path"},
      {R"({"add":{"path":"x"}})", "add: it lacks size"},
      {R"({"add":{"path":"x","size":"1"}})", "add: expected an integer at byte"},
      {R"({"add":{"path":7,"size":1}})", "add: expected a string"},
      {R"({"add":{"path":"x","size":1,"dataChange":"yes"}})", "expected true or false"},
      {R"({"add":{"path":"x","size":1},"remove":{"path":"x"}})", "two actions"},
      {R"({"protocol":{"minReaderVersion":1}})", "protocol: it lacks minWriterVersion"},
      {R"({"metaData":{"id":"x","schemaString":"{"}})", "metaData.schemaString"},
      {R"({"metaData":{"id":"x","schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"blob\"}]}"}})",
       "unknown type: blob"},
      {R"({"commitInfo":{"a":nul}})", "commitInfo"},
      {R"({"txn":{"appId":"a"}})", "txn: it lacks version"},
  };
  for (const auto& [line, part] : cases) {
    EXPECT_THAT(action_from_line(line), HasError(ErrorCode::corrupt, part)) << line;
  }
  EXPECT_THAT(
      action_from_line(R"({"metaData":{"id":"x","format":{"provider":"orc"}}})"),
      HasError(ErrorCode::unsupported, "orc"));
}

TEST(ActionCodec, NamesTheLineOfACommit) {
  int count = 0;
  const Status status =
      for_each_action("{\"txn\":{\"appId\":\"a\",\"version\":1}}\r\n\n{\"add\":{}}\n",
                      [&](const Action&) { ++count; });
  EXPECT_THAT(status, HasError(ErrorCode::corrupt, "line 3: add: it lacks path"));
  EXPECT_EQ(count, 1);
}

// Cut, changed and doubled bytes give an action or an error, and nothing worse (the
// sanitizer builds look closer).
TEST(ActionCodec, SurvivesAnyDamageToItsLines) {
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::string line = kLines[random() % std::size(kLines)];
    const auto changes = random() % 4;
    for (unsigned i = 0; i <= changes && !line.empty(); ++i) {
      const std::size_t at = random() % line.size();
      switch (random() % 4) {
        case 0:
          line.resize(at);
          break;
        case 1:
          line[at] = static_cast<char>(random());
          break;
        case 2:
          line.insert(at, line.substr(random() % line.size(), random() % 8));
          break;
        default:
          line[at] = R"("\{}[]:,n0u)"[random() % 11];
      }
    }
    const auto action = action_from_line(line);
    if (action && *action) {
      EXPECT_THAT(action_from_line(to_line(**action)), IsOk());
    }
  }
}

}  // namespace
}  // namespace lakemill::delta
