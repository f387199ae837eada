#include "lakemill/dml/rows_left.h"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lakemill::dml {
namespace {

class Scan final : public data::TableScan {
 public:
  explicit Scan(std::vector<data::DataFile> files) : files_(std::move(files)) {}
  const data::Schema& schema() const override { return schema_; }
  const std::string& column_mapping_mode() const override { return mode_; }
  const std::vector<data::DataFile>& files() const override { return files_; }
  std::vector<std::size_t> may_match(
      const std::vector<data::Comparison>&) const override {
    return {};
  }
  const std::string& table_url() const override { return mode_; }
  std::int64_t version() const override { return 7; }

 private:
  data::Schema schema_;
  std::string mode_ = "none";
  std::vector<data::DataFile> files_;
};

std::shared_ptr<const data::TableScan> two_files() {
  std::vector<data::DataFile> files(2);
  files[0].path = "a";
  files[1].path = "b";
  return std::make_shared<Scan>(std::move(files));
}

TEST(RowsLeft, AreThoseOfTheNamedFilesThatWereNotRemoved) {
  const auto left = rows_left(two_files(), {{1, {0, 2}}});
  ASSERT_EQ(left->files().size(), 1U);
  EXPECT_EQ(left->files()[0].path, "b");
  EXPECT_EQ(left->version(), 7);
  const data::DeletedRows& gone = *left->files()[0].deleted;
  EXPECT_EQ(gone.count(), 2U);
  EXPECT_TRUE(gone.contains(0));
  EXPECT_FALSE(gone.contains(1));
  std::array<bool, 3> keep{};
  EXPECT_EQ(gone.fill_kept(1, 3, keep.data()), 2U);
  EXPECT_THAT(keep, testing::ElementsAre(true, false, true));
}

TEST(RowsLeft, LackWhatWasGoneBefore) {
  const auto once = rows_left(two_files(), {{0, {4}}});
  const auto twice = rows_left(once, {{0, {4, 5}}});
  const data::DeletedRows& gone = *twice->files()[0].deleted;
  EXPECT_EQ(gone.count(), 2U) << "a row goes once";
  std::array<bool, 6> keep{};
  EXPECT_EQ(gone.fill_kept(0, 6, keep.data()), 4U);
  EXPECT_THAT(keep, testing::ElementsAre(true, true, true, true, false, false));
}

TEST(WholeFiles, KeepAllOfTheirRows) {
  const auto whole = whole_files(two_files(), {1});
  ASSERT_EQ(whole->files().size(), 1U);
  EXPECT_EQ(whole->files()[0].path, "b");
  EXPECT_EQ(whole->files()[0].deleted, nullptr);
}

}  // namespace
}  // namespace lakemill::dml
