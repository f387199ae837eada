#include "lakemill/server/event_stream.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace lakemill::server {
namespace {

Frame frame(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

TEST(EventFrame, IsLinesAndAnEmptyLine) {
  EXPECT_EQ(event_frame("7.0", "run_started", "{\"a\":1}"),
            "id: 7.0\nevent: run_started\ndata: {\"a\":1}\n\n");
  EXPECT_EQ(event_frame("", "", "one\ntwo\r\nthree\rfour"),
            "data: one\ndata: two\ndata: three\ndata: four\n\n");
}

TEST(EventFrame, CannotBeMadeAnotherOneByItsContent) {
  EXPECT_EQ(event_frame("1\ndata: x", "a\r\nid: 9", "b\n\nid: 9"),
            "id: 1data: x\nevent: aid: 9\ndata: b\ndata: \ndata: id: 9\n\n");
}

TEST(EventStream, GivesFramesInTheirOrderAndEnds) {
  EventStream stream(1000);
  EXPECT_TRUE(stream.send(frame("a")));
  EXPECT_TRUE(stream.send(frame("b")));
  stream.finish();
  EXPECT_FALSE(stream.send(frame("c")));
  EXPECT_FALSE(stream.is_drained());
  EXPECT_EQ(*stream.next(), "a");
  EXPECT_EQ(*stream.next(), "b");
  EXPECT_EQ(stream.next(), nullptr);
  EXPECT_TRUE(stream.is_drained());
  EXPECT_FALSE(stream.has_lagged());
}

TEST(EventStream, DropsAViewerWhoFallsBehindByMoreThanTheBound) {
  EventStream stream(1000);
  int sent = 0;
  while (stream.send(frame(std::string(100, 'a'))) && sent < 100) ++sent;
  EXPECT_GT(sent, 3);
  EXPECT_LT(sent, 10);
  EXPECT_TRUE(stream.has_lagged());
  EXPECT_FALSE(stream.is_open());
  EXPECT_EQ(stream.next(), nullptr);  // its memory is free
}

TEST(EventStream, WakesWhenThereIsSomethingAfterNothing) {
  EventStream stream(1000);
  int woken = 0;
  stream.attach([&] { ++woken; });
  stream.send(frame("a"));
  stream.send(frame("b"));
  EXPECT_EQ(woken, 1);
  stream.next();
  stream.next();
  stream.send(frame("c"));
  EXPECT_EQ(woken, 2);
  stream.finish();
  EXPECT_EQ(woken, 3);
  stream.abandon();
  EXPECT_FALSE(stream.send(frame("d")));
  EXPECT_EQ(woken, 3);
}

TEST(EventStream, TakesFramesOfManyThreads) {
  EventStream stream(EventStream::kBufferMax);
  std::vector<std::jthread> tellers;
  for (int teller = 0; teller < 4; ++teller) {
    tellers.emplace_back([&] {
      for (int count = 0; count < 500; ++count) EXPECT_TRUE(stream.send(frame("x")));
    });
  }
  int got = 0;
  while (got < 2000) got += stream.next() != nullptr ? 1 : 0;
  tellers.clear();
  EXPECT_EQ(stream.next(), nullptr);
}

}  // namespace
}  // namespace lakemill::server
