#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/base/random.h"
#include "lakemill/net/http_client.h"
#include "lakemill/net/retry.h"
#include "lakemill/storage/s3_signature.h"

namespace lakemill::storage {

/// Where a store of S3's kind is, who we are there, and how patient to be.
struct S3Options {
  std::string endpoint = {};  ///< "https://host:port"; empty: Amazon's for the region
  std::string region = "us-east-1";
  S3Credentials credentials = {};  ///< empty: requests are not signed
  /// https://endpoint/bucket/key rather than https://bucket.endpoint/key. By default
  /// so wherever an endpoint is given.
  std::optional<bool> path_style = {};
  std::chrono::milliseconds request_timeout = std::chrono::minutes(5);
  net::RetryLimits retries = {};
  std::int64_t part_size_bytes = std::int64_t{8} << 20;  ///< of a large object; ≥ 5 MiB
  std::int64_t single_put_max_bytes = std::int64_t{64} << 20;  ///< of put_if_absent
  int list_page_max = 1000;
};

/// What the code works with; all borrowed.
struct S3Services {
  net::HttpClient& http;
  Clock& clock;
  Random& random;
  std::function<void(std::chrono::milliseconds)> pause;
};

/// One operation on one object, or on the bucket where `key` is empty.
struct S3Call {
  std::string_view activity;  ///< "read", "write": begins the messages
  std::string method;
  std::string bucket;
  std::string key;
  std::string prefix;  ///< of a list: what messages name
  QueryParameters query;
  std::vector<net::HttpHeader> headers;
  std::string_view body;
};

/// Signs requests, sends them, and repeats what may succeed later: connections that
/// fail, answers that do not come, 408, 429, 5xx and their codes. So a write may be
/// received more than once: who must not write twice makes it conditional.
///
/// Thread-safety: concurrent calls are allowed.
class S3Connection {
 public:
  S3Connection(S3Options options, S3Services services);

  /// The answer, whatever its status, unless that says "try again" to the end: then
  /// unavailable (no attempt can have acted) or unknown (one may have). A clock that
  /// differs from the server's is allowed for. Other errors: those of HttpClient.
  Result<net::HttpResponse> send(const S3Call& call);

  /// What an answer that is no success means: not_found, denied, exists (412), invalid
  /// (no such bucket, another region, …), unavailable. Names the operation, the object
  /// and S3's code; never a credential.
  Error failure(const S3Call& call, const net::HttpResponse& response) const;

  const S3Options& options() const { return options_; }
  Random& random() { return services_.random; }

 private:
  struct Target {
    std::string origin;  // "https://host"
    std::string host;    // as the header has it
    std::string path;    // escaped
  };
  Target target_of(const S3Call& call) const;
  net::HttpRequest signed_request(const S3Call& call) const;
  bool correct_clock(const net::HttpResponse& response);

  const S3Options options_;
  const S3Services services_;
  net::RetryBudget budget_;
  std::atomic<std::int64_t> clock_ahead_ms_ = 0;  // the server's before ours
};

/// "s3://bucket/key".
std::string s3_place(const S3Call& call);

/// The element Code of an answer's XML; "" if there is none.
std::string s3_error_code(const net::HttpResponse& response);

}  // namespace lakemill::storage
