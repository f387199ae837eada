// Goal: each kind of commit can be put behind exactly those winners that change nothing
// it depends on. Method: every kind against every winner, both built on one version.
#include "lakemill/delta/conflict_check.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/delta/transaction_fixture_test.h"

namespace lakemill::delta {
namespace {

using Change = std::function<void(Transaction&, const Snapshot&)>;

struct Named {
  std::string name;
  Change change;
};

RemoveFile removal(const Snapshot& base, std::size_t index, bool data_change) {
  RemoveFile remove = removal_of(base.files()[index]);
  remove.data_change = data_change;
  return remove;
}

data::Comparison id_is(data::Comparison::Op op, std::int64_t value) {
  return {"id", op, {value}};
}

void change_properties(Transaction& transaction, const Snapshot& base) {
  Metadata metadata = base.metadata();
  metadata.configuration["note"] = std::to_string(metadata.configuration.size());
  transaction.set_metadata(metadata);
}

// The table holds a (ids 1 to 5) and b (50 to 60).
std::vector<Named> winners() {
  return {
      {"appends far",
       [](Transaction& t, const Snapshot&) { t.add(file_of("w", 100, 200)); }},
      {"appends near",
       [](Transaction& t, const Snapshot&) { t.add(file_of("w", 2, 3)); }},
      {"removes a",
       [](Transaction& t, const Snapshot& base) { t.remove(removal(base, 0, true)); }},
      {"removes b",
       [](Transaction& t, const Snapshot& base) { t.remove(removal(base, 1, true)); }},
      {"rearranges a and b",
       [](Transaction& t, const Snapshot& base) {
         t.remove(removal(base, 0, false));
         t.remove(removal(base, 1, false));
         AddFile both = file_of("w", 1, 60);
         both.data_change = false;
         t.add(both);
       }},
      {"changes properties", change_properties},
      {"holds batch 5",
       [](Transaction& t, const Snapshot&) { t.set_transaction("flow", 5); }},
      {"holds batch 4",
       [](Transaction& t, const Snapshot&) { t.set_transaction("flow", 4); }},
      {"holds another's batch",
       [](Transaction& t, const Snapshot&) { t.set_transaction("other", 9); }},
  };
}

struct Case {
  Named ours;
  std::string expected;  ///< a letter for each winner: C conflicts, . goes on
};

std::vector<Case> cases() {
  return {
      {{"blind append",
        [](Transaction& t, const Snapshot&) { t.add(file_of("o", 1, 99)); }},
       ".....C..."},
      {{"append of batch 5",
        [](Transaction& t, const Snapshot&) {
          t.add(file_of("o", 1, 99));
          t.set_transaction("flow", 5);
        }},
       ".....CC.."},
      {{"overwrite",
        [](Transaction& t, const Snapshot&) {
          t.remove_all();
          t.add(file_of("o", 1, 99));
        }},
       "CCCCCC..."},
      {{"merge of ids 0 to 5 that rewrites a",
        [](Transaction& t, const Snapshot& base) {
          t.read(ReadScope::files);
          t.read_where(
              {id_is(data::Comparison::Op::ge, 0), id_is(data::Comparison::Op::le, 5)});
          t.remove(removal(base, 0, true));
          t.add(file_of("o", 1, 5));
        }},
       ".CC.CC..."},
      {{"merge of ids 0 to 5 that finds none",
        [](Transaction& t, const Snapshot&) {
          t.read(ReadScope::files);
          t.read_where({id_is(data::Comparison::Op::le, 5)});
          t.add(file_of("o", 6, 7));
        }},
       ".CC.CC..."},
      {{"merge without a condition",
        [](Transaction& t, const Snapshot&) {
          t.read(ReadScope::files);
          t.add(file_of("o", 6, 7));
        }},
       "CCCCCC..."},
      {{"removal of b",
        [](Transaction& t, const Snapshot& base) { t.remove(removal(base, 1, true)); }},
       "...CCC..."},
      {{"rewrite of b's statistics",
        [](Transaction& t, const Snapshot& base) {
          AddFile same = base.files()[1];
          same.data_change = false;
          t.add(same);
        }},
       "...CCC..."},
      {{"append computed from the table",
        [](Transaction& t, const Snapshot&) {
          t.read(ReadScope::table);
          t.add(file_of("o", 1, 99));
        }},
       "CCCCCC..."},
      {{"change of properties", change_properties}, ".....C..."},
  };
}

class ConflictTest : public TransactionTest {};

TEST_F(ConflictTest, PutsEachKindBehindExactlyTheWinnersThatLeaveItsGround) {
  for (const Case& one : cases()) {
    const auto all = winners();
    ASSERT_EQ(one.expected.size(), all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      SCOPED_TRACE(one.ours.name + " behind a winner that " + all[i].name);
      const auto store = testkit::make_memory_store();
      JsonLinesFormat format(*store);
      Table table(store, format);
      Transaction creation(table, new_table());
      creation.add(file_of("a", 1, 5));
      creation.add(file_of("b", 50, 60));
      ASSERT_EQ(version_of(commit(creation)), 0);
      const auto base = table.latest().value();

      Transaction winner(table, base);
      all[i].change(winner, *base);
      ASSERT_EQ(version_of(commit(winner)), 1);
      Transaction ours(table, base);
      one.ours.change(ours, *base);
      const auto outcome = commit(ours);
      if (one.expected[i] == 'C') {
        EXPECT_THAT(conflict_of(outcome), ::testing::StartsWith("version 1 "));
      } else {
        EXPECT_EQ(version_of(outcome), 2) << conflict_of(outcome);
        EXPECT_EQ(table.latest().value()->version(), 2);
      }
    }
  }
}

TEST_F(ConflictTest, NamesTheWinnerAmongSeveral) {
  create(new_table());
  append(file_of("a", 1, 5));
  const auto base = latest();
  append(file_of("b", 6, 9));
  Transaction remover(table_, latest());
  remover.remove(removal_of(base->files().front()));
  ASSERT_EQ(version_of(commit(remover)), 3);
  append(file_of("c", 6, 9));

  Transaction ours(table_, base);
  ours.remove(removal_of(base->files().front()));
  const auto outcome = commit(ours);
  EXPECT_EQ(conflict_of(outcome),
            "version 3 removed file 'a', which this commit changes");
  EXPECT_EQ(std::get<Conflicted>(*outcome).version, 3);
}

}  // namespace
}  // namespace lakemill::delta
