#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/duckdb_session.h"
#include "lakemill/engine_duckdb/table_reader.h"

namespace lakemill::engine_duckdb {

/// What DuckDB's callbacks find out about the session that a statement runs in.
///
/// Belongs to one connection; its session changes it between statements only.
class SessionState final : public duckdb::ClientContextState {
 public:
  static constexpr const char* kKey = "lakemill_session";

  /// The session's state, or null on a connection that is no session's.
  static duckdb::shared_ptr<SessionState> of(duckdb::ClientContext& context);

  /// Sets the batch instant, so that now() gives it.
  void TransactionBegin(duckdb::MetaTransaction& transaction,
                        duckdb::ClientContext& context) override;

  const BoundName* find(std::string_view name) const;
  std::vector<std::string> names() const;  ///< as they were bound, sorted; not ours

  DuckdbInstance* instance = nullptr;
  engine::SessionOptions* options = nullptr;
  /// Whose statement runs; lakemill between statements.
  engine::Origin origin = engine::Origin::lakemill;
  bool describing = false;
  bool describing_queries = false;  ///< bound queries are told by their shape too
  std::map<std::string, BoundName> bound;       ///< by lower-case name
  std::map<std::string, std::string> spelling;  ///< lower-case name → as bound
  /// Tables bound as relations, by lower-case name.
  std::map<std::string, duckdb::shared_ptr<ScanSource>> tables;
};

/// Makes bound names visible: DuckDB asks this for tables that no catalog has.
duckdb::unique_ptr<duckdb::TableRef> replace_bound_name(
    duckdb::ClientContext& context, duckdb::ReplacementScanInput& input,
    duckdb::optional_ptr<duckdb::ReplacementScanData> data);

/// How lineage names what a scan reads: the bound name, or catalog.schema.table; empty
/// for what is no relation.
std::string relation_name(const duckdb::LogicalGet& get);

/// A call of a table function with one text.
duckdb::unique_ptr<duckdb::TableRef> function_reference(const std::string& function,
                                                        const std::string& argument);

/// A call of `lakemill_scan` for a table bound under a lower-case name.
duckdb::unique_ptr<duckdb::TableRef> bound_table_reference(const std::string& name);

/// Registers `lakemill_scan` (a bound table) and `lakemill_described` (its shape only);
/// a transaction is open.
void register_bound_names(duckdb::Connection& connection);

}  // namespace lakemill::engine_duckdb
