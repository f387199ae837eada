#include "lakemill/storage/path.h"

#include <gtest/gtest.h>

#include "lakemill/testing/matchers.h"

namespace lakemill::storage {
namespace {

using testkit::HasError;
using testkit::IsOk;
using testkit::IsOkAnd;

TEST(NormalizePath, TakesDotsAndDoubleSlashesAway) {
  EXPECT_EQ(normalize_path("/a//b/./c/../d/"), "/a/b/d");
  EXPECT_EQ(normalize_path("/../a"), "/a");
  EXPECT_EQ(normalize_path("../a/../../b"), "../../b");
  EXPECT_EQ(normalize_path("/"), "/");
  EXPECT_EQ(normalize_path(""), ".");
  EXPECT_EQ(normalize_path("a/.."), ".");
  EXPECT_EQ(normalize_path("memory://name//a/../b/"), "memory://name/b");
  EXPECT_EQ(normalize_path("memory://name/../.."), "memory://name");
}

TEST(JoinPath, PutsOneSlashBetween) {
  EXPECT_EQ(join_path("/a", "b/c"), "/a/b/c");
  EXPECT_EQ(join_path("/a/", "b"), "/a/b");
  EXPECT_EQ(join_path("/", "b"), "/b");
  EXPECT_EQ(join_path("/a", ""), "/a");
  EXPECT_EQ(join_path("", "b"), "b");
  EXPECT_EQ(join_path("/a", "/b"), "/b");
  EXPECT_EQ(join_path("/a", "s3://b/c"), "s3://b/c");
  EXPECT_EQ(join_path("memory://a", "b"), "memory://a/b");
}

TEST(LocalPath, DecodesFileUrlsAndNothingElse) {
  EXPECT_THAT(local_path("file:///a%20b/%C3%A9"), IsOkAnd("/a b/\xC3\xA9"));
  EXPECT_THAT(local_path("/a%20b"), IsOkAnd("/a%20b"));
  EXPECT_THAT(local_path("file:///a%2"), IsOkAnd("/a%2"));
  EXPECT_THAT(local_path("file:///a%00"), HasError(ErrorCode::invalid, "zero byte"));
  EXPECT_THAT(local_path("a/b"), HasError(ErrorCode::invalid, "\"a/b\""));
  EXPECT_THAT(local_path("gs://b/c"), HasError(ErrorCode::unsupported, "gs://"));
}

TEST(CheckObjectPath, TakesNamesWithDotsInThem) {
  EXPECT_THAT(check_object_path("a..b/.hidden/..."), IsOk());
  EXPECT_THAT(check_object_path("a/../b"), HasError(ErrorCode::invalid, "\"..\""));
}

}  // namespace
}  // namespace lakemill::storage
