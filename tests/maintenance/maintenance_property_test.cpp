// Goal: whatever happens to a table, its change feed leads from each version to the
// next, and maintenance changes no row. Method: random appends, merges, deletes,
// overwrites, optimizes, vacuums and restores, on tables with and without a feed,
// deletion vectors and partitions; rows are held against a map in memory, and changes
// between random versions against the rows of both. LAKEMILL_SEED=n repeats a run.
#include <random>

#include "table_fixture.h"

namespace lakemill::dml {
namespace {

using ::testing::IsEmpty;
using testkit::IsOk;

using Model = std::map<int, std::string>;  // id → row as text

class History {
 public:
  History(std::uint64_t seed, TableWorld& world, testkit::ManualClock& clock)
      : dice_(seed), world_(world), clock_(clock) {
    models_.push_back({});
  }

  void step() {
    clock_.advance(std::chrono::minutes(1));
    switch (roll(10)) {
      case 0:
      case 1:
      case 2:
        append();
        break;
      case 3:
      case 4:
        merge();
        break;
      case 5:
      case 6:
        remove();
        break;
      case 7:
        optimize();
        break;
      case 8:
        restore_or_overwrite();
        break;
      default:
        vacuum();
    }
    catch_up();
    ASSERT_EQ(world_.rows(), texts(now_));
  }

  void check_changes(bool all_versions) {
    const auto newest = static_cast<delta::Version>(models_.size()) - 1;
    for (int i = 0; i < 5; ++i) {
      const delta::Version from =
          std::max<delta::Version>(1, oldest_ + 1 + roll(static_cast<int>(newest)));
      if (from > newest) continue;
      const delta::Version to = from + roll(static_cast<int>(newest - from + 1));
      ASSERT_THAT(world_.misfit(from, to), IsEmpty()) << from << ".." << to;
    }
    for (delta::Version v = oldest_ + 1; all_versions && v <= newest; ++v) {
      ASSERT_THAT(world_.misfit(v, v), IsEmpty()) << "version " << v;
      ASSERT_EQ(world_.rows_at(v), texts(models_[static_cast<std::size_t>(v)]));
    }
  }

 private:
  int roll(int sides) {
    return static_cast<int>(dice_() % static_cast<std::uint64_t>(std::max(sides, 1)));
  }

  static RowTexts texts(const Model& model) {
    RowTexts all;
    for (const auto& [id, text] : model) all.push_back(text);
    std::ranges::sort(all);
    return all;
  }

  std::string row(int id, Model& into) {
    const bool is_null = roll(4) == 0;
    const std::string part = is_null ? "NULL" : std::string(1, "xyz"[roll(3)]);
    const std::string v = std::to_string(roll(100));
    into[id] = std::to_string(id) + "|" + part + "|" + v;
    return "(" + std::to_string(id) + ", " + (is_null ? part : "'" + part + "'") +
           ", " + v + ")";
  }

  void append() {
    std::string values;
    for (int i = roll(4); i >= 0; --i) {
      values += (values.empty() ? "" : ", ") + row(next_id_++, now_);
    }
    ASSERT_THAT(world_.append(values), IsOk());
  }

  void merge() {
    std::map<int, std::string> changed;
    for (int i = roll(4); i >= 0; --i) {
      const int id = roll(next_id_ + 2);
      next_id_ = std::max(next_id_, id + 1);
      changed[id] = row(id, now_);
    }
    std::string values;
    for (const auto& [id, text] : changed) {
      values += (values.empty() ? "" : ", ") + text;
    }
    ASSERT_THAT(world_.merge(values), IsOk());
  }

  void remove() {
    const int low = roll(next_id_ + 1);
    const int high = low + roll(3);
    std::erase_if(now_, [&](const auto& entry) {
      return entry.first >= low && entry.first <= high;
    });
    ASSERT_THAT(world_.remove("id BETWEEN " + std::to_string(low) + " AND " +
                              std::to_string(high)),
                IsOk());
  }

  void optimize() { ASSERT_THAT(world_.optimize(), IsOk()); }

  void restore_or_overwrite() {
    const auto newest = static_cast<int>(models_.size()) - 1;
    if (roll(3) == 0) {
      now_.clear();
      ASSERT_THAT(world_.overwrite(row(next_id_++, now_)), IsOk());
      return;
    }
    const int version =
        static_cast<int>(oldest_) + roll(newest - static_cast<int>(oldest_) + 1);
    ASSERT_THAT(world_.restore(version), IsOk());
    now_ = models_[static_cast<std::size_t>(version)];
  }

  void vacuum() {
    if (roll(3) > 0) {
      ASSERT_THAT(world_.vacuum({}), IsOk());
      return;
    }
    // Older versions lose their files, this one none.
    clock_.advance(std::chrono::hours(24 * 8));
    ASSERT_THAT(world_.vacuum({}), IsOk());
    catch_up();
    oldest_ = world_.version();
  }

  void catch_up() {
    while (static_cast<delta::Version>(models_.size()) <= world_.version()) {
      models_.push_back(now_);
    }
  }

  std::mt19937_64 dice_;
  TableWorld& world_;
  testkit::ManualClock& clock_;
  Model now_;
  std::vector<Model> models_;  // by version
  delta::Version oldest_ = 0;  // whose files are all there
  int next_id_ = 0;
};

TEST(MaintenanceProperty, ChangesLeadFromVersionToVersionWhateverHappens) {
  const std::uint64_t seed = seed_of_run();
  const int tables = soak() ? 60 : 8;
  const int steps = soak() ? 80 : 30;
  for (int i = 0; i < tables; ++i) {
    const std::uint64_t own = seed + static_cast<std::uint64_t>(i);
    SCOPED_TRACE("LAKEMILL_SEED=" + std::to_string(own) + ", table 0");
    testkit::ManualClock clock;
    testkit::MemoryStoreProvider stores(clock);
    TableWorld world(stores, clock, own);
    Properties properties;
    // Without vectors, only a feed tells what a rewritten file changed.
    const bool has_feed = own % 4 != 3;
    if (has_feed) properties["delta.enableChangeDataFeed"] = "true";
    if (own % 2 == 1) properties["delta.enableDeletionVectors"] = "true";
    ASSERT_THAT(world.create(properties, own % 3 == 0), IsOk());
    History history(own, world, clock);
    for (int step = 0; step < steps && !testing::Test::HasFatalFailure(); ++step) {
      history.step();
    }
    if (testing::Test::HasFatalFailure()) return;
    history.check_changes(soak() || i < 3);
    if (testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace lakemill::dml
