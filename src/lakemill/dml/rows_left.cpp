#include "lakemill/dml/rows_left.h"

#include <algorithm>

#include "lakemill/base/check.h"
#include "lakemill/delta/deletion_vector.h"
#include "lakemill/delta/only_rows.h"

namespace lakemill::dml {
namespace {

/// The rows that a file lacks already, and some more.
class MoreDeletedRows final : public data::DeletedRows {
 public:
  MoreDeletedRows(std::shared_ptr<const data::DeletedRows> before,
                  std::vector<std::uint64_t> more)
      : before_(std::move(before)), more_(std::move(more)) {
    LAKEMILL_CHECK(std::is_sorted(more_.begin(), more_.end()));
    if (before_ != nullptr) {
      std::erase_if(more_, [&](std::uint64_t row) { return before_->contains(row); });
    }
  }

  bool contains(std::uint64_t row) const override {
    return (before_ != nullptr && before_->contains(row)) ||
           std::binary_search(more_.begin(), more_.end(), row);
  }

  std::uint64_t count() const override {
    return more_.size() + (before_ != nullptr ? before_->count() : 0);
  }

  std::uint64_t fill_kept(std::uint64_t start, std::uint64_t count,
                          bool* keep) const override {
    std::uint64_t kept = count;
    if (before_ != nullptr) {
      kept = before_->fill_kept(start, count, keep);
    } else {
      std::fill_n(keep, count, true);
    }
    const auto first = std::lower_bound(more_.begin(), more_.end(), start);
    const auto last = std::lower_bound(first, more_.end(), start + count);
    for (auto row = first; row != last; ++row) keep[*row - start] = false;
    return kept - static_cast<std::uint64_t>(last - first);
  }

 private:
  std::shared_ptr<const data::DeletedRows> before_;
  std::vector<std::uint64_t> more_;
};

/// Some files of a scan, with other rows in them.
class SomeFiles final : public data::TableScan {
 public:
  SomeFiles(std::shared_ptr<const data::TableScan> whole,
            std::vector<data::DataFile> files)
      : whole_(std::move(whole)), files_(std::move(files)) {}

  const data::Schema& schema() const override { return whole_->schema(); }
  const std::string& column_mapping_mode() const override {
    return whole_->column_mapping_mode();
  }
  const std::vector<data::DataFile>& files() const override { return files_; }
  const std::string& table_url() const override { return whole_->table_url(); }
  std::int64_t version() const override { return whole_->version(); }

  std::vector<std::size_t> may_match(
      const std::vector<data::Comparison>& /*conjuncts*/) const override {
    std::vector<std::size_t> every(files_.size());
    for (std::size_t i = 0; i < every.size(); ++i) every[i] = i;
    return every;
  }

 private:
  std::shared_ptr<const data::TableScan> whole_;
  std::vector<data::DataFile> files_;
};

}  // namespace

std::shared_ptr<const data::TableScan> rows_left(
    const std::shared_ptr<const data::TableScan>& whole,
    const std::vector<engine::FileRows>& removed) {
  std::vector<data::DataFile> files;
  for (const engine::FileRows& rows : removed) {
    data::DataFile file = whole->files().at(rows.file_index);
    file.deleted = std::make_shared<MoreDeletedRows>(file.deleted, rows.positions);
    files.push_back(std::move(file));
  }
  return std::make_shared<SomeFiles>(whole, std::move(files));
}

std::shared_ptr<const data::TableScan> rows_named(
    const std::shared_ptr<const data::TableScan>& whole,
    const std::vector<engine::FileRows>& named) {
  std::vector<data::DataFile> files;
  for (const engine::FileRows& rows : named) {
    data::DataFile file = whole->files().at(rows.file_index);
    file.deleted = std::make_shared<delta::OnlyRows>(
        std::make_shared<delta::DeletionVector>(
            delta::DeletionVector::of(rows.positions)),
        file.row_count);
    files.push_back(std::move(file));
  }
  return std::make_shared<SomeFiles>(whole, std::move(files));
}

std::shared_ptr<const data::TableScan> whole_files(
    const std::shared_ptr<const data::TableScan>& whole,
    const std::vector<std::size_t>& indexes) {
  std::vector<data::DataFile> files;
  for (const std::size_t index : indexes) files.push_back(whole->files().at(index));
  return std::make_shared<SomeFiles>(whole, std::move(files));
}

}  // namespace lakemill::dml
