// Checkpoints are Parquet files of actions, one a row. They are read and written by SQL
// in a DuckDB of their own: the delta module knows only lines of JSON.
#include <algorithm>
#include <array>
#include <mutex>

#include <duckdb/main/appender.hpp>

#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/checkpoint_statistics.h"
#include "lakemill/engine_duckdb/duckdb_engine.h"
#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/error_mapping.h"
#include "lakemill/engine_duckdb/object_file_system.h"
#include "lakemill/engine_duckdb/parquet_files.h"

namespace lakemill::engine_duckdb {
namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;

struct ActionColumn {
  const char* name;
  const char* key;        // the field that is never null in an action of this kind
  const char* structure;  // what is written, for json_transform; null: never written
};

// PROTOCOL.md, "Checkpoint Schema". The classic form holds no checkpointMetadata and no
// sidecar; they are read from V2 checkpoints.
constexpr std::array kColumns{ActionColumn{"protocol", "minReaderVersion", R"json({
      "minReaderVersion": "INTEGER", "minWriterVersion": "INTEGER",
      "readerFeatures": ["VARCHAR"], "writerFeatures": ["VARCHAR"]})json"},
                              ActionColumn{"metaData", "id", R"json({
      "id": "VARCHAR", "name": "VARCHAR", "description": "VARCHAR",
      "format": {"provider": "VARCHAR", "options": "MAP(VARCHAR, VARCHAR)"},
      "schemaString": "VARCHAR", "partitionColumns": ["VARCHAR"],
      "configuration": "MAP(VARCHAR, VARCHAR)", "createdTime": "BIGINT"})json"},
                              ActionColumn{"txn", "appId", R"json({
      "appId": "VARCHAR", "version": "BIGINT", "lastUpdated": "BIGINT"})json"},
                              ActionColumn{"add", "path", R"json({
      "path": "VARCHAR", "partitionValues": "MAP(VARCHAR, VARCHAR)", "size": "BIGINT",
      "modificationTime": "BIGINT", "dataChange": "BOOLEAN", "stats": "VARCHAR",
      "tags": "MAP(VARCHAR, VARCHAR)",
      "deletionVector": {"storageType": "VARCHAR", "pathOrInlineDv": "VARCHAR",
        "offset": "INTEGER", "sizeInBytes": "INTEGER", "cardinality": "BIGINT"},
      "baseRowId": "BIGINT", "defaultRowCommitVersion": "BIGINT",
      "clusteringProvider": "VARCHAR"})json"},
                              ActionColumn{"remove", "path", R"json({
      "path": "VARCHAR", "deletionTimestamp": "BIGINT", "dataChange": "BOOLEAN",
      "extendedFileMetadata": "BOOLEAN", "partitionValues": "MAP(VARCHAR, VARCHAR)",
      "size": "BIGINT", "tags": "MAP(VARCHAR, VARCHAR)",
      "deletionVector": {"storageType": "VARCHAR", "pathOrInlineDv": "VARCHAR",
        "offset": "INTEGER", "sizeInBytes": "INTEGER", "cardinality": "BIGINT"},
      "baseRowId": "BIGINT", "defaultRowCommitVersion": "BIGINT"})json"},
                              ActionColumn{"domainMetadata", "domain", R"json({
      "domain": "VARCHAR", "configuration": "VARCHAR", "removed": "BOOLEAN"})json"},
                              ActionColumn{"checkpointMetadata", "version", nullptr},
                              ActionColumn{"sidecar", "path", nullptr}};

std::string field(const std::string& column, const std::string& name) {
  return column + "." + quote_identifier(name);
}

const LogicalType* child_type(const LogicalType& type, std::string_view name) {
  if (type.id() != LogicalTypeId::STRUCT) return nullptr;
  for (const auto& child : duckdb::StructType::GetChildTypes(type)) {
    if (child.first == name) return &child.second;
  }
  return nullptr;
}

// A value of parsed statistics as it stands in Delta's JSON.
std::string statistic(const std::string& value, const LogicalType& type) {
  switch (type.id()) {
    case LogicalTypeId::STRUCT: {
      std::string fields;
      for (const auto& child : duckdb::StructType::GetChildTypes(type)) {
        if (!fields.empty()) fields += ", ";
        fields += quote_identifier(child.first) +
                  " := " + statistic(field(value, child.first), child.second);
      }
      return "CASE WHEN " + value + " IS NOT NULL THEN struct_pack(" + fields + ") END";
    }
    case LogicalTypeId::TIMESTAMP:
    case LogicalTypeId::TIMESTAMP_MS:
    case LogicalTypeId::TIMESTAMP_SEC:
    case LogicalTypeId::TIMESTAMP_NS:
      return "strftime(CAST(" + value + " AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%f')";
    case LogicalTypeId::TIMESTAMP_TZ:
      return "strftime(" + value + " AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')";
    case LogicalTypeId::DECIMAL:  // as JSON, lest its digits go through a double
      return "CAST(CAST(" + value + " AS VARCHAR) AS JSON)";
    case LogicalTypeId::FLOAT:
    case LogicalTypeId::DOUBLE:
      return "CASE WHEN isfinite(" + value + ") THEN " + value + " END";
    default:
      return value;
  }
}

