// Goal: what merge_cdc_options promise, one fact each; and that a merge that died
// between two store calls, or lost a race, ends with the right table.

#include <fstream>

#include "sink_fixture.h"

#include "lakemill/testing/crashing_store.h"

namespace lakemill::sinks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using testkit::HasError;
using testkit::IsOk;

TableSinkSpec merge_spec() {
  TableSinkSpec spec;
  spec.url = world().fresh_url();
  spec.name = "shop.customers";
  spec.mode = WriteMode::merge;
  spec.changes = ChangeOptions{};
  spec.changes->primary_keys = {"id"};
  spec.changes->order_by = {"ts"};
  spec.changes->delete_where = "source.op = 'D'";
  spec.changes->exclude_columns = {"op"};
  spec.changes->state_url = spec.url + "_state";
  spec.changes->rejected_url = spec.url + "_rejected";
  return spec;
}

std::string changes(const std::string& rows) {
  return "SELECT * FROM (VALUES " + rows + ") AS t(id, ts, op, name)";
}

Result<SinkResult> put(const TableSinkSpec& spec, const std::string& sql,
                       std::int64_t number) {
  return world().put(*make_table_sink(spec, world().services()), sql,
                     world().batch(number));
}

std::vector<std::string> rows(const TableSinkSpec& spec) {
  return world().rows(spec.url, "SELECT * FROM target ORDER BY ALL");
}

TEST(MergeSink, AppliesTheHighestSequenceOfEachKey) {
  const TableSinkSpec spec = merge_spec();
  const auto first =
      put(spec, changes("(1, 10, 'I', 'a'), (2, 10, 'I', 'b'), (1, 12, 'U', 'c')"), 0);
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(first->rows_added, 2);
  const auto second =
      put(spec, changes("(1, 11, 'U', 'late'), (2, 20, 'D', ''), (3, 1, 'I', 'd')"), 1);
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->rows_added, 1);
  EXPECT_EQ(second->rows_updated, 0);
  EXPECT_EQ(second->rows_deleted, 1);
  EXPECT_THAT(rows(spec), ElementsAre("1|12|c", "3|1|d"));
  // The delete is remembered although nothing of it is in the target.
  ASSERT_THAT(put(spec, changes("(2, 15, 'U', 'older')"), 2), IsOk());
  EXPECT_THAT(rows(spec), ElementsAre("1|12|c", "3|1|d"));
}

TEST(MergeSink, RejectsWhatHasNoKeyOrNoSequence) {
  const TableSinkSpec spec = merge_spec();
  const auto result = put(
      spec, changes("(1, 10, 'I', 'a'), (NULL, 10, 'I', 'b'), (2, NULL, 'I', 'c')"), 7);
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->rows_rejected, 2);
  EXPECT_THAT(rows(spec), ElementsAre("1|10|a"));
  EXPECT_THAT(world().rows(spec.changes->rejected_url,
                           "SELECT name, _reason, _batch_id FROM target ORDER BY 1"),
              ElementsAre("b|null key|7", "c|null sequence|7"));
}

