#include "lakemill/events/event_reference.h"

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/events/event.h"

namespace lakemill::events {
namespace {

TEST(EventReference, IsTheOneInTheDocuments) {
  std::ifstream file(LAKEMILL_EVENT_REFERENCE);
  std::stringstream held;
  held << file.rdbuf();
  EXPECT_EQ(held.str(), event_reference_markdown())
      << "by: lakemill schema --events --markdown > docs/reference/events.md";
}

TEST(EventReference, TellsOfEveryTypeAndColumnOnce) {
  const std::string text = event_reference_markdown();
  const auto count = [&text](const std::string& part) {
    int found = 0;
    for (auto at = text.find(part); at != std::string::npos;
         at = text.find(part, at + 1)) {
      ++found;
    }
    return found;
  };
  for (const EventTypeInfo& info : event_types()) {
    EXPECT_EQ(count("### `" + std::string(info.name) + "`\n"), 1) << info.name;
  }
  for (const data::Field& field : event_schema().fields) {
    EXPECT_GE(count("\n| `" + field.name + "` |"), 1) << field.name;
  }
}

TEST(EventJsonSchema, HasTheMembersOfAnEventAndItsTypes) {
  const OrderedJson schema = event_json_schema();
  Event event;
  event.type = EventType::table_committed;
  event.details = {{"url", "memory://t"}};
  const Json json = event_json(event);
  ASSERT_EQ(schema["properties"].size(), json.size());
  ASSERT_EQ(schema["required"].size(), json.size());
  for (const auto& [name, value] : json.items()) {
    EXPECT_TRUE(schema["properties"].contains(name)) << name;
  }
  EXPECT_EQ(schema["properties"]["type"]["enum"].size(), event_types().size());
  EXPECT_EQ(schema["properties"]["time"]["format"], "date-time");
  EXPECT_EQ(schema["properties"]["version"]["type"],
            OrderedJson::array({"integer", "null"}));
  const OrderedJson& details = schema["$defs"]["table_committed"];
  EXPECT_EQ(details["required"], OrderedJson::array({"url"}));
  EXPECT_EQ(details["properties"]["rebuilt"]["type"],
            OrderedJson::array({"boolean", "null"}));
  EXPECT_EQ(schema["allOf"].size(), event_types().size());
}

TEST(EventTypes, HaveFieldsOfDistinctNamesWithWordsAboutThem) {
  for (const EventTypeInfo& info : event_types()) {
    std::set<std::string_view> names;
    for (const FieldInfo& field : info.fields) {
      EXPECT_TRUE(names.insert(field.name).second) << info.name << "." << field.name;
      EXPECT_FALSE(field.doc.empty()) << info.name << "." << field.name;
    }
  }
}

}  // namespace
}  // namespace lakemill::events
