#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "lakemill/data/value.h"
#include "lakemill/engine/relation.h"

namespace lakemill::engine {

/// What becomes of a row whose predicate is false or null.
enum class OnFail : std::uint8_t { keep, drop, quarantine };

/// A predicate checked on every row in the same pass that writes it.
struct RowCheck {
  std::string name;
  std::string predicate;  ///< SQL over the columns of the query
  OnFail on_fail = OnFail::keep;
};

/// New Parquet data files of a Delta table, in its root.
struct TableFilesTarget {
  std::string folder_url;   ///< the table's root
  std::string file_prefix;  ///< file names begin with it, then are unique: "part-…"
  /// What the files must hold: the table's logical columns with mapping metadata.
  /// Columns of the query are matched by name, cast where Delta allows it, else an
  /// error that names the column; a column the query lacks is null.
  data::Schema schema;
  std::string column_mapping_mode;  ///< "none", "name", "id"
  std::vector<std::string> partition_by;
  std::int64_t target_file_bytes = 0;  ///< 0: one file per partition
  std::string compression;             ///< "snappy", "zstd", "lz4_raw"
  int parquet_version = 1;             ///< of the encodings: 1 or 2
  std::int64_t row_group_rows = 0;     ///< 0: the engine's default
};

/// One file outside any table, written under a temporary name and renamed when
/// complete.
struct FileTarget {
  std::string url;
  FileFormat format = FileFormat::parquet;
  std::map<std::string, std::string> options;  ///< writer_kwargs that we know
};

/// A temporary relation of the session, spilled to disk where memory ends.
struct TemporaryTarget {
  std::string name;
};

using WriteTarget = std::variant<TableFilesTarget, FileTarget, TemporaryTarget>;

/// One pass: run a query, check each row, write what is kept and what is quarantined.
struct WriteSpec {
  std::string sql;
  std::vector<RowCheck> checks;
  WriteTarget target;
  /// Where quarantined rows go: the query's columns, those of ours (`_lakemill_…`) left
  /// out, and `_failed_expectations` (array<string>: the failed quarantine checks).
  /// Needed if a check quarantines.
  std::optional<WriteTarget> quarantine;
};

/// Minimum and maximum of one leaf column in one file; null where not known.
struct WrittenColumn {
  std::vector<std::string> path;  ///< names in the file (physical), outermost first
  data::Value minimum;
  data::Value maximum;
  std::optional<std::int64_t> null_count;
};

struct WrittenFile {
  std::string path;  ///< relative to the folder (not encoded); for a FileTarget its url
  std::int64_t size_bytes = 0;
  std::int64_t row_count = 0;
  std::map<std::string, data::Value> partition_values;  ///< by logical name, typed
  std::vector<WrittenColumn> columns;
};

struct WriteResult {
  data::Schema schema;  ///< of the query
  std::vector<WrittenFile> files;
  std::vector<WrittenFile> quarantine_files;
  std::int64_t input_rows = 0;  ///< = written + dropped + quarantined
  std::int64_t written_rows = 0;
  std::int64_t dropped_rows = 0;
  std::int64_t quarantined_rows = 0;
  std::vector<std::int64_t> failed_rows;  ///< per check, in the order of the spec
};

}  // namespace lakemill::engine
