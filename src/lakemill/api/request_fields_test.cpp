#include "lakemill/api/request_fields.h"

#include <gtest/gtest.h>

#include "lakemill/orchestrator/pipeline_state.h"
#include "lakemill/testing/matchers.h"

namespace lakemill::api {
namespace {

server::Target target_of(const std::string& text) {
  const auto parsed = server::parse_target(text);
  EXPECT_TRUE(parsed.has_value()) << text;
  return *parsed;
}

std::string message_of(const std::optional<Error>& fault) {
  return fault ? fault->message() : "";
}

TEST(QueryFields, ReadsWhatIsThereAndTheUsualElse) {
  const server::Target target = target_of("/r?limit=7&type=a&type=b&since=2026-01-31");
  QueryFields query(target);
  EXPECT_EQ(query.integer("limit", 100, 1'000), 7);
  EXPECT_EQ(query.integer("other", 100, 1'000), 100);
  EXPECT_EQ(query.texts("type"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(query.instant("since"), *parse_instant("2026-01-31"));
  EXPECT_EQ(query.text("none"), "");
  EXPECT_FALSE(query.fault());
}

TEST(QueryFields, TellsTheFirstFault) {
  const auto fault_of = [](const std::string& text) {
    const server::Target target = target_of(text);
    QueryFields query(target);
    (void)query.integer("limit", 100, 1'000);
    (void)query.instant("since");
    (void)query.one_of<orchestrator::RunStatus>(
        "status",
        {orchestrator::RunStatus::queued, orchestrator::RunStatus::ended});
    return message_of(query.fault());
  };
  EXPECT_EQ(fault_of("/r?status=ended"), "");
  for (const char* limit : {"0", "-1", "1001", "1.5", "x", "99999999999999999999"}) {
    EXPECT_EQ(fault_of("/r?limit=" + std::string(limit)),
              "the parameter 'limit' must be a whole number from 1 to 1000")
        << limit;
  }
  EXPECT_EQ(fault_of("/r?limit=1&limit=2"), "the parameter 'limit' must be given once");
  EXPECT_EQ(fault_of("/r?since=x"),
            "the parameter 'since' must be an instant such as 2026-01-31T23:59:59Z");
  EXPECT_EQ(fault_of("/r?status=x"),
            "the parameter 'status' must be one of queued, ended");
  EXPECT_EQ(fault_of("/r?limt=1"), "there is no parameter 'limt' here");
}

TEST(BodyFields, ReadsMembers) {
  BodyFields body(R"({"a": ["x"], "b": true, "c": {"k": 1, "l": "m"}, "d": 5,
                      "e": null})");
  EXPECT_EQ(body.texts("a"), std::vector<std::string>{"x"});
  EXPECT_TRUE(body.flag("b"));
  EXPECT_EQ(body.text_map("c"),
            (std::map<std::string, std::string>{{"k", "1"}, {"l", "m"}}));
  EXPECT_EQ(body.integer("d", 0, 10), 5);
  EXPECT_EQ(body.text("e", "usual"), "usual");
  EXPECT_FALSE(body.fault());
  BodyFields none("");
  EXPECT_EQ(none.text("e", "usual"), "usual");
  EXPECT_FALSE(none.fault());
}

TEST(BodyFields, TellsWhereTheFaultIs) {
  const auto fault_of = [](const std::string& text) {
    BodyFields body(text);
    (void)body.texts("a");
    (void)body.flag("b");
    (void)body.text_map("c");
    (void)body.integer("d", 0, 10);
    return message_of(body.fault());
  };
  EXPECT_EQ(fault_of("{}"), "");
  EXPECT_EQ(fault_of("[]"), "the body must be a JSON object");
  EXPECT_NE(fault_of("{").find("the body is no JSON"), std::string::npos);
  EXPECT_EQ(fault_of(R"({"a": [1]})"), "/a of the body must be a list of strings");
  EXPECT_EQ(fault_of(R"({"b": 1})"), "/b of the body must be true or false");
  EXPECT_EQ(fault_of(R"({"c": {"k": []}})"),
            "/c of the body must be an object of strings, numbers and booleans");
  for (const char* number : {"11", "-1", "1.0", "99999999999999999999", "\"1\""}) {
    EXPECT_EQ(fault_of("{\"d\": " + std::string(number) + "}"),
              "/d of the body must be a whole number from 0 to 10")
        << number;
  }
  EXPECT_EQ(fault_of(R"({"x": 1})"), "the body has an unknown member 'x'");
  EXPECT_EQ(fault_of(std::string(65, '[') + std::string(65, ']')),
            "the body is nested too deep");
  EXPECT_NE(fault_of("{\"a\": [\"" + std::string(1'000, '[') + "\"]}"),
            "the body is nested too deep");
}

}  // namespace
}  // namespace lakemill::api
