#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "lakemill/events/event_feed.h"

namespace lakemill::notify {

/// One attempt to tell a receiver of an event.
struct Delivery {
  const events::FedEvent& event;
  std::int64_t attempt = 1;  ///< from 1, over all processes that made some
};

enum class Verdict : std::uint8_t {
  delivered,  ///< the receiver has it
  again,      ///< it may work later; the receiver may have it all the same
  refused,    ///< it will not work, however often it is tried
};

struct DeliveryOutcome {
  Verdict verdict = Verdict::delivered;
  std::string error = {};  ///< for people; holds no secret; empty: delivered
  /// The receiver wants to be left alone for so long.
  std::optional<std::chrono::milliseconds> pause = {};
};

/// Where events of a subscription go: an HTTP receiver, a program, and whatever else
/// takes one event at a time and says whether it has it (another pipeline, OpenLineage,
/// a topic of Kafka).
///
/// Thread-safety: implementations allow concurrent calls.
class Target {
 public:
  virtual ~Target() = default;

  /// Takes bounded time, and ends soon after a stop is requested. The same event may
  /// come again, also after it was delivered: by its id one can tell.
  virtual DeliveryOutcome deliver(const Delivery& delivery, std::stop_token stop) = 0;
};

}  // namespace lakemill::notify
