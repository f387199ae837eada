#include "lakemill/server/listener.h"

#include <gmock/gmock.h>

#include "lakemill/base/json.h"
#include "lakemill/server/listener_fixture.h"

namespace lakemill::server {
namespace {

using namespace std::string_literals;

using ::testing::HasSubstr;

std::string with_body(const std::string& path, const std::string& body) {
  return "POST " + path +
         " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

TEST(Listener, AnswersRequestAfterRequestOnOneConnection) {
  RunningListener listener(test_limits());
  Client client(listener.port());
  for (int count = 0; count < 100; ++count) {
    client.get("/hello");
    const auto reply = client.reply();
    ASSERT_NE(reply.status, 0);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "hi");
    EXPECT_EQ(reply.headers.count("connection"), 0U);
    EXPECT_THAT(reply.headers.at("date"), HasSubstr("GMT"));
  }
}

TEST(Listener, AnswersWhatIsSentAheadInItsOrder) {
  RunningListener listener(test_limits());
  Client client(listener.port());
  std::string requests;
  for (int count = 0; count < 500; ++count) {
    requests += with_body("/echo", "number " + std::to_string(count));
    requests += "GET /now HTTP/1.1\r\nHost: a\r\n\r\n";
  }
  std::jthread sender([&] { client.send(requests); });
  for (int count = 0; count < 500; ++count) {
    const auto echoed = client.reply();
    ASSERT_NE(echoed.status, 0);
    EXPECT_EQ(echoed.body, "number " + std::to_string(count));
    const auto now = client.reply();
    ASSERT_NE(now.status, 0);
    EXPECT_EQ(now.body, "now");
  }
}

TEST(Listener, AnswersHeadWithTheLengthAndNoBody) {
  RunningListener listener(test_limits());
  Client client(listener.port());
  client.send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto head = client.reply(false);
  ASSERT_NE(head.status, 0);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), "2");
  client.get("/hello");
  EXPECT_EQ(client.reply().body, "hi");
  client.send("HEAD /events HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.reply(false).headers.at("content-type"), "text/event-stream");
  EXPECT_TRUE(client.is_ended());
  EXPECT_FALSE(listener.gate.streams().at(0)->is_open());
}

TEST(Listener, TakesBodiesInChunksAndOfManyReads) {
  RunningListener listener(test_limits());
  Client client(listener.port());
  client.send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n");
  client.send("7\r\n, world\r\n0\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.reply().body, "hello, world");
  EXPECT_EQ(client.reply().body, "hi");
  const std::string large(TestGate::kEchoMax, 'b');
  std::jthread sender([&] { client.send(with_body("/echo", large)); });
  const auto reply = client.reply();
  ASSERT_NE(reply.status, 0);
  EXPECT_TRUE(reply.body == large);
}

TEST(Listener, LetsABodyComeOnlyWhenItIsWanted) {
  RunningListener listener(test_limits());
  Client client(listener.port());
  const std::string expects =
      "Host: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
  client.send("POST /echo HTTP/1.1\r\n" + expects);
  EXPECT_EQ(client.reply().status, 100);
  client.send("hello");
  EXPECT_EQ(client.reply().body, "hello");
  client.send("POST /refused HTTP/1.1\r\n" + expects);
  const auto refused = client.reply();
  ASSERT_NE(refused.status, 0);
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.headers.at("connection"), "close");
  EXPECT_TRUE(client.is_ended());
}

TEST(Listener, NeverReadsTheBodyOfARefusedRequestAsARequest) {
  RunningListener listener(test_limits());
  Client client(listener.port());
  client.send(with_body("/refused", "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_EQ(client.status(), 403);
  EXPECT_TRUE(client.is_ended());
  EXPECT_EQ(listener.gate.judged, 1);
}

TEST(Listener, GoesOnAfterARefusalWithoutABody) {
  RunningListener listener(test_limits());
  Client client(listener.port());
  client.get("/refused");
  const auto reply = client.reply();
  ASSERT_NE(reply.status, 0);
  EXPECT_EQ(reply.status, 403);
  EXPECT_EQ(string_member(*parse_json(reply.body), "detail", ""), "Not you.");
  client.get("/hello");
  EXPECT_EQ(client.status(), 200);
}

TEST(Listener, EndsTheConnectionWhereItWasAskedTo) {
  RunningListener listener(test_limits());
  for (const char* request :
       {"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /hello HTTP/1.0\r\n\r\n"}) {
    Client client(listener.port());
    client.send(request);
    EXPECT_EQ(client.reply().headers.at("connection"), "close");
    EXPECT_TRUE(client.is_ended());
  }
}

// Each of these is one request to one reader and two to another. What is wanted is one
// refusal and the end of the connection, whatever comes behind.
TEST(Listener, RefusesWhatHidesASecondRequest) {
  const std::string hidden = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string begin = "POST /echo HTTP/1.1\r\nHost: a\r\n";
  RunningListener listener(test_limits());
  for (const std::string& request :
       {begin + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        begin + "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n",
        begin + "Content-Length: 0\r\nContent-Length: 36\r\n\r\n",
        begin + "Content-Length : 0\r\n\r\n", begin + "Content-Length: +0\r\n\r\n",
        begin + "Content-Length:\r\n 0\r\n\r\n", begin + "X: a\r\n\tb\r\n\r\n",
        begin + "Transfer-Encoding: \x0b"
                "chunked\r\n\r\n0\r\n\r\n",
        begin + "X: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        begin + "X: a\rContent-Length: 5\r\n\r\n", begin + "\r\r\n", "\r\n" + begin,
        "POST /echo HTTP/1.1\r\nHost: a\r\nX\0: a\r\n\r\n"s,
        begin + "Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
        begin + "Transfer-Encoding: chunked\r\n\r\n0\n\n",
        begin + "Transfer-Encoding: chunked\r\n\r\n1\r\naa\r\n0\r\n\r\n",
        begin + "Transfer-Encoding: chunked\r\n\r\n0\r\nA : b\r\n\r\n"}) {
    Client client(listener.port());
    client.send(request + hidden);
    EXPECT_EQ(client.status(), 400) << request;
    EXPECT_TRUE(client.is_ended()) << request;
  }
  const std::vector<std::pair<std::string, int>> others = {
      {begin + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
      {begin + "Expect: something\r\n\r\n", 417},
      {"GET /hello HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"BREW /hello HTTP/1.1\r\nHost: a\r\n\r\n", 501}};
  for (const auto& [request, status] : others) {
    Client client(listener.port());
    client.send(request + hidden);
    EXPECT_EQ(client.status(), status) << request;
    EXPECT_TRUE(client.is_ended()) << request;
  }
}

TEST(Listener, RefusesTargetsOfASecondSpelling) {
  RunningListener listener(test_limits());
  for (const char* target : {"//hello", "/a/../hello", "/%2e%2e/hello", "/a%2fhello",
                             "/hello;a", "/hello\\", "/hello/", "/hell%6F", "/%00"}) {
    Client client(listener.port());
    client.get(target);
    const auto reply = client.reply();
    ASSERT_NE(reply.status, 0) << target;
    EXPECT_EQ(reply.status, 400) << target;
    EXPECT_THAT(reply.body, HasSubstr("malformed_target"));
  }
  EXPECT_EQ(listener.gate.judged, 0);
}

TEST(Listener, SendsNoAnswerThatAHandlersHeaderWouldSplit) {
  RunningListener listener(test_limits());
  Client client(listener.port());
  client.get("/split");
  const auto reply = client.reply();
  ASSERT_NE(reply.status, 0);
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(reply.headers.count("set-cookie"), 0U);
  client.get("/hello");
  EXPECT_EQ(client.status(), 200);
}

TEST(Listener, TellsHandlersWhoAsks) {
  RunningListener listener(test_limits());
  Client client(listener.port());
  client.get("/who");
  EXPECT_EQ(client.reply().body, "127.0.0.1 loopback plain");
}

TEST(Listener, AnswersOthersWhileAHandlerIsSlow) {
  ListenerLimits limits = test_limits();
  limits.workers = 2;
  RunningListener listener(limits);
  Client slow(listener.port());
  slow.get("/slow");
  ASSERT_TRUE(eventually([&] { return listener.gate.slow_begun == 1; }));
  Client quick(listener.port());
  quick.get("/hello");
  EXPECT_EQ(quick.status(), 200);
  listener.gate.release.open();
  EXPECT_EQ(slow.reply().body, "done");
}

TEST(Listener, AsksAHandlerToStopWhoseClientHasGone) {
  RunningListener listener(test_limits());
  {
    Client client(listener.port());
    client.get("/slow");
    ASSERT_TRUE(eventually([&] { return listener.gate.slow_begun == 1; }));
  }
  EXPECT_TRUE(eventually([&] { return listener.gate.slow_stopped == 1; }));
}

TEST(Listener, AnswersAClientThatHasNothingMoreToSay) {
  RunningListener listener(test_limits());
  Client client(listener.port());
  client.get("/slow");
  client.end_writing();
  EXPECT_EQ(client.reply().body, "stopped");
  EXPECT_TRUE(client.is_ended());
}

TEST(Listener, AnswersWhatWasBegunBeforeItStops) {
  RunningListener listener(test_limits());
  Client idle(listener.port());
  idle.get("/hello");
  EXPECT_EQ(idle.status(), 200);
  Client slow(listener.port());
  slow.get("/slow");
  Client half(listener.port());
  half.send("GET /hello HTTP/1.1\r\n");
  ASSERT_TRUE(eventually([&] { return listener.gate.slow_begun == 1; }));
  listener.begin_stop();
  EXPECT_TRUE(idle.is_ended());
  EXPECT_FALSE(listener.has_ended);
  half.send("Host: a\r\n\r\n");
  EXPECT_EQ(half.reply().headers.at("connection"), "close");
  listener.gate.release.open();
  const auto reply = slow.reply();
  ASSERT_NE(reply.status, 0);
  EXPECT_EQ(reply.body, "done");
  EXPECT_EQ(reply.headers.at("connection"), "close");
  listener.stop();
  EXPECT_EQ(listener.gate.slow_stopped, 0);
}

TEST(Listener, WaitsForNoHandlerLongerThanItsDrainTime) {
  ListenerLimits limits = test_limits();
  limits.drain_time = std::chrono::milliseconds(100);
  RunningListener listener(limits);
  Client slow(listener.port());
  slow.get("/slow");
  ASSERT_TRUE(eventually([&] { return listener.gate.slow_begun == 1; }));
  listener.stop();
  EXPECT_TRUE(slow.is_ended());
  EXPECT_TRUE(eventually([&] { return listener.gate.slow_stopped == 1; }));
}

}  // namespace
}  // namespace lakemill::server
