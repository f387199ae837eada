#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/events/event_feed.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::notify {

/// An event that was given up.
struct DeadLetter {
  events::FedEvent event;
  std::int64_t attempts = 0;
  std::string error;  ///< of the last one
  Instant time{};     ///< when it was given up
};

/// "_lakemill/subscriptions/<name>/".
std::string subscription_folder(std::string_view subscription);

/// The dead letters of a subscription: objects "dead_letters/<position>.json" in its
/// folder, which stay until somebody removes them.
///
/// Borrows the store (of the project's root). Thread-safety: concurrent calls are
/// allowed. Errors of all: those of the store.
class DeadLetters {
 public:
  DeadLetters(storage::ObjectStore& store, std::string_view subscription);

  /// Writes it, or writes it again.
  Status put(const DeadLetter& letter);
  /// The oldest behind `after` (by position), at most `count_max`. Errors: corrupt.
  Result<std::vector<DeadLetter>> list(std::optional<events::FeedPosition> after,
                                       std::size_t count_max);
  /// Errors: not_found, corrupt.
  Result<DeadLetter> get(events::FeedPosition at);
  Status remove(events::FeedPosition at);

 private:
  std::string path_of(events::FeedPosition at) const;
  Result<DeadLetter> read(const std::string& path);

  storage::ObjectStore& store_;
  const std::string folder_;
};

/// What is told of one: `delivery_failed`.
events::Event delivery_failed(const std::string& subscription,
                              const DeadLetter& letter);

/// What is told of events that are gone: `subscription_reset`.
events::Event subscription_reset(const std::string& subscription,
                                 events::FeedPosition from, events::FeedPosition to);

}  // namespace lakemill::notify
