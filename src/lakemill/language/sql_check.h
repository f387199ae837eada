#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/language/diagnostic.h"
#include "lakemill/language/file_reader.h"
#include "lakemill/language/model.h"

namespace lakemill::language {

/// What SQL stands for, and so what may stand in it.
enum class SqlForm : std::uint8_t {
  query,
  expression,  ///< part of a query
  filter,      ///< of a source: true or false of one row
  condition,   ///< of a merge: true or false of one change
  row_check,   ///< of a ROW expectation: true or false of one row
  aggregate_check
};

/// What is wrong with SQL, and at which byte of it; without one where that is unknown.
struct SqlFault {
  std::string message;
  std::optional<std::size_t> offset;
};

/// The parser of the engine that will run the SQL: this module has none.
using SqlParser =
    std::function<std::optional<SqlFault>(std::string_view sql, SqlForm form)>;

/// A table that SQL names (`schema.t`, `catalog.schema.t`), or the place of a
/// delta_scan, and at which byte.
struct TableMention {
  TableName table;    ///< without a table: `place` is what is named
  std::string place;  ///< a path, or a table's name
  std::size_t offset = 0;
};

/// The tables that SQL reads as they are now; none where it cannot be parsed.
using TableNamer =
    std::function<std::vector<TableMention>(std::string_view sql, SqlForm form)>;

/// SQL as a run will parse it, byte for byte as long: names in place of frames, a
/// literal in place of what a run puts in.
std::string sql_as_in_a_run(std::string_view text);

/// True for expectations that are dataframe expressions rather than SQL.
bool is_dataframe_expectation(const Expectation& expectation);

/// Parses all SQL of a pipeline as it will stand in a run: steps, filters,
/// expectations, the conditions of merges and of triggers. What only a run can put in
/// (frames, secrets) may stand there. `reader` gives the files again for the places of
/// faults.
void check_sql(const Pipeline& pipeline, const SqlParser& parser, FileReader& reader,
               Diagnostics& diagnostics);

/// The same of a project's subscriptions.
void check_sql(const Project& project, const SqlParser& parser, FileReader& reader,
               Diagnostics& diagnostics);

/// `place`, where it tells only a line, with the column at which `name` stands there
/// (or the brace in front of it), if it does. `reader` may be null.
Location place_of_name(Location place, std::string_view name, FileReader* reader);

/// The place of the byte at `offset` of `source`, found by holding its text against
/// that of its file; as place_in() (sql_text.h) where a variable has changed the text
/// before it.
Location place_in_file(const SourceText& source, std::size_t offset,
                       std::string_view file_text);

}  // namespace lakemill::language
