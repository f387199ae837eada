#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lakemill/delta/snapshot.h"
#include "lakemill/delta/transaction.h"

namespace lakemill::delta {

/// What a transaction depends on and touches: what a winner must have left alone.
struct CommitFootprint {
  ReadScope scope = ReadScope::none;
  std::vector<data::Comparison> conjuncts;  ///< none: every row was read
  std::set<std::string> touched_files;      ///< decoded paths, removed or added
  std::map<std::string, std::int64_t> transactions;  ///< app id → value to be written
  std::set<std::string> domains;
};

/// Decides whether a commit that was built on `base` can be put behind commits that won
/// against it. Rules as Delta for Spark's, at its level Serializable: what was read
/// stands for rows that a winner added blindly, too.
///
/// Not thread-safe; borrows all it is given.
class ConflictCheck {
 public:
  ConflictCheck(Table& table, const Snapshot& base, const CommitFootprint& footprint)
      : table_(table), base_(base), footprint_(footprint) {}

  /// Why not, as "version 7 removed file …"; nothing if the winner changes nothing that
  /// counts. Errors: corrupt, unsupported (a deletion vector or statistics of the base
  /// that cannot be read).
  Result<std::optional<std::string>> against(Version version,
                                             const std::vector<Action>& winner) const;

 private:
  std::optional<std::string> changed_ground(const std::vector<Action>& winner) const;
  std::optional<std::string> changed_marks(const std::vector<Action>& winner) const;
  std::optional<std::string> removed_ours(const std::vector<Action>& winner) const;
  Result<std::optional<std::string>> changed_what_was_read(
      Version version, const std::vector<Action>& winner) const;
  Result<std::optional<std::string>> first_that_may_match(
      Version version, const std::vector<AddFile>& files) const;

  Table& table_;
  const Snapshot& base_;
  const CommitFootprint& footprint_;
};

}  // namespace lakemill::delta
