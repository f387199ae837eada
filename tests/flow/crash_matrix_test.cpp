// Every kind of source into every kind of sink: each pair dies at the store calls of a
// run that makes its target, of one that adds to it, and of a full refresh that begins
// another generation; is overtaken there by another runner; and loses its plans. See
// crash_sweep.h.
//
// Every third call with LAKEMILL_SOAK=1, from another one each time; else a sample. The
// seed is printed and can be given as LAKEMILL_SEED. PostgreSQL as a source:
// tests/postgres/crash_sweep_test.cpp.
#include "crash_sweep.h"
#include "source_sink_pairs.h"

namespace lakemill::flow {
namespace {

using testkit::MemoryStoreProvider;

// Every so many calls are tried.
constexpr std::int64_t kSoakStride = 3;
constexpr std::int64_t kStride = 48;
constexpr std::int64_t kOvertakenStride = 60;
constexpr std::int64_t kPlanStride = 120;

std::int64_t stride(std::int64_t of_sample) {
  return all_calls() ? kSoakStride : of_sample;
}

class CrashMatrix : public testing::TestWithParam<Pair> {
 protected:
  Disturbed disturbed(const MemoryStoreProvider& beginning) const {
    Disturbed run{.beginning = beginning, .yaml = pipeline_of(GetParam())};
    if (GetParam().into.is_table) run.tables = {"t"};
    if (!GetParam().into.is_table) run.folders = {"t"};
    return run;
  }

  Start refresh_or_not() const {
    Start start;
    start.full_refresh = start.named = GetParam().moment == Moment::refreshes;
    return start;
  }
};

TEST_P(CrashMatrix, EndsWithTheTablesOfAnUndisturbedRun) {
  const auto beginning = beginning_of(GetParam());
  Disturbed run = disturbed(*beginning);
  run.start = refresh_or_not();
  sweep(run, stride(kStride));
}

// Another process does the same, or a full refresh, while one stands still; then that
// one goes on as if nothing had happened.
TEST_P(CrashMatrix, ARunnerThatIsOvertakenDoesNoDamage) {
  const auto beginning = beginning_of(GetParam());
  Disturbed run = disturbed(*beginning);
  run.other = refresh_or_not();
  sweep(run, stride(kOvertakenStride));
}

TEST_P(CrashMatrix, PlansThatAreLostAreMadeGoodFromTheTable) {
  if (!GetParam().into.is_table) return;  // it holds no plans
  const auto beginning = beginning_of(GetParam());
  Disturbed run = disturbed(*beginning);
  run.start = refresh_or_not();
  run.afterwards = [](MemoryStoreProvider& stores) {
    for (const std::string& path : paths_below(stores, "_lakemill/flows")) {
      if (path.find("/plans/") != std::string::npos) remove_file(stores, path);
    }
  };
  sweep(run, stride(kPlanStride));
}

INSTANTIATE_TEST_SUITE_P(Pairs, CrashMatrix, testing::ValuesIn(all_pairs()),
                         [](const auto& given) { return name_of(given.param); });

}  // namespace
}  // namespace lakemill::flow
