#pragma once

#include <optional>
#include <string>

#include "lakemill/data/type.h"
#include "lakemill/flow/workspace.h"

namespace lakemill::flow {

/// The schema that a FILE source declares (`schema`, or the file at `schema_location`:
/// a JSON schema as Delta writes it), or nothing. Errors: invalid, with the place.
Result<std::optional<data::Schema>> declared_schema(const Workspace& workspace,
                                                    const language::Source& source);

/// Columns that the pipeline names with their types. Errors: invalid, with the place of
/// the column and `subject` in front of its name.
Result<data::Schema> schema_of(const std::vector<language::ColumnSpec>& columns,
                               const std::string& subject);

/// The columns that a node promises to write, or nothing unless it names them all with
/// types. Errors: invalid, with the place.
Result<std::optional<data::Schema>> contract_schema(const language::Node& node);

/// The rows of a DATAFRAME source (records, or columns) as a JSON array of objects.
/// Errors: invalid, with the place: columns of different lengths, rows that are no
/// mapping.
Result<std::string> dataframe_rows(const language::Tree& data);

}  // namespace lakemill::flow
