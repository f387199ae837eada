#include "crash_sweep.h"

#include <cstdlib>
#include <iostream>
#include <random>

namespace lakemill::flow {

namespace {

std::uint64_t seed() {
  const char* given = std::getenv("LAKEMILL_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
}

}  // namespace

Tables tables_of(storage::StoreProvider& stores, std::span<const char* const> paths) {
  Lakehouse lake(stores);
  Tables tables;
  for (const char* path : paths) tables[path] = lake.bag(path);
  return tables;
}

bool all_calls() {
  const char* soak = std::getenv("LAKEMILL_SOAK");
  return soak != nullptr && std::string_view(soak) == "1";
}

void try_faults(std::int64_t calls, std::int64_t stride,
                const std::function<bool(testkit::FaultPlan)>& holds) {
  using testkit::Fault;
  const std::uint64_t chosen = seed();
  std::cout << calls << " store calls, every " << stride
            << ". is tried, LAKEMILL_SEED=" << chosen << "\n";
  std::mt19937_64 random(chosen);
  int cases = 0;
  for (const Fault fault : {Fault::die_before, Fault::die_after, Fault::lose_answer}) {
    const auto first =
        static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(stride));
    for (std::int64_t call = first; call < calls; call += stride) {
      if (!holds({fault, call})) return;
      ++cases;
    }
  }
  std::cout << cases << " cases\n";
}

std::string text_of(const testkit::FaultPlan& plan,
                    const testkit::CrashingStoreProvider& failing) {
  const auto trace = failing.trace();
  const auto at = static_cast<std::size_t>(plan.at_call);
  return "fault " + std::to_string(static_cast<int>(plan.fault)) + " at call " +
         std::to_string(plan.at_call) + ": " + (at < trace.size() ? trace[at] : "");
}

}  // namespace lakemill::flow
