#pragma once

// A session over a DuckDB of its own, and a folder, for the tests of this module.

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "lakemill/base/result.h"
#include "lakemill/engine_duckdb/duckdb_session.h"
#include "lakemill/storage/local_store.h"

namespace lakemill::engine_duckdb {

class SessionFixture : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ =
        testing::TempDir() + "lakemill_" + test->test_suite_name() + "_" + test->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    stores_ = storage::make_local_provider();
    DuckdbOptions options;
    options.threads = 2;
    options.temporary_folder = folder_ + "/_spill";
    auto instance = DuckdbInstance::open(std::move(options), *stores_, nullptr);
    ASSERT_TRUE(instance.has_value()) << instance.error().message();
    auto opened = DuckdbSession::open(*instance, {});
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    session_ = std::move(*opened);
  }
  void TearDown() override {
    session_.reset();
    std::filesystem::remove_all(folder_);
  }

  DuckdbSession& session() { return *session_; }
  const std::string& folder() const { return folder_; }

  /// The one value of a query as text.
  std::string text(const std::string& sql) {
    const auto result = session().run(sql);
    if (!result) return result.error().message();
    if ((*result)->RowCount() == 0) return "no rows";
    return (*result)->GetValue(0, 0).ToString();
  }

  /// How many rows are in one of two queries only, counting repetitions.
  std::string difference(const std::string& left, const std::string& right) {
    return text("SELECT count(*) FROM ((" + left + " EXCEPT ALL " + right +
                ") UNION ALL (" + right + " EXCEPT ALL " + left + "))");
  }

  static std::string read_file(const std::string& path) {
    std::ostringstream bytes;
    bytes << std::ifstream(path, std::ios::binary).rdbuf();
    return bytes.str();
  }

  void write_file(const std::string& name, const std::string& bytes) {
    std::filesystem::create_directories(
        std::filesystem::path(folder_ + "/" + name).parent_path());
    std::ofstream(folder_ + "/" + name, std::ios::binary) << bytes;
  }

 private:
  std::string folder_;
  std::unique_ptr<storage::StoreProvider> stores_;
  std::unique_ptr<DuckdbSession> session_;
};

}  // namespace lakemill::engine_duckdb
