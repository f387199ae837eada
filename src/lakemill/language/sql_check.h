#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "lakemill/language/diagnostic.h"
#include "lakemill/language/file_reader.h"
#include "lakemill/language/model.h"

namespace lakemill::language {

enum class SqlForm : std::uint8_t { query, predicate };

/// What is wrong with SQL, and at which byte of it; without one where that is unknown.
struct SqlFault {
  std::string message;
  std::optional<std::size_t> offset;
};

/// The parser of the engine that will run the SQL: this module has none.
using SqlParser =
    std::function<std::optional<SqlFault>(std::string_view sql, SqlForm form)>;

/// Parses all SQL of a pipeline as it will stand in a run: steps, filters,
/// expectations, the conditions of merges. What only a run can put in (frames, secrets)
/// may stand there. `reader` gives the files again for the places of faults.
void check_sql(const Pipeline& pipeline, const SqlParser& parser, FileReader& reader,
               Diagnostics& diagnostics);

/// The place of the byte at `offset` of `source`, found by holding its text against
/// that of its file; as place_in() (sql_text.h) where a variable has changed the text
/// before it.
Location place_in_file(const SourceText& source, std::size_t offset,
                       std::string_view file_text);

}  // namespace lakemill::language
