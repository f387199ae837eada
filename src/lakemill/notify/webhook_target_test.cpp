#include "lakemill/notify/webhook_target.h"

#include <gtest/gtest.h>

#include "lakemill/base/hash.h"
#include "lakemill/notify/fed_event_test.h"
#include "lakemill/testing/manual_clock.h"
#include "lakemill/testing/matchers.h"

namespace lakemill::notify {
namespace {

using testkit::HasError;
using testkit::IsOk;

/// Answers as it is told, and keeps what was sent.
class Receiver final : public net::HttpClient {
 public:
  Result<net::HttpResponse> send(const net::HttpRequest& request) override {
    last = request;
    body = request.body;
    return answer;
  }
  std::string sent(std::string_view name) const {
    for (const auto& header : last.headers) {
      if (header.name == name) return header.value;
    }
    return "";
  }

  Result<net::HttpResponse> answer = net::HttpResponse{204, {}, ""};
  net::HttpRequest last;
  std::string body;
};

class WebhookTarget : public ::testing::Test {
 protected:
  std::unique_ptr<Target> target() {
    auto made = make_webhook_target({.url = "https://hooks.example.com/canary-path?k=1",
                                     .secret = "canary-secret",
                                     .source = "/lakemill/shop"},
                                    receiver_, clock_);
    EXPECT_THAT(made, IsOk());
    return std::move(*made);
  }
  DeliveryOutcome deliver() {
    const auto event = fed_event(3, "pipeline/orders");
    return target()->deliver({event, 1}, {});
  }
  void answer(int status, std::string retry_after) {
    receiver_.answer =
        net::HttpResponse{status, {{"retry-after", std::move(retry_after)}}, "body"};
  }

  testkit::ManualClock clock_;
  Receiver receiver_;
};

TEST_F(WebhookTarget, PostsASignedCloudEvent) {
  EXPECT_EQ(deliver().verdict, Verdict::delivered);
  EXPECT_EQ(receiver_.last.method, "POST");
  EXPECT_EQ(receiver_.last.url, "https://hooks.example.com/canary-path?k=1");
  EXPECT_EQ(receiver_.sent("Content-Type"),
            "application/cloudevents+json; charset=utf-8");
  EXPECT_EQ(receiver_.sent("webhook-id"), "w-3");
  const auto event = parse_json(receiver_.body);
  ASSERT_THAT(event, IsOk());
  EXPECT_EQ(event.value()["id"], "w-3");
  EXPECT_EQ(receiver_.sent("webhook-timestamp"), "1767225600");
  EXPECT_EQ(receiver_.sent("webhook-signature"),
            "v1," + base64_text(hmac_sha256("canary-secret",
                                            "w-3.1767225600." + receiver_.body)));
}

TEST_F(WebhookTarget, JudgesEveryStatus) {
  for (int status = 200; status < 600; ++status) {
    answer(status, "");
    const bool again = status == 408 || status == 425 || status == 429 ||
                       (status >= 300 && status < 400) || status >= 500;
    const auto expected = status < 300 ? Verdict::delivered
                          : again      ? Verdict::again
                                       : Verdict::refused;
    const auto outcome = deliver();
    EXPECT_EQ(outcome.verdict, expected) << status;
    EXPECT_EQ(outcome.error.empty(), expected == Verdict::delivered) << status;
    EXPECT_EQ(outcome.pause, std::nullopt) << status;
  }
}

TEST_F(WebhookTarget, HeedsRetryAfterUpToABound) {
  using std::chrono::milliseconds;
  const std::pair<const char*, std::optional<milliseconds>> pauses[] = {
      {"0", milliseconds(0)},
      {"120", milliseconds(120'000)},
      {" 7 ", milliseconds(7'000)},
      {"-5", milliseconds(0)},
      {"86400", milliseconds(3'600'000)},
      {"99999999999999999999", milliseconds(3'600'000)},
      {"9223372036854775807", milliseconds(3'600'000)},
      {"Thu, 01 Jan 2026 00:01:00 GMT", milliseconds(60'000)},
      {"Wed, 31 Dec 2025 00:00:00 GMT", milliseconds(0)},
      {"Fri, 01 Jan 2027 00:00:00 GMT", milliseconds(3'600'000)},
      {"soon", std::nullopt},
      {"5s", std::nullopt},
  };
  for (const auto& [text, pause] : pauses) {
    answer(503, text);
    EXPECT_EQ(deliver().pause, pause) << text;
  }
}

TEST_F(WebhookTarget, TriesAgainWhatMayPass) {
  for (const auto code : {ErrorCode::unavailable, ErrorCode::unknown, ErrorCode::denied,
                          ErrorCode::cancelled, ErrorCode::unsupported}) {
    receiver_.answer = Error(code, "no answer from hooks.example.com");
    EXPECT_EQ(deliver().verdict, Verdict::again);
  }
  receiver_.answer = Error(ErrorCode::invalid, "an inner address");
  EXPECT_EQ(deliver().verdict, Verdict::refused);
}

TEST_F(WebhookTarget, TellsNoSecretInErrors) {
  for (const int status : {301, 404, 500}) {
    receiver_.answer = net::HttpResponse{status, {}, "you sent canary-secret"};
    const auto outcome = deliver();
    EXPECT_NE(outcome.error.find("hooks.example.com"), std::string::npos);
    EXPECT_EQ(outcome.error.find("canary"), std::string::npos) << outcome.error;
  }
}

TEST_F(WebhookTarget, SendsNothingUnsignedAndNothingToOtherSchemes) {
  EXPECT_THAT(make_webhook_target({.url = "https://x/canary", .secret = "", .source = ""},
                                  receiver_, clock_),
              HasError(ErrorCode::invalid, "unsigned"));
  for (const auto* url : {"ftp://x/", "file:///etc/passwd", "x", "", "httpx://x"}) {
    EXPECT_THAT(make_webhook_target({.url = url, .secret = "s", .source = ""}, receiver_,
                                    clock_),
                HasError(ErrorCode::invalid, "http://"));
  }
}

TEST_F(WebhookTarget, SendsNothingThatWouldForgeAHeaderOrIsTooLarge) {
  events::Event event;
  event.writer = "w\r\nx-evil: 1";
  const events::FedEvent forged{{1, 1}, std::make_shared<const events::Event>(event)};
  EXPECT_EQ(target()->deliver({forged, 1}, {}).verdict, Verdict::refused);
  event.writer = "w";
  event.run_id = std::string(std::size_t{2} << 20U, 'x');
  const events::FedEvent large{{1, 1}, std::make_shared<const events::Event>(event)};
  EXPECT_EQ(target()->deliver({large, 1}, {}).verdict, Verdict::refused);
  EXPECT_EQ(receiver_.body, "");
}

}  // namespace
}  // namespace lakemill::notify
