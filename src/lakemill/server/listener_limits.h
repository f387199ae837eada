#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "lakemill/server/http_head.h"

namespace lakemill::server {

/// Bounds on everything that clients make a listener hold. All are above zero.
struct ListenerLimits {
  using Time = std::chrono::milliseconds;

  std::size_t workers = 4;             ///< threads that run handlers
  std::size_t queue_max = 256;         ///< requests that wait for one; then 503
  std::size_t connections_max = 1024;  ///< then the one that idled longest goes, or 503
  std::size_t of_one_client_max = 128;  ///< connections; then 429
  std::size_t streams_max = 512;        ///< event streams; then 503
  HeadLimits head = {};
  /// Of all requests that are being received or answered; then 503.
  std::int64_t bodies_bytes_max = std::int64_t{256} << 20;

  Time head_time{10'000};  ///< from a request's first byte to the end of its head
  /// For a body, and for an answer's way out; longer for those that move at least
  /// `bytes_per_second_min` beyond it. A stream must have moved within it.
  Time body_time{30'000};
  Time write_time{30'000};
  std::int64_t bytes_per_second_min = 16 << 10;
  Time idle_time{30'000};       ///< between requests, and before the first
  Time linger_time{2'000};      ///< for the client to take the last answer
  Time heartbeat_time{15'000};  ///< of a stream that has nothing to tell
  Time drain_time{10'000};      ///< from the stop to the end of what goes on
};

}  // namespace lakemill::server
