#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lakemill/base/result.h"

// The messages of Spark Connect that are used, as bytes. Numbers of fields are those of
// spark/connect/{base,commands,relations}.proto of Spark 4.0 (and 3.5, where it has the
// field). tests/spark runs them against a real server.

namespace lakemill::engine_spark {

/// Which session a request belongs to.
struct ConnectSession {
  std::string session_id;  ///< a UUID
  std::string user_id;
};

/// Files or a table as Spark reads them: DataFrameReader.
struct ReadSource {
  std::string format;  ///< "csv", "parquet", …
  std::string schema;  ///< DDL; empty: found out
  std::map<std::string, std::string> options;
  std::vector<std::string> paths;
};

enum class SaveMode : std::uint8_t { append = 1, overwrite = 2 };

/// DataFrameWriter.
struct WriteRequest {
  std::string relation;
  std::string format;
  std::string path;
  SaveMode mode = SaveMode::append;
  std::vector<std::string> partition_by;
  std::map<std::string, std::string> options;
};

// spark.connect.Relation
std::string sql_relation(std::string_view sql);
std::string read_relation(const ReadSource& source);

// spark.connect.Command
std::string sql_command(std::string_view sql);
/// `name` as a table identifier, quoted where it must be.
std::string view_command(std::string_view name, std::string_view relation);
std::string write_command(const WriteRequest& request);

// spark.connect.*Request
std::string query_request(const ConnectSession& session, std::string_view relation);
std::string command_request(const ConnectSession& session, std::string_view command);
std::string config_request(const ConnectSession& session,
                           const std::map<std::string, std::string>& settings);
std::string interrupt_request(const ConnectSession& session);
std::string release_request(const ConnectSession& session);

/// The Arrow IPC bytes in an ExecutePlanResponse; empty if it has none. Errors:
/// corrupt.
Result<std::string_view> arrow_batch_of(std::string_view response);

}  // namespace lakemill::engine_spark
