#include "lakemill/storage/path_guard.h"

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "lakemill/testing/matchers.h"
#include "lakemill/testing/temporary_folder.h"

namespace lakemill::storage {
namespace {

using testkit::HasError;
using testkit::IsOkAnd;

class PathGuard : public ::testing::Test {
 protected:
  PathGuard() {
    std::filesystem::create_directories(folder_.at("project/data"));
    std::filesystem::create_directories(folder_.at("outside"));
  }
  std::string in(const std::string& path) const { return folder_.at(path); }

  testkit::TemporaryFolder folder_;
  std::vector<std::string> roots_ = {folder_.at("project"), folder_.at("other")};
};

TEST_F(PathGuard, LetsPathsBelowARootThrough) {
  EXPECT_THAT(confine(in("project"), roots_), IsOkAnd(in("project")));
  EXPECT_THAT(confine(in("project/data/"), roots_), IsOkAnd(in("project/data")));
  EXPECT_THAT(confine(in("project/new/../table"), roots_),
              IsOkAnd(in("project/table")));
  EXPECT_THAT(confine(in("other/not/there/yet"), roots_),
              IsOkAnd(in("other/not/there/yet")));
  EXPECT_THAT(confine("file://" + in("project/x"), roots_), IsOkAnd(in("project/x")));
}

TEST_F(PathGuard, RefusesWhatLiesOutsideAndNamesPathAndRoots) {
  for (const auto& path :
       {in("outside"), in("project/../outside/x"), in("projects"),
        in("project/new/../../../outside"), std::string("/etc/passwd"),
        std::string("/"), folder_.path()}) {
    SCOPED_TRACE(path);
    auto confined = confine(path, roots_);
    EXPECT_THAT(confined, HasError(ErrorCode::denied, path));
    EXPECT_THAT(confined,
                HasError(ErrorCode::denied, in("project") + ", " + in("other")));
  }
  EXPECT_THAT(confine("/x", {}), HasError(ErrorCode::denied, "there are none"));
}

TEST_F(PathGuard, FollowsLinksBeforeItDecides) {
  std::filesystem::create_directory_symlink(in("outside"), in("project/out"));
  std::filesystem::create_directory_symlink("../../outside",
                                            in("project/data/relative"));
  std::filesystem::create_directory_symlink("data", in("project/inside"));
  std::filesystem::create_symlink("/etc/new-file", in("project/dangling"));
  EXPECT_THAT(confine(in("project/out"), roots_),
              HasError(ErrorCode::denied, "outside"));
  EXPECT_THAT(confine(in("project/out/new"), roots_),
              HasError(ErrorCode::denied, "(which is " + in("outside/new") + ")"));
  EXPECT_THAT(confine(in("project/data/relative/x"), roots_),
              HasError(ErrorCode::denied, in("outside/x")));
  EXPECT_THAT(confine(in("project/dangling"), roots_),
              HasError(ErrorCode::denied, "/etc/new-file"));
  // ".." is taken where the link leads, as the system does
  EXPECT_THAT(confine(in("project/out/../project"), roots_), IsOkAnd(in("project")));
  EXPECT_THAT(confine(in("project/inside/x"), roots_), IsOkAnd(in("project/data/x")));
}

TEST_F(PathGuard, FollowsTheLinksOfRootsToo) {
  std::filesystem::create_directory_symlink(in("project"), in("alias"));
  const std::vector<std::string> roots = {in("alias")};
  EXPECT_THAT(confine(in("alias/x"), roots), IsOkAnd(in("project/x")));
  EXPECT_THAT(confine(in("project/x"), roots), IsOkAnd(in("project/x")));
}

TEST_F(PathGuard, RefusesCirclesAndRelativePaths) {
  std::filesystem::create_symlink("b", in("project/a"));
  std::filesystem::create_symlink("a", in("project/b"));
  EXPECT_THAT(confine(in("project/a"), roots_), HasError(ErrorCode::invalid, "circle"));
  EXPECT_THAT(confine("project/a", roots_),
              HasError(ErrorCode::invalid, "not absolute"));
}

TEST_F(PathGuard, ComparesOtherSchemesByTheirLetters) {
  const std::vector<std::string> roots = {"memory://lake/root"};
  EXPECT_THAT(confine("memory://lake/root/t/../u", roots),
              IsOkAnd("memory://lake/root/u"));
  EXPECT_THAT(confine("memory://lake/root/../x", roots),
              HasError(ErrorCode::denied, ""));
  EXPECT_THAT(confine("/root/x", roots), HasError(ErrorCode::denied, ""));
}

TEST_F(PathGuard, TakesTheWholeDiskAsARoot) {
  const std::vector<std::string> roots = {"/"};
  EXPECT_THAT(confine("/etc/../x-not-there", roots), IsOkAnd("/x-not-there"));
}

}  // namespace
}  // namespace lakemill::storage
