#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "lakemill/base/random.h"
#include "lakemill/catalog/catalog.h"
#include "lakemill/engine/engine.h"
#include "lakemill/net/http_client.h"

namespace lakemill::engine_spark {

struct SparkOptions {
  /// The address of the server (spark_remote.h), asked for when a session first needs
  /// it: it may hold secrets.
  std::function<Result<std::string>()> remote;
  std::chrono::milliseconds statement_timeout_ms_max = std::chrono::hours(1);
};

/// What a Spark engine borrows; all must outlive it.
struct SparkServices {
  /// The embedded engine: it checks what pipelines may do, binds and describes, so that
  /// both engines refuse the same and give the same columns. It reads no rows for it.
  engine::Engine& front;
  net::HttpClient& http;
  catalog::Catalog& catalog;  ///< tables that SQL names
  Random& random;
};

/// Spark by Spark Connect. A session of it is one of the server, opened when the first
/// statement runs; until then nothing is asked of the server.
///
/// Statements are written again in Spark's dialect, and what it would do otherwise is
/// refused (unsupported). It writes to TemporaryTarget only, and its
/// sessions are engine::TableCommitter.
std::unique_ptr<engine::Engine> make_spark_engine(SparkOptions options,
                                                  SparkServices services);

}  // namespace lakemill::engine_spark
