#include "lakemill/api/route.h"

#include <gtest/gtest.h>

#include "lakemill/server/target.h"

namespace lakemill::api {
namespace {

RouteTable table() {
  const auto echo = [](const Call& call) {
    std::string text;
    for (const std::string& argument : call.arguments) text += "<" + argument + ">";
    return server::json_answer(200, text);
  };
  return RouteTable({{"GET", "/", Permit::open(), "", 0, echo},
                     {"GET", "/runs/{run}", Permit::open(), "", 0, echo},
                     {"POST", "/runs/{run}/cancel", Permit::open(), "", 100, echo},
                     {"DELETE", "/runs/{run}", Permit::open(), "", 0, echo}});
}

std::variant<FoundRoute, server::Answer> find(const RouteTable& routes,
                                              const std::string& method,
                                              const std::string& target) {
  server::RequestHead head;
  head.method = method;
  head.target = target;
  const auto parsed = server::parse_target(target);
  EXPECT_TRUE(parsed.has_value()) << target;
  return routes.find(head, *parsed);
}

// The answer of who is found; of a refusal its status.
std::pair<int, std::string> answer(const RouteTable& routes, const std::string& method,
                                   const std::string& target) {
  const auto verdict = find(routes, method, target);
  if (const auto* refused = std::get_if<server::Answer>(&verdict)) {
    std::string allowed;
    for (const server::Header& header : refused->headers) {
      if (header.name == "Allow") allowed = header.value;
    }
    return {refused->status, allowed};
  }
  const auto& [route, arguments] = std::get<FoundRoute>(verdict);
  const server::Answer given = route->handler({{}, arguments, {}});
  return {given.status, given.body};
}

using Given = std::pair<int, std::string>;

TEST(RouteTable, FindsByMethodAndPath) {
  const RouteTable routes = table();
  EXPECT_EQ(answer(routes, "GET", "/"), Given(200, ""));
  EXPECT_EQ(answer(routes, "GET", "/runs/a%20b"), Given(200, "<a b>"));
  EXPECT_EQ(answer(routes, "HEAD", "/runs/a"), Given(200, "<a>"));
  EXPECT_EQ(answer(routes, "POST", "/runs/a/cancel"), Given(200, "<a>"));
  const auto verdict = find(routes, "POST", "/runs/a/cancel");
  EXPECT_EQ(std::get<FoundRoute>(verdict).route->body_bytes_max, 100);
}

TEST(RouteTable, RefusesWhatIsNotInIt) {
  const RouteTable routes = table();
  for (const char* target : {"/runs", "/runs/a/b", "/Runs/a", "/runs/a/cancel/x"}) {
    EXPECT_EQ(answer(routes, "GET", target), Given(404, "")) << target;
  }
  EXPECT_EQ(answer(routes, "PUT", "/runs/a"), Given(405, "DELETE, GET, HEAD"));
  EXPECT_EQ(answer(routes, "GET", "/runs/a/cancel"), Given(405, "POST"));
}

}  // namespace
}  // namespace lakemill::api
