// The rows of a transaction that goes on: what its subtransactions take back, and what
// many of them cost.
#include "lakemill/sources/postgres/streamed_file.h"

#include <chrono>
#include <filesystem>

#include <gtest/gtest.h>

namespace lakemill::sources::postgres {
namespace {

class Streaming : public testing::Test {
 protected:
  Streaming()
      : path_(testing::TempDir() + "/streaming_" +
              testing::UnitTest::GetInstance()->current_test_info()->name()),
        file_(path_) {
    std::filesystem::remove(path_);
  }

  void append(TransactionId part, const std::string& row) {
    ASSERT_TRUE(file_.append(part, {0, file_.next_index(), false, row}).has_value());
    file_.skip_indexes(part, 1);
  }

  std::string rows() {
    std::string all;
    const auto read = file_.for_each([&](const StreamedRow& row) -> Status {
      all += std::to_string(row.index) + ":" + std::string(row.row) + " ";
      return {};
    });
    EXPECT_TRUE(read.has_value());
    return all;
  }

  const std::string path_;
  StreamedFile file_;
};

TEST_F(Streaming, TakesBackASubtransactionAndItsChildren) {
  append(1, "a");
  append(2, "b");
  append(3, "c");
  append(2, "d");
  ASSERT_TRUE(file_.abort(3).has_value());
  EXPECT_EQ(rows(), "0:a 1:b ");
  append(4, "e");
  ASSERT_TRUE(file_.abort(2).has_value());
  ASSERT_TRUE(file_.abort(4).has_value());  // gone with its parent
  append(3, "f");
  append(1, "g");
  EXPECT_EQ(rows(), "0:a 1:f 2:g ");
  ASSERT_TRUE(file_.abort(3).has_value());
  EXPECT_EQ(rows(), "0:a ");
}

// A block with an EXCEPTION clause is a subtransaction: a loop of them in PL/pgSQL
// makes many. To look through all before each would take minutes here.
TEST_F(Streaming, FindsSubtransactionsWithoutLookingThroughAll) {
  constexpr TransactionId kParts = 600'000;
  const auto begin = std::chrono::steady_clock::now();
  for (TransactionId part = 2; part < kParts; ++part) {
    append(part, "x");
    if (part % 3 != 0) continue;
    ASSERT_TRUE(file_.abort(part).has_value());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  EXPECT_EQ(file_.next_index(), kParts - 2 - (kParts - 1) / 3);
}

}  // namespace
}  // namespace lakemill::sources::postgres
