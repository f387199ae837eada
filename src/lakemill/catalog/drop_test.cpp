#include "lakemill/catalog/drop.h"

#include <string>

#include <gtest/gtest.h>

#include "lakemill/testing/crashing_store.h"
#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::catalog {
namespace {

using testkit::Fault;
using testkit::HasError;
using testkit::IsOk;
using testkit::IsOkAnd;

constexpr const char* kSchema = "memory://lake/main/gold";

class DropTest : public ::testing::Test {
 protected:
  DropTest() {
    for (const auto* path :
         {"t/_delta_log/00000000000000000000.json",
          "t/_delta_log/00000000000000000001.json",
          "t/_delta_log/00000000000000000001.checkpoint.parquet",
          "t/_delta_log/00000000000000000002.json", "t/_delta_log/_last_checkpoint",
          "t/part-1.parquet", "t/day=1/part-2.parquet", "t/_change_data/x.parquet",
          "t2/_delta_log/00000000000000000000.json"}) {
      EXPECT_THAT(parent_->put(path, "x"), IsOk());
    }
  }
  static std::shared_ptr<storage::ObjectStore> open(storage::StoreProvider& provider) {
    auto opened = provider.open(kSchema);
    EXPECT_THAT(opened, IsOk());
    return *std::move(opened);
  }
  static bool has(const testkit::MemoryStoreProvider& disk, const std::string& path) {
    return disk.objects().contains(std::string(kSchema) + "/" + path);
  }

  testkit::MemoryStoreProvider disk_;
  std::shared_ptr<storage::ObjectStore> parent_ = open(disk_);
};

TEST_F(DropTest, RemovesTheTableAndNothingElse) {
  EXPECT_THAT(holds_table(*parent_, "t"), IsOkAnd(true));
  ASSERT_THAT(drop_table(*parent_, "t"), IsOk());
  EXPECT_THAT(holds_table(*parent_, "t"), IsOkAnd(false));
  EXPECT_EQ(disk_.objects().size(), 1U);
  EXPECT_THAT(holds_table(*parent_, "t2"), IsOkAnd(true));
  EXPECT_THAT(drop_table(*parent_, "t"), HasError(ErrorCode::not_found, kSchema));
}

TEST_F(DropTest, RefusesAFolderWithOtherTablesInside) {
  ASSERT_THAT(parent_->put("t/inner/_delta_log/00000000000000000000.json", "x"),
              IsOk());
  const auto before = disk_.objects();
  EXPECT_THAT(drop_table(*parent_, "t"), HasError(ErrorCode::invalid, "another table"));
  EXPECT_EQ(disk_.objects(), before);
}

TEST_F(DropTest, RefusesAFolderWithTheStateOfAProjectInside) {
  ASSERT_THAT(parent_->put("t/_lakemill/events/_delta_log/0.json", "x"), IsOk());
  const auto before = disk_.objects();
  EXPECT_THAT(drop_table(*parent_, "t"), HasError(ErrorCode::invalid, "the state of"));
  EXPECT_EQ(disk_.objects(), before);
}

// Goal: wherever a drop dies, the table is whole or, for the catalog, gone; readers who
// know no marks never see an older version; and the next who looks ends the work.
// Method: every store call, before and after it acts, and with its answer lost.
TEST_F(DropTest, LeavesATableOrNoneAtEveryCrash) {
  testkit::CrashingStoreProvider counting(disk_, {});
  const auto whole = disk_.copy();
  ASSERT_THAT(drop_table(*open(counting), "t"), IsOk());
  ASSERT_GT(counting.calls(), 10);
  for (std::int64_t call = 0; call < counting.calls(); ++call) {
    for (const auto fault : {Fault::die_before, Fault::die_after, Fault::lose_answer}) {
      SCOPED_TRACE(::testing::Message()
                   << counting.trace()[static_cast<std::size_t>(call)] << ", fault "
                   << static_cast<int>(fault));
      auto disk = whole->copy();
      testkit::CrashingStoreProvider crashing(*disk, {.fault = fault, .at_call = call});
      (void)drop_table(*open(crashing), "t");  // nobody is left to hear the answer

      auto parent = open(*disk);
      auto there = holds_table(*parent, "t");
      ASSERT_THAT(there, IsOk());
      if (*there) {
        ASSERT_EQ(disk->objects(), whole->objects());
      }
      // a version is removed only after all before it
      const std::string log = "t/_delta_log/0000000000000000000";
      ASSERT_LE(has(*disk, log + "0.json"), has(*disk, log + "1.checkpoint.parquet"));
      ASSERT_LE(has(*disk, log + "1.checkpoint.parquet"), has(*disk, log + "2.json"));
      // no data file goes while a reader can still see the table
      ASSERT_LE(has(*disk, log + "1.checkpoint.parquet"),
                has(*disk, "t/part-1.parquet"));

      auto ended = finish_drop(*parent, "t");
      ASSERT_THAT(ended, IsOk());
      ASSERT_EQ(disk->objects().size(), *there ? whole->objects().size() : 1U);
    }
  }
}

}  // namespace
}  // namespace lakemill::catalog