// The statistics of an add as text: those kept as text, else the parsed ones.
std::string statistics(const std::string& column, const LogicalType& type) {
  const auto* text = child_type(type, "stats");
  const auto* parsed = child_type(type, "stats_parsed");
  const auto from_parsed = parsed == nullptr
                               ? std::string()
                               : "CAST(json_merge_patch('{}', to_json(" +
                                     statistic(field(column, "stats_parsed"), *parsed) +
                                     ")) AS VARCHAR)";
  if (text == nullptr) return from_parsed;
  if (parsed == nullptr) return field(column, "stats");
  return "coalesce(" + field(column, "stats") + ", " + from_parsed + ")";
}

// One SELECT that gives the actions of a kind as lines. Nulls are left out by
// json_merge_patch, except those of partition values, where they mean null.
std::string lines_of(const ActionColumn& kind, const LogicalType& type,
                     const std::string& source) {
  const auto column = quote_identifier(kind.name);
  std::string fields;
  bool has_partition_values = false;
  for (const auto& child : duckdb::StructType::GetChildTypes(type)) {
    const auto& name = child.first;
    if (name == "stats" || name == "stats_parsed" || name == "partitionValues_parsed") {
      continue;
    }
    if (name == "partitionValues") {
      has_partition_values = true;
      continue;
    }
    if (!fields.empty()) fields += ", ";
    fields += quote_identifier(name) + " := " + field(column, name);
  }
  const auto stats = statistics(column, type);
  if (!stats.empty()) fields += ", stats := " + stats;
  auto line = "'{\"" + std::string(kind.name) + "\":{'";
  if (has_partition_values) {
    line += " || CASE WHEN " + field(column, "partitionValues") +
            " IS NULL THEN '' ELSE '\"partitionValues\":' || CAST(to_json(" +
            field(column, "partitionValues") + ") AS VARCHAR) || ',' END";
  }
  line += " || substr(CAST(json_merge_patch('{}', to_json(struct_pack(" + fields +
          "))) AS VARCHAR), 2) || '}'";
  return "SELECT " + line + " FROM " + source + " WHERE " + field(column, kind.key) +
         " IS NOT NULL";
}

// DuckDB takes *, ? and [ in paths for patterns.
std::string literal_path(std::string_view path) {
  std::string escaped;
  for (const char character : path) {
    if (character == '*' || character == '?' || character == '[') {
      escaped += '[';
      escaped += character;
      escaped += ']';
    } else {
      escaped += character;
    }
  }
  return quote_literal(escaped);
}

class DuckdbCheckpointFormat final : public delta::CheckpointFormat {
 public:
  explicit DuckdbCheckpointFormat(storage::StoreProvider& stores) : stores_(stores) {}

  Result<std::string> read(std::string_view url) override {
    LAKEMILL_TRY(auto* database, database_or_start());
    std::string lines;
    auto done = run_guarded("", [&] {
      duckdb::Connection connection(*database);
      lines = read_lines(connection, url);
    });
    if (done) return lines;
    auto error = std::move(done).error().while_doing("checkpoint " + std::string(url));
    switch (error.code()) {
      case ErrorCode::not_found:
      case ErrorCode::denied:
      case ErrorCode::unavailable:
        return error;
      default:
        forget_if_unusable();
        return Error(ErrorCode::corrupt, error.message());
    }
  }

  Result<std::int64_t> write(std::string_view url, std::string_view actions) override {
    LAKEMILL_TRY(auto* database, database_or_start());
    std::int64_t size = 0;
    auto done = run_guarded("", [&] {
      duckdb::Connection connection(*database);
      size = write_lines(connection, url, actions);
    });
    if (done) return size;
    return std::move(done).error().while_doing("write checkpoint " + std::string(url));
  }

 private:
  static duckdb::unique_ptr<duckdb::MaterializedQueryResult> run(
      duckdb::Connection& connection, const std::string& sql) {
    auto result = connection.Query(sql);
    if (result->HasError()) result->ThrowError();
    return result;
  }

