#include "lakemill/notify/progress.h"

#include "lakemill/base/json.h"

namespace lakemill::notify {

namespace {

Error wrong(std::string_view what) {
  return {ErrorCode::corrupt,
          "position of a subscription: " + std::string(what) + " cannot be read"};
}

Result<events::FeedPosition> position_of(const Json* json) {
  if (json == nullptr || !json->is_string()) return wrong("a position");
  auto position = events::parse_feed_position(json->get<std::string>());
  if (!position) return wrong("a position");
  return *position;
}

}  // namespace

std::string text_of(const Progress& progress) {
  Json json{{"position", events::to_text(progress.position)},
            {"done_beyond", Json::array()},
            {"failing", Json::array()}};
  for (const auto& at : progress.done_beyond) {
    json["done_beyond"].push_back(events::to_text(at));
  }
  for (const auto& failing : progress.failing) {
    json["failing"].push_back({{"at", events::to_text(failing.at)},
                               {"attempts", failing.attempts},
                               {"spent_ms", failing.spent.count()}});
  }
  return json_text(json);
}

Result<Progress> parse_progress(std::string_view text) {
  const auto json = parse_json(text);
  if (!json) return wrong("the JSON");
  Progress progress;
  LAKEMILL_TRY(progress.position, position_of(find_member(json.value(), "position")));
  const Json* done = find_member(json.value(), "done_beyond");
  const Json* failing = find_member(json.value(), "failing");
  if (done == nullptr || !done->is_array()) return wrong("'done_beyond'");
  for (const Json& at : *done) {
    LAKEMILL_TRY(const auto position, position_of(&at));
    progress.done_beyond.push_back(position);
  }
  if (failing == nullptr || !failing->is_array()) return wrong("'failing'");
  for (const Json& entry : *failing) {
    LAKEMILL_TRY(const auto at, position_of(find_member(entry, "at")));
    progress.failing.push_back(
        {at, integer_member(entry, "attempts", 0),
         std::chrono::milliseconds(integer_member(entry, "spent_ms", 0))});
  }
  return progress;
}

}  // namespace lakemill::notify
