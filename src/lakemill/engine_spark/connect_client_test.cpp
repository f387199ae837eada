#include "lakemill/engine_spark/connect_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/engine_spark/message_codec.h"
#include "lakemill/engine_spark/spark_error.h"

namespace lakemill::engine_spark {
namespace {

using testing::HasSubstr;
using testing::Not;

// Answers each request with the same response, and keeps what was asked.
class FakeServer final : public net::HttpClient {
 public:
  Result<net::HttpResponse> send(const net::HttpRequest& request) override {
    urls.push_back(request.url);
    headers = request.headers;
    http2 = request.http2;
    if (failure) return *failure;
    return response;
  }

  net::HttpResponse response{200, {{"grpc-status", "0"}}, ""};
  std::optional<Error> failure;
  std::vector<std::string> urls;
  std::vector<net::HttpHeader> headers;
  bool http2 = false;
};

std::string frame(const std::string& message) {
  return std::string("\0\0\0\0", 4) + static_cast<char>(message.size()) + message;
}

std::string batch(const std::string& data) {
  return MessageWriter()
      .embedded(2, MessageWriter().number(1, 1).text(2, data).bytes())
      .bytes();
}

ConnectOptions options(const std::string& remote) {
  return {parse_remote(remote).value(),
          "8d6d2f5e-0000-4000-8000-000000000001",
          std::chrono::seconds(5),
          {}};
}

TEST(ConnectClient, GivesTheBatchesOfAnAnswerInOrder) {
  FakeServer server;
  server.response.body = frame(batch("one")) + frame("") + frame(batch("two"));
  ConnectClient client(options("sc://127.0.0.1:1/;token=t0"), server);
  EXPECT_EQ(client.fetch(sql_relation("SELECT 1")).value(),
            (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(server.urls.front(),
            "http://127.0.0.1:1/spark.connect.SparkConnectService/ExecutePlan");
  EXPECT_TRUE(server.http2);
  const bool told = std::any_of(
      server.headers.begin(), server.headers.end(), [](const net::HttpHeader& header) {
        return header.name == "authorization" && header.value == "Bearer t0";
      });
  EXPECT_TRUE(told);
}

TEST(ConnectClient, ReleasesASessionThatWasUsedAndNoOther) {
  FakeServer server;
  { const ConnectClient unused(options("sc://h"), server); }
  EXPECT_TRUE(server.urls.empty());
  {
    ConnectClient used(options("sc://h"), server);
    EXPECT_TRUE(used.run(sql_command("SELECT 1")).has_value());
  }
  EXPECT_THAT(server.urls.back(), HasSubstr("/ReleaseSession"));
}

TEST(ConnectClient, TurnsTheStatusOfACallIntoAnErrorThatNamesTheServer) {
  FakeServer server;
  server.response.headers = {
      {"grpc-status", "13"},
      {"grpc-message",
       "[CAST_INVALID_INPUT] The value 'x' cannot be cast. SQLSTATE: "
       "22018%0A== SQL (line 1, position 8) ==%0ASELECT"}};
  ConnectClient client(options("sc://h:7/;token=verysecret"), server);
  const auto refused = client.run(sql_command("SELECT 1"));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::invalid);
  EXPECT_EQ(refused.error().message(),
            "Spark at h:7: [CAST_INVALID_INPUT] The value 'x' cannot be cast.");
  EXPECT_THAT(refused.error().message(), Not(HasSubstr("verysecret")));
}

TEST(ConnectClient, TellsAnAnswerWithoutAStatusFromSuccess) {
  FakeServer server;
  server.response.headers.clear();
  ConnectClient client(options("sc://h"), server);
  EXPECT_EQ(client.run("").error().code(), ErrorCode::unknown);
  server.response.status = 404;
  EXPECT_EQ(client.run("").error().code(), ErrorCode::unsupported);
  server.response.status = 403;
  EXPECT_EQ(client.run("").error().code(), ErrorCode::denied);
  server.failure = Error(ErrorCode::unavailable, "no connection to h:15002: refused");
  EXPECT_EQ(client.run("").error().message(),
            "Spark at h:15002: no connection to h:15002: refused");
}

TEST(ConnectClient, RefusesAFrameThatIsCutOffOrCompressed) {
  FakeServer server;
  ConnectClient client(options("sc://h"), server);
  const std::string whole = frame(batch("one"));
  for (std::size_t size = 1; size < whole.size(); ++size) {
    server.response.body = whole.substr(0, size);
    EXPECT_EQ(client.fetch("").error().code(), ErrorCode::corrupt) << size;
  }
  server.response.body = "\x01" + whole.substr(1);
  EXPECT_EQ(client.fetch("").error().code(), ErrorCode::corrupt);
}

TEST(SparkError, KnowsARaceThatMayBeRunAgain) {
  EXPECT_EQ(spark_error(13, "x: [DELTA_CONCURRENT_APPEND] files were added").code(),
            ErrorCode::unavailable);
  EXPECT_EQ(spark_error(14, "down").code(), ErrorCode::unavailable);
  EXPECT_EQ(spark_error(16, "no").code(), ErrorCode::denied);
  EXPECT_EQ(spark_error(4, "late").code(), ErrorCode::unknown);
  EXPECT_EQ(spark_error(2, "").message(), "gRPC status 2");
}

}  // namespace
}  // namespace lakemill::engine_spark
