#include "lakemill/sources/table_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::sources {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using testkit::HasError;
using testkit::IsOk;

class NoCheckpoints final : public delta::CheckpointFormat {
 public:
  Result<std::string> read(std::string_view) override {
    return Error(ErrorCode::not_found, "no checkpoint");
  }
  Result<std::int64_t> write(std::string_view, std::string_view) override {
    return Error(ErrorCode::unavailable, "no checkpoint");
  }
};

// A table whose log is written by hand; its data files are never opened.
class TableSources : public testing::Test {
 protected:
  void commit(int version, const std::vector<std::string>& actions) {
    std::string text;
    for (const std::string& action : actions) text += action + "\n";
    ASSERT_THAT(
        store_->put(
            "_delta_log/0000000000000000000" + std::to_string(version) + ".json", text),
        IsOk());
  }

  void create(const std::string& id) {
    commit(0, {R"({"protocol":{"minReaderVersion":1,"minWriterVersion":2}})",
               R"({"metaData":{"id":")" + id +
                   R"(","format":{"provider":"parquet","options":{}},"schemaString":)"
                   R"("{\"type\":\"struct\",\"fields\":[{\"name\":\"x\",\"type\":)"
                   R"(\"long\",\"nullable\":true,\"metadata\":{}}]}",)"
                   R"("partitionColumns":[],"configuration":{}}})",
               add("a")});
  }

  static std::string add(const std::string& file) {
    return R"({"add":{"path":")" + file +
           R"(.parquet","partitionValues":{},"size":1,"modificationTime":1,)"
           R"("dataChange":true}})";
  }
  static std::string remove(const std::string& file) {
    return R"({"remove":{"path":")" + file +
           R"(.parquet","deletionTimestamp":1,"dataChange":true}})";
  }

  std::unique_ptr<Source> open(TableSourceSpec spec) {
    return make_table_source(std::move(spec),
                             std::make_shared<delta::Table>(store_, format_));
  }
  static TableSourceSpec incremental() { return {"sales", true, {}, {}, ""}; }

  static std::vector<std::string> names(const Result<Slice>& slice) {
    if (!slice) return {slice.error().message()};
    std::vector<std::string> names;
    for (const auto& file :
         std::get<engine::TableRelation>(slice->relation).scan->files()) {
      names.push_back(file.url.substr(file.url.rfind('/') + 1));
    }
    EXPECT_EQ(slice->empty, names.empty());
    return names;
  }

  testkit::MemoryStoreProvider stores_;
  std::shared_ptr<storage::ObjectStore> store_ = *stores_.open("memory://lake/t");
  NoCheckpoints format_;
};

TEST_F(TableSources, GiveTheRowsThatCommitsAppended) {
  create("id1");
  commit(1, {add("b")});
  commit(2, {add("c")});
  auto source = open(incremental());
  const auto to = source->latest(Offset());
  ASSERT_THAT(to, IsOk());
  EXPECT_EQ(integer_member(*to, "version", -1), 2);
  EXPECT_THAT(names(source->read(Offset(), *to)),
              UnorderedElementsAre("a.parquet", "b.parquet", "c.parquet"));
  Offset middle = *to;
  middle["version"] = 1;
  EXPECT_THAT(names(source->read(middle, *to)), UnorderedElementsAre("c.parquet"));
  EXPECT_THAT(names(source->read(*to, *to)), IsEmpty());
}

TEST_F(TableSources, FailAtACommitThatIsNoAppendNamingItsVersion) {
  create("id1");
  auto source = open(incremental());
  const auto from = source->latest(Offset());
  ASSERT_THAT(from, IsOk());
  commit(1, {add("b"), remove("a")});
  const auto to = source->latest(*from);
  ASSERT_THAT(to, IsOk());
  EXPECT_THAT(source->read(*from, *to), HasError(ErrorCode::invalid, "version 1"));
  const auto read = source->read(*from, *to);
  EXPECT_THAT(read.error().message(), testing::HasSubstr("--full-refresh"));
  EXPECT_THAT(read.error().message(), testing::HasSubstr("as_stream: false"));
}

TEST_F(TableSources, BeginWithTheRowsThatAreThereWhereMoreThanAppendsCameBefore) {
  create("id1");
  commit(1, {add("b"), remove("a")});
  auto source = open(incremental());
  const auto to = source->latest(Offset());
  ASSERT_THAT(to, IsOk());
  EXPECT_THAT(names(source->read(Offset(), *to)), UnorderedElementsAre("b.parquet"));
}

