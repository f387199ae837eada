#include "lakemill/delta/transaction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/delta/protocol.h"
#include "lakemill/delta/transaction_fixture_test.h"

namespace lakemill::delta {
namespace {

using ::testing::HasSubstr;
using testkit::HasError;
using testkit::IsOk;

TEST_F(TransactionTest, CreatesATableAndAppendsToIt) {
  EXPECT_EQ(create(new_table()), 0);
  EXPECT_EQ(append(file_of("a.parquet", 1, 5)), 1);
  EXPECT_EQ(append(file_of("b.parquet", 6, 9)), 2);

  const auto snapshot = latest();
  EXPECT_EQ(snapshot->version(), 2);
  EXPECT_EQ(snapshot->protocol(),
            (Protocol{3, 7, {"deletionVectors"}, {"deletionVectors"}}));
  EXPECT_EQ(snapshot->metadata().schema, new_table().schema);
  EXPECT_EQ(snapshot->metadata().id.size(), 36U);
  EXPECT_EQ(snapshot->metadata().created_time_ms, to_epoch_ms(clock_.now()));
  EXPECT_EQ(paths(), (std::vector<std::string>{"a.parquet", "b.parquet"}));
}

TEST_F(TransactionTest, GivesATableToExactlyOneOfTwoCreators) {
  Transaction first(table_, new_table());
  Transaction second(table_, new_table());
  EXPECT_EQ(version_of(commit(first)), 0);
  EXPECT_THAT(conflict_of(commit(second)), HasSubstr("created meanwhile"));
}

TEST_F(TransactionTest, TellsInCommitInfoWhoDidWhat) {
  create(new_table());
  Transaction transaction(table_, latest());
  transaction.add(file_of("a.parquet", 1, 5));
  const Json details = {{"operationParameters", {{"mode", "Append"}, {"by", {"id"}}}},
                        {"plan", "abc"},
                        {"inCommitTimestamp", 5}};
  ASSERT_THAT(transaction.commit("WRITE", details, clock_, random_), IsOk());
  auto history = table_.history(1);
  ASSERT_THAT(history, IsOk());
  const Json& info = history->front().commit_info;
  EXPECT_EQ(info["operation"], "WRITE");
  EXPECT_EQ(info["operationParameters"],
            (Json{{"mode", "Append"}, {"by", "[\"id\"]"}}));
  EXPECT_EQ(info["operationMetrics"]["numOutputRows"], "10");
  EXPECT_EQ(info["plan"], "abc");
  EXPECT_EQ(info["readVersion"], 0);
  EXPECT_EQ(info["isBlindAppend"], true);
  EXPECT_EQ(info["txnId"].get<std::string>().size(), 36U);
  EXPECT_FALSE(info.contains("inCommitTimestamp"));
  EXPECT_THAT(info["engineInfo"].get<std::string>(), HasSubstr("Lakemill/"));
}

TEST_F(TransactionTest, HoldsABatchOnce) {
  create(new_table());
  const auto base = latest();
  for (const std::int64_t batch : {3, 3, 2}) {
    Transaction transaction(table_, latest());
    transaction.set_transaction("flow", batch);
    transaction.add(file_of("batch" + std::to_string(batch), 1, 2));
    const auto outcome = commit(transaction);
    if (latest()->version() == 1 && version_of(outcome) == 1) continue;
    EXPECT_THAT(conflict_of(outcome), HasSubstr("holds transaction 3 of 'flow'"));
  }
  EXPECT_EQ(latest()->transaction("flow"), 3);
  EXPECT_EQ(latest()->version(), 1);

  Transaction stale(table_, base);  // has not seen batch 3
  stale.set_transaction("flow", 3);
  EXPECT_THAT(conflict_of(commit(stale)),
              HasSubstr("version 1 holds transaction 3 of 'flow', and this is 3"));
}

TEST_F(TransactionTest, ReplacesAllRowsAndKeepsTombstones) {
  create(new_table());
  append(file_of("a", 1, 5));
  append(file_of("b", 6, 9));
  Transaction transaction(table_, latest());
  transaction.remove_all();
  transaction.add(file_of("c", 1, 9));
  EXPECT_EQ(version_of(commit(transaction)), 3);
  EXPECT_EQ(paths(), std::vector<std::string>{"c"});
  const auto tombstones = latest()->tombstones();
  ASSERT_EQ(tombstones.size(), 2U);
  EXPECT_EQ(tombstones[0].deletion_timestamp_ms, to_epoch_ms(clock_.now()));
  EXPECT_EQ(tombstones[0].size_bytes, 100);
}

TEST_F(TransactionTest, AddsFeaturesThatANewSchemaNeeds) {
  NewTable plain = new_table();
  plain.configuration.clear();
  create(plain);
  EXPECT_EQ(latest()->protocol(), Protocol{});

  Metadata metadata = latest()->metadata();
  metadata.schema.fields.push_back(
      {"at", data::make_type(data::TypeKind::timestamp_ntz)});
  Transaction transaction(table_, latest());
  transaction.set_metadata(metadata);
  EXPECT_EQ(version_of(commit(transaction)), 1);
  EXPECT_EQ(
      latest()->protocol(),
      (Protocol{3, 7, {"timestampNtz"}, {"appendOnly", "invariants", "timestampNtz"}}));
  EXPECT_EQ(latest()->metadata().schema, metadata.schema);
  EXPECT_EQ(latest()->metadata().id, metadata.id);
}

TEST_F(TransactionTest, MapsColumnsOfAnExistingTableByTheNamesOfItsFiles) {
  create(new_table());
  append(file_of("a", 1, 5));
  Metadata metadata = latest()->metadata();
  metadata.configuration["delta.columnMapping.mode"] = "name";
  const auto attempt = [&] {
    Transaction transaction(table_, latest());
    transaction.set_metadata(metadata);
    return commit(transaction);
  };
  EXPECT_THAT(attempt(), HasError(ErrorCode::invalid, "'id' of a table with column"));
  for (std::size_t i = 0; i < metadata.schema.fields.size(); ++i) {
    metadata.schema.fields[i].metadata = {
        {"delta.columnMapping.id", i + 1},
        {"delta.columnMapping.physicalName", "col-" + std::to_string(i)}};
  }
  EXPECT_THAT(attempt(), HasError(ErrorCode::invalid, "must keep its name"));
  for (data::Field& field : metadata.schema.fields) {
    field.metadata["delta.columnMapping.physicalName"] = field.name;
  }
  EXPECT_EQ(version_of(attempt()), 2);
  EXPECT_TRUE(has_reader_feature(latest()->protocol(), "columnMapping"));
  metadata.configuration["delta.columnMapping.mode"] = "id";
  EXPECT_THAT(attempt(), HasError(ErrorCode::unsupported, "from name to id"));
}

TEST_F(TransactionTest, RefusesSchemasThatAreNone) {
  const auto refusal = [&](const NewTable& definition) {
    Transaction transaction(table_, definition);
    const auto outcome = commit(transaction);
    return outcome ? std::string() : outcome.error().message();
  };
  NewTable twice = new_table();
  twice.schema.fields.push_back({"ID", data::make_type(data::TypeKind::int64)});
  EXPECT_THAT(refusal(twice), HasSubstr("column 'ID' is there twice"));
  NewTable partitioned = new_table();
  partitioned.partition_columns = {"day"};
  EXPECT_THAT(refusal(partitioned), HasSubstr("'day' is not there"));
  partitioned.partition_columns = {"id", "name"};
  EXPECT_THAT(refusal(partitioned), HasSubstr("does not partition"));
  NewTable variant = new_table();
  variant.schema.fields.push_back({"v", data::make_type(data::TypeKind::variant)});
  EXPECT_THAT(refusal(variant), HasSubstr("variantType"));
  EXPECT_FALSE(table_exists(*store_).value());
}

TEST_F(TransactionTest, RefusesActionsThatContradictEachOther) {
  create(new_table());
  Transaction twice(table_, latest());
  twice.add(file_of("a", 1, 5));
  twice.add(file_of("a", 1, 5));
  EXPECT_THAT(commit(twice), HasError(ErrorCode::invalid, "'a' is added twice"));

  Transaction partitioned(table_, latest());
  AddFile add = file_of("a", 1, 5);
  add.partition_values["day"] = "2026-01-01";
  partitioned.add(add);
  EXPECT_THAT(commit(partitioned), HasError(ErrorCode::invalid, "partition columns"));

  Transaction unknown_count(table_, latest());
  add = file_of("a", 1, 5);
  add.stats.clear();
  add.deletion_vector = DeletionVectorDescriptor{"i", "x", std::nullopt, 1, 1};
  unknown_count.add(add);
  EXPECT_THAT(commit(unknown_count), HasError(ErrorCode::invalid, "numRecords"));
  EXPECT_EQ(latest()->version(), 0);
}

TEST_F(TransactionTest, KeepsWhatTheTableForbids) {
  NewTable only_append = new_table();
  only_append.configuration["delta.appendOnly"] = "true";
  create(only_append);
  append(file_of("a", 1, 5));
  Transaction overwrite(table_, latest());
  overwrite.remove_all();
  EXPECT_THAT(commit(overwrite), HasError(ErrorCode::unsupported, "append-only"));

  Transaction compaction(table_, latest());
  RemoveFile remove = removal_of(latest()->files().front());
  remove.data_change = false;
  compaction.remove(remove);
  AddFile add = file_of("b", 1, 5);
  add.data_change = false;
  compaction.add(add);
  EXPECT_EQ(version_of(commit(compaction)), 2);
}

TEST_F(TransactionTest, RefusesChangesThatAChangeFeedWouldMiss) {
  NewTable feed = new_table();
  feed.configuration["delta.enableChangeDataFeed"] = "true";
  create(feed);
  EXPECT_EQ(append(file_of("a", 1, 5)), 1);
  Transaction change(table_, latest());
  change.remove(removal_of(latest()->files().front()));
  change.add(file_of("b", 1, 5));
  EXPECT_THAT(commit(change), HasError(ErrorCode::invalid, "change data feed"));
  Transaction overwrite(table_, latest());
  overwrite.remove_all();
  overwrite.add(file_of("b", 1, 5));
  EXPECT_EQ(version_of(commit(overwrite)), 2);
}

TEST_F(TransactionTest, KeepsInCommitTimestampsMonotone) {
  NewTable timed = new_table();
  timed.configuration["delta.enableInCommitTimestamps"] = "true";
  create(timed);
  const auto base = latest();
  clock_.set(clock_.now() - std::chrono::hours(1));
  append(file_of("a", 1, 5));
  Transaction stale(table_, base);
  stale.add(file_of("b", 6, 9));
  EXPECT_EQ(version_of(commit(stale)), 2);

  auto history = table_.history(10);
  ASSERT_THAT(history, IsOk());
  ASSERT_EQ(history->size(), 3U);
  std::vector<std::int64_t> times;
  for (const HistoryEntry& entry : *history) {
    times.push_back(integer_member(entry.commit_info, "inCommitTimestamp", 0));
  }
  EXPECT_EQ(times[0], times[1] + 1);
  EXPECT_EQ(times[1], times[2] + 1);
}

}  // namespace
}  // namespace lakemill::delta
