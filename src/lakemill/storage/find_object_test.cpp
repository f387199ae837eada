#include "lakemill/storage/find_object.h"

#include <gtest/gtest.h>

#include "lakemill/testing/forwarding_store.h"
#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::storage {
namespace {

using ::testing::Eq;
using testkit::HasError;
using testkit::IsOk;
using testkit::IsOkAnd;

// A store to which nobody may come.
class ClosedStore final : public testkit::ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  Result<std::string> get(std::string_view path) override {
    return Error(ErrorCode::denied, "read " + std::string(path) + ": no");
  }
};

TEST(FindObject, TellsAnAbsentObjectFromAnEmptyOneAndFromAnError) {
  testkit::MemoryStoreProvider stores;
  const auto store = *stores.open("memory://root");
  ASSERT_THAT(store->put("full", "bytes"), IsOk());
  ASSERT_THAT(store->put("empty", ""), IsOk());

  EXPECT_THAT(find_object(*store, "full"), IsOkAnd(Eq("bytes")));
  EXPECT_THAT(find_object(*store, "empty"), IsOkAnd(Eq("")));
  EXPECT_THAT(find_object(*store, "absent"), IsOkAnd(Eq(std::nullopt)));
  ClosedStore closed(store);
  EXPECT_THAT(find_object(closed, "full"), HasError(ErrorCode::denied, "read full"));
}

}  // namespace
}  // namespace lakemill::storage