TEST_F(TableSources, BeginWithTheRowsThatAreThereWhereFilesWereWrittenTogether) {
  create("id1");
  commit(1, {add("b")});
  const auto rearranged = [](std::string action) {
    action.replace(action.find("\"dataChange\":true"), 17, "\"dataChange\":false");
    return action;
  };
  commit(2, {rearranged(remove("a")), rearranged(remove("b")), rearranged(add("ab"))});
  auto source = open(incremental());
  const auto to = source->latest(Offset());
  ASSERT_THAT(to, IsOk());
  EXPECT_THAT(names(source->read(Offset(), *to)), UnorderedElementsAre("ab.parquet"));
  Offset middle = *to;
  middle["version"] = 0;
  EXPECT_THAT(names(source->read(middle, *to)), UnorderedElementsAre("b.parquet"));
}

TEST_F(TableSources, GiveTheRowsFirstThenWhatCommitsChanged) {
  create("id1");
  TableSourceSpec spec = incremental();
  spec.read_changes = true;
  auto source = open(spec);
  const auto from = source->latest(Offset());
  ASSERT_THAT(from, IsOk());
  const auto first = source->read(Offset(), *from);
  ASSERT_THAT(first, IsOk());
  ASSERT_EQ(first->parts.size(), 1U);
  EXPECT_THAT(first->parts[0].select_list, HasSubstr("'SNAPSHOT' AS _op"));
  commit(1, {add("b"), remove("a")});
  const auto to = source->latest(*from);
  ASSERT_THAT(to, IsOk());
  const auto changed = source->read(*from, *to);
  ASSERT_THAT(changed, IsOk());
  ASSERT_EQ(changed->parts.size(), 1U);
  EXPECT_THAT(changed->parts[0].condition, HasSubstr("update_preimage"));
  const auto& relation = std::get<engine::TableRelation>(changed->parts[0].relation);
  EXPECT_EQ(relation.scan->files().size(), 2U);
  const auto none = source->read(*to, *to);
  ASSERT_THAT(none, IsOk());
  EXPECT_TRUE(none->empty);
  EXPECT_EQ(none->parts.size(), 1U);
}

TEST_F(TableSources, SayThatVersionsThatTheyNeedWereCleanedAway) {
  create("id1");
  commit(1, {add("b")});
  commit(2, {add("c")});
  auto source = open(incremental());
  const auto to = source->latest(Offset());
  ASSERT_THAT(to, IsOk());
  Offset from = *to;
  from["version"] = 0;
  for (const char* version : {"0", "1"}) {
    ASSERT_THAT(store_->remove("_delta_log/0000000000000000000" + std::string(version) +
                               ".json"),
                IsOk());
  }
  const auto slice = source->read(from, *to);
  ASSERT_FALSE(slice.has_value());
  EXPECT_EQ(slice.error().code(), ErrorCode::invalid) << "it does not come by waiting";
  EXPECT_THAT(slice.error().message(),
              AllOf(HasSubstr("version 1 is not in the log (any more)"),
                    HasSubstr("--full-refresh")));
}

TEST_F(TableSources, FindOutThatTheTableIsAnother) {
  create("id1");
  commit(1, {add("b")});
  const auto cursor = open(incremental())->latest(Offset());
  ASSERT_THAT(cursor, IsOk());
  const auto objects = store_->list("", "");
  ASSERT_THAT(objects, IsOk());
  for (const auto& object : *objects) {
    ASSERT_THAT(store_->remove(object.path), IsOk());
  }
  create("id2");
  EXPECT_THAT(open(incremental())->latest(*cursor),
              HasError(ErrorCode::invalid, "version 1 has been read"));
  commit(1, {add("c")});
  EXPECT_THAT(open(incremental())->latest(*cursor),
              HasError(ErrorCode::invalid, "made anew"));
}

TEST_F(TableSources, ThatAreReadWholePinTheVersion) {
  create("id1");
  auto source = open({"sales", false, {}, {}, ""});
  const auto to = source->latest(Offset());
  ASSERT_THAT(to, IsOk());
  commit(1, {add("b"), remove("a")});
  EXPECT_THAT(names(source->read(Offset(), *to)), UnorderedElementsAre("a.parquet"));
  EXPECT_THAT(names(source->read(Offset(), *source->latest(Offset()))),
              UnorderedElementsAre("b.parquet"));
}

TEST_F(TableSources, OfAFixedVersionNeverMove) {
  create("id1");
  commit(1, {add("b")});
  auto source = open({"sales", false, 0, {}, ""});
  const auto to = source->latest(Offset());
  ASSERT_THAT(to, IsOk());
  EXPECT_EQ(integer_member(*to, "version", -1), 0);
  EXPECT_THAT(names(source->read(Offset(), *to)), UnorderedElementsAre("a.parquet"));
  EXPECT_THAT(open({"sales", false, 9, {}, ""})->latest(Offset()),
              HasError(ErrorCode::not_found, "table sales"));
}

TEST_F(TableSources, SayWhichTableIsNotThere) {
  const auto offset = open(incremental())->latest(Offset());
  ASSERT_FALSE(offset.has_value());
  EXPECT_THAT(offset.error().message(), HasSubstr("table sales"));
}

}  // namespace
}  // namespace lakemill::sources
