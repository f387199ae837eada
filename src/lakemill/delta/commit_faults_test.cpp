// Whatever goes wrong between us and the store, a commit is in the log once or not at
// all, and we know which unless we say that we do not.
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/delta/commit_writer.h"
#include "lakemill/delta/log_segment.h"
#include "lakemill/delta/transaction_fixture_test.h"
#include "lakemill/testing/crashing_store.h"
#include "lakemill/testing/forwarding_store.h"

namespace lakemill::delta {
namespace {

using testkit::HasError;
using testkit::IsOk;

/// Passes all on, but for what a script says of put_if_absent and of get.
class ScriptedStore final : public testkit::ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  Result<std::string> get(std::string_view path) override {
    if (on_get) {
      if (auto scripted = on_get(path)) return *std::move(scripted);
    }
    return ForwardingStore::get(path);
  }
  Status put_if_absent(std::string_view path, std::string_view bytes) override {
    ++put_count;
    if (on_put) return on_put(path, bytes);
    return ForwardingStore::put_if_absent(path, bytes);
  }

  std::function<Status(std::string_view, std::string_view)> on_put;
  std::function<std::optional<Error>(std::string_view)> on_get;
  int put_count = 0;
};

class PutCommitTest : public ::testing::Test {
 protected:
  Result<PutOutcome> put() { return put_commit(store_, 3, "ours", random_); }

  Error lost() const { return {ErrorCode::unknown, "no answer"}; }

  std::shared_ptr<storage::ObjectStore> disk_ = testkit::make_memory_store();
  ScriptedStore store_{disk_};
  SeededRandom random_{1};
};

TEST_F(PutCommitTest, RecognisesItsOwnCommitAfterALostAnswer) {
  store_.on_put = [&](std::string_view path, std::string_view bytes) -> Status {
    const bool first = store_.put_count == 1;
    auto put = disk_->put_if_absent(path, bytes);
    if (first) return lost();
    return put;
  };
  EXPECT_THAT(put(), testkit::IsOkAnd(PutOutcome::ours));
  EXPECT_EQ(store_.put_count, 2);
}

TEST_F(PutCommitTest, SendsTheSameBytesAgainWhenNothingCameOfIt) {
  store_.on_put = [&](std::string_view path, std::string_view bytes) -> Status {
    if (store_.put_count <= 2) return lost();
    return disk_->put_if_absent(path, bytes);
  };
  EXPECT_THAT(put(), testkit::IsOkAnd(PutOutcome::ours));
  EXPECT_THAT(disk_->get(commit_path(3)), testkit::IsOkAnd(std::string("ours")));
}

TEST_F(PutCommitTest, FindsAnotherInItsPlace) {
  ASSERT_THAT(disk_->put_if_absent(commit_path(3), "theirs"), IsOk());
  EXPECT_THAT(put(), testkit::IsOkAnd(PutOutcome::theirs));
  store_.on_put = [&](auto, auto) -> Status { return lost(); };
  EXPECT_THAT(put(), testkit::IsOkAnd(PutOutcome::theirs));
}

TEST_F(PutCommitTest, SaysSoWhenItCannotKnow) {
  store_.on_put = [&](auto, auto) -> Status { return lost(); };
  EXPECT_THAT(put(), testkit::IsOkAnd(PutOutcome::undecided));
  // The version exists, perhaps by our own request, and cannot be read.
  store_.on_put = [](auto, auto) -> Status { return Error(ErrorCode::exists, ""); };
  store_.on_get = [](auto) { return Error(ErrorCode::unavailable, "busy"); };
  EXPECT_THAT(put(), testkit::IsOkAnd(PutOutcome::undecided));
}

TEST_F(PutCommitTest, FailsOnlyWhenNothingWasWritten) {
  store_.on_put = [](auto, auto) -> Status { return Error(ErrorCode::denied, "no"); };
  EXPECT_THAT(put(), HasError(ErrorCode::denied, "no"));
  store_.on_put = [](auto, auto) -> Status {
    return Error(ErrorCode::unavailable, "busy");
  };
  EXPECT_THAT(put(), HasError(ErrorCode::unavailable, "busy"));
  store_.on_put = [&](auto, auto) -> Status {  // an earlier try may yet arrive
    if (store_.put_count % 2 == 1) return lost();
    return Error(ErrorCode::denied, "no");
  };
  store_.put_count = 0;
  EXPECT_THAT(put(), testkit::IsOkAnd(PutOutcome::undecided));
}

TEST_F(TransactionTest, IsUndecidedWhileItsCommitMayYetAppear) {
  create(new_table());
  auto scripted = std::make_shared<ScriptedStore>(store_);
  Table table(scripted, format_);
  Transaction transaction(table, table.latest().value());
  transaction.add(file_of("a", 1, 5));
  scripted->on_put = [](auto, auto) -> Status {
    return Error(ErrorCode::unknown, "no answer");
  };
  const auto outcome = commit(transaction);
  ASSERT_THAT(outcome, IsOk());
  ASSERT_TRUE(std::holds_alternative<Undecided>(*outcome));
  EXPECT_EQ(std::get<Undecided>(*outcome).version, 1);
}

// Goal: two writers that append at the same time lose nothing and skip no version.
TEST_F(TransactionTest, LosesNoAppendOfTwoWritersAtOnce) {
  constexpr int kAppends = 200;
  create(new_table());
  const auto write = [&](const std::string& name, std::uint64_t seed) {
    SeededRandom random(seed);
    Table table(store_, format_);
    for (int i = 0; i < kAppends; ++i) {
      Transaction transaction(table, table.latest().value());
      transaction.add(file_of(name + std::to_string(i), i, i));
      transaction.set_transaction(name, i);
      const auto outcome = transaction.commit("WRITE", Json::object(), clock_, random);
      ASSERT_GT(version_of(outcome), 0) << conflict_of(outcome);
    }
  };
  {
    const std::jthread first([&] { write("first", 1); });
    const std::jthread second([&] { write("second", 2); });
  }
  EXPECT_EQ(latest()->version(), 2 * kAppends);
  EXPECT_EQ(latest()->files().size(), 2U * kAppends);
  for (Version version = 0; version <= 2 * kAppends; ++version) {
    EXPECT_THAT(store_->head(commit_path(version)), IsOk());
  }
}

/// One table's life: created, appended to, rows removed, replaced, each step a batch of
/// one flow, and done only if the table does not hold it.
class Life {
 public:
  explicit Life(std::shared_ptr<storage::ObjectStore> store)
      : format_(*store), table_(std::move(store), format_) {}

