#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "lakemill/base/result.h"
#include "lakemill/data/table_scan.h"

namespace lakemill::engine {

/// Rows of Parquet files under a table's schema. In SQL it also has the hidden columns
/// `_lakemill_file` (UBIGINT: index in scan->files()) and `_lakemill_row` (BIGINT:
/// position in the file, deleted rows counted), which `SELECT *` leaves out.
struct TableRelation {
  std::shared_ptr<const data::TableScan> scan;
};

enum class FileFormat : std::uint8_t { csv, json, jsonl, parquet, text, binaryfile };

/// A raw file as it was seen when the batch was planned.
struct InputFile {
  std::string url;
  std::int64_t arrival = 0;  ///< its number in the source's arrival log
  std::int64_t size_bytes = 0;
};

/// Raw files outside any table, united by name. In SQL it also has the hidden columns
/// `_lakemill_arrival` (BIGINT), `_lakemill_row` (BIGINT, from 0 in each file) and
/// `_lakemill_file` (VARCHAR: the url).
struct FilesRelation {
  FileFormat format = FileFormat::csv;
  std::vector<InputFile> files;
  bool has_header = true;              ///< CSV
  bool infer_schema = false;           ///< CSV: else every column is a string
  std::optional<data::Schema> schema;  ///< what the columns must be; else found out
  /// Where no schema is given: what the columns are known to be. A column (or nested
  /// value) in which only nulls are found has that type; integers have it where it is
  /// a fraction.
  std::optional<data::Schema> known_types;
  /// Likewise: files whose types are taken for nulls of which nothing else is known,
  /// and whose columns are taken where there is none. Asked when they are needed, while
  /// the relation is bound; may be empty.
  std::function<Result<std::vector<InputFile>>()> files_before = {};
  /// And where those do not tell: the types that columns were found to have before.
  std::optional<data::Schema> remembered_types = std::nullopt;
  /// With `rescue`, what does not fit `schema` goes to a column `_rescued` (VARCHAR,
  /// JSON, null when all fits) instead of failing.
  bool rescue = false;
  std::map<std::string, std::string>
      options;  ///< reader_kwargs that we know: delimiter, quote, escape, encoding, …
};

/// Rows written in the pipeline itself.
struct RowsRelation {
  std::string json_rows;  ///< an array of objects
  std::optional<data::Schema> schema;
};

/// Whole rows in a file of formats/text_rows.h.
struct TextRowsBlock {
  std::string url;
  std::int64_t offset = 0;  ///< where the first row begins
  std::int64_t size_bytes = 0;
};

/// Rows of nullable texts that a source decoded, every column a string; in the order of
/// the blocks. Only names that are one of `columns` can be asked for.
struct TextRowsRelation {
  std::vector<std::string> columns;
  std::vector<TextRowsBlock> blocks;
};

using Relation =
    std::variant<TableRelation, FilesRelation, RowsRelation, TextRowsRelation>;

}  // namespace lakemill::engine
