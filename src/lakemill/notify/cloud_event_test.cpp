#include "lakemill/notify/cloud_event.h"

#include <gtest/gtest.h>

#include "lakemill/notify/fed_event_test.h"

namespace lakemill::notify {
namespace {

TEST(CloudEvent, HasTheAttributesOfVersionOne) {
  const auto json = cloud_event(fed_event(3, "pipeline/orders"), "/lakemill/shop");
  EXPECT_EQ(json["specversion"], "1.0");
  EXPECT_EQ(json["id"], "w-3");
  EXPECT_EQ(json["source"], "/lakemill/shop");
  EXPECT_EQ(json["type"], "lakemill.run_failed");
  EXPECT_EQ(json["subject"], "pipeline/orders");
  EXPECT_EQ(json["time"], "2026-01-01T00:00:00.123456Z");
  EXPECT_EQ(json["datacontenttype"], "application/json");
  EXPECT_EQ(json["data"]["type"], "run_failed");
  EXPECT_EQ(json["data"]["details"]["seconds"], 1.5);
  EXPECT_EQ(json["runid"], "r1");
  EXPECT_EQ(json["causedby"], "w-0");
  EXPECT_EQ(json["sequence"], "7.4");
  // Names of attributes are lower-case letters and digits.
  for (const auto& [name, value] : json.items()) {
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789"),
              std::string::npos)
        << name;
    EXPECT_FALSE(value.is_null()) << name;
  }
}

TEST(CloudEvent, LeavesOutWhatTheEventDoesNotHave) {
  events::Event event;
  event.writer = "w";
  const auto json =
      cloud_event({{1, 1}, std::make_shared<const events::Event>(event)}, "/x");
  EXPECT_FALSE(json.contains("runid"));
  EXPECT_FALSE(json.contains("causedby"));
  EXPECT_EQ(json["subject"], "project");
}

// The signature was made with Python's hmac.
TEST(CloudEvent, IsSignedAsReceiversCheckIt) {
  const auto headers = signature_headers(
      "w-3", Instant(std::chrono::microseconds(1'767'225'600'999'999)), "topsecret",
      "{\"a\":1}");
  ASSERT_EQ(headers.size(), 3U);
  EXPECT_EQ(headers[0].name, "webhook-id");
  EXPECT_EQ(headers[0].value, "w-3");
  EXPECT_EQ(headers[1].name, "webhook-timestamp");
  EXPECT_EQ(headers[1].value, "1767225600");
  EXPECT_EQ(headers[2].name, "webhook-signature");
  EXPECT_EQ(headers[2].value, "v1,q+EhwqW+qm0NuAMHvmFUru25F6E3ISRdgWVNnkWX84A=");
}

}  // namespace
}  // namespace lakemill::notify
