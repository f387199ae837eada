#pragma once

#include <optional>
#include <string>

#include "lakemill/engine_duckdb/duckdb_headers.h"

namespace lakemill::engine_duckdb {

/// What is wrong with a zstd file as a whole: it is cut short, or no zstd at all;
/// nothing where it is whole, or is not read as one. Only its blocks are counted: their
/// sums are checked by the engine, whose readers take the end of a file for the end of
/// its rows. `how`: how the reader will read it.
/// Throws what the file system of the engine throws.
std::optional<std::string> zstd_fault(duckdb::FileHandle& file,
                                      duckdb::FileCompressionType how);

}  // namespace lakemill::engine_duckdb
