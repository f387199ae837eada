#include "lakemill/notify/selector.h"

#include <gtest/gtest.h>

namespace lakemill::notify {
namespace {

using events::EventType;

events::Event about(EventType type, std::string subject) {
  events::Event event;
  event.type = type;
  event.subject = std::move(subject);
  return event;
}

TEST(Selector, LetsAllPassWhereItIsEmpty) {
  EXPECT_TRUE(Selector().may_pass(about(EventType::notice, "project")));
}

TEST(Selector, WantsOneOfItsTypesAndOneOfItsGlobs) {
  const Selector selector{
      .types = {EventType::run_failed, EventType::table_committed},
      .subjects = {"pipeline/*", "table/main.gold.*", "table/s3://**"},
      .where = ""};
  EXPECT_TRUE(selector.may_pass(about(EventType::run_failed, "pipeline/p")));
  EXPECT_FALSE(selector.may_pass(about(EventType::run_started, "pipeline/p")));
  EXPECT_FALSE(selector.may_pass(about(EventType::run_failed, "node/p/n")));
  EXPECT_TRUE(selector.may_pass(about(EventType::table_committed, "table/main.gold.t")));
  EXPECT_FALSE(
      selector.may_pass(about(EventType::table_committed, "table/main.silver.t")));
  EXPECT_TRUE(selector.may_pass(about(EventType::table_committed, "table/s3://b/t/x")));
}

TEST(Selector, TakesTheSubjectThatTheTypeGives) {
  events::Event event;
  event.type = EventType::run_failed;
  event.pipeline = "orders";
  const Selector selector{.types = {}, .subjects = {"pipeline/ord*"}, .where = ""};
  EXPECT_TRUE(selector.may_pass(event));
}

}  // namespace
}  // namespace lakemill::notify
