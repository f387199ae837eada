#include "lakemill/server/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/base/json.h"

namespace lakemill::server {
namespace {

TEST(Answer, TellsAnErrorAsAProblem) {
  const Answer answer = error_answer({404, "not_found", "No \"such\" run."});
  EXPECT_EQ(answer.status, 404);
  const auto json = parse_json(answer.body);
  ASSERT_TRUE(json.has_value());
  EXPECT_EQ(*json, (Json{{"type", "about:blank"},
                         {"title", "Not Found"},
                         {"status", 404},
                         {"detail", "No \"such\" run."},
                         {"code", "not_found"}}));
}

TEST(Answer, HasAHeadWithItsLength) {
  const Instant instant = *parse_instant("1994-11-06T08:49:37Z");
  EXPECT_EQ(answer_head(json_answer(200, "{}"), false, instant),
            "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n");
  Answer none;
  none.status = 204;
  EXPECT_EQ(answer_head(none, true, instant),
            "HTTP/1.1 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Connection: close\r\n\r\n");
  EXPECT_THAT(answer_head(error_answer({503, "busy", "Later."}), false, instant),
              ::testing::HasSubstr("Retry-After: 1\r\n"));
}

TEST(Answer, IsNotSentWhereItWouldBeMoreThanOneAnswer) {
  const auto with = [](std::string name, std::string value) {
    Answer answer;
    answer.headers = {{std::move(name), std::move(value)}};
    return is_sendable(answer);
  };
  EXPECT_TRUE(with("Location", "/runs/1"));
  EXPECT_FALSE(with("Location", "/runs\r\nSet-Cookie: a=b"));
  EXPECT_FALSE(with("Location", "a\nb"));
  EXPECT_FALSE(with("Loca tion", "a"));
  EXPECT_FALSE(with("", "a"));
  EXPECT_FALSE(with("Content-Length", "5"));
  EXPECT_FALSE(with("connection", "keep-alive"));
  Answer odd;
  odd.status = 100;
  EXPECT_FALSE(is_sendable(odd));
  odd.status = 304;
  odd.body = "a";
  EXPECT_FALSE(is_sendable(odd));
}

}  // namespace
}  // namespace lakemill::server
