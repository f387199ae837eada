#include <gmock/gmock.h>

#include "lakemill/server/listener_fixture.h"

namespace lakemill::server {
namespace {

using std::chrono::milliseconds;

Frame frame(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

// A viewer whose stream has begun.
std::unique_ptr<Client> viewer(RunningListener& listener, int receive_buffer = 0) {
  auto client = std::make_unique<Client>(listener.port(), receive_buffer);
  client->get("/events");
  EXPECT_EQ(client->status(), 200);
  return client;
}

TEST(ListenerStream, BringsEventsToAViewerUntilItEnds) {
  RunningListener listener(test_limits());
  auto client = viewer(listener);
  const auto stream = listener.gate.streams().at(0);
  stream->send(frame(event_frame("1", "a", "one")));
  EXPECT_TRUE(client->await("id: 1\nevent: a\ndata: one\n\n"));
  stream->send(frame(event_frame("2", "a", "two")));
  stream->finish();
  EXPECT_EQ(client->rest(), "id: 2\nevent: a\ndata: two\n\n");
}

TEST(ListenerStream, SaysThatItLivesWhileNothingHappens) {
  ListenerLimits limits = test_limits();
  limits.heartbeat_time = milliseconds(30);
  RunningListener listener(limits);
  auto client = viewer(listener);
  for (int count = 0; count < 3; ++count) EXPECT_TRUE(client->await(":\n\n"));
}

TEST(ListenerStream, ForgetsAViewerWhoHasGone) {
  RunningListener listener(test_limits());
  auto client = viewer(listener);
  const auto stream = listener.gate.streams().at(0);
  EXPECT_TRUE(stream->is_open());
  client.reset();
  EXPECT_TRUE(eventually([&] { return !stream->is_open(); }));
  EXPECT_FALSE(stream->send(frame("late")));
}

// Goal: one viewer who reads nothing costs nobody else an event, and is dropped within
// its bound. Method: 50 viewers, one of them stalled, and more bytes than all buffers
// of the stalled one hold.
TEST(ListenerStream, DropsTheOneOfFiftyViewersWhoStalls) {
  constexpr int kFrames = 400;
  RunningListener listener(test_limits());
  std::vector<std::unique_ptr<Client>> viewers;
  auto stalled = viewer(listener, 4096);
  for (int count = 1; count < 50; ++count) viewers.push_back(viewer(listener));
  const auto streams = listener.gate.streams();
  ASSERT_EQ(streams.size(), 50U);

  for (int number = 0; number < kFrames; ++number) {
    const std::string event =
        event_frame(std::to_string(number), "tick", std::string(8'000, 'x'));
    const Frame shared = frame(event);
    for (const auto& stream : streams) stream->send(shared);
    for (auto& client : viewers) ASSERT_TRUE(client->await(event)) << number;
  }
  EXPECT_FALSE(streams[0]->send(frame("more")));
  for (std::size_t index = 1; index < streams.size(); ++index) {
    EXPECT_TRUE(streams[index]->is_open()) << index;
  }
  EXPECT_LT(stalled->rest().size(), std::size_t{kFrames} * 8'000);
}

TEST(ListenerStream, DropsAViewerWhoseSocketTakesNothingForTooLong) {
  ListenerLimits limits = test_limits();
  limits.write_time = milliseconds(200);
  RunningListener listener(limits);
  listener.gate.stream_buffer_max = std::size_t{64} << 20;
  auto client = viewer(listener, 4096);
  const auto stream = listener.gate.streams().at(0);
  const Frame large = frame(std::string(1 << 20, 'x'));
  for (int count = 0; count < 16; ++count) stream->send(large);
  EXPECT_TRUE(eventually([&] { return !stream->is_open(); }));
  EXPECT_FALSE(stream->has_lagged());
}

TEST(ListenerStream, HasSoManyViewersAndNoMore) {
  ListenerLimits limits = test_limits();
  limits.streams_max = 2;
  RunningListener listener(limits);
  auto first = viewer(listener);
  auto second = viewer(listener);
  Client third(listener.port());
  third.get("/events");
  EXPECT_EQ(third.status(), 503);
  EXPECT_TRUE(eventually([&] { return !listener.gate.streams().at(2)->is_open(); }));
  first.reset();
  EXPECT_TRUE(eventually([&] { return !listener.gate.streams().at(0)->is_open(); }));
  viewer(listener);
}

TEST(ListenerStream, EndsWithTheListenerAfterWhatWasTold) {
  RunningListener listener(test_limits());
  auto client = viewer(listener);
  const auto stream = listener.gate.streams().at(0);
  stream->send(frame("data: last\n\n"));
  listener.begin_stop();
  EXPECT_EQ(client->rest(), "data: last\n\n");
  client.reset();
  listener.stop();
  EXPECT_FALSE(stream->send(frame("late")));
}

// Tellers, viewers who come and go, and the stop, all at the same time.
TEST(ListenerStream, OutlivesNothingItShouldNot) {
  std::shared_ptr<EventStream> kept;
  {
    RunningListener listener(test_limits());
    std::jthread teller([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        for (const auto& stream : listener.gate.streams()) stream->send(frame("a"));
        std::this_thread::sleep_for(milliseconds(1));
      }
    });
    for (int count = 0; count < 30; ++count) {
      auto client = viewer(listener);
      EXPECT_TRUE(client->await("a"));
    }
    auto last = viewer(listener);
    kept = listener.gate.streams().back();
    listener.begin_stop();
    last.reset();
  }
  EXPECT_FALSE(kept->send(frame("late")));
}

}  // namespace
}  // namespace lakemill::server
