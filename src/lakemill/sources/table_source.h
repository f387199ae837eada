#pragma once

#include <memory>
#include <optional>
#include <string>

#include "lakemill/delta/snapshot.h"
#include "lakemill/sources/source.h"

namespace lakemill::sources {

struct TableSourceSpec {
  std::string name;  ///< for messages
  bool incremental = false;
  std::optional<delta::Version> version;  ///< a fixed version; read as a whole only
  std::optional<Instant> timestamp;       ///< likewise
  /// The flow that writes the table, or empty: its generation is part of the offset, so
  /// that a reader knows when all rows were made anew.
  std::string writer_app_id;
  /// What commits changed instead of what they appended: see change_slice.h.
  bool read_changes = false;
  /// Of what one batch reads at most; 0: no bound. A commit is never split: one that is
  /// larger is read by itself.
  std::int64_t rows_max = 0;
  std::int64_t bytes_max = 0;
  std::int64_t files_max = 0;
};

/// A Delta table: as a whole at a version, or the rows that commits appended or
/// changed.
std::unique_ptr<Source> make_table_source(TableSourceSpec spec,
                                          std::shared_ptr<delta::Table> table);

}  // namespace lakemill::sources
