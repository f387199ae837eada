// Dies at the store calls of optimize, vacuum and restore, before and after they act,
// and loses their answers; then does it again. No row changes, and what is left is
// whole.
#include <functional>

#include "table_fixture.h"

namespace lakemill::dml {
namespace {

using testkit::CrashingStoreProvider;
using testkit::Fault;
using testkit::IsOk;
using testkit::MemoryStoreProvider;

constexpr std::int64_t kStride = 5;

struct Scenario {
  std::string name;
  std::function<Status(TableWorld&)> act;
  delta::Version rows_of = -1;  // the version whose rows the table has in the end
};

template <typename T>
Status status_of(const Result<T>& result) {
  if (!result) return result.error();
  return {};
}

class MaintenanceCrash : public testing::TestWithParam<Scenario> {};

TEST_P(MaintenanceCrash, LosesNothingAndCanBeDoneAgain) {
  const Scenario& scenario = GetParam();
  testkit::ManualClock clock;
  MemoryStoreProvider base(clock);
  RowTexts expected;
  {
    TableWorld world(base, clock, 1);
    ASSERT_THAT(world.create({{"delta.enableChangeDataFeed", "true"},
                              {"delta.enableDeletionVectors", "true"},
                              {"delta.checkpointInterval", "4"}},
                             true),
                IsOk());
    ASSERT_THAT(world.append("(1, 'a', 1), (2, 'b', 2), (3, 'a', 3)"), IsOk());
    ASSERT_THAT(world.append("(4, 'a', 4), (5, 'b', 5)"), IsOk());
    ASSERT_THAT(world.merge("(1, 'a', 11), (6, 'b', 6)"), IsOk());
    ASSERT_THAT(world.remove("id = 2"), IsOk());
    clock.advance(std::chrono::hours(24 * 9));
    expected = scenario.rows_of < 0 ? world.rows() : world.rows_at(scenario.rows_of);
  }
  std::int64_t calls = 0;
  {
    const auto stores = base.copy();
    CrashingStoreProvider counted(*stores, {});
    TableWorld world(counted, clock, 2);
    ASSERT_THAT(scenario.act(world), IsOk());
    ASSERT_EQ(world.rows(), expected);
    calls = counted.calls();
  }
  const std::int64_t stride = soak() ? 1 : kStride;
  for (const Fault fault :
       {Fault::die_before, Fault::die_after, Fault::lose_answer, Fault::refuse}) {
    for (std::int64_t call = static_cast<std::int64_t>(fault) % stride; call < calls;
         call += stride) {
      const auto stores = base.copy();
      std::string where;
      {
        CrashingStoreProvider failing(*stores, {fault, call});
        TableWorld world(failing, clock, 2);
        (void)scenario.act(world);
        const auto trace = failing.trace();
        if (static_cast<std::size_t>(call) < trace.size()) {
          where = trace[static_cast<std::size_t>(call)];
        }
      }
      SCOPED_TRACE(scenario.name + ", fault " +
                   std::to_string(static_cast<int>(fault)) + " at call " +
                   std::to_string(call) + ": " + where);
      TableWorld after(*stores, clock, 3);
      const RowTexts found = after.rows();
      if (scenario.rows_of < 0) {
        ASSERT_EQ(found, expected);
      }
      ASSERT_THAT(scenario.act(after), IsOk());
      ASSERT_EQ(after.rows(), expected);
      ASSERT_THAT(after.append("(9, 'a', 9)"), IsOk());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, MaintenanceCrash,
    testing::Values(
        Scenario{"optimize",
                 [](TableWorld& world) { return status_of(world.optimize()); }},
        Scenario{"vacuum",
                 [](TableWorld& world) -> Status {
                   LAKEMILL_TRY_OK(status_of(world.optimize()));
                   return status_of(world.vacuum({0, true, false}));
                 }},
        Scenario{"restore",
                 [](TableWorld& world) { return status_of(world.restore(2)); }, 2}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace lakemill::dml
