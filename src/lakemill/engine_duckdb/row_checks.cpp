#include "lakemill/engine_duckdb/row_checks.h"

#include <array>
#include <numeric>

#include <duckdb/catalog/catalog.hpp>
#include <duckdb/function/table_function.hpp>
#include <duckdb/main/client_context_state.hpp>
#include <duckdb/parser/parsed_data/create_table_function_info.hpp>
#include <duckdb/storage/buffer_manager.hpp>

#include "lakemill/engine_duckdb/duckdb_session.h"

namespace lakemill::engine_duckdb {

namespace {

using engine::OnFail;

constexpr const char* kStateKey = "lakemill_row_checks";
constexpr std::uint8_t kDropped = 1;
constexpr std::uint8_t kQuarantined = 2;

struct ActiveRun final : duckdb::ClientContextState {
  RowCheckRun* run = nullptr;
};

RowCheckRun& active_run(duckdb::ClientContext& context) {
  auto state = context.registered_state->Get<ActiveRun>(kStateKey);
  if (!state || state->run == nullptr) {
    throw duckdb::PermissionException("row checks are not active in this session");
  }
  return *state->run;
}

struct CheckData final : duckdb::TableFunctionData {
  RowCheckRun* run = nullptr;
  duckdb::idx_t column_count = 0;
};

struct CheckState final : duckdb::LocalTableFunctionState {
  duckdb::ColumnDataCollection* spool = nullptr;
  duckdb::ColumnDataAppendState append;
  duckdb::DataChunk chunk;
};

duckdb::unique_ptr<duckdb::FunctionData> bind_check_rows(
    duckdb::ClientContext& context, duckdb::TableFunctionBindInput& input,
    duckdb::vector<duckdb::LogicalType>& types, duckdb::vector<std::string>& names) {
  auto data = duckdb::make_uniq<CheckData>();
  data->run = &active_run(context);
  const std::vector<OnFail>& checks = data->run->checks();
  LAKEMILL_CHECK(input.input_table_types.size() > checks.size());
  data->column_count = input.input_table_types.size() - checks.size();
  duckdb::vector<std::string> spool_names;
  duckdb::vector<duckdb::LogicalType> spool_types;
  for (duckdb::idx_t i = 0; i < input.input_table_types.size(); ++i) {
    const bool is_column = i < data->column_count;
    if (is_column) {
      types.push_back(input.input_table_types[i]);
      names.push_back(input.input_table_names[i]);
    }
    if (is_column || checks[i - data->column_count] == OnFail::quarantine) {
      spool_types.push_back(input.input_table_types[i]);
      spool_names.push_back(input.input_table_names[i]);
    }
  }
  data->run->set_spool_columns(std::move(spool_names), std::move(spool_types));
  return data;
}

duckdb::unique_ptr<duckdb::LocalTableFunctionState> start_check_rows(
    duckdb::ExecutionContext& context, duckdb::TableFunctionInitInput& input,
    duckdb::GlobalTableFunctionState* /*global*/) {
  auto state = duckdb::make_uniq<CheckState>();
  RowCheckRun& run = *input.bind_data->Cast<CheckData>().run;
  state->spool = &run.add_spool(context.client, run.spool_types());
  state->spool->InitializeAppend(state->append);
  state->chunk.InitializeEmpty(run.spool_types());
  return state;
}

}  // namespace

struct RowCheckRun::Verdicts {
  duckdb::SelectionVector kept{STANDARD_VECTOR_SIZE};
  duckdb::SelectionVector quarantined{STANDARD_VECTOR_SIZE};
  duckdb::idx_t kept_count = 0;
  duckdb::idx_t quarantined_count = 0;
};

namespace {

void spool_rows(const CheckData& data, const duckdb::DataChunk& input,
                const RowCheckRun::Verdicts& verdicts, CheckState& state) {
  const std::vector<OnFail>& checks = data.run->checks();
  duckdb::idx_t target = 0;
  for (duckdb::idx_t i = 0; i < input.ColumnCount(); ++i) {
    const bool is_column = i < data.column_count;
    if (!is_column && checks[i - data.column_count] != OnFail::quarantine) continue;
    // Slice() of a const vector only refers to it.
    state.chunk.data[target++].Slice(const_cast<duckdb::Vector&>(input.data[i]),
                                     verdicts.quarantined, verdicts.quarantined_count);
  }
  state.chunk.SetCardinality(verdicts.quarantined_count);
  state.spool->Append(state.append, state.chunk);
}

duckdb::OperatorResultType check_rows(duckdb::ExecutionContext& /*context*/,
                                      duckdb::TableFunctionInput& call,
                                      duckdb::DataChunk& input,
                                      duckdb::DataChunk& output) {
  const auto& data = call.bind_data->Cast<CheckData>();
  auto& state = call.local_state->Cast<CheckState>();
  RowCheckRun::Verdicts verdicts;
  data.run->judge(input.data.data() + data.column_count, input.size(), verdicts);
  const bool keeps_all = verdicts.kept_count == input.size();
  for (duckdb::idx_t i = 0; i < data.column_count; ++i) {
    if (keeps_all) {
      output.data[i].Reference(input.data[i]);
    } else {
      output.data[i].Slice(input.data[i], verdicts.kept, verdicts.kept_count);
    }
  }
  output.SetCardinality(verdicts.kept_count);
  if (verdicts.quarantined_count > 0) spool_rows(data, input, verdicts, state);
  return duckdb::OperatorResultType::NEED_MORE_INPUT;
}

struct SpoolScan final : duckdb::GlobalTableFunctionState {
  duckdb::ColumnDataCollection* spool = nullptr;
  duckdb::ColumnDataParallelScanState scan;
  duckdb::idx_t MaxThreads() const override {
    return spool == nullptr ? 1 : spool->ChunkCount() / 60 + 1;
  }
};

struct SpoolScanPart final : duckdb::LocalTableFunctionState {
  duckdb::ColumnDataLocalScanState scan;
};

duckdb::unique_ptr<duckdb::FunctionData> bind_quarantined_rows(
    duckdb::ClientContext& context, duckdb::TableFunctionBindInput& /*input*/,
    duckdb::vector<duckdb::LogicalType>& types, duckdb::vector<std::string>& names) {
  auto data = duckdb::make_uniq<CheckData>();
  data->run = &active_run(context);
  names = data->run->spool_names();
  types = data->run->spool_types();
  return data;
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> start_quarantined_rows(
    duckdb::ClientContext& /*context*/, duckdb::TableFunctionInitInput& input) {
  auto state = duckdb::make_uniq<SpoolScan>();
  state->spool = input.bind_data->Cast<CheckData>().run->united_spool();
  if (state->spool != nullptr) state->spool->InitializeScan(state->scan);
  return state;
}

duckdb::unique_ptr<duckdb::LocalTableFunctionState> start_quarantined_part(
    duckdb::ExecutionContext& /*context*/, duckdb::TableFunctionInitInput& /*input*/,
    duckdb::GlobalTableFunctionState* /*global*/) {
  return duckdb::make_uniq<SpoolScanPart>();
}

void scan_quarantined_rows(duckdb::ClientContext& /*context*/,
                           duckdb::TableFunctionInput& call,
                           duckdb::DataChunk& output) {
  auto& state = call.global_state->Cast<SpoolScan>();
  auto& part = call.local_state->Cast<SpoolScanPart>();
  if (state.spool == nullptr) return;
  // A thread that set nothing aside leaves an empty chunk, which is not the end.
  while (state.spool->Scan(state.scan, part.scan, output) && output.size() == 0) {
  }
}

}  // namespace

RowCheckRun::RowCheckRun(std::vector<OnFail> checks,
                         std::atomic<std::int64_t>* rows_done)
    : checks_(std::move(checks)), rows_done_(rows_done), failed_rows_(checks_.size()) {}

std::int64_t RowCheckRun::dropped_rows() const {
  return input_rows() - kept_rows() - quarantined_rows();
}

std::vector<std::int64_t> RowCheckRun::failed_rows() const {
  return {failed_rows_.begin(), failed_rows_.end()};
}

void RowCheckRun::judge(duckdb::Vector* predicates, duckdb::idx_t count,
                        Verdicts& verdicts) {
  std::array<std::uint8_t, STANDARD_VECTOR_SIZE> fate{};
  for (std::size_t check = 0; check < checks_.size(); ++check) {
    const std::uint8_t on_fail = checks_[check] == OnFail::quarantine ? kQuarantined
                                 : checks_[check] == OnFail::drop     ? kDropped
                                                                      : std::uint8_t{0};
    duckdb::UnifiedVectorFormat format;
    predicates[check].ToUnifiedFormat(count, format);
    const bool* passes = duckdb::UnifiedVectorFormat::GetData<bool>(format);
    std::int64_t failed = 0;
    for (duckdb::idx_t row = 0; row < count; ++row) {
      const duckdb::idx_t at = format.sel->get_index(row);
      const bool fails = !format.validity.RowIsValid(at) || !passes[at];
      failed += fails ? 1 : 0;
      fate[row] = static_cast<std::uint8_t>(fate[row] | (fails ? on_fail : 0));
    }
    if (failed > 0) failed_rows_[check].fetch_add(failed, std::memory_order_relaxed);
  }
  for (duckdb::idx_t row = 0; row < count; ++row) {
    if (fate[row] == 0) {
      verdicts.kept.set_index(verdicts.kept_count++, row);
    } else if ((fate[row] & kQuarantined) != 0) {
      verdicts.quarantined.set_index(verdicts.quarantined_count++, row);
    }
  }
  const auto rows = static_cast<std::int64_t>(count);
  input_rows_.fetch_add(rows, std::memory_order_relaxed);
  kept_rows_.fetch_add(static_cast<std::int64_t>(verdicts.kept_count),
                       std::memory_order_relaxed);
  quarantined_rows_.fetch_add(static_cast<std::int64_t>(verdicts.quarantined_count),
                              std::memory_order_relaxed);
  if (rows_done_ != nullptr) rows_done_->fetch_add(rows, std::memory_order_relaxed);
}

duckdb::ColumnDataCollection& RowCheckRun::add_spool(
    duckdb::ClientContext& context, const duckdb::vector<duckdb::LogicalType>& types) {
  auto spool = std::make_unique<duckdb::ColumnDataCollection>(
      duckdb::BufferManager::GetBufferManager(context), types);
  const std::lock_guard lock(mutex_);
  spools_.push_back(std::move(spool));
  return *spools_.back();
}

duckdb::ColumnDataCollection* RowCheckRun::united_spool() {
  const std::lock_guard lock(mutex_);
  if (spools_.empty()) return nullptr;
  for (std::size_t i = 1; i < spools_.size(); ++i) spools_[0]->Combine(*spools_[i]);
  spools_.resize(1);
  return spools_[0].get();
}

void RowCheckRun::set_spool_columns(duckdb::vector<std::string> names,
                                    duckdb::vector<duckdb::LogicalType> types) {
  spool_names_ = std::move(names);
  spool_types_ = std::move(types);
}

ActiveRowChecks::ActiveRowChecks(duckdb::Connection& connection, RowCheckRun& run)
    : connection_(connection) {
  auto state = connection.context->registered_state->GetOrCreate<ActiveRun>(kStateKey);
  state->run = &run;
}

ActiveRowChecks::~ActiveRowChecks() {
  auto state = connection_.context->registered_state->Get<ActiveRun>(kStateKey);
  if (state) state->run = nullptr;
}

void register_row_checks(duckdb::Connection& connection) {
  auto& catalog = duckdb::Catalog::GetSystemCatalog(*connection.context);
  duckdb::TableFunction check("lakemill_check_rows", {duckdb::LogicalType::TABLE},
                              nullptr, bind_check_rows, nullptr, start_check_rows);
  check.in_out_function = check_rows;
  duckdb::CreateTableFunctionInfo check_info(check);
  catalog.CreateTableFunction(*connection.context, check_info);

  const duckdb::TableFunction quarantined(
      "lakemill_quarantined_rows", {}, scan_quarantined_rows, bind_quarantined_rows,
      start_quarantined_rows, start_quarantined_part);
  duckdb::CreateTableFunctionInfo quarantined_info(quarantined);
  catalog.CreateTableFunction(*connection.context, quarantined_info);
}

}  // namespace lakemill::engine_duckdb