TEST(MergeSink, SettlesTiesByDeleteThenHash) {
  const std::vector<std::string> ties = {"(1, 5, 'U', 'a')", "(1, 5, 'U', 'b')",
                                         "(1, 5, 'U', 'c')"};
  std::vector<std::string> seen;
  std::vector<int> order = {0, 1, 2};
  do {
    const TableSinkSpec spec = merge_spec();
    for (int i = 0; i < 3; ++i) {
      ASSERT_THAT(
          put(spec,
              changes(
                  ties[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])]),
              i),
          IsOk());
    }
    seen.push_back(rows(spec).front());
    EXPECT_EQ(seen.back(), seen.front());
    ASSERT_THAT(put(spec, changes("(1, 5, 'D', 'x')"), 3), IsOk());
    EXPECT_THAT(rows(spec), IsEmpty());
    ASSERT_THAT(put(spec, changes(ties[0]), 4), IsOk());
    EXPECT_THAT(rows(spec), IsEmpty());
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(MergeSink, TakesKeysOfAnyName) {
  for (const std::string key : {"file", "row", "held", "upsert", "ended", "print",
                                "first", "open", "s", "w", "a.b", "say \"hi\""}) {
    for (const int scd_type : {1, 2}) {
      TableSinkSpec spec = merge_spec();
      spec.changes->primary_keys = {key};
      spec.changes->scd_type = scd_type;
      const auto keyed = [&](const std::string& rows) {
        return "SELECT * FROM (VALUES " + rows + ") AS t(" + quote_identifier(key) +
               ", ts, op, name)";
      };
      ASSERT_THAT(put(spec, keyed("('k', 10, 'I', 'a'), ('z', 10, 'I', 'z')"), 0),
                  IsOk());
      ASSERT_THAT(put(spec, keyed("('k', 5, 'I', 'late'), ('z', 12, 'D', 'z')"), 1),
                  IsOk());
      ASSERT_THAT(put(spec, keyed("('k', 10, 'I', 'a'), ('z', 11, 'I', 'late')"), 2),
                  IsOk());
      const std::string current = scd_type == 1
                                      ? "SELECT * FROM target"
                                      : "SELECT * FROM target WHERE __end_at IS NULL";
      EXPECT_THAT(world().rows(spec.url, current),
                  ElementsAre(scd_type == 1 ? "k|10|a" : "k|10|a|10|NULL"))
          << key;
    }
  }
  TableSinkSpec spec = merge_spec();
  spec.changes->primary_keys = {"_lakemill_file"};
  EXPECT_THAT(
      put(spec, "SELECT 1 AS _lakemill_file, 1 AS ts, 'I' AS op, 'a' AS name", 0),
      HasError(ErrorCode::invalid, "rename it"));
}

TEST(MergeSink, TakesAnEmptyPartitionValueForNull) {
  for (const int scd_type : {1, 2}) {
    for (const bool nulls_match : {false, true}) {
      TableSinkSpec spec = merge_spec();
      spec.partition_by = {"id"};
      spec.changes->scd_type = scd_type;
      spec.changes->null_equals_null = nulls_match;
      for (int batch = 0; batch < 3; ++batch) {
        const std::string ts = std::to_string(batch);
        const auto result = put(spec,
                                changes("('', " + ts + ", 'I', 'a'), (NULL, " + ts +
                                        ", 'I', 'a'), ('k', " + ts + ", 'I', 'a')"),
                                batch);
        ASSERT_THAT(result, IsOk());
        EXPECT_EQ(result->rows_rejected, nulls_match ? 0 : 2);
      }
      const std::string keys =
          "SELECT DISTINCT id, count(*) OVER (PARTITION BY id) FROM target ORDER BY 1 "
          "NULLS FIRST";
      if (nulls_match) {
        EXPECT_THAT(world().rows(spec.url, keys), ElementsAre("NULL|1", "k|1"));
      } else {
        EXPECT_THAT(world().rows(spec.url, keys), ElementsAre("k|1"));
      }
    }
  }
}

TEST(MergeSink, FailsOnTwoDifferentChangesWithoutAnOrder) {
  for (const bool in_target : {true, false}) {
    TableSinkSpec spec = merge_spec();
    spec.changes->equal_sequences_fail = true;
    if (!in_target) spec.changes->exclude_columns.push_back("ts");
    EXPECT_THAT(put(spec, changes("(1, 5, 'U', 'a'), (1, 5, 'U', 'b')"), 0),
                HasError(ErrorCode::invalid, "key id = 1 have the same sequence 5"));
    EXPECT_EQ(world().snapshot(spec.url), nullptr);
    ASSERT_THAT(put(spec, changes("(1, 5, 'U', 'a'), (1, 5, 'U', 'a')"), 0), IsOk());
    EXPECT_THAT(put(spec, changes("(1, 5, 'U', 'b')"), 1),
                HasError(ErrorCode::invalid, "key id = 1 have the same sequence 5"));
    EXPECT_THAT(put(spec, changes("(1, 5, 'D', 'b')"), 1),
                HasError(ErrorCode::invalid, "key id = 1 have the same sequence 5"));
    ASSERT_THAT(put(spec, changes("(1, 5, 'U', 'a')"), 1), IsOk());
  }
}

