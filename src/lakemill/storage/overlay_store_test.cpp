#include "lakemill/storage/overlay_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/testing/memory_store.h"

namespace lakemill::storage {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> paths(ObjectStore& store, const std::string& prefix) {
  std::vector<std::string> found;
  const auto listed = store.list(prefix, "").value();
  for (const ObjectInfo& info : listed) {
    found.push_back(info.path);
  }
  return found;
}

class OverlayStoreTest : public testing::Test {
 protected:
  OverlayStoreTest() : inner_(provider_.open("memory://a").value()) {
    EXPECT_TRUE(inner_->put("f/1", "one").has_value());
    EXPECT_TRUE(inner_->put("f/3", "three").has_value());
    store_ = make_overlay_store(inner_);
  }

  testkit::MemoryStoreProvider provider_;
  std::shared_ptr<ObjectStore> inner_;
  std::shared_ptr<ObjectStore> store_;
};

TEST_F(OverlayStoreTest, KeepsWhatIsWrittenToItself) {
  ASSERT_TRUE(store_->put_if_absent("f/2", "two").has_value());
  ASSERT_TRUE(store_->put("f/3", "3").has_value());
  ASSERT_TRUE(store_->put("g/h/1", "x").has_value());
  EXPECT_EQ(store_->get("f/2").value(), "two");
  EXPECT_EQ(store_->get_range("f/2", 1, 10).value(), "wo");
  EXPECT_EQ(store_->get("f/3").value(), "3");
  EXPECT_EQ(store_->head("f/3").value().size_bytes, 1);
  EXPECT_THAT(paths(*store_, "f/"), ElementsAre("f/1", "f/2", "f/3"));
  EXPECT_THAT(store_->list_folders("").value(), ElementsAre("f", "g"));
  EXPECT_THAT(store_->list_folders("g").value(), ElementsAre("h"));
  EXPECT_THAT(paths(*inner_, ""), ElementsAre("f/1", "f/3"));
  EXPECT_EQ(inner_->get("f/3").value(), "three");
}

TEST_F(OverlayStoreTest, SaysThatSomethingIsThereAlready) {
  const auto inner = store_->put_if_absent("f/1", "other");
  ASSERT_FALSE(inner.has_value());
  EXPECT_EQ(inner.error().code(), ErrorCode::exists);
  ASSERT_TRUE(store_->put_if_absent("f/2", "two").has_value());
  EXPECT_FALSE(store_->put_if_absent("f/2", "two").has_value());
}

TEST_F(OverlayStoreTest, HidesWhatIsRemoved) {
  ASSERT_TRUE(store_->remove("f/1").has_value());
  EXPECT_EQ(store_->get("f/1").error().code(), ErrorCode::not_found);
  EXPECT_THAT(paths(*store_, "f/"), ElementsAre("f/3"));
  EXPECT_TRUE(store_->put_if_absent("f/1", "again").has_value());
  EXPECT_EQ(inner_->get("f/1").value(), "one");
}

TEST_F(OverlayStoreTest, ShowsAWriterOnceItIsFinished) {
  auto writer = store_->create("f/9").value();
  ASSERT_TRUE(writer->append("ni").has_value());
  ASSERT_TRUE(writer->append("ne").has_value());
  EXPECT_FALSE(store_->head("f/9").has_value());
  ASSERT_TRUE(writer->finish().has_value());
  EXPECT_EQ(store_->get("f/9").value(), "nine");
}

}  // namespace
}  // namespace lakemill::storage
