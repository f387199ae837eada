#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>

#include "lakemill/data/table_scan.h"

namespace lakemill::delta {

/// The opposite of a set of deleted rows: only those of `rows` count, all others of the
/// file are left out.
///
/// Thread-safety: immutable.
class OnlyRows final : public data::DeletedRows {
 public:
  /// `row_count`: all rows of the file, where that is known.
  OnlyRows(std::shared_ptr<const data::DeletedRows> rows,
           std::optional<std::int64_t> row_count)
      : rows_(std::move(rows)), row_count_(row_count.value_or(0)) {}

  bool contains(std::uint64_t row) const override { return !rows_->contains(row); }

  std::uint64_t count() const override {
    const auto all = static_cast<std::uint64_t>(row_count_);
    return all - std::min(all, rows_->count());
  }

  std::uint64_t fill_kept(std::uint64_t start, std::uint64_t count,
                          bool* keep) const override {
    const std::uint64_t others = rows_->fill_kept(start, count, keep);
    for (std::uint64_t i = 0; i < count; ++i) keep[i] = !keep[i];
    return count - others;
  }

 private:
  std::shared_ptr<const data::DeletedRows> rows_;
  std::int64_t row_count_;
};

}  // namespace lakemill::delta