TEST(MergeSink, RejectsNothingOfABatchThatFails) {
  for (const bool in_target : {true, false}) {
    for (const int scd_type : {1, 2}) {
      TableSinkSpec spec = merge_spec();
      spec.changes->equal_sequences_fail = true;
      spec.changes->scd_type = scd_type;
      if (!in_target) spec.changes->exclude_columns.push_back("ts");
      ASSERT_THAT(put(spec, changes("(1, 5, 'U', 'a')"), 0), IsOk());
      EXPECT_THAT(put(spec, changes("(1, 5, 'U', 'b'), (NULL, 6, 'U', 'c')"), 1),
                  HasError(ErrorCode::invalid, "have the same sequence 5"));
      EXPECT_EQ(world().snapshot(spec.changes->rejected_url), nullptr);
    }
  }
}

TEST(MergeSink, RewritesFilesWhoseRowsNobodyCounted) {
  const TableSinkSpec spec = merge_spec();
  ASSERT_THAT(put(spec, changes("(1, 1, 'I', 'a'), (2, 1, 'I', 'b')"), 0), IsOk());
  // Other writers may keep no statistics.
  const std::string path = spec.url + "/_delta_log/00000000000000000000.json";
  std::string log = content_of(path);
  const std::size_t name = log.find("\"stats\"");
  ASSERT_NE(name, std::string::npos);
  log.replace(name, 7, "\"tags\":{},\"unknown\"");
  std::ofstream(path) << log;
  ASSERT_THAT(put(spec, changes("(1, 2, 'U', 'c'), (3, 1, 'I', 'd')"), 1), IsOk());
  EXPECT_THAT(rows(spec), ElementsAre("1|2|c", "2|1|b", "3|1|d"));
  ASSERT_THAT(put(spec, changes("(2, 2, 'D', '')"), 2), IsOk());
  EXPECT_THAT(rows(spec), ElementsAre("1|2|c", "3|1|d"));
}

TEST(MergeSink, RefusesTablesWhoseRowsMayNotChangeBeforeItWritesAnything) {
  TableSinkSpec spec = merge_spec();
  spec.properties["delta.appendOnly"] = "true";
  EXPECT_THAT(put(spec, changes("(1, 1, 'I', 'a')"), 0),
              HasError(ErrorCode::unsupported, "delta.appendOnly"));
  EXPECT_EQ(world().snapshot(spec.changes->state_url), nullptr);
  EXPECT_EQ(world().snapshot(spec.url), nullptr);
}

TEST(MergeSink, MapsColumns) {
  TableSinkSpec spec = merge_spec();
  spec.partition_by = {"name"};
  for (const bool from_the_start : {true, false}) {
    spec.url = world().fresh_url();
    spec.changes->state_url = spec.url + "_state";
    spec.properties.clear();
    if (from_the_start) spec.properties["delta.columnMapping.mode"] = "name";
    ASSERT_THAT(put(spec, changes("(1, 1, 'I', 'a'), (2, 1, 'I', 'b')"), 0), IsOk());
    spec.properties["delta.columnMapping.mode"] = "name";
    const std::string more =
        "SELECT *, [[{'in ner': id}]] AS nested FROM (VALUES (1, 2, 'U', 'c'), "
        "(3, 1, 'I', 'd'), (2, 2, 'D', 'b')) AS t(id, ts, op, name)";
    ASSERT_THAT(put(spec, more, 1), IsOk());
    EXPECT_THAT(rows(spec),
                ElementsAre("1|2|c|[[{\"in ner\":1}]]", "3|1|d|[[{\"in ner\":3}]]"));
    const auto snapshot = world().snapshot(spec.url);
    const delta::Metadata& metadata = snapshot->metadata();
    EXPECT_EQ(metadata.configuration.at("delta.columnMapping.maxColumnId"), "5");
    const std::string physical = string_member(metadata.schema.find("id")->metadata,
                                               "delta.columnMapping.physicalName", "");
    EXPECT_EQ(physical == "id", !from_the_start);
  }
}

