#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/net/http_client.h"

namespace lakemill::storage {

struct S3Credentials {
  std::string access_key_id;
  std::string secret_access_key;  ///< never in a message, a log or a plan
  std::string session_token;      ///< empty: none

  bool empty() const { return access_key_id.empty(); }
};

using QueryParameters = std::vector<std::pair<std::string, std::string>>;

/// A request as it is signed.
struct SignedRequest {
  std::string method;
  std::string path;       ///< escaped, begins with '/'
  QueryParameters query;  ///< not escaped
  /// "host" among them; all of them are signed.
  std::vector<net::HttpHeader> headers;
  std::string body_sha256;  ///< in hex, or "UNSIGNED-PAYLOAD"
};

struct SigningScope {
  std::string region = {};
  std::string service = "s3";
  Instant now = {};
};

/// The value of the header Authorization. `request.headers` must hold x-amz-date.
/// Source: AWS Signature Version 4, "Authenticating Requests: Using the Authorization
/// Header".
std::string signature_header(const SignedRequest& request,
                             const S3Credentials& credentials,
                             const SigningScope& scope);

/// "20130524T000000Z".
std::string signing_time(Instant instant);

/// The query sorted and escaped, as it is signed and sent; "" for none.
std::string canonical_query(const QueryParameters& query);

}  // namespace lakemill::storage
