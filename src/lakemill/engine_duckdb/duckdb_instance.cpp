#include "lakemill/engine_duckdb/duckdb_instance.h"

#include <filesystem>

#include <duckdb/planner/planner_extension.hpp>

#include "lakemill/engine_duckdb/catalog_extension.h"
#include "lakemill/engine_duckdb/csv_values.h"
#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/duckdb_session.h"
#include "lakemill/engine_duckdb/error_mapping.h"
#include "lakemill/engine_duckdb/files_relation.h"
#include "lakemill/engine_duckdb/gzip_files.h"
#include "lakemill/engine_duckdb/json_exactness.h"
#include "lakemill/engine_duckdb/marked_files.h"
#include "lakemill/engine_duckdb/object_file_system.h"
#include "lakemill/engine_duckdb/parquet_files.h"
#include "lakemill/engine_duckdb/session_state.h"
#include "lakemill/engine_duckdb/sql_gate.h"
#include "lakemill/engine_duckdb/table_versions.h"
#include "lakemill/engine_duckdb/text_lines.h"
#include "lakemill/engine_duckdb/text_rows_relation.h"

namespace lakemill::engine_duckdb {
namespace {

using duckdb::Value;

// DuckDB's file readers under names that only our own text can call.
constexpr std::pair<const char*, const char*> kReaders[] = {
    {"read_csv", "lakemill_read_csv"},
    {"read_json", "lakemill_read_json"},
    {"parquet_scan", "lakemill_read_parquet"},
    {"read_text", "lakemill_read_text"},
    {"read_blob", "lakemill_read_blob"}};

void configure(duckdb::DBConfig& config, const DuckdbOptions& options) {
  config.SetOptionByName("autoinstall_known_extensions", Value::BOOLEAN(false));
  config.SetOptionByName("autoload_known_extensions", Value::BOOLEAN(false));
  config.SetOptionByName("allow_community_extensions", Value::BOOLEAN(false));
  if (!options.temporary_folder.empty()) {  // made by DuckDB when it first spills
    std::error_code ignored;
    std::filesystem::create_directories(
        std::filesystem::path(options.temporary_folder).parent_path(), ignored);
  }
  config.SetOptionByName("temp_directory", Value(options.temporary_folder));
  if (options.memory_limit_bytes > 0) {
    config.SetOptionByName("memory_limit",
                           Value(std::to_string(options.memory_limit_bytes) + "B"));
  }
  if (options.threads > 0) {
    config.SetOptionByName("threads", Value::BIGINT(options.threads));
  }
}

void register_readers(duckdb::ClientContext& context) {
  auto& catalog = duckdb::Catalog::GetSystemCatalog(context);
  for (const auto& [name, ours] : kReaders) {
    auto& entry = catalog.GetEntry<duckdb::TableFunctionCatalogEntry>(
        context, DEFAULT_SCHEMA, name);
    duckdb::TableFunctionSet functions(ours);
    for (auto function : entry.functions.functions) {
      function.name = ours;
      functions.AddFunction(std::move(function));
    }
    duckdb::CreateTableFunctionInfo info(std::move(functions));
    catalog.CreateTableFunction(context, info);
  }
}

// DuckDB takes this of a database that runs only.
void limit_spilling(duckdb::DuckDB& database, std::int64_t bytes_max) {
  if (bytes_max <= 0) return;
  duckdb::Connection connection(database);
  const auto set = connection.Query("SET GLOBAL max_temp_directory_size='" +
                                    std::to_string(bytes_max) + "B'");
  if (set->HasError()) set->ThrowError();
}

void register_all(duckdb::DuckDB& database) {
  duckdb::Connection connection(database);
  connection.BeginTransaction();
  mend_parquet_filters(*connection.context);
  register_readers(*connection.context);
  register_bound_names(connection);
  register_delta_functions(connection);
  register_sql_functions(connection);
  register_row_checks(connection);
  register_csv_values(connection);
  register_json_exactness(connection);
  register_files(connection);
  register_text_rows(connection);
  register_text_lines(connection);
  connection.Commit();
  attach_catalog(connection);
  const auto utc = connection.Query("SET GLOBAL TimeZone='UTC'");
  if (utc->HasError()) utc->ThrowError();
}

}  // namespace

DuckdbInstance::DuckdbInstance(DuckdbOptions options, storage::StoreProvider& stores,
                               std::shared_ptr<NamedTables> tables)
    : options_(std::move(options)),
      stores_(stores),
      tables_(std::move(tables)),
      format_(make_checkpoint_format(stores)) {}

DuckdbInstance::~DuckdbInstance() = default;

Result<std::shared_ptr<delta::Table>> DuckdbInstance::open_table(
    const std::string& url) {
  if (tables_ != nullptr) return tables_->open_folder(url);
  LAKEMILL_TRY(auto store, stores_.open(url));
  return std::make_shared<delta::Table>(std::move(store), *format_);
}

bool DuckdbInstance::usable() const {
  return !duckdb::ValidChecker::IsInvalidated(*database_->instance);
}

Result<std::shared_ptr<DuckdbInstance>> DuckdbInstance::open(
    DuckdbOptions options, storage::StoreProvider& stores,
    std::shared_ptr<NamedTables> tables) {
  auto instance = std::shared_ptr<DuckdbInstance>(
      new DuckdbInstance(std::move(options), stores, std::move(tables)));
  LAKEMILL_TRY_OK(run_guarded("", [&] {
    duckdb::DBConfig config;
    configure(config, instance->options_);
    register_catalog(config);
    instance->database_ = std::make_unique<duckdb::DuckDB>(nullptr, &config);
    auto& files = instance->database_->GetFileSystem();
    files.RegisterSubSystem(make_object_file_system(stores));
    files.RegisterSubSystem(make_marked_files(*instance->database_->instance));
    check_gzip_files(*instance->database_->instance);
    auto& live = instance->database_->instance->config;
    live.replacement_scans.insert(live.replacement_scans.begin(),
                                  duckdb::ReplacementScan(replace_bound_name));
    register_gate(live);
    register_all(*instance->database_);
    limit_spilling(*instance->database_, instance->options_.temporary_bytes_max);
  }));
  return instance;
}

}  // namespace lakemill::engine_duckdb
