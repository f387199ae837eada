#include "lakemill/net/retry.h"

#include <algorithm>

namespace lakemill::net {

namespace {

constexpr double kGivenBack = 0.1;
constexpr int kDoublingsMax = 20;

}  // namespace

std::optional<std::chrono::milliseconds> RetryBudget::next_pause(
    int failures, std::chrono::milliseconds elapsed,
    std::optional<std::chrono::milliseconds> asked) {
  if (failures >= limits_.attempts_max) return std::nullopt;
  const auto doubled = limits_.delay_min * (1 << std::min(failures - 1, kDoublingsMax));
  const auto whole = std::min<std::chrono::milliseconds>(doubled, limits_.delay_max);
  const auto half = static_cast<std::uint64_t>(whole.count() / 2);
  std::chrono::milliseconds pause(
      static_cast<std::int64_t>(half + (half == 0 ? 0 : random_.next() % (half + 1))));
  if (asked) pause = std::max(pause, std::min(*asked, limits_.delay_max));
  if (elapsed + pause > limits_.total_max) return std::nullopt;
  const std::lock_guard lock(mutex_);
  if (tokens_ < 1) return std::nullopt;
  tokens_ -= 1;
  return pause;
}

void RetryBudget::note_success() {
  const std::lock_guard lock(mutex_);
  tokens_ = std::min<double>(tokens_ + kGivenBack, limits_.tokens_max);
}

}  // namespace lakemill::net
