#pragma once

#include <cstdint>
#include <mutex>
#include <random>
#include <string>

namespace lakemill {

/// Where randomness comes from, so that tests can repeat a run.
///
/// Thread-safety: implementations allow concurrent calls.
class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;
};

/// Seeded from the operating system.
class SystemRandom final : public Random {
 public:
  SystemRandom();
  std::uint64_t next() override;

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;  // guarded by mutex_
};

/// The same numbers for the same seed.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t next() override;

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;  // guarded by mutex_
};

/// A random UUID (version 4), in lower case with dashes.
std::string make_uuid(Random& random);

}  // namespace lakemill
