#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/network_address.h"
#include "lakemill/base/result.h"

namespace lakemill::net {

struct HttpHeader {
  std::string name;
  std::string value;
};

struct HttpRequest {
  std::string method = {};  ///< "GET", "PUT", …
  std::string url = {};     ///< http:// or https://, escaped, taken as it is
  std::vector<HttpHeader> headers = {};
  std::string_view body = {};  ///< must outlive the call
  std::chrono::milliseconds timeout = std::chrono::minutes(5);  ///< of the exchange
  bool http2 = false;         ///< HTTP/2 without asking for it first, as gRPC has it
  std::stop_token stop = {};  ///< a stop request gives the exchange up: cancelled
};

struct HttpResponse {
  int status = 0;
  std::vector<HttpHeader> headers;  ///< names in lower case; trailers come last
  std::string body;

  /// The value of a header (its name in lower case); "" if there is none.
  std::string_view header(std::string_view name) const;
};

/// Whether a connection to `address` may be opened, for a request to `host`: a name in
/// lower case, or an address, as libcurl reads it out of the URL. Asked just before, of
/// each address that the name stands for then. An error refuses it, and is that of the
/// request where no other address is left. Called by the threads that send.
using AddressGuard =
    std::function<Status(std::string_view host, const IpAddress& address)>;

struct HttpOptions {
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);
  /// An exchange in which nothing moves for so long is given up.
  std::chrono::seconds stall_timeout = std::chrono::seconds(30);
  std::int64_t body_size_max = std::int64_t{1} << 31;  ///< of an answer
  bool cuts_body = false;  ///< a larger one is an answer with its first bytes
  std::size_t idle_connections_max = 32;
  std::string ca_file = {};  ///< certificates to trust; empty: the system's
  /// May be empty. A guarded client goes through no proxy, and takes no URL with a user
  /// or password in it.
  AddressGuard address_guard = {};
};

/// Sends one request and waits for its answer; repeats nothing and follows no redirect.
///
/// Thread-safety: concurrent calls are allowed. Connections are kept and used again.
class HttpClient {
 public:
  virtual ~HttpClient() = default;

  /// Any answer is a success, whatever its status. Errors: unavailable (nothing was
  /// sent), unknown (sent at least in part, and no or no whole answer: the peer may
  /// have acted), denied (TLS: the peer is not who it should be), invalid (no such URL,
  /// or an answer larger than the options allow), cancelled (the peer may have acted),
  /// those of the guard. Messages name the host, never a header or the URL's path.
  virtual Result<HttpResponse> send(const HttpRequest& request) = 0;
};

/// Over libcurl, which is loaded at the first request: where it is missing, that is
/// an error of the request (unsupported).
std::unique_ptr<HttpClient> make_http_client(HttpOptions options);

}  // namespace lakemill::net
