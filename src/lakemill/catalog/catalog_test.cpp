#include "lakemill/catalog/catalog.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::catalog {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testkit::HasError;
using testkit::IsOk;
using testkit::IsOkAnd;

/// No table here has a checkpoint.
class NoCheckpoints final : public delta::CheckpointFormat {
 public:
  Result<std::string> read(std::string_view url) override {
    return Error(ErrorCode::not_found, std::string(url));
  }
  Result<std::int64_t> write(std::string_view, std::string_view) override {
    return Error(ErrorCode::unavailable, "no checkpoints in this test");
  }
};

class CatalogTest : public ::testing::Test {
 protected:
  // What is enough of a log to be seen as a table.
  void put_table(const std::string& url) {
    auto store = stores_.open(url);
    ASSERT_THAT(store, IsOk());
    ASSERT_THAT(
        (*store)->put("_delta_log/00000000000000000000.json",
                      R"({"protocol":{"minReaderVersion":1,"minWriterVersion":2}}
{"metaData":{"id":"m","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],"configuration":{}}}
)"),
        IsOk());
  }
  static TableName gold(const std::string& table) { return {"main", "gold", table}; }

  testkit::MemoryStoreProvider stores_;
  NoCheckpoints format_;
  Catalog catalog_{{.root = "memory://lake/root/",
                    .schema_roots = {{"bronze", "memory://archive/raw"}},
                    .defaults = {"main", "default"}},
                   stores_,
                   format_};
};

TEST_F(CatalogTest, PutsTablesUnderTheRootOfTheirSchema) {
  EXPECT_EQ(catalog_.url_of(gold("t")), "memory://lake/root/main/gold/t");
  EXPECT_EQ(catalog_.url_of({"main", "bronze", "t"}),
            "memory://archive/raw/main/bronze/t");
  EXPECT_THAT(catalog_.resolve("t"), IsOkAnd(TableName{"main", "default", "t"}));
}

TEST_F(CatalogTest, FindsOutWhatThereIs) {
  put_table("memory://lake/root/main/gold/b");
  put_table("memory://lake/root/main/gold/a");
  put_table("memory://lake/root/other/s/t");
  put_table("memory://archive/raw/main/bronze/raw_a");
  put_table("memory://lake/root/main/bronze/not_here");
  put_table("memory://lake/root/_lakemill/x/events");
  auto store = stores_.open("memory://lake/root");
  ASSERT_THAT((*store)->put("data/csv/files/1.csv", "x"), IsOk());
  ASSERT_THAT((*store)->put("main/gold/no_table/file.parquet", "x"), IsOk());

  EXPECT_THAT(catalog_.list_catalogs(), IsOkAnd(ElementsAre("main", "other")));
  EXPECT_THAT(catalog_.list_schemas("main"), IsOkAnd(ElementsAre("bronze", "gold")));
  EXPECT_THAT(catalog_.list_tables("main", "gold"), IsOkAnd(ElementsAre("a", "b")));
  EXPECT_THAT(catalog_.list_tables("main", "bronze"), IsOkAnd(ElementsAre("raw_a")));
  EXPECT_THAT(catalog_.list_tables("main", "nothing"), IsOkAnd(IsEmpty()));
  EXPECT_THAT(catalog_.list_tables("..", "gold"), HasError(ErrorCode::invalid, ".."));
  EXPECT_THAT(catalog_.table_exists(gold("a")), IsOkAnd(true));
  EXPECT_THAT(catalog_.table_exists(gold("no_table")), IsOkAnd(false));
}

TEST_F(CatalogTest, GivesTheSameTableEachTime) {
  put_table("memory://lake/root/main/gold/t");
  auto first = catalog_.open(gold("t"));
  ASSERT_THAT(first, IsOk());
  std::vector<std::jthread> openers;
  for (int opener = 0; opener < 4; ++opener) {
    openers.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        auto again = catalog_.open(gold("t"));
        ASSERT_THAT(again, IsOk());
        EXPECT_EQ(again->get(), first->get());
        auto other = catalog_.open(gold("t" + std::to_string(round)));
        EXPECT_THAT(other, IsOk());
      }
    });
  }
  openers.clear();
  auto by_url = catalog_.open_url("memory://lake/root/main/gold/x/../t/");
  ASSERT_THAT(by_url, IsOk());
  EXPECT_EQ(by_url->get(), first->get());
  EXPECT_THAT(catalog_.open({"main", "gold", "../t"}),
              HasError(ErrorCode::invalid, "../t"));
  EXPECT_THAT(catalog_.open_url("s3://b/t"), HasError(ErrorCode::unsupported, "s3://"));
}

