#include "lakemill/engine_duckdb/session_state.h"

#include <duckdb/transaction/meta_transaction.hpp>

#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/catalog_extension.h"
#include "lakemill/engine_duckdb/error_mapping.h"

namespace lakemill::engine_duckdb {
namespace {

using duckdb::ClientContext;
using duckdb::LogicalType;
using duckdb::Value;

duckdb::unique_ptr<duckdb::FunctionData> bind_bound_table(
    ClientContext& context, duckdb::TableFunctionBindInput& input,
    duckdb::vector<LogicalType>& types, duckdb::vector<std::string>& names) {
  const auto state = SessionState::of(context);
  const auto name = input.inputs[0].ToString();
  if (!state || !state->tables.contains(name)) {
    throw duckdb::BinderException("no table is bound as %s", name);
  }
  auto scan = bind_scan(context, state->tables.at(name));
  types = std::move(scan.types);
  names = {scan.names.begin(), scan.names.end()};
  return std::move(scan.bind_data);
}

// The shape of a bound name: describe() opens no file.
struct DescribedData final : duckdb::TableFunctionData {
  std::string spelling;
  std::vector<std::pair<std::string, LogicalType>> hidden;
};

duckdb::unique_ptr<duckdb::FunctionData> bind_described(
    ClientContext& context, duckdb::TableFunctionBindInput& input,
    duckdb::vector<LogicalType>& types, duckdb::vector<std::string>& names) {
  const auto state = SessionState::of(context);
  const auto name = input.inputs[0].ToString();
  const auto* bound = state ? state->find(name) : nullptr;
  if (bound == nullptr) throw duckdb::BinderException("nothing is bound as %s", name);
  types = bound->types;
  names = {bound->names.begin(), bound->names.end()};
  auto data = duckdb::make_uniq<DescribedData>();
  data->spelling = state->spelling.at(name);
  data->hidden = bound->hidden;
  return data;
}

duckdb::virtual_column_map_t described_hidden(
    ClientContext&, duckdb::optional_ptr<duckdb::FunctionData> bind_data) {
  duckdb::virtual_column_map_t columns;
  const auto& data = bind_data->Cast<DescribedData>();
  auto id = duckdb::VIRTUAL_COLUMN_START;
  for (const auto& [name, type] : data.hidden) {
    columns.insert({id++, duckdb::TableColumn(name, type)});
  }
  columns.insert(
      {duckdb::COLUMN_IDENTIFIER_EMPTY, duckdb::TableColumn("", LogicalType::BOOLEAN)});
  return columns;
}

// Our catalog was asked already, and has no table of that name.
[[noreturn]] void throw_no_such_table(const SessionState& state,
                                      const duckdb::ReplacementScanInput& input) {
  auto text = "there is no table " + input.schema_name + "." + input.table_name;
  auto* tables = state.instance == nullptr ? nullptr : state.instance->tables();
  auto known = tables == nullptr ? Result<std::vector<TableId>>(std::vector<TableId>())
                                 : tables->list();
  std::vector<std::string> names;
  if (known) {
    for (const auto& id : *known) {
      if (catalog_schema_name(id.catalog, id.schema) == input.schema_name) {
        names.push_back(id.table);
      }
    }
  }
  if (const auto near = nearest(input.table_name, names)) {
    text += "; did you mean " + input.schema_name + "." + *near + "?";
  }
  throw_error(Error(ErrorCode::not_found, text));
}

void no_rows(ClientContext&, duckdb::TableFunctionInput&, duckdb::DataChunk& output) {
  output.SetCardinality(0);
}

}  // namespace

duckdb::unique_ptr<duckdb::TableRef> function_reference(const std::string& function,
                                                        const std::string& argument) {
  duckdb::vector<duckdb::unique_ptr<duckdb::ParsedExpression>> arguments;
  arguments.push_back(duckdb::make_uniq<duckdb::ConstantExpression>(Value(argument)));
  auto reference = duckdb::make_uniq<duckdb::TableFunctionRef>();
  reference->function =
      duckdb::make_uniq<duckdb::FunctionExpression>(function, std::move(arguments));
  return reference;
}

duckdb::shared_ptr<SessionState> SessionState::of(ClientContext& context) {
  return context.registered_state->Get<SessionState>(kKey);
}

void SessionState::TransactionBegin(duckdb::MetaTransaction& transaction,
                                    ClientContext&) {
  if (options == nullptr) return;
  transaction.start_timestamp =
      duckdb::timestamp_t(options->now.time_since_epoch().count());
}

const BoundName* SessionState::find(std::string_view name) const {
  const auto found = bound.find(to_lower(name));
  return found == bound.end() ? nullptr : &found->second;
}

std::vector<std::string> SessionState::names() const {
  std::vector<std::string> result;
  for (const auto& [lower, name] : spelling) {
    if (!name.starts_with("_lakemill_")) result.push_back(name);
  }
  return result;
}

duckdb::unique_ptr<duckdb::TableRef> replace_bound_name(
    ClientContext& context, duckdb::ReplacementScanInput& input,
    duckdb::optional_ptr<duckdb::ReplacementScanData>) {
  const auto state = SessionState::of(context);
  if (!state) return nullptr;
  const bool bare = input.schema_name.empty() && input.catalog_name.empty();
  const auto name = to_lower(input.table_name);
  if (input.catalog_name == kCatalogName) throw_no_such_table(*state, input);
  const auto* bound = bare ? state->find(name) : nullptr;
  if (bound == nullptr) {
    if (state->origin != engine::Origin::pipeline) return nullptr;
    // Else DuckDB would go on and take the name for a file.
    const auto near = nearest(input.table_name, state->names());
    auto text = "there is no table named " + input.table_name;
    if (near) text += "; did you mean " + *near + "?";
    throw duckdb::BinderException("%s", text);
  }
  const bool told = bound->is_query ? state->describing_queries : state->describing;
  if (told && !bound->names.empty()) {
    return function_reference("lakemill_described", name);
  }
  return bound->make_reference();
}

duckdb::unique_ptr<duckdb::TableRef> bound_table_reference(const std::string& name) {
  return function_reference("lakemill_scan", name);
}

std::string relation_name(const duckdb::LogicalGet& get) {
  if (const auto* source = scan_source(get.bind_data.get())) return source->name;
  if (const auto* described = dynamic_cast<const DescribedData*>(get.bind_data.get())) {
    return described->spelling;
  }
  return "";
}

void register_bound_names(duckdb::Connection& connection) {
  auto& context = *connection.context;
  auto& catalog = duckdb::Catalog::GetSystemCatalog(context);
  auto scan = scan_function(context, "lakemill_scan");
  scan.bind = bind_bound_table;
  scan.named_parameters.clear();
  duckdb::CreateTableFunctionInfo scan_info(std::move(scan));
  catalog.CreateTableFunction(context, scan_info);

  duckdb::TableFunction described("lakemill_described", {LogicalType::VARCHAR}, no_rows,
                                  bind_described);
  described.get_virtual_columns = described_hidden;
  described.projection_pushdown = true;
  duckdb::CreateTableFunctionInfo described_info(std::move(described));
  catalog.CreateTableFunction(context, described_info);
}

}  // namespace lakemill::engine_duckdb