TEST(MergeSink, TellsANullKeyFromATruncation) {
  for (const bool keep_nulls : {false, true}) {
    TableSinkSpec spec = merge_spec();
    spec.changes->null_equals_null = true;
    spec.changes->ignore_null_updates = keep_nulls;
    spec.changes->equal_sequences_fail = true;
    spec.changes->truncate_where = "op = 'T'";
    ASSERT_THAT(put(spec, changes("(1, 1, 'I', 'a'), (9, 5, 'T', '')"), 0), IsOk());
    ASSERT_THAT(put(spec, changes("(NULL, 5, 'I', 'gone'), (2, 6, 'I', 'b')"), 1),
                IsOk());
    EXPECT_THAT(rows(spec), ElementsAre("2|6|b"));
    ASSERT_THAT(put(spec, changes("(NULL, 7, 'I', 'c')"), 2), IsOk());
    EXPECT_THAT(rows(spec), UnorderedElementsAre("2|6|b", "NULL|7|c"));
  }
}

TEST(MergeSink, TakesOverRowsThatWereThereBefore) {
  TableSinkSpec spec = merge_spec();
  TableSinkSpec before = spec;
  before.mode = WriteMode::append;
  before.changes.reset();
  Batch batch = world().batch(0);
  batch.app_id = "lakemill:test/before";
  ASSERT_THAT(
      world().put(*make_table_sink(before, world().services()),
                  "SELECT * FROM (VALUES (1, 10, 'a'), (2, NULL, 'b'), (3, 10, 'c')) "
                  "AS t(id, ts, name)",
                  batch),
      IsOk());
  spec.adopt_app_id = "lakemill:test/before";
  for (const bool keep_nulls : {false, true}) {
    spec.changes->ignore_null_updates = keep_nulls;
    ASSERT_THAT(put(spec,
                    changes("(1, 9, 'U', 'late'), (2, 1, 'U', 'x'), (3, 11, 'U', "
                            "NULL), (3, 10, 'D', NULL)"),
                    0),
                IsOk());
    EXPECT_THAT(rows(spec), ElementsAre("1|10|a", "2|1|x", "3|11|NULL"));
  }
}

TEST(MergeSink, KeepsTheIntervalsOfAnAdoptedHistory) {
  TableSinkSpec spec = merge_spec();
  spec.changes->scd_type = 2;
  TableSinkSpec before = spec;
  before.mode = WriteMode::append;
  before.changes.reset();
  Batch batch = world().batch(0);
  batch.app_id = "lakemill:test/before";
  ASSERT_THAT(world().put(*make_table_sink(before, world().services()),
                          "SELECT * FROM (VALUES (1, 1, 'a', 1, 5), (1, 5, 'b', 5, 8)) "
                          "AS t(id, ts, name, __start_at, __end_at)",
                          batch),
              IsOk());
  spec.adopt_app_id = "lakemill:test/before";
  ASSERT_THAT(put(spec, changes("(1, 3, 'U', 'x'), (1, 9, 'U', 'y')"), 0), IsOk());
  EXPECT_THAT(rows(spec),
              ElementsAre("1|1|a|1|3", "1|3|x|3|5", "1|5|b|5|8", "1|9|y|9|NULL"));
}

TEST(MergeSink, OrdersByAListOfColumns) {
  for (const int type : {1, 2}) {
    TableSinkSpec spec = merge_spec();
    spec.changes->scd_type = type;
    spec.changes->order_by = {"ts", "part"};
    const std::string head = "SELECT *, 0 AS nothing FROM (VALUES ";
    const std::string tail = ") AS t(id, ts, part, op, name)";
    spec.changes->exclude_columns = {"op", "nothing"};
    ASSERT_THAT(put(spec, head + "(1, 5, 2, 'U', 'b'), (1, 5, 1, 'U', 'a')" + tail, 0),
                IsOk());
    ASSERT_THAT(put(spec, head + "(1, 5, 3, 'U', 'c'), (1, 4, 9, 'U', 'z')" + tail, 1),
                IsOk());
    if (type == 1) {
      EXPECT_THAT(rows(spec), ElementsAre("1|5|3|c"));
    } else {
      EXPECT_THAT(
          world().rows(spec.url,
                       "SELECT name, __start_at.part, __end_at.part FROM target "
                       "ORDER BY __start_at"),
          ElementsAre("z|9|1", "a|1|2", "b|2|3", "c|3|NULL"));
    }
  }
}

