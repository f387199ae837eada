#pragma once

#include <chrono>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/engine_spark/connect_messages.h"
#include "lakemill/engine_spark/spark_remote.h"
#include "lakemill/net/http_client.h"

namespace lakemill::engine_spark {

struct ConnectOptions {
  SparkRemote remote;
  std::string session_id;                    ///< a UUID
  std::chrono::milliseconds timeout_ms_max;  ///< of one statement
  std::stop_token stop;                      ///< gives up the statement that runs
};

/// One session of a Spark Connect server: gRPC calls over HTTP/2, one request and the
/// whole answer at a time.
///
/// Not thread-safe. Borrows `http`, which must outlive it. Errors of all calls:
/// invalid (Spark refuses the statement, or rows make it fail: Spark's message),
/// denied, unavailable (no server there: nothing happened), unknown (no whole answer:
/// the statement may still take effect), unsupported (no Spark Connect there),
/// cancelled, corrupt. Messages name host and port.
class ConnectClient {
 public:
  ConnectClient(ConnectOptions options, net::HttpClient& http);
  /// Releases the session if it was used; waits for that a second at most.
  ~ConnectClient();
  ConnectClient(const ConnectClient&) = delete;
  ConnectClient& operator=(const ConnectClient&) = delete;

  /// Sets runtime settings of the session.
  Status configure(const std::map<std::string, std::string>& settings);

  /// Runs a command (connect_messages.h).
  Status run(std::string_view command);

  /// Runs a relation and gives its rows as Arrow IPC streams, in order.
  Result<std::vector<std::string>> fetch(std::string_view relation);

 private:
  Result<std::vector<std::string>> call(std::string_view method,
                                        const std::string& message,
                                        std::chrono::milliseconds timeout,
                                        std::stop_token stop);
  Result<std::vector<std::string>> execute(const std::string& message);

  const ConnectOptions options_;
  const ConnectSession session_;
  net::HttpClient& http_;
  bool used_ = false;
};

}  // namespace lakemill::engine_spark
