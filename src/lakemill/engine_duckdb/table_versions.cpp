#include "lakemill/engine_duckdb/table_versions.h"

#include "lakemill/engine_duckdb/error_mapping.h"
#include "lakemill/storage/path.h"
#include "lakemill/storage/path_guard.h"

namespace lakemill::engine_duckdb {
namespace {

using duckdb::ClientContext;
using duckdb::LogicalType;
using duckdb::Value;

constexpr std::size_t kHistoryMax = 100'000;

Result<std::int64_t> as_version(const Value& value) {
  Value number;
  std::string problem;
  if (value.IsNull() ||
      !value.DefaultTryCastAs(LogicalType::BIGINT, number, &problem) ||
      number.GetValue<std::int64_t>() < 0) {
    return Error(ErrorCode::invalid,
                 "a table version is a number from 0 on, not " + value.ToString());
  }
  return number.GetValue<std::int64_t>();
}

Result<Instant> as_instant(const Value& value) {
  if (value.IsNull()) {
    return Error(ErrorCode::invalid, "the time of a table version is null");
  }
  if (value.type().id() == duckdb::LogicalTypeId::VARCHAR) {
    return parse_instant(duckdb::StringValue::Get(value));
  }
  Value timestamp;
  std::string problem;
  if (!value.DefaultTryCastAs(LogicalType::TIMESTAMP, timestamp, &problem)) {
    return Error(ErrorCode::invalid,
                 "the time of a table version must be a timestamp, "
                 "not " +
                     value.ToString());
  }
  return Instant(
      std::chrono::microseconds(timestamp.GetValue<duckdb::timestamp_t>().value));
}

WantedVersion wanted_of(const duckdb::named_parameter_map_t& named) {
  WantedVersion wanted;
  for (const auto& [name, value] : named) {
    (name == "version" ? wanted.version : wanted.instant) = value;
  }
  return wanted;
}

std::shared_ptr<delta::Table> open_named(const SessionState* state,
                                         const std::string& path, std::string& url) {
  if (state == nullptr || state->instance == nullptr) {
    throw duckdb::BinderException("tables can be read in a session only");
  }
  url = value_or_throw(locate(state, path));
  return value_or_throw(state->instance->open_table(url));
}

duckdb::unique_ptr<duckdb::FunctionData> bind_one_scan(
    ClientContext& context, std::shared_ptr<const data::TableScan> scan,
    const std::string& url, duckdb::vector<LogicalType>& types,
    duckdb::vector<std::string>& names) {
  auto source = duckdb::make_shared_ptr<ScanSource>();
  source->scan = std::move(scan);
  source->name = url;
  auto bound = bind_scan(context, std::move(source));
  types = std::move(bound.types);
  names = {bound.names.begin(), bound.names.end()};
  return std::move(bound.bind_data);
}

duckdb::unique_ptr<duckdb::FunctionData> bind_delta_scan(
    ClientContext& context, duckdb::TableFunctionBindInput& input,
    duckdb::vector<LogicalType>& types, duckdb::vector<std::string>& names) {
  const auto state = SessionState::of(context);
  const auto path = input.inputs[0].ToString();
  std::string url;
  const auto table = open_named(state.get(), path, url);
  auto scan = open_version(state.get(), *table, url, wanted_of(input.named_parameters));
  if (!scan) throw_error(std::move(scan).error().while_doing("delta_scan " + path));
  return bind_one_scan(context, *std::move(scan), url, types, names);
}

// table_changes(path, from) and (path, from, to): what commits changed.
duckdb::unique_ptr<duckdb::FunctionData> bind_table_changes(
    ClientContext& context, duckdb::TableFunctionBindInput& input,
    duckdb::vector<LogicalType>& types, duckdb::vector<std::string>& names) {
  const auto state = SessionState::of(context);
  const auto path = input.inputs[0].ToString();
  std::string url;
  const auto table = open_named(state.get(), path, url);
  const auto scan = [&]() -> Result<std::shared_ptr<const data::TableScan>> {
    LAKEMILL_TRY(const auto from, as_version(input.inputs[1]));
    if (input.inputs.size() > 2) {
      LAKEMILL_TRY(const auto to, as_version(input.inputs[2]));
      return table->changes(from, to);
    }
    LAKEMILL_TRY(const auto newest, table->latest());
    return table->changes(from, std::max(from, newest->version()));
  }();
  if (!scan) throw_error(Error(scan.error()).while_doing("table_changes " + path));
  return bind_one_scan(context, *scan, url, types, names);
}

struct HistoryData final : duckdb::TableFunctionData {
  std::vector<delta::HistoryEntry> entries;
};

struct HistoryState final : duckdb::GlobalTableFunctionState {
  std::size_t next = 0;
};

duckdb::unique_ptr<duckdb::FunctionData> bind_history(
    ClientContext& context, duckdb::TableFunctionBindInput& input,
    duckdb::vector<LogicalType>& types, duckdb::vector<std::string>& names) {
  const auto state = SessionState::of(context);
  const auto path = input.inputs[0].ToString();
  std::string url;
  const auto table = open_named(state.get(), path, url);
  auto data = duckdb::make_uniq<HistoryData>();
  auto entries = table->history(kHistoryMax);
  if (!entries)
    throw_error(std::move(entries).error().while_doing("table_history " + path));
  data->entries = std::move(*entries);
  names = {"version", "timestamp", "operation", "parameters", "metrics", "commit_info"};
  types = {LogicalType::BIGINT, LogicalType::TIMESTAMP_TZ, LogicalType::VARCHAR,
           LogicalType::JSON(), LogicalType::JSON(),       LogicalType::JSON()};
  return data;
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> start_history(
    ClientContext&, duckdb::TableFunctionInitInput&) {
  return duckdb::make_uniq<HistoryState>();
}

Value member_text(const Json& object, const char* key) {
  const auto* member = find_member(object, key);
  return member == nullptr ? Value(LogicalType::VARCHAR) : Value(json_text(*member));
}

void give_history(ClientContext&, duckdb::TableFunctionInput& input,
                  duckdb::DataChunk& output) {
  const auto& entries = input.bind_data->Cast<HistoryData>().entries;
  auto& state = input.global_state->Cast<HistoryState>();
  duckdb::idx_t row = 0;
  for (; row < STANDARD_VECTOR_SIZE && state.next < entries.size(); ++row) {
    const auto& entry = entries[state.next++];
    output.SetValue(0, row, Value::BIGINT(entry.version));
    output.SetValue(
        1, row, Value::TIMESTAMPTZ(duckdb::timestamp_tz_t(entry.timestamp_ms * 1000)));
    output.SetValue(
        2, row,
        entry.operation.empty() ? Value(LogicalType::VARCHAR) : Value(entry.operation));
    output.SetValue(3, row, member_text(entry.commit_info, "operationParameters"));
    output.SetValue(4, row, member_text(entry.commit_info, "operationMetrics"));
    output.SetValue(5, row, Value(json_text(entry.commit_info)));
  }
  output.SetCardinality(row);
}

}  // namespace

Result<std::shared_ptr<const data::TableScan>> open_version(
    const SessionState* state, delta::Table& table, const std::string& pin_name,
    const WantedVersion& wanted) {
  if (wanted.version && wanted.instant) {
    return Error(ErrorCode::invalid, "give a version or a time, not both");
  }
  std::shared_ptr<const delta::Snapshot> snapshot;
  if (wanted.version) {
    LAKEMILL_TRY(auto version, as_version(*wanted.version));
    LAKEMILL_TRY(snapshot, table.at_version(version));
    return snapshot->scan();
  }
  if (wanted.instant) {
    LAKEMILL_TRY(auto instant, as_instant(*wanted.instant));
    LAKEMILL_TRY(snapshot, table.at_time(instant));
    return snapshot->scan();
  }
  if (state != nullptr && state->options != nullptr) {
    const auto& pinned = state->options->pinned_versions;
    auto pin = pinned.find(pin_name);
    if (pin == pinned.end()) pin = pinned.find(table.store().url());
    if (pin != pinned.end()) {
      LAKEMILL_TRY(snapshot, table.at_version(pin->second));
      return snapshot->scan();
    }
  }
  LAKEMILL_TRY(snapshot, table.latest());
  return snapshot->scan();
}

Result<std::string> locate(const SessionState* state, const std::string& path) {
  const auto& options = state->instance->options();
  if (path.empty()) return Error(ErrorCode::invalid, "the path of a table is empty");
  const auto& base = state->options != nullptr && !state->options->base_folder.empty()
                         ? state->options->base_folder
                         : options.base_folder;
  auto url = storage::join_path(base, path);
  if (!storage::has_scheme(url) && !url.starts_with("/")) {
    return Error(ErrorCode::invalid, "path " + path +
                                         " is relative, and there is no "
                                         "folder that it is relative to");
  }
  const bool confined = state->origin == engine::Origin::pipeline ||
                        (state->origin == engine::Origin::user && options.confine_user);
  if (confined) {
    LAKEMILL_TRY(url, storage::confine(url, options.roots));
  }
  return storage::normalize_path(url);
}

void register_delta_functions(duckdb::Connection& connection) {
  auto& context = *connection.context;
  auto& catalog = duckdb::Catalog::GetSystemCatalog(context);
  auto scan = scan_function(context, "delta_scan");
  scan.bind = bind_delta_scan;
  scan.named_parameters.clear();
  scan.named_parameters["version"] = LogicalType::BIGINT;
  scan.named_parameters["as_of"] = LogicalType::ANY;
  scan.named_parameters["timestamp"] = LogicalType::ANY;
  duckdb::CreateTableFunctionInfo scan_info(std::move(scan));
  catalog.CreateTableFunction(context, scan_info);

  duckdb::TableFunctionSet changes("table_changes");
  for (const std::size_t arguments : {2, 3}) {
    auto form = scan_function(context, "table_changes");
    form.bind = bind_table_changes;
    form.named_parameters.clear();
    form.arguments.resize(1);
    while (form.arguments.size() < arguments) {
      form.arguments.push_back(LogicalType::BIGINT);
    }
    changes.AddFunction(std::move(form));
  }
  duckdb::CreateTableFunctionInfo changes_info(std::move(changes));
  catalog.CreateTableFunction(context, changes_info);

  duckdb::TableFunction history("table_history", {LogicalType::VARCHAR}, give_history,
                                bind_history, start_history);
  duckdb::CreateTableFunctionInfo history_info(std::move(history));
  catalog.CreateTableFunction(context, history_info);
}

}  // namespace lakemill::engine_duckdb
