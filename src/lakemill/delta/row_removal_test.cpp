#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/delta/deletion_vector.h"
#include "lakemill/delta/file_statistics.h"
#include "lakemill/delta/transaction_fixture_test.h"

namespace lakemill::delta {
namespace {

using ::testing::HasSubstr;
using testkit::HasError;
using testkit::IsOk;

class RowRemovalTest : public TransactionTest {
 protected:
  RowRemovalTest() {
    create(new_table());
    append(file_of("a", 1, 5));
    append(file_of("b", 6, 9));
  }

  using Rows = std::map<std::string, std::vector<std::uint64_t>>;

  Result<std::vector<Action>> remove(const Rows& rows) {
    return delete_rows(table_, *latest(), rows, clock_, random_);
  }

  Version commit_removal(const Rows& rows) {
    auto actions = remove(rows);
    EXPECT_THAT(actions, IsOk());
    Transaction transaction(table_, latest());
    for (const Action& action : *actions) {
      if (const auto* add = std::get_if<AddFile>(&action)) transaction.add(*add);
      if (const auto* gone = std::get_if<RemoveFile>(&action)) {
        transaction.remove(*gone);
      }
    }
    const auto outcome = commit(transaction);
    EXPECT_THAT(outcome, IsOk());
    return version_of(outcome);
  }

  std::vector<std::uint64_t> deleted(const AddFile& file) {
    if (!file.deletion_vector) return {};
    auto vector = read_deletion_vector(*store_, *file.deletion_vector);
    EXPECT_THAT(vector, IsOk());
    return vector->rows();
  }
};

TEST_F(RowRemovalTest, MarksRowsAndAddsToThoseMarkedBefore) {
  EXPECT_EQ(commit_removal({{"a", {3}}}), 3);
  EXPECT_EQ(commit_removal({{"a", {5, 3}}, {"b", {0}}}), 4);
  const auto& files = latest()->files();
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(deleted(files[0]), (std::vector<std::uint64_t>{3, 5}));
  EXPECT_EQ(deleted(files[1]), std::vector<std::uint64_t>{0});
  EXPECT_EQ(record_count(files[0].stats), 10);
  EXPECT_THAT(files[0].stats, HasSubstr("\"tightBounds\":false"));
}

TEST_F(RowRemovalTest, RemovesAFileThatIsLeftWithoutRows) {
  commit_removal({{"a", {0, 1, 2, 3, 4}}});
  auto actions = remove({{"a", {5, 6, 7, 8, 9}}});
  ASSERT_THAT(actions, IsOk());
  ASSERT_EQ(actions->size(), 1U);
  const auto* gone = std::get_if<RemoveFile>(&actions->front());
  ASSERT_NE(gone, nullptr);
  EXPECT_EQ(gone->deletion_vector, latest()->files()[0].deletion_vector);
  commit_removal({{"a", {5, 6, 7, 8, 9}}});
  EXPECT_EQ(paths(), std::vector<std::string>{"b"});
}

TEST_F(RowRemovalTest, LeavesAFileAloneWhoseRowsAreGoneAlready) {
  commit_removal({{"a", {3}}});
  auto actions = remove({{"a", {3}}, {"b", {}}});
  ASSERT_THAT(actions, IsOk());
  EXPECT_TRUE(actions->empty());
}

TEST_F(RowRemovalTest, RefusesRowsAndFilesThatAreNotThere) {
  EXPECT_THAT(remove({{"a", {10}}}), HasError(ErrorCode::invalid, "row 10"));
  EXPECT_THAT(remove({{"z", {1}}}), HasError(ErrorCode::invalid, "'z' is not in"));
  AddFile unknown = file_of("c", 1, 1);
  unknown.stats.clear();
  append(unknown);
  EXPECT_THAT(remove({{"c", {1}}}), HasError(ErrorCode::unsupported, "numRecords"));
}

TEST_F(RowRemovalTest, IsRefusedWhereTheTableForbidsIt) {
  Metadata metadata = latest()->metadata();
  metadata.configuration["delta.enableDeletionVectors"] = "false";
  Transaction change(table_, latest());
  change.set_metadata(metadata);
  ASSERT_EQ(version_of(commit(change)), 3);
  auto actions = remove({{"a", {1}}});
  ASSERT_THAT(actions, IsOk());
  Transaction transaction(table_, latest());
  transaction.remove(std::get<RemoveFile>((*actions)[0]));
  transaction.add(std::get<AddFile>((*actions)[1]));
  EXPECT_THAT(commit(transaction), HasError(ErrorCode::unsupported, "forbids"));
}

}  // namespace
}  // namespace lakemill::delta
