// Random histories of adds, removals and overwrites, with checkpoints of every kind at
// random places and log entries cleaned away, are read as a plain oracle says: the last
// word on each (path, vector) stands.
#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/delta/log_folder.h"
#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::delta {
namespace {

using testkit::IsOk;

using Key = std::pair<std::string, std::string>;  // path, vector
struct Oracle {
  std::map<Key, std::int64_t> files;  // to a size that tells re-adds apart
  std::set<Key> removed;
  std::map<std::string, std::int64_t> transactions;
};

class History {
 public:
  explicit History(std::uint32_t seed) : random_(seed) {}

  void run(int commit_count) {
    for (int i = 0; i < commit_count; ++i) {
      commit();
      if (pick(4) == 0) checkpoint();
      if (pick(3) == 0) check_latest();
    }
    check_latest();
    check_old_versions();
  }

 private:
  std::uint32_t pick(std::uint32_t below) {
    return static_cast<std::uint32_t>(random_() % below);
  }

  static std::optional<DeletionVectorDescriptor> vector_of(const std::string& id) {
    if (id.empty()) return std::nullopt;
    return DeletionVectorDescriptor{"i", id, std::nullopt, 1, 1};
  }
  static AddFile add_of(const Key& key, std::int64_t size) {
    AddFile file = LogFolder::add(key.first);
    file.size_bytes = size;
    file.deletion_vector = vector_of(key.second);
    return file;
  }
  static RemoveFile removal_of(const Key& key) {
    RemoveFile file = LogFolder::removal(key.first);
    file.deletion_vector = vector_of(key.second);
    return file;
  }

  void add(std::vector<Action>& actions, const Key& key) {
    actions.push_back(add_of(key, ++size_));
    now_.files[key] = size_;
    now_.removed.erase(key);
  }
  void remove(std::vector<Action>& actions, const Key& key) {
    actions.push_back(removal_of(key));
    now_.files.erase(key);
    now_.removed.insert(key);
  }

  void commit() {
    std::vector<Action> actions;
    if (states_.empty()) actions = {Protocol{}, LogFolder::metadata()};
    std::vector<Key> present;
    for (const auto& [key, size] : now_.files) present.push_back(key);
    const bool overwrite = pick(12) == 0;
    for (const Key& key : present) {
      if (overwrite || pick(8) == 0) {
        remove(actions, key);
        if (!overwrite && pick(2) == 0) add(actions, {key.first, key.second + "v"});
      } else if (pick(20) == 0) {
        add(actions, key);  // new statistics for a file that is there already
      }
    }
    for (std::uint32_t i = pick(5); i > 0; --i) {
      add(actions, {"f" + std::to_string(pick(40)), ""});
    }
    if (pick(2) == 0) {
      const std::string app = "app" + std::to_string(pick(3));
      now_.transactions[app] = pick(100);
      actions.push_back(SetTransaction{app, now_.transactions[app], {}});
    }
    log_.commit(static_cast<Version>(states_.size()), actions);
    states_.push_back(now_);
  }

  void checkpoint() {
    const Version version = newest();
    std::vector<Action> head = {Protocol{}, LogFolder::metadata()};
    std::vector<Action> files;
    for (const auto& [app, value] : now_.transactions) {
      head.push_back(SetTransaction{app, value, {}});
    }
    for (const auto& [key, size] : now_.files) files.push_back(add_of(key, size));
    for (const Key& key : now_.removed) files.push_back(removal_of(key));
    const std::string name = LogFolder::name(version) + ".checkpoint.";
    if (pick(3) == 0) {
      log_.put("_sidecars/s" + std::to_string(version) + ".parquet",
               LogFolder::lines(files));
      head.push_back(Sidecar{"s" + std::to_string(version) + ".parquet"});
      log_.put(name + "80a083e8-7026-4e79-81be-64bd76c43a11.json",
               LogFolder::lines(head));
    } else if (pick(2) == 0) {
      log_.put(name + "0000000001.0000000002.parquet", LogFolder::lines(head));
      if (pick(4) == 0) return;  // the writer died
      log_.put(name + "0000000002.0000000002.parquet", LogFolder::lines(files));
    } else {
      head.insert(head.end(), files.begin(), files.end());
      log_.checkpoint(version, head);
    }
    if (pick(2) == 0) {
      log_.put("_last_checkpoint", "{\"version\":" + std::to_string(version) + "}");
    }
    if (pick(3) == 0) clean_up(version);
  }

  void clean_up(Version before) {
    for (; oldest_ < before; ++oldest_) log_.remove(LogFolder::name(oldest_) + ".json");
  }

  Version newest() const { return static_cast<Version>(states_.size()) - 1; }

  static void check(const Snapshot& snapshot, const Oracle& wanted) {
    std::map<Key, std::int64_t> files;
    for (const AddFile& file : snapshot.files()) {
      const auto& vector = file.deletion_vector;
      files[{file.path, vector ? vector->path_or_inline : ""}] = file.size_bytes;
    }
    EXPECT_EQ(files.size(), snapshot.files().size());
    EXPECT_EQ(files, wanted.files);
    std::set<Key> removed;
    for (const RemoveFile& file : snapshot.tombstones()) {
      const auto& vector = file.deletion_vector;
      removed.insert({file.path, vector ? vector->path_or_inline : ""});
    }
    EXPECT_EQ(removed, wanted.removed);
    std::map<std::string, std::int64_t> transactions;
    for (const SetTransaction& transaction : snapshot.transactions()) {
      transactions[transaction.app_id] = transaction.version;
    }
    EXPECT_EQ(transactions, wanted.transactions);
  }

  // Both the table that moved along and one that starts now.
  void check_latest() {
    const auto moved = table_.latest();
    const auto fresh = log_.table().latest();
    ASSERT_THAT(moved, IsOk());
    ASSERT_THAT(fresh, IsOk());
    EXPECT_EQ((*moved)->version(), newest());
    EXPECT_EQ((*fresh)->version(), newest());
    check(**moved, now_);
    check(**fresh, now_);
  }

  void check_old_versions() {
    for (Version version = oldest_; version <= newest(); ++version) {
      const auto snapshot = table_.at_version(version);
      // With the log cleaned, only what a checkpoint reaches can be built.
      if (!snapshot) {
        EXPECT_GT(oldest_, 0);
        continue;
      }
      check(**snapshot, states_[static_cast<std::size_t>(version)]);
    }
  }

  std::mt19937 random_;
  LogFolder log_{testkit::make_memory_store()};
  Table table_ = log_.table();
  Oracle now_;
  std::vector<Oracle> states_;
  Version oldest_ = 0;
  std::int64_t size_ = 0;
};

TEST(ReplayProperty, EveryHistoryIsReadAsTheOracleSays) {
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    History(seed).run(40);
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace lakemill::delta
