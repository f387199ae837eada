#include <gmock/gmock.h>

#include "lakemill/server/listener_fixture.h"

namespace lakemill::server {
namespace {

using std::chrono::milliseconds;

// Sends one byte each 20 ms, until the other side does not want more.
void send_slowly(Client& client, const std::string& bytes) {
  for (const char byte : bytes) {
    if (!client.send(std::string_view(&byte, 1))) return;
    std::this_thread::sleep_for(milliseconds(20));
  }
}

TEST(ListenerLimits, AHeadMustBeWholeInTimeHoweverSteadilyItComes) {
  ListenerLimits limits = test_limits();
  limits.head_time = milliseconds(200);
  RunningListener listener(limits);
  Client client(listener.port());
  const auto begin = std::chrono::steady_clock::now();
  std::jthread sender([&] {
    send_slowly(client, "GET /hello HTTP/1.1\r\nHost: a\r\nX: " + std::string(40, 'a'));
  });
  EXPECT_EQ(client.status(), 408);
  EXPECT_TRUE(client.is_ended());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(8));
}

TEST(ListenerLimits, ABodyMustBeWholeInTimeHoweverSteadilyItComes) {
  ListenerLimits limits = test_limits();
  limits.body_time = milliseconds(200);
  RunningListener listener(limits);
  for (const char* framing :
       {"Content-Length: 100\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n50\r\n"}) {
    Client client(listener.port());
    client.send(std::string("POST /echo HTTP/1.1\r\nHost: a\r\n") + framing);
    std::jthread sender([&] { send_slowly(client, std::string(60, 'b')); });
    EXPECT_EQ(client.status(), 408);
    EXPECT_TRUE(client.is_ended());
  }
}

TEST(ListenerLimits, ABodyThatComesFastEnoughMayTakeLonger) {
  ListenerLimits limits = test_limits();
  limits.body_time = milliseconds(500);
  limits.bytes_per_second_min = 5'000;
  RunningListener listener(limits);
  Client client(listener.port());
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n");
  for (int count = 0; count < 20; ++count) {
    ASSERT_TRUE(client.send(std::string(1'000, 'b')));
    std::this_thread::sleep_for(milliseconds(30));
  }
  EXPECT_EQ(client.status(), 200);
}

TEST(ListenerLimits, AReaderWhoStallsIsDropped) {
  ListenerLimits limits = test_limits();
  limits.write_time = milliseconds(200);
  limits.bytes_per_second_min = 1 << 20;  // those in the socket's buffer count
  RunningListener listener(limits);
  Client client(listener.port(), 4096);
  client.get("/large");
  std::this_thread::sleep_for(milliseconds(1'500));
  EXPECT_LT(client.rest().size(), std::size_t{8} << 20);
  Client other(listener.port());
  other.get("/large");
  EXPECT_EQ(other.reply().body.size(), std::size_t{8} << 20);
}

TEST(ListenerLimits, AnIdleConnectionEndsWithoutAWord) {
  ListenerLimits limits = test_limits();
  limits.idle_time = milliseconds(300);
  RunningListener listener(limits);
  Client fresh(listener.port());
  EXPECT_TRUE(fresh.is_ended());
  Client used(listener.port());
  used.get("/hello");
  EXPECT_EQ(used.status(), 200);
  EXPECT_TRUE(used.is_ended());
}

TEST(ListenerLimits, AHeadMayBeSoLargeAndNoLarger) {
  RunningListener listener(test_limits());
  const std::string begin = "GET /hello HTTP/1.1\r\nHost: a\r\nX: ";
  Client fits(listener.port());
  fits.send(begin + std::string((16 << 10) - begin.size() - 4, 'a') + "\r\n\r\n");
  EXPECT_EQ(fits.status(), 200);
  Client large(listener.port());
  large.send(begin + std::string((16 << 10) - begin.size() - 3, 'a') + "\r\n\r\n");
  EXPECT_EQ(large.status(), 431);
  EXPECT_TRUE(large.is_ended());
}

TEST(ListenerLimits, AHeadWithoutEndIsRefusedAndNotKept) {
  RunningListener listener(test_limits());
  Client lines(listener.port());
  std::jthread sender([&] {
    lines.send("GET /hello HTTP/1.1\r\nHost: a\r\n");
    for (int count = 0; count < 100'000; ++count) {
      if (!lines.send("X: " + std::string(100, 'a') + "\r\n")) return;
    }
  });
  EXPECT_EQ(lines.status(), 431);
  Client target(listener.port());
  target.send("GET /" + std::string(20'000, 'a'));
  EXPECT_EQ(target.status(), 414);
  Client long_target(listener.port());
  long_target.get("/" + std::string(9'000, 'a'));
  EXPECT_EQ(long_target.status(), 414);
  Client many(listener.port());
  std::string headers = "GET /hello HTTP/1.1\r\nHost: a\r\n";
  for (int count = 0; count < 100; ++count) headers += "X: a\r\n";
  many.send(headers + "\r\n");
  EXPECT_EQ(many.status(), 431);
}

TEST(ListenerLimits, ABodyBeyondItsRoutesBoundIsNotRead) {
  RunningListener listener(test_limits());
  const std::string begin = "POST /ten HTTP/1.1\r\nHost: a\r\n";
  Client fits(listener.port());
  fits.send(begin + "Content-Length: 10\r\n\r\n0123456789");
  EXPECT_EQ(fits.status(), 200);
  Client told(listener.port());  // refused before a byte of the body
  told.send(begin + "Content-Length: 11\r\n\r\n");
  EXPECT_EQ(told.status(), 413);
  EXPECT_TRUE(told.is_ended());
  Client chunked(listener.port());
  chunked.send(begin + "Transfer-Encoding: chunked\r\n\r\n8\r\n01234567\r\n8\r\n");
  EXPECT_EQ(chunked.status(), 413);
  EXPECT_TRUE(chunked.is_ended());
  Client none(listener.port());
  none.send("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n");
  EXPECT_EQ(none.status(), 413);
}

// The answer must reach a client that writes all of its body before it reads.
TEST(ListenerLimits, ARefusalReachesAClientThatIsStillSending) {
  RunningListener listener(test_limits());
  Client client(listener.port());
  client.send("POST /ten HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n");
  client.send(std::string(3'000'000, 'b'));
  EXPECT_EQ(client.status(), 413);
}

TEST(ListenerLimits, AllBodiesTogetherAreBounded) {
  ListenerLimits limits = test_limits();
  limits.bodies_bytes_max = 1'000'000;
  RunningListener listener(limits);
  const std::string half(900'000, 'b');
  Client first(listener.port());
  first.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 900001\r\n\r\n" + half);
  Client second(listener.port());
  std::jthread sender([&] {
    second.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n" +
                half);
  });
  int statuses = second.status();
  first.send("b");
  statuses += first.status();
  EXPECT_EQ(statuses, 503 + 200);
  sender.join();
  Client third(listener.port());  // the bytes of both are free again
  third.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n" + half);
  EXPECT_EQ(third.status(), 200);
}

TEST(ListenerLimits, ServesAThousandConnectionsAtATime) {
  ListenerLimits limits = test_limits();
  limits.queue_max = 1'000;
  RunningListener listener(limits);
  std::vector<std::unique_ptr<Client>> clients;
  for (int count = 0; count < 1'000; ++count) {
    clients.push_back(std::make_unique<Client>(listener.port()));
  }
  for (int round = 0; round < 2; ++round) {
    for (auto& client : clients) client->get("/hello");
    for (auto& client : clients) ASSERT_EQ(client->status(), 200);
  }
}

TEST(ListenerLimits, GivesThePlaceOfAnIdleConnectionToANewOne) {
  ListenerLimits limits = test_limits();
  limits.connections_max = 2;
  RunningListener listener(limits);
  Client busy(listener.port());
  busy.get("/slow");
  ASSERT_TRUE(eventually([&] { return listener.gate.slow_begun == 1; }));
  Client idle(listener.port());
  idle.get("/hello");
  EXPECT_EQ(idle.status(), 200);
  Client third(listener.port());
  third.get("/slow");
  ASSERT_TRUE(eventually([&] { return listener.gate.slow_begun == 2; }));
  EXPECT_TRUE(idle.is_ended());
  Client fourth(listener.port());
  EXPECT_EQ(fourth.status(), 503);
  listener.gate.release.open();
  EXPECT_EQ(busy.status(), 200);
  EXPECT_EQ(third.status(), 200);
}

TEST(ListenerLimits, AClientHasSoManyConnectionsAndNoMore) {
  ListenerLimits limits = test_limits();
  limits.of_one_client_max = 2;
  RunningListener listener(limits);
  auto first = std::make_unique<Client>(listener.port());
  Client second(listener.port());
  first->get("/hello");
  EXPECT_EQ(first->status(), 200);
  second.get("/hello");
  EXPECT_EQ(second.status(), 200);
  EXPECT_EQ(Client(listener.port()).status(), 429);
  first.reset();
  EXPECT_TRUE(eventually([&] {
    Client next(listener.port());
    next.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    return next.status() == 200;
  }));
}

TEST(ListenerLimits, TellsABusyServerApartFromASlowOne) {
  ListenerLimits limits = test_limits();
  limits.workers = 1;
  limits.queue_max = 1;
  RunningListener listener(limits);
  Client running(listener.port());
  running.get("/slow");
  ASSERT_TRUE(eventually([&] { return listener.gate.slow_begun == 1; }));
  Client waiting(listener.port());
  waiting.get("/slow");
  ASSERT_TRUE(eventually([&] { return listener.gate.judged == 2; }));
  Client third(listener.port());
  third.get("/hello");
  const auto reply = third.reply();
  ASSERT_NE(reply.status, 0);
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.headers.at("retry-after"), "1");
  third.get("/now");  // what needs no worker is answered
  EXPECT_EQ(third.status(), 200);
  listener.gate.release.open();
  EXPECT_EQ(running.status(), 200);
  EXPECT_EQ(waiting.status(), 200);
}

}  // namespace
}  // namespace lakemill::server