TEST(MergeSink, AddsColumnsAsChangesBringThem) {
  for (const int type : {1, 2}) {
    TableSinkSpec spec = merge_spec();
    spec.changes->scd_type = type;
    ASSERT_THAT(put(spec, changes("(1, 1, 'I', 'a'), (2, 1, 'I', 'b')"), 0), IsOk());
    const auto result =
        put(spec, "SELECT 1 AS id, 2 AS ts, 'U' AS op, 'c' AS name, 9 AS age", 1);
    ASSERT_THAT(result, IsOk());
    EXPECT_THAT(result->schema_changes, ElementsAre("column age added (integer)"));
    ASSERT_THAT(put(spec, changes("(2, 2, 'U', 'd')"), 2), IsOk());
    EXPECT_THAT(world().rows(spec.url,
                             "SELECT id, name, age FROM target QUALIFY row_number() "
                             "OVER (PARTITION BY id ORDER BY ts DESC) = 1 ORDER BY id"),
                ElementsAre("1|c|9", "2|d|NULL"));
  }
}

TEST(MergeSink, RewritesFilesOfATableWithoutDeletionVectors) {
  TableSinkSpec spec = merge_spec();
  spec.properties["delta.enableDeletionVectors"] = "false";
  ASSERT_THAT(put(spec, changes("(1, 1, 'I', 'a'), (2, 1, 'I', 'b')"), 0), IsOk());
  ASSERT_THAT(put(spec, changes("(1, 2, 'U', 'c')"), 1), IsOk());
  EXPECT_THAT(rows(spec), ElementsAre("1|2|c", "2|1|b"));
  for (const delta::AddFile& file : world().snapshot(spec.url)->files()) {
    EXPECT_FALSE(file.deletion_vector.has_value());
  }
}

TEST(MergeSink, NamesWhatIsWrongInItsOptions) {
  TableSinkSpec spec = merge_spec();
  spec.changes->primary_keys = {"idd"};
  EXPECT_THAT(put(spec, changes("(1, 1, 'I', 'a')"), 0),
              HasError(ErrorCode::invalid, "did you mean \"id\"?"));
  spec = merge_spec();
  spec.changes->delete_where = "opp = 'D'";
  EXPECT_THAT(put(spec, changes("(1, 1, 'I', 'a')"), 0),
              HasError(ErrorCode::invalid, "delete_where"));
  spec = merge_spec();
  spec.changes->scd_type = 2;
  spec.changes->truncate_where = "op = 'T'";
  EXPECT_THAT(put(spec, changes("(1, 1, 'I', 'a')"), 0),
              HasError(ErrorCode::invalid, "truncate_where needs scd_type 1"));
}

// A merge in another session commits between this one's plan and its commit.
TEST(MergeSink, PlansAnewAfterALostRace) {
  TableSinkSpec spec = merge_spec();
  spec.shared = true;
  ASSERT_THAT(put(spec, changes("(1, 1, 'I', 'a'), (2, 1, 'I', 'b')"), 0), IsOk());
  const auto slow = make_table_sink(spec, world().services());
  const auto session = world().session();
  const std::string sql = changes("(1, 3, 'U', 'slow'), (2, 3, 'U', 'slow')");
  const auto shape = session->describe(sql, engine::Origin::lakemill);
  ASSERT_THAT(shape, IsOk());
  const auto target = slow->stage(shape->schema, world().batch(1));
  ASSERT_THAT(target, IsOk());
  const auto written = session->write({sql, {}, *target, {}});
  ASSERT_THAT(written, IsOk());

  TableSinkSpec quick = spec;
  quick.changes->state_url += "2";
  Batch other = world().batch(0);
  other.app_id = "lakemill:test/other";
  ASSERT_THAT(world().put(*make_table_sink(quick, world().services()),
                          changes("(1, 2, 'U', 'quick'), (2, 4, 'U', 'quick')"), other),
              IsOk());
  ASSERT_THAT(slow->commit(*session, *written, world().batch(1)), IsOk());
  EXPECT_THAT(rows(spec), ElementsAre("1|3|slow", "2|4|quick"));
}

