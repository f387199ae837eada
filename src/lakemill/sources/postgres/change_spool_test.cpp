// The spool by itself: what a full disk leaves behind, and what many commits cost.
#include "lakemill/sources/postgres/change_spool.h"

#include <chrono>
#include <csignal>
#include <filesystem>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "lakemill/formats/text_rows.h"
#include "lakemill/sources/postgres/spooled_bytes.h"

namespace lakemill::sources::postgres {
namespace {

// While it lives no file of this process can grow past `bytes`: a write that would is
// done in part, and the next one fails, as on a full disk.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit lower{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &lower);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_{};
};

class Spooling : public testing::Test {
 protected:
  Spooling()
      : folder_(testing::TempDir() + "/spooling_" +
                testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    spool_ = std::make_unique<ChangeSpool>(folder_ + "/spool", true);
  }

  static std::string text(int number) {
    return std::to_string(number) + std::string(200, 'x');
  }

  // Rows `first` to `end` of one transaction; false if the disk was full.
  bool append(int first, int end) {
    for (int i = first; i < end; ++i) {
      std::string row;
      formats::append_text(row, text(i));
      if (!spool_->append(layout_, "o", row)) return false;
    }
    return true;
  }

  std::vector<std::string> rows(Lsn from, Lsn to) {
    std::vector<std::string> found;
    auto parts = spool_->between(from, to);
    if (!parts) return {parts.error().message()};
    std::vector<std::optional<std::string_view>> row(2);
    for (const SpoolPart& part : *parts) {
      for (const auto& block : part.blocks) {
        const std::string bytes = bytes_of(block);
        std::string_view rest = bytes;
        while (!rest.empty()) {
          if (!formats::take_text_row(rest, row)) return {"no row"};
          found.emplace_back(row[1].value_or("null"));
        }
      }
    }
    return found;
  }

  const std::string folder_;
  const std::shared_ptr<const TableLayout> layout_ =
      std::make_shared<const TableLayout>();
  std::unique_ptr<ChangeSpool> spool_;
};

std::vector<std::string> texts(int end) {
  std::vector<std::string> all;
  for (int i = 0; i < end; ++i) {
    all.push_back(std::to_string(i) + std::string(200, 'x'));
  }
  return all;
}

// 100 kB of a megabyte reach the disk, up to amid the committed rows.
TEST_F(Spooling, GoesOnAfterAFullDiskThatTookPartOfAWrite) {
  ASSERT_TRUE(append(0, 1000));
  ASSERT_TRUE(spool_->commit(1).has_value());
  {
    const FullDisk full(100'001);
    ASSERT_FALSE(append(1000, 9000));
    ASSERT_TRUE(spool_->take_back().has_value());
  }
  ASSERT_TRUE(append(1000, 3000));
  ASSERT_TRUE(spool_->commit(2).has_value());
  EXPECT_EQ(rows(0, 2), texts(3000));
}

TEST_F(Spooling, GivesItsRowsOnceThereIsRoomAgain) {
  ASSERT_TRUE(append(0, 1000));
  ASSERT_TRUE(spool_->commit(1).has_value());
  {
    const FullDisk full(100'001);
    EXPECT_FALSE(spool_->between(0, 1).has_value());
  }
  EXPECT_EQ(rows(0, 1), texts(1000));
}

// The bounds are asked after every commit: a sum over all of them each time would take
// most of a minute here.
TEST_F(Spooling, TellsThatItIsFullWithoutCountingAllCommits) {
  constexpr int kCommits = 300'000;
  std::string row;
  formats::append_text(row, "x");
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 1; i <= kCommits; ++i) {
    ASSERT_TRUE(spool_->append(layout_, "o", row).has_value());
    ASSERT_TRUE(spool_->commit(static_cast<Lsn>(i)).has_value());
    ASSERT_EQ(spool_->is_full(0, {kCommits, 0}), i == kCommits);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST_F(Spooling, IsFullOfWhatIsBehindAPositionOnly) {
  for (int i = 1; i <= 10; ++i) {
    ASSERT_TRUE(append(0, 2));
    ASSERT_TRUE(spool_->commit(static_cast<Lsn>(i)).has_value());
  }
  EXPECT_TRUE(spool_->is_full(0, {20, 0}));
  EXPECT_FALSE(spool_->is_full(0, {21, 0}));
  EXPECT_TRUE(spool_->is_full(4, {12, 0}));
  EXPECT_FALSE(spool_->is_full(4, {13, 0}));
  spool_->release(5);
  EXPECT_TRUE(spool_->is_full(5, {10, 0}));
  EXPECT_FALSE(spool_->is_full(5, {11, 0}));
  ASSERT_TRUE(append(0, 3));
  EXPECT_FALSE(spool_->is_full(5, {11, 0}));
  ASSERT_TRUE(spool_->commit(11).has_value());
  EXPECT_TRUE(spool_->is_full(5, {13, 0}));
  EXPECT_TRUE(spool_->is_full(10, {0, 600}));
  EXPECT_FALSE(spool_->is_full(10, {0, 700}));
  EXPECT_FALSE(spool_->is_full(11, {1, 1}));
}

}  // namespace
}  // namespace lakemill::sources::postgres
