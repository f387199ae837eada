// Goal: whatever bytes a client sends, the listener answers with whole answers or none,
// and goes on. Method: requests are changed at random and sent over a socket each, in
// pieces; what comes back must be answers to its last byte.

#include <gtest/gtest.h>

#include "lakemill/server/listener_fixture.h"
#include "lakemill/server/mutation.h"

namespace lakemill::server {
namespace {

constexpr std::array<std::string_view, 6> kSeeds = {
    "GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /now HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
    "GET /who HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    "5\r\nhello\r\n6;x\r\n world\r\n0\r\nA: b\r\n\r\nGET /hello HTTP/1.1\r\nHost: "
    "a\r\n\r\n",
    "POST /ten HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: "
    "4\r\n\r\nbody",
    "POST /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody",
    "OPTIONS /split HTTP/1.0\r\nHost: a\r\n\r\n",
};

TEST(ListenerFuzz, AnswersAnyBytesWithWholeAnswersOrNone) {
  RunningListener listener(test_limits());
  SeededRandom random(20'261'124);
  int answered = 0;
  const int count = rounds(2'000, 50'000);
  for (int round = 0; round < count && !testing::Test::HasFailure(); ++round) {
    const std::string bytes =
        mutated(std::string(kSeeds[pick(random, kSeeds.size())]), random);
    SCOPED_TRACE(testing::Message() << "round " << round << ": " << bytes);
    Client client(listener.port());
    const std::size_t cut = pick(random, bytes.size() + 1);
    if (client.send(std::string_view(bytes).substr(0, cut))) {
      client.send(std::string_view(bytes).substr(cut));
    }
    client.end_writing();
    while (true) {
      const Reply reply = client.reply();
      if (reply.status == 0) break;
      ++answered;
      EXPECT_TRUE(reply.status >= 100 && reply.status < 600);
    }
    EXPECT_TRUE(client.is_ended());
  }
  EXPECT_GT(answered, count / 2);
  Client client(listener.port());
  client.get("/hello");
  EXPECT_EQ(client.status(), 200);
}

}  // namespace
}  // namespace lakemill::server
