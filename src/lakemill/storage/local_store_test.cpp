#include "lakemill/storage/local_store.h"

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>

#include "lakemill/storage/local_file.h"
#include "lakemill/testing/matchers.h"
#include "lakemill/testing/temporary_folder.h"

namespace lakemill::storage {
namespace {

using testkit::HasError;
using testkit::IsOk;
using testkit::IsOkAnd;

class LocalStoreTest : public ::testing::Test {
 protected:
  static std::shared_ptr<ObjectStore> open(const std::string& folder) {
    auto opened = open_local_store(folder);
    EXPECT_THAT(opened, IsOk());
    return *std::move(opened);
  }
  std::size_t files_on_disk() const {
    std::size_t count = 0;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(folder_.path())) {
      count += entry.is_regular_file() ? 1 : 0;
    }
    return count;
  }

  testkit::TemporaryFolder folder_;
  std::shared_ptr<ObjectStore> store_ = open(folder_.path());
};

TEST_F(LocalStoreTest, OpensFoldersByPathAndByFileUrl) {
  EXPECT_EQ(store_->url(), folder_.path());
  EXPECT_EQ(open("file://" + folder_.path() + "/a%20b/./c/")->url(),
            folder_.at("a b/c"));
  EXPECT_THAT(open_local_store("data/x"), HasError(ErrorCode::invalid, "not absolute"));
  EXPECT_THAT(open_local_store("file://host/x"), HasError(ErrorCode::invalid, "host"));
  for (const auto* url : {"s3://bucket/x", "abfss://c@a/x", "memory://x"}) {
    EXPECT_THAT(make_local_provider()->open(url),
                HasError(ErrorCode::unsupported, url));
  }
}

TEST_F(LocalStoreTest, LeavesNoTemporaryFileBehind) {
  ASSERT_THAT(store_->put_if_absent("x", "1"), IsOk());
  ASSERT_THAT(store_->put_if_absent("x", "2"), HasError(ErrorCode::exists, ""));
  ASSERT_THAT(store_->put("x", "3"), IsOk());
  ASSERT_THAT(store_->put("y", "4"), IsOk());
  EXPECT_EQ(files_on_disk(), 2U);
}

TEST_F(LocalStoreTest, ListsNoTemporaryFileOfAKilledProcess) {
  std::ofstream(folder_.at(std::string(kTemporaryPrefix) + "1-0")) << "half";
  EXPECT_THAT(store_->list("", ""), IsOkAnd(::testing::IsEmpty()));
}

TEST_F(LocalStoreTest, FollowsLinksToFilesButNotToFolders) {
  ASSERT_THAT(store_->put("real/file", "12"), IsOk());
  std::filesystem::create_symlink(folder_.at("real/file"), folder_.at("link"));
  std::filesystem::create_directory_symlink(folder_.path(), folder_.at("real/circle"));
  std::filesystem::create_symlink("/nowhere/at/all", folder_.at("dangling"));
  auto listed = store_->list("", "");
  ASSERT_THAT(listed, IsOk());
  ASSERT_EQ(listed->size(), 2U);
  EXPECT_EQ((*listed)[0].path, "link");
  EXPECT_EQ((*listed)[0].size_bytes, 2);
  EXPECT_EQ((*listed)[1].path, "real/file");
}

TEST_F(LocalStoreTest, ReportsAFolderThatTakesNoFilesAsDenied) {
  // root may write anywhere, but not make files in /proc
  auto store = open("/proc/lakemill-test");
  EXPECT_THAT(store->put("x", "1"), HasError(ErrorCode::denied, "/proc/lakemill-test"));
  EXPECT_THAT(store->put_if_absent("x", "1"), HasError(ErrorCode::denied, "/proc"));
  EXPECT_THAT(store->create("x"), HasError(ErrorCode::denied, "/proc"));
}

TEST_F(LocalStoreTest, ReportsAFileInTheWayOfAFolderAsDenied) {
  ASSERT_THAT(store_->put("x", "1"), IsOk());
  EXPECT_THAT(store_->put("x/y", "1"), HasError(ErrorCode::denied, "in the way"));
  EXPECT_THAT(store_->put("x/y/z", "1"), HasError(ErrorCode::denied, "in the way"));
  ASSERT_THAT(store_->put("folder/x", "1"), IsOk());
  EXPECT_THAT(store_->put("folder", "1"), HasError(ErrorCode::denied, "folder"));
}

TEST_F(LocalStoreTest, ReportsAFullDiskWithItsPath) {
  auto full = LocalFile::open("/dev/full", O_WRONLY, 0);
  ASSERT_THAT(full, IsOk());
  auto written = full->write_all("x", "/dev/full");
  EXPECT_THAT(written, HasError(ErrorCode::unavailable,
                                "write /dev/full: No space left on device; the disk is "
                                "full: free space there"));
}

TEST(ErrnoError, TellsApartWhatACallerCanDo) {
  const auto code = [](int number) {
    return errno_error(number, "write", "/x").code();
  };
  EXPECT_EQ(code(ENOENT), ErrorCode::not_found);
  EXPECT_EQ(code(EACCES), ErrorCode::denied);
  EXPECT_EQ(code(EPERM), ErrorCode::denied);
  EXPECT_EQ(code(EROFS), ErrorCode::denied);
  EXPECT_EQ(code(ENOSPC), ErrorCode::unavailable);
  EXPECT_EQ(code(EDQUOT), ErrorCode::unavailable);
  EXPECT_EQ(code(EIO), ErrorCode::unavailable);
  EXPECT_EQ(code(ENAMETOOLONG), ErrorCode::invalid);
  EXPECT_EQ(errno_error(EROFS, "write", "/x").message(),
            "write /x: Read-only file system");
}

// One thread empties a folder again and again, which removes it; the other must not
// fail to write there.
TEST_F(LocalStoreTest, WritesWhileTheFolderComesAndGoes) {
  std::jthread remover([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      EXPECT_THAT(store_->put("a/b/other", ""), IsOk());
      EXPECT_THAT(store_->remove("a/b/other"), IsOk());
    }
  });
  for (int round = 0; round < 200; ++round) {
    ASSERT_THAT(store_->put_if_absent("a/b/mine", "x"), IsOk());
    ASSERT_THAT(store_->remove("a/b/mine"), IsOk());
  }
}

TEST_F(LocalStoreTest, ListsTheEndOfALongLogWithoutLookingAtTheRest) {
  std::filesystem::create_directory(folder_.at("_delta_log"));
  constexpr int kEntries = 20'000;
  for (int entry = 0; entry < kEntries; ++entry) {
    const auto name = std::to_string(100'000 + entry) + ".json";
    std::ofstream(folder_.at("_delta_log/" + name));
  }
  const auto begin = std::chrono::steady_clock::now();
  auto tail = store_->list("_delta_log/", "_delta_log/119990.json");
  const auto took = std::chrono::steady_clock::now() - begin;
  ASSERT_THAT(tail, IsOk());
  EXPECT_EQ(tail->size(), 9U);
  EXPECT_LT(took, std::chrono::milliseconds(500));
  auto all = store_->list("_delta_log/", "");
  ASSERT_THAT(all, IsOk());
  EXPECT_EQ(all->size(), std::size_t{kEntries});
}

}  // namespace
}  // namespace lakemill::storage
