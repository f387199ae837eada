#pragma once

// A table told by a test: its files, and what statistics say of them.

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lakemill/data/table_scan.h"

namespace lakemill::engine_duckdb {

class FakeDeletedRows final : public data::DeletedRows {
 public:
  explicit FakeDeletedRows(std::set<std::uint64_t> rows) : rows_(std::move(rows)) {}
  bool contains(std::uint64_t row) const override { return rows_.contains(row); }
  std::uint64_t count() const override { return rows_.size(); }
  std::uint64_t fill_kept(std::uint64_t start, std::uint64_t count,
                          bool* keep) const override {
    std::uint64_t kept = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      keep[i] = !contains(start + i);
      kept += keep[i] ? 1U : 0U;
    }
    return kept;
  }

 private:
  std::set<std::uint64_t> rows_;
};

class FakeScan final : public data::TableScan {
 public:
  const data::Schema& schema() const override { return schema_; }
  const std::string& column_mapping_mode() const override { return mode_; }
  const std::vector<data::DataFile>& files() const override { return files_; }
  std::vector<std::size_t> may_match(
      const std::vector<data::Comparison>& conjuncts) const override {
    asked_ = conjuncts;
    std::vector<std::size_t> kept;
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (!may_match_ || may_match_(i, conjuncts)) kept.push_back(i);
    }
    return kept;
  }
  const std::string& table_url() const override { return url_; }
  std::int64_t version() const override { return 3; }

  data::Schema schema_;
  std::string mode_ = "none";
  std::vector<data::DataFile> files_;
  std::string url_ = "/lake/table";
  std::function<bool(std::size_t, const std::vector<data::Comparison>&)> may_match_;
  mutable std::vector<data::Comparison> asked_;  ///< by the last may_match()
};

}  // namespace lakemill::engine_duckdb
