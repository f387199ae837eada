#include "lakemill/app/process_members.h"

#include <gtest/gtest.h>

#include "lakemill/base/process_identity.h"
#include "lakemill/testing/manual_clock.h"
#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::app {
namespace {

using testkit::IsOk;

class Members : public testing::Test {
 protected:
  Members() {
    auto joined = ProcessMembers::join(*store_, clock_, random_);
    EXPECT_THAT(joined, IsOk());
    own_ = *std::move(joined);
  }

  void put(const std::string& member, const Json& mark) {
    ASSERT_THAT(store_->put("_lakemill/members/" + member + ".json", json_text(mark)),
                IsOk());
  }

  std::shared_ptr<storage::ObjectStore> store_ = testkit::make_memory_store();
  testkit::ManualClock clock_;
  SeededRandom random_{1};
  std::unique_ptr<ProcessMembers> own_;
};

TEST_F(Members, KnowWhoLeft) {
  auto other = ProcessMembers::join(*store_, clock_, random_);
  ASSERT_THAT(other, IsOk());
  const std::string id = (*other)->id();
  EXPECT_NE(id, own_->id());
  EXPECT_FALSE(own_->is_gone(id));
  other->reset();
  clock_.advance(ProcessMembers::kBeatPeriod);
  EXPECT_TRUE(own_->is_gone(id));
  EXPECT_TRUE(own_->is_gone("nobody"));
}

TEST_F(Members, KnowAtOnceWhoDiedOnThisMachine) {
  Json mark = this_process();
  mark["process_start"] = "1";  // the number was another process's before
  put("dead", mark);
  EXPECT_TRUE(own_->is_gone("dead"));
}

TEST_F(Members, TakeAnotherMachinesProcessForGoneWhenItIsSilent) {
  Json mark = {{"machine", "another"}, {"process", "1"}, {"process_start", "2"}};
  for (int beat = 1; beat <= 20; ++beat) {
    mark["beat"] = beat;
    put("far", mark);
    EXPECT_FALSE(own_->is_gone("far")) << beat;
    clock_.advance(ProcessMembers::kBeatPeriod);
  }
  for (int second = 0; second < 4; ++second) {
    EXPECT_FALSE(own_->is_gone("far")) << second;
    clock_.advance(ProcessMembers::kBeatPeriod);
  }
  EXPECT_TRUE(own_->is_gone("far"));
  mark["beat"] = 21;  // it only stood still
  put("far", mark);
  clock_.advance(ProcessMembers::kBeatPeriod);
  EXPECT_FALSE(own_->is_gone("far"));
}

}  // namespace
}  // namespace lakemill::app
