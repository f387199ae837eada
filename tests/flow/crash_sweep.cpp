#include "crash_sweep.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>
#include <sstream>

namespace lakemill::flow {

namespace {

std::uint64_t seed() {
  const char* given = std::getenv("LAKEMILL_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
}

// All lines of the files below a folder, sorted.
RowTexts lines_below(const testkit::MemoryStoreProvider& stores,
                     const std::string& folder) {
  RowTexts lines;
  for (const std::string& path : paths_below(stores, folder)) {
    if (path.starts_with(folder + "/.")) continue;  // of a writer that died
    std::istringstream text(stores.objects().at(std::string(kLake) + "/" + path));
    for (std::string line; std::getline(text, line);) lines.push_back(line);
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

// Tables and files that a run is to come to.
Tables content(const Disturbed& run, testkit::MemoryStoreProvider& stores) {
  Tables content = tables_of(stores, run.tables);
  for (const char* folder : run.folders) content[folder] = lines_below(stores, folder);
  return content;
}

// The objects, but for where a server's log is: that goes on by itself.
std::map<std::string, std::string> lasting(const testkit::MemoryStoreProvider& stores) {
  std::map<std::string, std::string> objects;
  for (const auto& [url, bytes] : stores.objects()) {
    if (url.find(kPostgresFolder) == std::string::npos) objects.emplace(url, bytes);
  }
  return objects;
}

// What an undisturbed run makes, and how many calls it takes.
Tables undisturbed(const Disturbed& run, const Start& start, std::int64_t& calls) {
  if (run.rewind) run.rewind();
  const auto stores = run.beginning.copy();
  testkit::CrashingStoreProvider counted(*stores, {});
  {
    Lakehouse lake(counted);
    EXPECT_TRUE(all_well(lake.run(run.yaml, start)));
  }
  calls = counted.calls();
  return content(run, *stores);
}

void expect_recovery(const Disturbed& run, testkit::FaultPlan plan,
                     const std::vector<Tables>& expected) {
  if (run.rewind) run.rewind();
  const auto stores = run.beginning.copy();
  if (run.other) {
    plan.meanwhile = [&run, &stores] {
      Lakehouse lake(*stores, 42 + 3);
      EXPECT_TRUE(all_well(lake.run(run.yaml, *run.other)));
    };
  }
  testkit::CrashingStoreProvider failing(*stores, plan);
  {
    Lakehouse lake(failing);
    (void)lake.run(run.yaml, run.start);
  }
  SCOPED_TRACE(text_of(plan, failing));
  if (run.afterwards) run.afterwards(*stores);
  {
    Lakehouse lake(*stores, 43);
    ASSERT_TRUE(all_well(lake.run(run.yaml)));
  }
  ASSERT_THAT(expected, testing::Contains(content(run, *stores)));
  const auto objects = lasting(*stores);
  {
    Lakehouse lake(*stores, 44);
    ASSERT_TRUE(all_well(lake.run(run.yaml)));
  }
  ASSERT_EQ(lasting(*stores).size(), objects.size());
  ASSERT_TRUE(lasting(*stores) == objects) << "a further run changed something";
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

void try_faults(std::span<const testkit::Fault> faults, std::int64_t calls,
                std::int64_t stride,
                const std::function<bool(testkit::FaultPlan)>& holds) {
  const std::uint64_t chosen = seed();
  std::cout << calls << " store calls, every " << stride
            << ". is tried, LAKEMILL_SEED=" << chosen << "\n";
  std::mt19937_64 random(chosen);
  int cases = 0;
  for (const testkit::Fault fault : faults) {
    const auto first =
        static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(stride));
    for (std::int64_t call = first; call < calls; call += stride) {
      if (!holds({fault, call})) return;
      ++cases;
    }
  }
  std::cout << cases << " cases\n";
}

void sweep(const Disturbed& run, std::int64_t stride) {
  std::int64_t calls = 0;
  std::vector<Tables> expected;
  if (run.other) expected.push_back(undisturbed(run, *run.other, calls));
  if (run.start.full_refresh) expected.push_back(undisturbed(run, {}, calls));
  expected.push_back(undisturbed(run, run.start, calls));
  for (const auto& [name, rows] : expected.back()) ASSERT_GE(rows.size(), 2U) << name;
  constexpr testkit::Fault kOvertaken[] = {testkit::Fault::none};
  const std::span<const testkit::Fault> faults(kFaults);
  try_faults(run.other ? kOvertaken : faults, calls, stride,
             [&](const testkit::FaultPlan& plan) {
               expect_recovery(run, plan, expected);
               return !testing::Test::HasFailure();
             });
}

std::string text_of(const testkit::FaultPlan& plan,
                    const testkit::CrashingStoreProvider& failing) {
  const auto trace = failing.trace();
  const auto at = static_cast<std::size_t>(plan.at_call);
  return "fault " + std::to_string(static_cast<int>(plan.fault)) + " at call " +
         std::to_string(plan.at_call) + ": " + (at < trace.size() ? trace[at] : "");
}

}  // namespace lakemill::flow