  static std::string read_lines(duckdb::Connection& connection, std::string_view url) {
    const auto source = "parquet_scan(" + literal_path(url) + ")";
    auto prepared = connection.Prepare("SELECT * FROM " + source);
    if (prepared->HasError()) prepared->error.Throw();
    std::string sql;
    for (const auto& kind : kColumns) {
      const auto& names = prepared->GetNames();
      const auto found = std::find(names.begin(), names.end(), kind.name);
      if (found == names.end()) continue;
      const auto& type =
          prepared->GetTypes()[static_cast<std::size_t>(found - names.begin())];
      if (child_type(type, kind.key) == nullptr) continue;
      if (!sql.empty()) sql += " UNION ALL ";
      sql += lines_of(kind, type, source);
    }
    prepared.reset();
    if (sql.empty())
      throw duckdb::InvalidInputException("no column of it is an action");
    std::string lines;
    auto result = connection.SendQuery(sql);
    while (!result->HasError()) {
      auto chunk = result->Fetch();
      if (!chunk || chunk->size() == 0) break;
      chunk->Flatten();
      const auto* texts = duckdb::FlatVector::GetData<duckdb::string_t>(chunk->data[0]);
      for (idx_t i = 0; i < chunk->size(); ++i) {
        if (duckdb::FlatVector::IsNull(chunk->data[0], i)) continue;
        lines.append(texts[i].GetData(), texts[i].GetSize());
        lines += '\n';
      }
    }
    if (result->HasError()) result->ThrowError();
    return lines;
  }

  static std::int64_t write_lines(duckdb::Connection& connection, std::string_view url,
                                  std::string_view actions) {
    const auto typed = value_or_throw(typed_statistics(actions));
    run(connection, "CREATE TEMP TABLE lines(line VARCHAR)");
    {
      duckdb::Appender appender(connection, "temp", "main", "lines");
      while (!actions.empty()) {
        const auto end = std::min(actions.find('\n'), actions.size());
        const auto line = actions.substr(0, end);
        actions.remove_prefix(std::min(end + 1, actions.size()));
        if (line.empty()) continue;
        appender.BeginRow();
        appender.Append(
            duckdb::string_t(line.data(), static_cast<std::uint32_t>(line.size())));
        appender.EndRow();
      }
      appender.Close();
    }
    std::string columns;
    for (const auto& kind : kColumns) {
      if (kind.structure == nullptr) continue;
      if (!columns.empty()) columns += ", ";
      const bool is_add = typed && kind.name == std::string_view("add");
      columns += (is_add ? add_sql(column_sql(kind), *typed) : column_sql(kind)) +
                 " AS " + quote_identifier(kind.name);
    }
    const auto written = run(
        connection, "COPY (SELECT " + columns + " FROM lines) TO " +
                        quote_literal(store_path(url)) +
                        " (FORMAT parquet, COMPRESSION snappy, USE_TMP_FILE false, " +
                        kNoBloomFilter + ", RETURN_STATS)");
    return written->GetValue(2, 0).GetValue<std::int64_t>();
  }

  static std::string column_sql(const ActionColumn& kind) {
    // A member that the line lacks gives a null struct.
    return "json_transform(json_extract(line, " +
           quote_literal("$." + std::string(kind.name)) + "), " +
           quote_literal(kind.structure) + ")";
  }

  static std::string add_sql(const std::string& plain, const TypedStatistics& typed) {
    std::string more = "stats_parsed := " + typed.stats;
    if (!typed.partition_values.empty()) {
      more += ", \"partitionValues_parsed\" := " + typed.partition_values;
    }
    std::string add = "struct_insert(" + plain + ", " + more + ")";
    if (!typed.with_text) {
      add = "struct_update(" + add + ", stats := CAST(NULL AS VARCHAR))";
    }
    return "CASE WHEN json_extract(line, '$.add') IS NOT NULL THEN " + add + " END";
  }

  Result<duckdb::DuckDB*> database_or_start() {
    const std::lock_guard guard(mutex_);
    if (database_) return database_.get();
    LAKEMILL_TRY_OK(run_guarded("", [&] {
      duckdb::DBConfig config;
      config.SetOptionByName("autoinstall_known_extensions",
                             duckdb::Value::BOOLEAN(false));
      config.SetOptionByName("autoload_known_extensions",
                             duckdb::Value::BOOLEAN(false));
      config.SetOptionByName("temp_directory", duckdb::Value(""));
      auto database = std::make_shared<duckdb::DuckDB>(nullptr, &config);
      database->GetFileSystem().RegisterSubSystem(make_object_file_system(stores_));
      database_ = std::move(database);
    }));
    return database_.get();
  }

  void forget_if_unusable() {
    const std::lock_guard guard(mutex_);
    if (database_ && duckdb::ValidChecker::IsInvalidated(*database_->instance)) {
      old_.push_back(std::move(database_));  // others may still hold it
      database_.reset();
    }
  }

  storage::StoreProvider& stores_;
  std::mutex mutex_;
  std::shared_ptr<duckdb::DuckDB> database_;          // guarded by mutex_
  std::vector<std::shared_ptr<duckdb::DuckDB>> old_;  // guarded by mutex_
};

}  // namespace

std::unique_ptr<delta::CheckpointFormat> make_checkpoint_format(
    storage::StoreProvider& stores) {
  return std::make_unique<DuckdbCheckpointFormat>(stores);
}

}  // namespace lakemill::engine_duckdb