TEST_F(CatalogTest, OpensATableThatIsYetToBeMade) {
  auto table = catalog_.open(gold("new"));
  ASSERT_THAT(table, IsOk());
  EXPECT_THAT((*table)->latest(), HasError(ErrorCode::not_found, ""));
  put_table("memory://lake/root/main/gold/new");
  EXPECT_THAT((*table)->latest(), IsOk());
}

TEST_F(CatalogTest, DropsATableAndForgetsIt) {
  put_table("memory://lake/root/main/gold/orders");
  auto before = catalog_.open(gold("orders"));
  ASSERT_THAT(before, IsOk());
  EXPECT_THAT(catalog_.drop_table(gold("order")),
              HasError(ErrorCode::not_found, "did you mean orders?"));
  ASSERT_THAT(catalog_.drop_table(gold("orders")), IsOk());
  EXPECT_THAT(catalog_.list_tables("main", "gold"), IsOkAnd(IsEmpty()));
  auto after = catalog_.open(gold("orders"));
  ASSERT_THAT(after, IsOk());
  EXPECT_NE(after->get(), before->get());
  EXPECT_THAT((*after)->latest(), HasError(ErrorCode::not_found, ""));
  EXPECT_THAT(catalog_.drop_url("memory://lake"), HasError(ErrorCode::invalid, ""));
}

TEST_F(CatalogTest, EndsAHalfDoneDropBeforeItOpensTheTable) {
  put_table("memory://lake/root/main/gold/t");
  auto schema = stores_.open("memory://lake/root/main/gold");
  ASSERT_THAT((*schema)->put("_dropped/t", ""), IsOk());
  EXPECT_THAT(catalog_.list_tables("main", "gold"), IsOkAnd(IsEmpty()));
  EXPECT_THAT(catalog_.table_exists(gold("t")), IsOkAnd(false));
  ASSERT_THAT(catalog_.open(gold("t")), IsOk());
  EXPECT_THAT(stores_.objects(), IsEmpty());
}

TEST_F(CatalogTest, KeepsViews) {
  ASSERT_THAT(catalog_.put_view(gold("v"), "SELECT 1"), IsOk());
  ASSERT_THAT(catalog_.put_view(gold("a b"), "SELECT 2"), IsOk());
  ASSERT_THAT(catalog_.put_view(gold("v"), "SELECT 3"), IsOk());
  EXPECT_THAT(catalog_.get_view(gold("v")), IsOkAnd("SELECT 3"));
  EXPECT_THAT(catalog_.list_views("main", "gold"), IsOkAnd(ElementsAre("a b", "v")));
  EXPECT_THAT(catalog_.list_schemas("main"), IsOkAnd(ElementsAre("gold")));
  EXPECT_TRUE(stores_.objects().contains("memory://lake/root/main/gold/_views/v.sql"));
  EXPECT_THAT(catalog_.get_view(gold("w")),
              HasError(ErrorCode::not_found, "no view main.gold.w"));
  ASSERT_THAT(catalog_.drop_view(gold("v")), IsOk());
  EXPECT_THAT(catalog_.drop_view(gold("v")),
              HasError(ErrorCode::not_found, "main.gold.v"));
}

TEST_F(CatalogTest, RefusesAViewWithATablesNameOrNoQuery) {
  put_table("memory://lake/root/main/gold/t");
  EXPECT_THAT(catalog_.put_view(gold("t"), "SELECT 1"),
              HasError(ErrorCode::invalid, "a table has this name"));
  EXPECT_THAT(catalog_.put_view(gold("v"), " \n"),
              HasError(ErrorCode::invalid, "empty"));
  EXPECT_THAT(catalog_.put_view(gold("_v"), "SELECT 1"),
              HasError(ErrorCode::invalid, "_v"));
}

}  // namespace
}  // namespace lakemill::catalog
