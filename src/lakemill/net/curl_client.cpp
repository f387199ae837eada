// One easy handle a request at a time. A handle keeps its connections, so idle handles
// are kept too, the last used first: a sequence of requests uses one connection.
#include <array>
#include <cstring>
#include <mutex>
#include <optional>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>

#include "lakemill/base/text.h"
#include "lakemill/net/curl_library.h"
#include "lakemill/net/http_client.h"
#include "lakemill/net/uri.h"

namespace lakemill::net {

namespace {

struct HandleCloser {
  const CurlLibrary* library = nullptr;
  void operator()(CURL* handle) const { library->easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, HandleCloser>;

struct ListCloser {
  const CurlLibrary* library = nullptr;
  void operator()(curl_slist* list) const { library->slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, ListCloser>;

/// Where the pieces of one answer go.
struct Receiver {
  HttpResponse response;
  std::int64_t body_size_max = 0;
  bool too_large = false;
};

std::size_t on_body(char* bytes, std::size_t unit, std::size_t count, void* user) {
  auto& receiver = *static_cast<Receiver*>(user);
  const std::size_t size = unit * count;
  if (std::ssize(receiver.response.body) + static_cast<std::int64_t>(size) >
      receiver.body_size_max) {
    receiver.too_large = true;
    const auto room = receiver.body_size_max - std::ssize(receiver.response.body);
    receiver.response.body.append(bytes, static_cast<std::size_t>(room));
    return 0;  // ends the transfer
  }
  receiver.response.body.append(bytes, size);
  return size;
}

std::size_t on_header(char* bytes, std::size_t unit, std::size_t count, void* user) {
  auto& response = static_cast<Receiver*>(user)->response;
  const std::string_view line(bytes, unit * count);
  if (line.starts_with("HTTP/")) response.headers.clear();  // after "100 Continue"
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos) {
    response.headers.push_back({to_lower(trim(line.substr(0, colon))),
                                std::string(trim(line.substr(colon + 1)))});
  }
  return unit * count;
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::stop_token*>(user)->stop_requested() ? 1 : 0;
}

/// What a guarded request may connect to, and what it was refused.
struct Gate {
  const AddressGuard* guard = nullptr;
  std::string host;
  bool opened = false;  // some address was allowed
  std::optional<Error> refusal;
};

std::optional<IpAddress> address_of(const curl_sockaddr& peer) {
  IpAddress address{};
  if (peer.family == AF_INET && peer.addrlen >= sizeof(sockaddr_in)) {
    sockaddr_in v4{};
    std::memcpy(&v4, &peer.addr, sizeof v4);
    address[10] = address[11] = 0xFF;
    std::memcpy(address.data() + 12, &v4.sin_addr, 4);
    return address;
  }
  if (peer.family == AF_INET6 && peer.addrlen >= sizeof(sockaddr_in6)) {
    sockaddr_in6 v6{};
    // `addr` is the first part of a longer member.
    std::memcpy(&v6, static_cast<const void*>(&peer.addr), sizeof v6);
    std::memcpy(address.data(), &v6.sin6_addr, address.size());
    return address;
  }
  return std::nullopt;
}

// Called with the address that is connected to next: nobody resolves anything after it.
curl_socket_t on_open_socket(void* user, curlsocktype, curl_sockaddr* peer) {
  auto& gate = *static_cast<Gate*>(user);
  const auto address = address_of(*peer);
  if (!address) {
    gate.refusal =
        Error(ErrorCode::invalid, gate.host + " is at no address of the Internet");
    return CURL_SOCKET_BAD;
  }
  if (auto allowed = (*gate.guard)(gate.host, *address); !allowed) {
    gate.refusal = std::move(allowed).error();
    return CURL_SOCKET_BAD;
  }
  gate.opened = true;
  return ::socket(peer->family, peer->socktype | SOCK_CLOEXEC, peer->protocol);
}

class CurlClient final : public HttpClient {
 public:
  explicit CurlClient(HttpOptions options) : options_(std::move(options)) {}

  Result<HttpResponse> send(const HttpRequest& request) override;

 private:
  Result<Handle> take_handle(const CurlLibrary& library);
  void give_back(Handle handle);
  void set_up(const CurlLibrary& library, CURL* handle, const HttpRequest& request);
  Result<std::string> guarded_host(const CurlLibrary& library, const std::string& url);

  const HttpOptions options_;
  std::mutex mutex_;
  std::vector<Handle> idle_;  // guarded by mutex_
};

Result<Handle> CurlClient::take_handle(const CurlLibrary& library) {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      Handle handle = std::move(idle_.back());
      idle_.pop_back();
      return handle;
    }
  }
  Handle handle(library.easy_init(), HandleCloser{&library});
  if (!handle) return Error(ErrorCode::unavailable, "libcurl gives no handle");
  return handle;
}

void CurlClient::give_back(Handle handle) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < options_.idle_connections_max) idle_.push_back(std::move(handle));
}

void CurlClient::set_up(const CurlLibrary& library, CURL* handle,
                        const HttpRequest& request) {
  const auto set = [&](CURLoption option, auto value) {
    (void)library.easy_setopt(handle, option, value);  // the options are as documented
  };
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  const bool plain = request.url.starts_with("http://");
  const auto version = !request.http2 ? CURL_HTTP_VERSION_1_1
                       : plain        ? CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE
                                      : CURL_HTTP_VERSION_2TLS;
  set(CURLOPT_HTTP_VERSION, static_cast<long>(version));
  if (request.http2) {  // libcurl 7.88 fails at the second exchange of a connection
    set(CURLOPT_FRESH_CONNECT, 1L);
    set(CURLOPT_FORBID_REUSE, 1L);
  }
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(options_.stall_timeout.count()));
  set(CURLOPT_BUFFERSIZE, 256L * 1024);
  set(CURLOPT_UPLOAD_BUFFERSIZE, 256L * 1024);
  if (!options_.ca_file.empty()) set(CURLOPT_CAINFO, options_.ca_file.c_str());
  if (request.method == "GET") {
    set(CURLOPT_HTTPGET, 1L);
  } else if (request.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else {
    if (request.method != "DELETE") {
      set(CURLOPT_POST, 1L);
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      set(CURLOPT_POSTFIELDS,
          request.body.data() == nullptr ? "" : request.body.data());
    }
    set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
}

// The host as libcurl reads it, which is the one that it asks the resolver for.
Result<std::string> CurlClient::guarded_host(const CurlLibrary& library,
                                             const std::string& url) {
  struct UrlCloser {
    const CurlLibrary* library = nullptr;
    void operator()(CURLU* parsed) const { library->url_cleanup(parsed); }
  };
  const std::unique_ptr<CURLU, UrlCloser> parsed(library.url(), UrlCloser{&library});
  const auto part = [&](CURLUPart which) {
    char* text = nullptr;
    std::string found;
    if (library.url_get(parsed.get(), which, &text, 0) == CURLUE_OK) found = text;
    library.free(text);
    return found;
  };
  if (!parsed || library.url_set(parsed.get(), CURLUPART_URL, url.c_str(),
                                 CURLU_PATH_AS_IS) != CURLUE_OK) {
    return Error(ErrorCode::invalid, "no URL that can be read");
  }
  for (const CURLUPart which : {CURLUPART_USER, CURLUPART_PASSWORD}) {
    if (!part(which).empty()) {
      return Error(ErrorCode::invalid,
                   "the URL of " + part(CURLUPART_HOST) + " holds a user or password");
    }
  }
  return to_lower(part(CURLUPART_HOST));
}

// Without these, libcurl adds them of its own accord.
HeaderList header_list(const CurlLibrary& library, const HttpRequest& request) {
  HeaderList list(nullptr, ListCloser{&library});
  const auto add = [&](const std::string& line) {
    list.reset(library.slist_append(list.release(), line.c_str()));
  };
  add("Expect:");
  add("Content-Type:");
  add("User-Agent: lakemill");
  for (const HttpHeader& header : request.headers) {
    add(header.value.empty() ? header.name + ";" : header.name + ": " + header.value);
  }
  return list;
}

Error transfer_error(CURLcode code, bool sent, const std::string& host,
                     const std::string& reason) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
      return {ErrorCode::denied, host + " cannot be trusted: " + reason};
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return {ErrorCode::invalid, host + ": " + reason};
    case CURLE_ABORTED_BY_CALLBACK:
      return {ErrorCode::cancelled, "a request to " + host + " was given up"};
    default:
      break;
  }
  if (!sent)
    return {ErrorCode::unavailable, "no connection to " + host + ": " + reason};
  return {ErrorCode::unknown, "no whole answer from " + host + ": " + reason};
}