/// A batch `days` after 2026-01-01.
Result<SinkResult> put_at(const TableSinkSpec& spec, const std::string& sql,
                          std::int64_t number, int days) {
  Batch batch = world().batch(number);
  batch.now += std::chrono::hours(24 * days);
  return world().put(*make_table_sink(spec, world().services()), sql, batch);
}

TEST(MergeSinkRetention, ForgetsOldDeletesAndRejectsWhatIsOlder) {
  for (const bool in_target : {true, false}) {
    TableSinkSpec spec = merge_spec();
    if (!in_target) spec.changes->exclude_columns.push_back("ts");
    const auto names = [&] {
      return world().rows(spec.url, "SELECT id, name FROM target ORDER BY ALL");
    };
    ASSERT_THAT(put_at(spec, changes("(1, 5, 'I', 'a'), (2, 7, 'I', 'b')"), 0, 0),
                IsOk());
    ASSERT_THAT(put_at(spec, changes("(1, 6, 'D', '')"), 1, 1), IsOk());
    // Not yet forgotten: beaten by the delete, not rejected.
    auto late = put_at(spec, changes("(1, 5, 'U', 'late')"), 2, 20);
    ASSERT_THAT(late, IsOk());
    EXPECT_EQ(late->rows_rejected, 0);
    ASSERT_THAT(put_at(spec, changes("(3, 9, 'D', '')"), 3, 60), IsOk());
    EXPECT_THAT(world().rows(spec.changes->state_url,
                             "SELECT count(*) FROM target WHERE "
                             "_lakemill_change_operation = 1"),
                ElementsAre("1"));
    late = put_at(spec, changes("(1, 6, 'U', 'late'), (2, 8, 'U', 'c')"), 4, 61);
    ASSERT_THAT(late, IsOk());
    EXPECT_EQ(late->rows_rejected, 1);
    EXPECT_THAT(names(), ElementsAre("2|c"));
    EXPECT_THAT(world().rows(spec.changes->rejected_url,
                             "SELECT id, _reason, _batch_id FROM target"),
                ElementsAre("1|older than the horizon of the change state|4"));
    ASSERT_THAT(put_at(spec, changes("(1, 7, 'U', 'again')"), 5, 62), IsOk());
    EXPECT_THAT(names(), ElementsAre("1|again", "2|c"));
  }
}

TEST(MergeSinkRetention, KeepsTheRowsOfAForgottenHistory) {
  TableSinkSpec spec = merge_spec();
  spec.changes->scd_type = 2;
  ASSERT_THAT(put_at(spec,
                     changes("(1, 1, 'I', 'a'), (1, 3, 'U', 'b'), (1, 5, 'U', 'b'), "
                             "(2, 2, 'I', 'x'), (2, 4, 'D', '')"),
                     0, 0),
              IsOk());
  ASSERT_THAT(put_at(spec, changes("(3, 1, 'I', 'q')"), 1, 60), IsOk());
  // Of key 1 one change is left, of key 2 none.
  EXPECT_THAT(world().rows(spec.changes->state_url,
                           "SELECT id, _lakemill_change_sequence, "
                           "_lakemill_change_operation, name FROM target ORDER BY ALL"),
              ElementsAre("1|3|0|b", "3|1|0|q", "NULL|5|3|NULL"));
  const auto result = put_at(
      spec, changes("(1, 4, 'U', 'late'), (1, 8, 'U', 'b'), (2, 9, 'I', 'y')"), 2, 61);
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->rows_rejected, 1);
  EXPECT_THAT(
      world().rows(spec.url,
                   "SELECT id, name, __start_at, __end_at FROM target "
                   "ORDER BY ALL"),
      ElementsAre("1|a|1|3", "1|b|3|NULL", "2|x|2|4", "2|y|9|NULL", "3|q|1|NULL"));
}

