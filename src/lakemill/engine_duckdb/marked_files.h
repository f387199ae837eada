#pragma once

#include <string>
#include <string_view>

#include <duckdb.hpp>
#include <duckdb/common/file_system.hpp>

namespace lakemill::engine_duckdb {

/// What UTF-8 files of some programs begin with.
inline constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

/// The path under which DuckDB's readers find the file `url` without its mark, which
/// those of JSON refuse.
std::string path_behind_mark(std::string_view url);

/// A message in which such paths are those of the files.
std::string with_plain_paths(std::string message);

/// The files of such paths: those of `database`, three bytes on. Read only.
duckdb::unique_ptr<duckdb::FileSystem> make_marked_files(
    duckdb::DatabaseInstance& database);

}  // namespace lakemill::engine_duckdb
