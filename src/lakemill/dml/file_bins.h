#pragma once

#include <cstdint>
#include <vector>

#include "lakemill/delta/snapshot.h"

namespace lakemill::dml {

/// Which files of a table are to be written as one.
struct BinRules {
  std::int64_t target_bytes = 128 << 20;
  std::size_t files_min = 2;  ///< of a bin, unless deleted rows are to go
  /// A file of which more than this share is deleted is written anew even alone.
  double deleted_share_max = 0.05;
  std::int64_t deleted_bytes_min = 0;  ///< but not for less than these
  /// Only files that the smaller ones of the bin outweigh together, once it has
  /// files_min: a row is then written anew only about as often as the table doubles.
  bool tiered = false;
};

struct FileBin {
  std::vector<std::size_t> files;  ///< indexes in the snapshot's (and its scan's) files
  std::int64_t live_bytes = 0;     ///< about, without deleted rows
};

/// Packs the small files of each partition into bins of about the target's size; files
/// that another program clustered are left to it, here and below.
std::vector<FileBin> plan_bins(const delta::Snapshot& snapshot, const BinRules& rules);

/// True if a file is to be written anew for its deleted rows.
bool has_much_deleted(const delta::Snapshot& snapshot, const BinRules& rules);

/// About how many bytes of a file are of rows that are left.
std::int64_t live_bytes(const delta::AddFile& file);

/// True for a file that is to be written anew for its deleted rows.
bool is_much_deleted(const delta::AddFile& file, const BinRules& rules);

/// How many files are smaller than the target, deleted rows not counted.
std::size_t small_files(const delta::Snapshot& snapshot, std::int64_t target_bytes);

}  // namespace lakemill::dml