TEST(MergeSinkRetention, KeepsValuesThatNullsKept) {
  TableSinkSpec spec = merge_spec();
  spec.changes->ignore_null_updates = true;
  const auto two = [](const std::string& rows) {
    return "SELECT * FROM (VALUES " + rows + ") AS t(id, ts, op, name, city)";
  };
  ASSERT_THAT(put_at(spec, two("(1, 1, 'I', 'a', NULL), (1, 2, 'U', NULL, 'x')"), 0, 0),
              IsOk());
  ASSERT_THAT(put_at(spec, two("(2, 9, 'I', 'b', 'y')"), 1, 60), IsOk());
  ASSERT_THAT(put_at(spec, two("(1, 5, 'U', CAST(NULL AS VARCHAR), 'z')"), 2, 61),
              IsOk());
  EXPECT_THAT(rows(spec), ElementsAre("1|5|a|z", "2|9|b|y"));
}

/// Runs two batches, the second of which dies at a store call; then repeats it.
void sweep(const std::function<void(ChangeOptions&)>& adjust) {
  const std::string first =
      changes("(1, 5, 'I', 'a'), (2, 5, 'I', 'b'), (4, 5, 'I', 'd')");
  const std::string second = changes(
      "(1, 6, 'U', 'c'), (2, 6, 'D', ''), (3, 6, 'I', 'n'), (NULL, 1, 'I', 'q'), (4, "
      "4, "
      "'U', 'late')");
  const std::string third = changes("(2, 5, 'U', 'late'), (1, 5, 'U', 'late')");
  std::vector<std::string> expected;
  std::int64_t calls = -1;
  for (std::int64_t at = -1; at < calls || calls < 0; ++at) {
    // Dying after a call is dying before the next one, but for the last.
    const testkit::Fault fault =
        at + 1 == calls ? testkit::Fault::die_after : testkit::Fault::die_before;
    {
      SCOPED_TRACE(testing::Message() << "store call " << at);
      TableSinkSpec spec = merge_spec();
      adjust(*spec.changes);
      ASSERT_THAT(put(spec, first, 0), IsOk());
      testkit::CrashingStoreProvider dying(
          world().stores(),
          {at < 0 ? testkit::Fault::none : fault, std::max<std::int64_t>(at, 0)});
      const auto died = world().put(*make_table_sink(spec, world().services(dying)),
                                    second, world().batch(1));
      if (at < 0) {
        ASSERT_THAT(died, IsOk());
        calls = dying.calls();
      }
      ASSERT_THAT(put(spec, second, 1), IsOk());
      ASSERT_THAT(put(spec, third, 2), IsOk());
      if (expected.empty()) expected = rows(spec);
      EXPECT_EQ(rows(spec), expected);
      EXPECT_THAT(
          world().rows(spec.changes->rejected_url, "SELECT count(*) FROM target"),
          ElementsAre("1"));
    }
  }
  EXPECT_GT(calls, 5);
}

TEST(MergeSinkCrash, LeavesNoTraceWhereTheRowsTellTheirSequence) {
  sweep([](ChangeOptions&) {});
}

TEST(MergeSinkCrash, LeavesNoTraceWhereTheStateTellsIt) {
  sweep([](ChangeOptions& options) { options.exclude_columns.push_back("ts"); });
}

TEST(MergeSinkCrash, LeavesNoTraceWhereNullsKeepValues) {
  sweep([](ChangeOptions& options) { options.ignore_null_updates = true; });
}

TEST(MergeSinkCrash, LeavesNoTraceInAHistory) {
  sweep([](ChangeOptions& options) { options.scd_type = 2; });
}

}  // namespace
}  // namespace lakemill::sinks
