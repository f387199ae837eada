// Events for the tests of this module.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "lakemill/events/event_feed.h"

namespace lakemill::notify {

/// Event number `number` of writer "w", at 7.<number + 1>, about `subject`.
inline events::FedEvent fed_event(std::int64_t number, std::string subject) {
  events::Event event;
  event.type = events::EventType::run_failed;
  event.run_id = "r1";
  event.pipeline = "orders";
  event.caused_by = "w-0";
  event.subject = std::move(subject);
  event.details = Json{{"seconds", 1.5}};
  event.writer = "w";
  event.sequence = number;
  event.time = Instant(std::chrono::microseconds(1'767'225'600'123'456));
  return {{7, static_cast<std::int32_t>(number) + 1},
          std::make_shared<const events::Event>(events::stored_form(std::move(event)))};
}

}  // namespace lakemill::notify
