#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <duckdb.hpp>

#include "lakemill/base/result.h"
#include "lakemill/engine/engine.h"

namespace lakemill::engine_duckdb {

/// Parses one statement and decides whether `origin` may run it. For others' text: it
/// must be one SELECT, and every function it names must be one that they may call
/// (files, settings, extensions and the like are refused, whatever they hide in).
/// Names with a schema are led to our catalog; `default_catalog` is that of names
/// without one.
///
/// The second half of the gate looks at the bound plan (register_gate), because names
/// may come from macros.
/// Errors: invalid (with the place), denied.
Result<duckdb::unique_ptr<duckdb::SQLStatement>> parse_statement(
    duckdb::ClientContext& context, std::string_view sql, engine::Origin origin,
    const std::string& default_catalog);

/// The same for a predicate of a pipeline's author, which stands in text of ours.
Status check_predicate(duckdb::ClientContext& context, std::string_view predicate);

/// What a parser has found, if it is one statement that `origin` may run by its kind.
/// Errors: invalid, denied.
Result<duckdb::unique_ptr<duckdb::SQLStatement>> only_statement(duckdb::Parser& parser,
                                                                engine::Origin origin);

/// Throws (throw_error) if an author's own text names a function that he may not call,
/// or anything by a name that begins with `_lakemill_`, as our text around it does.
void refuse_forbidden_names(duckdb::QueryNode& query);
void refuse_forbidden_names(duckdb::ParsedExpression& predicate);

/// The unqualified names of tables that a parsed SELECT uses, in lower case; names of
/// its own WITH clauses included.
std::set<std::string> table_names(duckdb::SelectStatement& statement);

/// A table of the catalog that SQL names by its schema, or by a constant of delta_scan.
struct MentionedTable {
  std::string catalog;  ///< empty: the default one
  std::string schema;
  std::string table;
  std::string place;  ///< what delta_scan was given, the parts above being empty
  duckdb::optional_idx offset;
};

/// Those that text of a pipeline's author names, in order; those AT a version or a time
/// are left out.
std::vector<MentionedTable> catalog_tables(duckdb::QueryNode& query);
std::vector<MentionedTable> catalog_tables(duckdb::ParsedExpression& predicate);

/// Adds the check of bound plans to a DuckDB that is open.
void register_gate(duckdb::DBConfig& config);

}  // namespace lakemill::engine_duckdb