Result<HttpResponse> CurlClient::send(const HttpRequest& request) {
  LAKEMILL_TRY(const CurlLibrary* library, CurlLibrary::load());
  Gate gate;
  if (options_.address_guard) {
    gate.guard = &options_.address_guard;
    LAKEMILL_TRY(gate.host, guarded_host(*library, request.url));
  }
  LAKEMILL_TRY(Handle handle, take_handle(*library));
  Receiver receiver;
  receiver.body_size_max = options_.body_size_max;
  std::array<char, CURL_ERROR_SIZE> reason{};
  const HeaderList headers = header_list(*library, request);
  set_up(*library, handle.get(), request);
  (void)library->easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
  (void)library->easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, &on_body);
  (void)library->easy_setopt(handle.get(), CURLOPT_WRITEDATA, &receiver);
  (void)library->easy_setopt(handle.get(), CURLOPT_HEADERFUNCTION, &on_header);
  (void)library->easy_setopt(handle.get(), CURLOPT_HEADERDATA, &receiver);
  (void)library->easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, reason.data());
  if (gate.guard != nullptr) {
    (void)library->easy_setopt(handle.get(), CURLOPT_PROXY, "");
    (void)library->easy_setopt(handle.get(), CURLOPT_OPENSOCKETFUNCTION,
                               &on_open_socket);
    (void)library->easy_setopt(handle.get(), CURLOPT_OPENSOCKETDATA, &gate);
  }
  if (request.stop.stop_possible()) {
    (void)library->easy_setopt(handle.get(), CURLOPT_NOPROGRESS, 0L);
    (void)library->easy_setopt(handle.get(), CURLOPT_XFERINFOFUNCTION, &on_progress);
    (void)library->easy_setopt(handle.get(), CURLOPT_XFERINFODATA, &request.stop);
  }
  const CURLcode code = library->easy_perform(handle.get());
  long status = 0;
  long sent_size = 0;
  (void)library->easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  (void)library->easy_getinfo(handle.get(), CURLINFO_REQUEST_SIZE, &sent_size);
  library->easy_reset(handle.get());  // its connections stay
  give_back(std::move(handle));
  if (receiver.too_large && !options_.cuts_body) {
    return Error(ErrorCode::invalid, host_of(request.url) + " answers with more than " +
                                         std::to_string(options_.body_size_max) +
                                         " bytes");
  }
  if (code != CURLE_OK && !receiver.too_large) {
    if (gate.refusal && !gate.opened) return *std::move(gate.refusal);
    const std::string text =
        reason[0] != '\0' ? std::string(reason.data()) : library->easy_strerror(code);
    return transfer_error(code, sent_size > 0, host_of(request.url), text);
  }
  receiver.response.status = static_cast<int>(status);
  return std::move(receiver.response);
}

}  // namespace

std::unique_ptr<HttpClient> make_http_client(HttpOptions options) {
  return std::make_unique<CurlClient>(std::move(options));
}

}  // namespace lakemill::net
