// Reads formats/text_rows.h: blocks are read side by side, each by one thread, and
// their order is kept where DuckDB asks for it.

#include "lakemill/engine_duckdb/text_rows_relation.h"

#include <atomic>

#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/session_state.h"
#include "lakemill/formats/text_rows.h"

namespace lakemill::engine_duckdb {

namespace {

constexpr const char* kFunction = "lakemill_text_rows";
constexpr const char* kStateKey = "lakemill_text_rows";

using RowsPointer = std::shared_ptr<const engine::TextRowsRelation>;

// The bound rows of one session, by the name that stands in its statements.
struct BoundTextRows final : duckdb::ClientContextState {
  std::map<std::string, RowsPointer> rows;
};

struct TextRowsData final : duckdb::TableFunctionData {
  RowsPointer rows;
};

struct GlobalScan final : duckdb::GlobalTableFunctionState {
  std::size_t blocks = 0;
  std::atomic<std::size_t> next_block{0};
  /// For each column of the rows: where it goes in the output, or nothing.
  std::vector<std::optional<std::size_t>> places;

  duckdb::idx_t MaxThreads() const override { return std::max<std::size_t>(1, blocks); }
};

struct LocalScan final : duckdb::LocalTableFunctionState {
  std::size_t block = 0;
  std::string bytes;
  std::string_view rest;
  std::vector<std::optional<std::string_view>> row;
};

duckdb::unique_ptr<duckdb::FunctionData> bind_function(
    duckdb::ClientContext& context, duckdb::TableFunctionBindInput& input,
    duckdb::vector<duckdb::LogicalType>& types, duckdb::vector<std::string>& names) {
  const auto state = context.registered_state->Get<BoundTextRows>(kStateKey);
  const std::string key = input.inputs[0].ToString();
  if (!state || !state->rows.contains(key)) {
    throw duckdb::BinderException("no rows are bound as %s", key);
  }
  auto data = duckdb::make_uniq<TextRowsData>();
  data->rows = state->rows.at(key);
  for (const std::string& column : data->rows->columns) {
    names.push_back(column);
    types.push_back(duckdb::LogicalType::VARCHAR);
  }
  return data;
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> begin_scan(
    duckdb::ClientContext& /*context*/, duckdb::TableFunctionInitInput& input) {
  const engine::TextRowsRelation& rows = *input.bind_data->Cast<TextRowsData>().rows;
  auto scan = duckdb::make_uniq<GlobalScan>();
  scan->blocks = rows.blocks.size();
  scan->places.resize(rows.columns.size());
  for (std::size_t i = 0; i < input.column_ids.size(); ++i) {
    const auto column = input.column_ids[i];
    if (column < scan->places.size()) scan->places[column] = i;
  }
  return scan;
}

duckdb::unique_ptr<duckdb::LocalTableFunctionState> begin_local_scan(
    duckdb::ExecutionContext& /*context*/, duckdb::TableFunctionInitInput& input,
    duckdb::GlobalTableFunctionState* /*global*/) {
  auto scan = duckdb::make_uniq<LocalScan>();
  scan->row.resize(input.bind_data->Cast<TextRowsData>().rows->columns.size());
  return scan;
}

// Reads the next block that nobody has; false at the end.
bool next_block(duckdb::ClientContext& context, const engine::TextRowsRelation& rows,
                GlobalScan& global, LocalScan& local) {
  local.block = global.next_block.fetch_add(1);
  if (local.block >= rows.blocks.size()) return false;
  const engine::TextRowsBlock& block = rows.blocks[local.block];
  auto& files = duckdb::FileSystem::GetFileSystem(context);
  const auto file = files.OpenFile(block.url, duckdb::FileFlags::FILE_FLAGS_READ);
  local.bytes.resize(static_cast<std::size_t>(block.size_bytes));
  file->Read(local.bytes.data(), local.bytes.size(),
             static_cast<duckdb::idx_t>(block.offset));
  local.rest = local.bytes;
  return true;
}

void put_row(const GlobalScan& global, const LocalScan& local, duckdb::idx_t at,
             duckdb::DataChunk& output) {
  for (std::size_t i = 0; i < local.row.size(); ++i) {
    if (!global.places[i]) continue;
    duckdb::Vector& column = output.data[*global.places[i]];
    if (!local.row[i]) {
      duckdb::FlatVector::SetNull(column, at, true);
      continue;
    }
    duckdb::FlatVector::GetData<duckdb::string_t>(column)[at] =
        duckdb::StringVector::AddString(column, local.row[i]->data(),
                                        local.row[i]->size());
  }
}

void scan_rows(duckdb::ClientContext& context, duckdb::TableFunctionInput& call,
               duckdb::DataChunk& output) {
  const engine::TextRowsRelation& rows = *call.bind_data->Cast<TextRowsData>().rows;
  auto& global = call.global_state->Cast<GlobalScan>();
  auto& local = call.local_state->Cast<LocalScan>();
  duckdb::idx_t count = 0;
  while (count == 0) {
    if (local.rest.empty() && !next_block(context, rows, global, local)) break;
    while (count < STANDARD_VECTOR_SIZE && !local.rest.empty()) {
      if (!formats::take_text_row(local.rest, local.row)) {
        throw duckdb::IOException("the rows in %s are cut off",
                                  rows.blocks[local.block].url);
      }
      put_row(global, local, count++, output);
    }
  }
  output.SetCardinality(count);
}

duckdb::OperatorPartitionData partition_of(
    duckdb::ClientContext& /*context*/, duckdb::TableFunctionGetPartitionInput& input) {
  return duckdb::OperatorPartitionData(input.local_state->Cast<LocalScan>().block);
}

duckdb::virtual_column_map_t virtual_columns(
    duckdb::ClientContext& /*context*/,
    duckdb::optional_ptr<duckdb::FunctionData> /*data*/) {
  duckdb::virtual_column_map_t columns;
  columns.insert({duckdb::COLUMN_IDENTIFIER_EMPTY,
                  duckdb::TableColumn("", duckdb::LogicalType::BOOLEAN)});
  return columns;
}

}  // namespace

Status bind_text_rows(DuckdbSession& session, std::string_view name,
                      engine::TextRowsRelation rows) {
  const auto state =
      session.connection().context->registered_state->GetOrCreate<BoundTextRows>(
          kStateKey);
  const std::string key = to_lower(name);
  const auto held = std::make_shared<const engine::TextRowsRelation>(std::move(rows));
  state->rows[key] = held;
  BoundName bound;
  bound.make_reference = [key] { return function_reference(kFunction, key); };
  for (const std::string& column : held->columns) {
    bound.names.push_back(column);
    bound.types.push_back(duckdb::LogicalType::VARCHAR);
  }
  return session.bind_reference(name, std::move(bound));
}

void register_text_rows(duckdb::Connection& connection) {
  auto& context = *connection.context;
  duckdb::TableFunction rows(kFunction, {duckdb::LogicalType::VARCHAR}, scan_rows,
                             bind_function, begin_scan, begin_local_scan);
  rows.get_virtual_columns = virtual_columns;
  rows.get_partition_data = partition_of;
  rows.projection_pushdown = true;
  duckdb::CreateTableFunctionInfo info(std::move(rows));
  duckdb::Catalog::GetSystemCatalog(context).CreateTableFunction(context, info);
}

}  // namespace lakemill::engine_duckdb
