#include "lakemill/notify/dead_letters.h"

#include <array>
#include <cstdio>
#include <utility>

namespace lakemill::notify {

namespace {

// Digits, so that names sort as positions do.
std::string name_of(events::FeedPosition at) {
  std::array<char, 64> name{};
  (void)std::snprintf(name.data(), name.size(), "%012lld-%06d.json",
                      static_cast<long long>(at.version), at.index);
  return name.data();
}

Json json_of(const DeadLetter& letter) {
  return Json{{"position", events::to_text(letter.event.at)},
              {"attempts", letter.attempts},
              {"error", letter.error},
              {"time", format_instant(letter.time)},
              {"event", events::event_json(*letter.event.event)}};
}

Result<DeadLetter> letter_of(const Json& json) {
  DeadLetter letter;
  LAKEMILL_TRY(letter.event.at,
               events::parse_feed_position(string_member(json, "position", "")));
  LAKEMILL_TRY(letter.time, parse_instant(string_member(json, "time", "")));
  letter.attempts = integer_member(json, "attempts", 0);
  letter.error = string_member(json, "error", "");
  const Json* event = find_member(json, "event");
  if (event == nullptr || !event->is_object()) {
    return Error(ErrorCode::corrupt, "there is no event");
  }
  Json columns = *event;
  const Json* details = find_member(columns, "details");
  if (details != nullptr) columns["details"] = json_text(*details);
  LAKEMILL_TRY(events::Event read, events::event_from_columns(columns));
  letter.event.event = std::make_shared<const events::Event>(std::move(read));
  return letter;
}

}  // namespace

std::string subscription_folder(std::string_view subscription) {
  return "_lakemill/subscriptions/" + std::string(subscription) + "/";
}

DeadLetters::DeadLetters(storage::ObjectStore& store, std::string_view subscription)
    : store_(store), folder_(subscription_folder(subscription) + "dead_letters/") {}

std::string DeadLetters::path_of(events::FeedPosition at) const {
  return folder_ + name_of(at);
}

Status DeadLetters::put(const DeadLetter& letter) {
  return store_.put(path_of(letter.event.at), json_text(json_of(letter)));
}

Result<std::vector<DeadLetter>> DeadLetters::list(
    std::optional<events::FeedPosition> after, std::size_t count_max) {
  LAKEMILL_TRY(const auto objects, store_.list(folder_, after ? path_of(*after) : ""));
  std::vector<DeadLetter> letters;
  for (const auto& object : objects) {
    if (letters.size() == count_max) break;
    auto letter = read(object.path);
    if (!letter && letter.error().code() == ErrorCode::not_found) continue;
    LAKEMILL_TRY(DeadLetter found, std::move(letter));
    letters.push_back(std::move(found));
  }
  return letters;
}

Result<DeadLetter> DeadLetters::get(events::FeedPosition at) {
  return read(path_of(at));
}

Result<DeadLetter> DeadLetters::read(const std::string& path) {
  LAKEMILL_TRY(const std::string text, store_.get(path));
  const auto json = parse_json(text);
  auto letter = json ? letter_of(json.value()) : Result<DeadLetter>(json.error());
  if (letter) return letter;
  return Error(ErrorCode::corrupt,
               "dead letter " + path + " cannot be read: " + letter.error().message());
}

Status DeadLetters::remove(events::FeedPosition at) {
  return store_.remove(path_of(at));
}

events::Event delivery_failed(const std::string& subscription,
                              const DeadLetter& letter) {
  const std::string id = events::id_of(*letter.event.event);
  events::Event event;
  event.type = events::EventType::delivery_failed;
  event.caused_by = id;
  event.message = "event " + id + " was not delivered to subscription " + subscription +
                  " (attempts: " + std::to_string(letter.attempts) +
                  "): " + letter.error;
  event.details = Json{{"subscription", subscription},
                       {"event", id},
                       {"attempts", letter.attempts},
                       {"error", letter.error},
                       {"position", events::to_text(letter.event.at)}};
  return event;
}

events::Event subscription_reset(const std::string& subscription,
                                 events::FeedPosition from, events::FeedPosition to) {
  events::Event event;
  event.type = events::EventType::subscription_reset;
  event.message = "subscription " + subscription + " goes on at " +
                  events::to_text(to) + ": the log's events behind " +
                  events::to_text(from) + " were cleaned away before they were read";
  event.details = Json{{"subscription", subscription},
                       {"from", events::to_text(from)},
                       {"to", events::to_text(to)}};
  return event;
}

}  // namespace lakemill::notify
