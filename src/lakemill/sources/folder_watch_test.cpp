#include "lakemill/sources/folder_watch.h"

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <vector>

#include <gtest/gtest.h>

#include "lakemill/testing/temporary_folder.h"

namespace lakemill::sources {
namespace {

class FolderWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_ + "/there");
    watch_ = FolderWatch::start([this](const std::string& folder) {
      const std::scoped_lock lock(mutex_);
      told_.push_back(folder);
      changed_.notify_all();
    });
    ASSERT_NE(watch_, nullptr);
  }

  void write(const std::string& name) { std::ofstream(folder_ + name) << "x"; }

  // Waits until something was told since the last call.
  bool told() {
    std::unique_lock lock(mutex_);
    const bool any = changed_.wait_for(lock, std::chrono::seconds(20),
                                       [this] { return !told_.empty(); });
    for (const std::string& folder : told_) EXPECT_EQ(folder, folder_);
    told_.clear();
    return any;
  }

  testkit::TemporaryFolder temporary_;
  const std::string folder_ = temporary_.path();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> told_;
  std::unique_ptr<FolderWatch> watch_;
};

TEST_F(FolderWatchTest, TellsOfNewFilesInTheFolderAndBelow) {
  ASSERT_TRUE(watch_->watch(folder_));
  write("/a.csv");
  EXPECT_TRUE(told());
  write("/there/b.csv");
  EXPECT_TRUE(told());
  std::filesystem::rename(folder_ + "/a.csv", folder_ + "/there/a.csv");
  EXPECT_TRUE(told());
}

TEST_F(FolderWatchTest, FollowsIntoFoldersThatComeLater) {
  ASSERT_TRUE(watch_->watch(folder_));
  std::filesystem::create_directories(folder_ + "/later");
  ASSERT_TRUE(told());
  write("/later/c.csv");
  EXPECT_TRUE(told());
}

TEST_F(FolderWatchTest, DoesNotWatchWhatIsNotThere) {
  EXPECT_FALSE(watch_->watch(folder_ + "/nowhere"));
}

}  // namespace
}  // namespace lakemill::sources
