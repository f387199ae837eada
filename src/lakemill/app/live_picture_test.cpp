#include "lakemill/app/live_picture.h"

#include <gtest/gtest.h>

namespace lakemill::app {
namespace {

using events::Event;
using events::EventType;

Event event(EventType type, const std::string& run, const std::string& node,
            Json details = Json::object()) {
  Event event;
  event.type = type;
  event.pipeline = "p";
  event.run_id = run;
  event.node = node;
  event.details = std::move(details);
  return event;
}

TEST(LivePicture, FollowsTheNodesOfARun) {
  LivePicture picture;
  EXPECT_FALSE(picture.run("r"));
  picture.add(event(EventType::run_started, "r", ""));
  EXPECT_FALSE(picture.run("r"));
  picture.add(event(EventType::node_started, "r", "a"));
  ASSERT_TRUE(picture.run("r"));
  EXPECT_EQ(picture.run("r")->front().status, "running");
  picture.add(event(EventType::node_succeeded, "r", "a", {{"written", 7}}));
  picture.add(event(EventType::node_started, "r", "b"));
  Event failed = event(EventType::node_failed, "r", "b");
  failed.message = "broken";
  picture.add(failed);
  picture.add(event(EventType::node_failed, "r", "c", {{"status", "blocked"}}));
  const RunPicture run = *picture.run("r");
  ASSERT_EQ(run.size(), 3U);
  EXPECT_EQ(run[0].status, "succeeded");
  EXPECT_EQ(run[0].rows_written, 7);
  EXPECT_EQ(run[1].status, "failed");
  EXPECT_EQ(run[1].message, "broken");
  EXPECT_EQ(run[2].status, "blocked");
}

TEST(LivePicture, KnowsOfEachNodeItsNewestRun) {
  LivePicture picture;
  picture.add(event(EventType::node_started, "1", "a"));
  picture.add(event(EventType::node_skipped, "1", "a"));
  picture.add(event(EventType::node_started, "2", "a"));
  RunPicture past;
  add_event(past, event(EventType::node_succeeded, "0", "a"));
  add_event(past, event(EventType::node_succeeded, "0", "b"));
  picture.add_past("p", past);
  const auto nodes = picture.nodes_of("p");
  EXPECT_EQ(nodes.at("a").run_id, "2");
  EXPECT_EQ(nodes.at("a").status, "running");
  EXPECT_EQ(nodes.at("b").run_id, "0");
  EXPECT_TRUE(picture.nodes_of("q").empty());
}

TEST(LivePicture, ForgetsTheOldestRuns) {
  LivePicture picture;
  for (std::size_t i = 0; i <= LivePicture::kRunsMax; ++i) {
    picture.add(event(EventType::node_started, std::to_string(i), "a"));
  }
  EXPECT_FALSE(picture.run("0"));
  EXPECT_TRUE(picture.run("1"));
}

}  // namespace
}  // namespace lakemill::app
