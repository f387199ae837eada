#include "lakemill/delta/file_place.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "lakemill/delta/file_path.h"

namespace lakemill::delta {
namespace {

std::string place(const std::string& table_url, const std::string& log_path) {
  FilePlaces places(table_url);
  const auto found = places.find(decoded_path(log_path));
  if (!found) return "error: " + found.error().message();
  return found->value_or("elsewhere");
}

TEST(FilePlaces, KnowsAFileHoweverTheLogSpellsItsPath) {
  namespace fs = std::filesystem;
  const fs::path top = fs::canonical(testing::TempDir()) / "file_places";
  fs::remove_all(top);
  fs::create_directories(top / "lake/t/p=1");
  fs::create_directory_symlink(top / "lake", top / "link");
  fs::create_directory_symlink(top / "lake/t/p=1", top / "lake/t/also");
  const std::string root = (top / "lake/t").string();
  const std::string through_link = (top / "link/t").string();
  for (const std::string& table : {root, through_link}) {
    SCOPED_TRACE(table);
    for (const std::string& folder :
         {root + "/", through_link + "/", "file:" + root + "/",
          "file://" + through_link + "/", "file://localhost" + root + "/",
          "FILE:" + root + "/", root + "/../t/", top.string() + "/link/../lake/t/",
          root + "//./", std::string("./"), std::string("p=1/../")}) {
      EXPECT_EQ(place(table, folder + "a%20b.parquet"), "a b.parquet") << folder;
      EXPECT_EQ(place(table, folder + "p=1/x"), "p=1/x") << folder;
    }
    EXPECT_EQ(place(table, "also/x"), "p=1/x");
    EXPECT_EQ(place(table, root + "2/x"), "elsewhere");
    EXPECT_EQ(place(table, "../other/x"), "elsewhere");
    EXPECT_EQ(place(table, "s3://bucket/x"), "elsewhere");
    for (const std::string& path :
         {"file://host" + root + "/x", std::string("dbfs:/t/x")}) {
      EXPECT_TRUE(place(table, path).starts_with("error: the log names file")) << path;
    }
  }
  fs::remove_all(top);
}

TEST(FilePlaces, KnowsTheNamesOfOneStore) {
  EXPECT_EQ(place("s3://bucket/t", "s3a://bucket/t/x"), "x");
  EXPECT_EQ(place("s3://bucket/t", "S3://bucket/t/p=1/../x"), "x");
  EXPECT_EQ(place("s3://bucket/t", "s3://bucket/t2/x"), "elsewhere");
  EXPECT_EQ(place("memory://test", "p=1/x"), "p=1/x");
  EXPECT_TRUE(place("s3://bucket/t", "/t/x").starts_with("error:"));
}

}  // namespace
}  // namespace lakemill::delta
