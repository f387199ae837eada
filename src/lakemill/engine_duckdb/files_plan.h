#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <duckdb.hpp>

#include "lakemill/engine/relation.h"
#include "lakemill/engine_duckdb/column_conformance.h"
#include "lakemill/engine_duckdb/duckdb_session.h"

namespace lakemill::engine_duckdb {

constexpr const char* kArrivalColumn = "_lakemill_arrival";
constexpr const char* kRowColumn = "_lakemill_row";
constexpr const char* kFileColumn = "_lakemill_file";
constexpr const char* kRescuedColumn = "_rescued";

/// A column as the files have it, before it is made what the relation says.
struct SourceColumn {
  std::string name;
  duckdb::LogicalType type;  ///< as the reader is told to read it
  bool always_fits = true;   ///< JSON: what was seen in the files fits the schema
};

/// Consecutive files with the same columns, which one call of a reader reads.
struct FileGroup {
  std::size_t first = 0;  ///< index in the relation's files
  std::size_t count = 0;
  std::vector<SourceColumn> columns;
  /// JSON: records are read as text, and their values taken out of formats::exact_json.
  bool exact_numbers = false;
  std::set<std::string> text_paths = {};  ///< for it: where the columns have texts
  bool mixed_ends = false;                ///< CSV: rows do not all end alike
};

/// Raw files, looked at: everything that SQL over them needs.
struct FilesPlan {
  engine::FilesRelation relation;
  std::map<std::string, std::string> options;  ///< DuckDB's names → SQL values
  QueryColumns columns;  ///< what `SELECT *` gives, `_rescued` included
  std::vector<FileGroup> groups;
  std::set<std::string>
      marked;  ///< urls of JSON files that begin with a byte-order mark
  std::set<std::string> only_nulls;    ///< of `columns`: no value tells the type
  std::optional<QueryColumns> before;  ///< of files_before, once they were asked for
};

/// Looks at headers and, where no schema is given, at the files' contents.
/// Errors: invalid, not_found: naming the file and what is wrong in it.
Result<FilesPlan> plan_files(DuckdbSession& session,
                             const engine::FilesRelation& relation);

/// A SELECT of those columns (visible or hidden ones), in that order. Rows come in the
/// order of the files, and within a file in its own.
std::string files_sql(const FilesPlan& plan, const std::vector<std::string>& columns);

/// Whether lakemill_text_lines (text_lines.h) reads the files: text in UTF-8.
bool reads_lines(const FilesPlan& plan);

/// A file's path as an SQL string that DuckDB's readers do not take for a pattern.
std::string path_literal(const std::string& url);

/// The same of a file of the plan, as its reader is to find it.
std::string path_to_read(const FilesPlan& plan, const engine::InputFile& file);

/// The call of DuckDB's reader over one group, or over one of its files.
std::string reader_sql(const FilesPlan& plan, const FileGroup& group, std::size_t first,
                       std::size_t count);

}  // namespace lakemill::engine_duckdb
