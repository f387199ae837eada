#include "lakemill/base/file_descriptor.h"

#include <optional>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace lakemill {
namespace {

int open_null() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }
bool is_open(int descriptor) { return ::fcntl(descriptor, F_GETFD) >= 0; }

TEST(FileDescriptor, ClosesWhatItHolds) {
  const int descriptor = open_null();
  {
    const FileDescriptor held(descriptor);
    EXPECT_TRUE(held);
    EXPECT_EQ(held.get(), descriptor);
    EXPECT_TRUE(is_open(descriptor));
  }
  EXPECT_FALSE(is_open(descriptor));
  EXPECT_FALSE(FileDescriptor());
}

TEST(FileDescriptor, HasOneOwner) {
  const int descriptor = open_null();
  std::optional<FileDescriptor> first(descriptor);
  FileDescriptor second(*std::move(first));
  first.reset();
  EXPECT_TRUE(is_open(descriptor));

  FileDescriptor third(open_null());
  const int replaced = third.get();
  third = std::move(second);
  EXPECT_FALSE(is_open(replaced));
  EXPECT_EQ(third.get(), descriptor);
  EXPECT_TRUE(is_open(descriptor));
}

TEST(FileDescriptor, ClosesNothingThatWasReleased) {
  int descriptor = -1;
  {
    FileDescriptor held(open_null());
    descriptor = held.release();
    EXPECT_FALSE(held);
  }
  EXPECT_TRUE(is_open(descriptor));
  ::close(descriptor);
}

}  // namespace
}  // namespace lakemill
