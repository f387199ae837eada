// What commits changed: by change files, by whole files, by deletion vectors.
#include "lakemill/delta/change_feed.h"

#include "table_fixture.h"

namespace lakemill::dml {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testkit::HasError;
using testkit::IsOk;

const Properties kFeed = {{"delta.enableChangeDataFeed", "true"}};
const Properties kFeedAndVectors = {{"delta.enableChangeDataFeed", "true"},
                                    {"delta.enableDeletionVectors", "true"}};
const Properties kVectors = {{"delta.enableDeletionVectors", "true"}};

class ChangeFeed : public MaintenanceTest {
 protected:
  std::size_t change_files() {
    const auto objects = world_.store().list("_change_data/", "");
    return objects ? objects->size() : 0;
  }
};

TEST_F(ChangeFeed, OfAppendsNeedsNoChangeFiles) {
  ASSERT_THAT(world_.create(kFeed, false), IsOk());
  ASSERT_THAT(world_.append("(1, 'a', 10), (2, 'b', 20)"), IsOk());
  ASSERT_THAT(world_.append("(3, 'a', 30)"), IsOk());
  EXPECT_EQ(change_files(), 0U);
  EXPECT_THAT(world_.changes(0, 2),
              ElementsAre("insert|1|1|a|10", "insert|1|2|b|20", "insert|2|3|a|30"));
  EXPECT_THAT(world_.changes(2, 2), ElementsAre("insert|2|3|a|30"));
}

TEST_F(ChangeFeed, PairsTheHalvesOfAnUpdate) {
  for (const Properties& properties : {kFeed, kFeedAndVectors}) {
    for (const bool partitioned : {false, true}) {
      testkit::MemoryStoreProvider stores(clock_);
      TableWorld world(stores, clock_, 2);
      ASSERT_THAT(world.create(properties, partitioned), IsOk());
      ASSERT_THAT(world.append("(1, 'a', 10), (2, 'b', 20), (3, NULL, 30)"), IsOk());
      ASSERT_THAT(world.merge("(2, 'a', 21), (3, NULL, 31), (4, 'b', 40)"), IsOk());
      ASSERT_THAT(world.remove("id = 1"), IsOk());
      EXPECT_THAT(
          world.changes(2, 3),
          ElementsAre("delete|3|1|a|10", "insert|2|4|b|40", "update_postimage|2|2|a|21",
                      "update_postimage|2|3|NULL|31", "update_preimage|2|2|b|20",
                      "update_preimage|2|3|NULL|30"));
      EXPECT_THAT(world.misfit(1, 3), IsEmpty());
      EXPECT_THAT(*world.store().list("_change_data/", ""), SizeIs(testing::Gt(0U)));
    }
  }
}

TEST_F(ChangeFeed, IsDerivedFromDeletionVectorsWhereThereAreNoChangeFiles) {
  ASSERT_THAT(world_.create(kVectors, true), IsOk());
  ASSERT_THAT(world_.append("(1, 'a', 10), (2, 'a', 20), (3, 'a', 30), (4, 'b', 40)"),
              IsOk());
  ASSERT_THAT(world_.remove("id = 1"), IsOk());
  ASSERT_THAT(world_.remove("id = 3 OR id = 4"), IsOk());
  ASSERT_THAT(world_.merge("(2, 'a', 21)"), IsOk());
  EXPECT_EQ(change_files(), 0U);
  EXPECT_THAT(world_.changes(2, 4),
              ElementsAre("delete|2|1|a|10", "delete|3|3|a|30", "delete|3|4|b|40",
                          "delete|4|2|a|20", "insert|4|2|a|21"));
  ASSERT_THAT(world_.restore(1), IsOk());
  EXPECT_THAT(world_.changes(5, 5),
              ElementsAre("delete|5|2|a|21", "insert|5|1|a|10", "insert|5|2|a|20",
                          "insert|5|3|a|30", "insert|5|4|b|40"));
}

TEST_F(ChangeFeed, RefusesRewrittenFilesThatKeptNoChanges) {
  ASSERT_THAT(world_.create({}, false), IsOk());
  ASSERT_THAT(world_.append("(1, 'a', 10), (2, 'b', 20)"), IsOk());
  ASSERT_THAT(world_.remove("id = 1"), IsOk());
  EXPECT_THAT(world_.table().changes(0, 2),
              HasError(ErrorCode::invalid, "version 2 (DELETE) rewrote files"));
  EXPECT_THAT(world_.changes(0, 1), SizeIs(2));
  // A table that is replaced tells what it was and is.
  ASSERT_THAT(world_.overwrite("(5, 'x', 1)"), IsOk());
  EXPECT_THAT(world_.changes(3, 3), ElementsAre("delete|3|2|b|20", "insert|3|5|x|1"));
}

TEST_F(ChangeFeed, PassesOverCommitsThatOnlyRearrangeRows) {
  ASSERT_THAT(world_.create(kFeed, false), IsOk());
  for (int i = 0; i < 4; ++i) {
    ASSERT_THAT(world_.append("(" + std::to_string(i) + ", 'a', 1)"), IsOk());
  }
  const auto done = world_.optimize();
  ASSERT_THAT(done, IsOk());
  EXPECT_EQ(done->version, 5);
  EXPECT_THAT(world_.changes(5, 5), IsEmpty());
  const auto appended = world_.table().appended(1, 5);
  ASSERT_THAT(appended, IsOk());
  EXPECT_THAT((*appended)->files(), SizeIs(4));
}

TEST_F(ChangeFeed, TellsWhenAndFiltersByItsOwnColumns) {
  ASSERT_THAT(world_.create(kFeedAndVectors, true), IsOk());
  ASSERT_THAT(world_.append("(1, 'a', 10), (2, 'b', 20)"), IsOk());
  clock_.advance(std::chrono::hours(1));
  ASSERT_THAT(world_.merge("(1, 'a', 11)"), IsOk());
  const auto scan = world_.table().changes(0, 2);
  ASSERT_THAT(scan, IsOk());
  ASSERT_THAT(world_.session().bind("c", engine::TableRelation{*scan}), IsOk());
  EXPECT_THAT(world_.query("SELECT count(*) FROM c"), ElementsAre("4"));
  EXPECT_THAT(world_.query("SELECT id, _commit_timestamp AT TIME ZONE 'UTC' FROM c "
                           "WHERE _commit_version = 2 AND _change_type = "
                           "'update_postimage' AND part = 'a'"),
              ElementsAre(HasSubstr("1|2026-01-01 01:00:00")));
  EXPECT_THAT(world_.query("SELECT id FROM c WHERE _change_type = 'insert' AND part = "
                           "'b' AND _commit_timestamp < TIMESTAMPTZ "
                           "'2026-01-01 00:30:00+00'"),
              ElementsAre("2"));
  EXPECT_EQ((*scan)
                ->may_match({{"_commit_version",
                              data::Comparison::Op::eq,
                              {data::Value(std::int64_t{1})}}})
                .size(),
            2U);
}

TEST_F(ChangeFeed, CanBeSwitchedOnAndIsReadAsSql) {
  ASSERT_THAT(world_.create({}, false), IsOk());
  ASSERT_THAT(world_.append("(1, 'a', 10), (2, 'b', 20)"), IsOk());
  delta::Transaction transaction(world_.table(), *world_.table().latest());
  delta::Metadata metadata = (*world_.table().latest())->metadata();
  metadata.configuration["delta.enableChangeDataFeed"] = "true";
  transaction.set_metadata(metadata);
  ASSERT_THAT(
      transaction.commit("SET TBLPROPERTIES", Json::object(), clock_, world_.random()),
      IsOk());
  EXPECT_EQ((*world_.table().latest())->protocol().min_writer_version, 4);
  ASSERT_THAT(world_.merge("(1, 'a', 11)"), IsOk());
  EXPECT_THAT(world_.query("SELECT _change_type, id, v FROM "
                           "table_changes('memory://lake/t', 1)"),
              ElementsAre("insert|1|10", "insert|2|20", "update_postimage|1|11",
                          "update_preimage|1|10"));
  EXPECT_THAT(
      world_.query("SELECT count(*) FROM table_changes('memory://lake/t', 1, 2)"),
      ElementsAre("2"));
  EXPECT_THAT(world_.query("SELECT * FROM table_changes('memory://lake/t', 7, 3)"),
              ElementsAre(HasSubstr("from 7 to 3")));
}

TEST_F(ChangeFeed, BeginsWithTheRowsOfAVersion) {
  ASSERT_THAT(world_.create(kVectors, true), IsOk());
  ASSERT_THAT(world_.append("(1, 'a', 10), (2, 'b', 20)"), IsOk());
  ASSERT_THAT(world_.remove("id = 1"), IsOk());
  const auto scan = delta::rows_as_changes(**world_.table().latest());
  ASSERT_THAT(scan, IsOk());
  ASSERT_THAT(world_.session().bind("c", engine::TableRelation{*scan}), IsOk());
  EXPECT_THAT(world_.query("SELECT _change_type, _commit_version, id, part FROM c"),
              ElementsAre("insert|2|2|b"));
}

TEST_F(ChangeFeed, NeedsItsColumnNames) {
  ASSERT_THAT(world_.create({}, false), IsOk());
  delta::Transaction transaction(world_.table(), *world_.table().latest());
  delta::Metadata metadata = (*world_.table().latest())->metadata();
  metadata.configuration["delta.enableChangeDataFeed"] = "true";
  metadata.schema.fields.push_back(
      {"_change_type", data::make_type(data::TypeKind::string)});
  transaction.set_metadata(metadata);
  EXPECT_THAT(
      transaction.commit("SET TBLPROPERTIES", Json::object(), clock_, world_.random()),
      HasError(ErrorCode::invalid, "_change_type"));
}

TEST_F(ChangeFeed, SaysWhichVersionChangedTheSchemaOrIsGone) {
  ASSERT_THAT(world_.create(kFeed, false), IsOk());
  ASSERT_THAT(world_.append("(1, 'a', 10)"), IsOk());
  delta::Transaction transaction(world_.table(), *world_.table().latest());
  delta::Metadata metadata = (*world_.table().latest())->metadata();
  metadata.schema.fields.pop_back();
  transaction.set_metadata(metadata);
  transaction.remove_all();
  ASSERT_THAT(transaction.commit("WRITE", Json::object(), clock_, world_.random()),
              IsOk());
  EXPECT_THAT(world_.table().changes(1, 2),
              HasError(ErrorCode::invalid, "column v was dropped"));
  EXPECT_THAT(world_.table().changes(1, 1), IsOk());
  EXPECT_THAT(world_.table().changes(3, 3),
              HasError(ErrorCode::not_found, "version 3"));
  EXPECT_THAT(world_.table().changes(2, 1), HasError(ErrorCode::invalid, "2 to 1"));
}

TEST_F(ChangeFeed, OfMappedColumnsKeepsTheirNames) {
  for (const char* mode : {"name", "id"}) {
    testkit::MemoryStoreProvider stores(clock_);
    TableWorld world(stores, clock_, 3);
    ASSERT_THAT(world.create({{"delta.enableChangeDataFeed", "true"},
                              {"delta.columnMapping.mode", mode}},
                             true),
                IsOk());
    ASSERT_THAT(world.append("(1, 'a', 10), (2, 'b', 20)"), IsOk());
    ASSERT_THAT(world.merge("(1, 'b', 11)"), IsOk());
    EXPECT_THAT(world.changes(2, 2),
                ElementsAre("update_postimage|2|1|b|11", "update_preimage|2|1|a|10"));
    EXPECT_THAT(world.misfit(1, 2), IsEmpty());
  }
}

}  // namespace
}  // namespace lakemill::dml
