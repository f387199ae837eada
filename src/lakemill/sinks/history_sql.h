#pragma once

#include <string>

#include "lakemill/sinks/merge_step.h"

namespace lakemill::sinks {

/// The number of a change in the order of its key's sequences, from 1.
inline constexpr std::string_view kNumber = "_lakemill_change_number";

/// The rows of a target as SQL over a log of changes: a relation of keys, values,
/// kSequence, kOperation (upsert or remove) and kNumber.
class HistorySql {
 public:
  /// `truncated`: scalar SQL of the highest truncation, or empty. Borrows the others.
  HistorySql(const ChangeColumns& columns, const ChangeOptions& options,
             std::string truncated);

  /// SCD 1 where a null keeps the old value: each leaf column is the last that is not
  /// null since the key's last delete.
  std::string rows_of(const std::string& log) const;

  /// SCD 2: a row for each run of changes that are alike in the tracked columns.
  std::string intervals_of(const std::string& log) const;

  /// The log, each change with what it and those before it came to: the values of the
  /// row that it leaves and, with SCD 2, the sequence at which that row began.
  std::string anchors_of(const std::string& log) const;

 private:
  std::string with_runs(const std::string& log) const;
  std::string with_epochs(const std::string& log) const;
  std::string with_values_kept(const std::string& log) const;
  bool soft() const { return options_.delete_mode == DeleteMode::soft; }
  std::string by_key(std::string_view order) const;

  const ChangeColumns& columns_;
  const ChangeOptions& options_;
  std::string truncated_;
  std::string keys_;
  std::string number_;
  std::string operation_;
  std::string sequence_;
};

}  // namespace lakemill::sinks
