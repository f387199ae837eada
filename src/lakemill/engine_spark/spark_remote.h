#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/result.h"
#include "lakemill/net/http_client.h"

namespace lakemill::engine_spark {

/// Where a Spark Connect server is, and who asks.
struct SparkRemote {
  std::string host;
  int port = 15002;
  bool tls = false;                      ///< use_ssl
  std::string token;                     ///< sent as a bearer token; never printed
  std::string user_id = "lakemill";      ///< whose session it is
  std::vector<net::HttpHeader> headers;  ///< those that begin with x-

  /// "host:port", for messages.
  std::string place() const { return host + ":" + std::to_string(port); }
};

/// Reads `sc://host:port/;name=value;…` as Spark's own clients write it: use_ssl, token
/// (which needs use_ssl, except on this machine itself), user_id, and headers whose
/// names begin with x-. Errors: invalid; messages name the place and the parameter,
/// never a value.
Result<SparkRemote> parse_remote(std::string_view text);

}  // namespace lakemill::engine_spark