  Status live(std::uint64_t seed) {
    SeededRandom random(seed);
    LAKEMILL_TRY(const bool exists, table_exists(table_.store()));
    if (!exists) {
      Transaction creation(table_, new_table());
      LAKEMILL_TRY_OK(finish(creation, random));
    }
    for (const std::int64_t batch : {1, 2, 3}) {
      LAKEMILL_TRY(const auto base, table_.latest());
      if (base->transaction("flow").value_or(0) >= batch) continue;
      Transaction step(table_, base);
      step.set_transaction("flow", batch);
      LAKEMILL_TRY_OK(fill(step, *base, batch, random));
      LAKEMILL_TRY_OK(finish(step, random));
    }
    return {};
  }

 private:
  Status fill(Transaction& step, const Snapshot& base, std::int64_t batch,
              Random& random) {
    if (batch == 1) {
      step.add(file_of("a", 1, 5));
      step.add(file_of("b", 6, 9));
    } else if (batch == 2) {
      LAKEMILL_TRY(const auto actions,
                   delete_rows(table_, base, {{"a", {1, 2}}}, clock_, random));
      for (const Action& action : actions) {
        if (const auto* add = std::get_if<AddFile>(&action)) step.add(*add);
        if (const auto* remove = std::get_if<RemoveFile>(&action)) step.remove(*remove);
      }
    } else {
      step.remove_all();
      step.add(file_of("c", 1, 9));
    }
    return {};
  }

  // An outcome that is not ours counts as a failure: whoever lives tries again later.
  Status finish(Transaction& transaction, Random& random) {
    LAKEMILL_TRY(const CommitOutcome outcome,
                 transaction.commit("WRITE", Json::object(), clock_, random));
    if (!std::holds_alternative<Committed>(outcome)) {
      return Error(ErrorCode::unavailable, "not committed");
    }
    LAKEMILL_TRY(const auto snapshot, table_.latest());
    return write_checkpoint(table_, *snapshot);
  }

  JsonLinesFormat format_;
  Table table_;
  testkit::ManualClock clock_;
};

// Goal: whichever store call a process dies at, its successor ends with every batch in
// the table exactly once. Method: every call, every fault, then one run without.
TEST(CommitSweep, EndsWithEveryBatchOnceWhateverCallGoesWrong) {
  std::int64_t calls = 0;
  {
    testkit::MemoryStoreProvider disk;
    testkit::CrashingStoreProvider counted(disk, {});
    ASSERT_THAT(Life(counted.open("memory://t").value()).live(1), IsOk());
    calls = counted.calls();
  }
  ASSERT_GT(calls, 10);
  for (const auto fault : {testkit::Fault::die_before, testkit::Fault::die_after,
                           testkit::Fault::lose_answer, testkit::Fault::refuse}) {
    for (std::int64_t at = 0; at < calls; ++at) {
      testkit::MemoryStoreProvider disk;
      testkit::CrashingStoreProvider faulty(disk, {fault, at});
      (void)Life(faulty.open("memory://t").value()).live(1);  // its end is lost
      SCOPED_TRACE("fault " + std::to_string(static_cast<int>(fault)) + " at call " +
                   std::to_string(at) + ": " +
                   faulty.trace()[static_cast<std::size_t>(at)]);

      const auto store = disk.open("memory://t").value();
      ASSERT_THAT(Life(store).live(2), IsOk());
      JsonLinesFormat format(*store);
      Table table(store, format);
      const auto end = table.latest();
      ASSERT_THAT(end, IsOk());
      EXPECT_EQ((*end)->version(), 3);
      EXPECT_EQ((*end)->transaction("flow"), 3);
      ASSERT_EQ((*end)->files().size(), 1U);
      EXPECT_EQ((*end)->files().front().path, "c");
    }
  }
}

}  // namespace
}  // namespace lakemill::delta
