#include "lakemill/engine_duckdb/files_relation.h"

#include <map>

#include <duckdb/optimizer/optimizer.hpp>
#include <duckdb/optimizer/optimizer_extension.hpp>

#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/duckdb_session.h"
#include "lakemill/engine_duckdb/files_plan.h"
#include "lakemill/engine_duckdb/session_state.h"
#include "lakemill/engine_duckdb/type_mapping.h"

namespace lakemill::engine_duckdb {

namespace {

constexpr const char* kFunction = "lakemill_files";
constexpr const char* kStateKey = "lakemill_files";

using PlanPointer = std::shared_ptr<const FilesPlan>;

// The bound files of one session, by the number that stands in its statements.
struct BoundFiles final : duckdb::ClientContextState {
  std::map<std::string, PlanPointer> plans;
};

struct FilesData final : duckdb::TableFunctionData {
  PlanPointer plan;
};

const std::vector<std::pair<std::string, duckdb::LogicalType>>& hidden_columns() {
  static const std::vector<std::pair<std::string, duckdb::LogicalType>> kHidden = {
      {kArrivalColumn, duckdb::LogicalType::BIGINT},
      {kRowColumn, duckdb::LogicalType::BIGINT},
      {kFileColumn, duckdb::LogicalType::VARCHAR}};
  return kHidden;
}

duckdb::unique_ptr<duckdb::FunctionData> bind_function(
    duckdb::ClientContext& context, duckdb::TableFunctionBindInput& input,
    duckdb::vector<duckdb::LogicalType>& types, duckdb::vector<std::string>& names) {
  const auto state = context.registered_state->Get<BoundFiles>(kStateKey);
  const std::string key = input.inputs[0].ToString();
  if (!state || !state->plans.contains(key)) {
    throw duckdb::BinderException("no files are bound as %s", key);
  }
  auto data = duckdb::make_uniq<FilesData>();
  data->plan = state->plans.at(key);
  const QueryColumns& columns = data->plan->columns;
  types = columns.types;
  names = {columns.names.begin(), columns.names.end()};
  return data;
}

duckdb::virtual_column_map_t virtual_columns(
    duckdb::ClientContext& /*context*/,
    duckdb::optional_ptr<duckdb::FunctionData> /*data*/) {
  duckdb::virtual_column_map_t columns;
  auto id = duckdb::VIRTUAL_COLUMN_START;
  for (const auto& [name, type] : hidden_columns()) {
    columns.insert({id++, duckdb::TableColumn(name, type)});
  }
  columns.insert({duckdb::COLUMN_IDENTIFIER_EMPTY,
                  duckdb::TableColumn("", duckdb::LogicalType::BOOLEAN)});
  return columns;
}

void never_scanned(duckdb::ClientContext& /*context*/,
                   duckdb::TableFunctionInput& /*call*/,
                   duckdb::DataChunk& /*output*/) {
  throw duckdb::InternalException("lakemill_files was not replaced by its readers");
}

// The name of a column that a scan gives; empty: none is asked for, only rows.
std::string used_name(const duckdb::LogicalGet& get, const duckdb::ColumnIndex& index) {
  const duckdb::column_t id = index.GetPrimaryIndex();
  if (id < get.names.size()) return get.names[id];
  const auto& hidden = hidden_columns();
  if (id >= duckdb::VIRTUAL_COLUMN_START &&
      id - duckdb::VIRTUAL_COLUMN_START < hidden.size()) {
    return hidden[id - duckdb::VIRTUAL_COLUMN_START].first;
  }
  return "";
}

duckdb::unique_ptr<duckdb::LogicalOperator> read_files(
    duckdb::OptimizerExtensionInput& input, duckdb::LogicalGet& get) {
  const FilesPlan& plan = *get.bind_data->Cast<FilesData>().plan;
  std::vector<std::string> used;
  for (const auto& index : get.GetColumnIds()) {
    const std::string name = used_name(get, index);
    if (!name.empty() && std::find(used.begin(), used.end(), name) == used.end()) {
      used.push_back(name);
    }
  }
  duckdb::Parser parser(input.context.GetParserOptions());
  parser.ParseQuery(files_sql(plan, used));
  const auto binder =
      duckdb::Binder::CreateBinder(input.context, &input.optimizer.binder);
  binder->SetCanContainNulls(true);
  auto bound = binder->Bind(*parser.statements.at(0));
  const auto bindings = bound.plan->GetColumnBindings();
  duckdb::vector<duckdb::unique_ptr<duckdb::Expression>> expressions;
  for (const auto& index : get.GetColumnIds()) {
    const std::string name = used_name(get, index);
    const duckdb::LogicalType& type = get.GetColumnType(index);
    if (name.empty()) {
      expressions.push_back(
          duckdb::make_uniq<duckdb::BoundConstantExpression>(duckdb::Value(type)));
      continue;
    }
    const auto at = static_cast<std::size_t>(std::find(used.begin(), used.end(), name) -
                                             used.begin());
    auto column = duckdb::make_uniq<duckdb::BoundColumnRefExpression>(bound.types[at],
                                                                      bindings[at]);
    expressions.push_back(duckdb::BoundCastExpression::AddCastToType(
        input.context, std::move(column), type));
  }
  if (expressions.empty()) {
    expressions.push_back(duckdb::make_uniq<duckdb::BoundConstantExpression>(
        duckdb::Value::BOOLEAN(true)));
  }
  auto projection = duckdb::make_uniq<duckdb::LogicalProjection>(
      get.table_index, std::move(expressions));
  projection->children.push_back(std::move(bound.plan));
  projection->ResolveOperatorTypes();
  return projection;
}

void replace_scans(duckdb::OptimizerExtensionInput& input,
                   duckdb::unique_ptr<duckdb::LogicalOperator>& plan) {
  if (plan->type == duckdb::LogicalOperatorType::LOGICAL_GET) {
    auto& get = plan->Cast<duckdb::LogicalGet>();
    if (get.function.name == kFunction) {
      plan = read_files(input, get);
      return;
    }
  }
  for (auto& child : plan->children) replace_scans(input, child);
}

}  // namespace

Status bind_files(DuckdbSession& session, std::string_view name,
                  const engine::FilesRelation& files) {
  auto planned = plan_files(session, files);
  if (!planned) return std::move(planned).error();
  const auto plan = std::make_shared<const FilesPlan>(std::move(*planned));
  const auto state =
      session.connection().context->registered_state->GetOrCreate<BoundFiles>(
          kStateKey);
  const std::string key = to_lower(name);
  state->plans[key] = plan;
  BoundName bound;
  bound.make_reference = [key] { return function_reference(kFunction, key); };
  bound.names = plan->columns.names;
  bound.types = plan->columns.types;
  bound.hidden = hidden_columns();
  return session.bind_reference(name, std::move(bound));
}

Result<data::Schema> schema_of_files(DuckdbSession& session,
                                     const engine::FilesRelation& files) {
  LAKEMILL_TRY(const FilesPlan plan, plan_files(session, files));
  return from_duckdb(plan.columns.names, plan.columns.types);
}

void register_files(duckdb::Connection& connection) {
  auto& context = *connection.context;
  duckdb::TableFunction files(kFunction, {duckdb::LogicalType::VARCHAR}, never_scanned,
                              bind_function);
  files.get_virtual_columns = virtual_columns;
  files.projection_pushdown = true;
  duckdb::CreateTableFunctionInfo info(std::move(files));
  duckdb::Catalog::GetSystemCatalog(context).CreateTableFunction(context, info);
  duckdb::OptimizerExtension extension;
  extension.pre_optimize_function = replace_scans;
  duckdb::OptimizerExtension::Register(duckdb::DBConfig::GetConfig(context),
                                       std::move(extension));
}

}  // namespace lakemill::engine_duckdb
