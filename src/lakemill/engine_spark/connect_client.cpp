// A gRPC call is a POST over HTTP/2: the message behind five bytes (a flag and its
// size), answered by messages in the same form, and by the status in the trailers.
// Source: grpc/doc/PROTOCOL-HTTP2.md.
#include "lakemill/engine_spark/connect_client.h"

#include <charconv>

#include "lakemill/base/text.h"
#include "lakemill/engine_spark/spark_error.h"
#include "lakemill/net/uri.h"

namespace lakemill::engine_spark {

namespace {

constexpr std::size_t kFrameHeaderBytes = 5;
constexpr std::chrono::milliseconds kReleaseTimeout = std::chrono::seconds(1);
constexpr int kHttpOk = 200;

std::string framed(std::string_view message) {
  std::string frame(1, '\0');  // not compressed
  for (int shift = 24; shift >= 0; shift -= 8) {
    frame.push_back(static_cast<char>((message.size() >> shift) & 0xFF));
  }
  return frame.append(message);
}

Result<std::vector<std::string>> unframed(std::string_view body) {
  std::vector<std::string> messages;
  while (!body.empty()) {
    if (body.size() < kFrameHeaderBytes || body[0] != '\0') {
      return Error(ErrorCode::corrupt, "an answer is cut off or compressed");
    }
    std::size_t size = 0;
    for (std::size_t i = 1; i < kFrameHeaderBytes; ++i) {
      size = (size << 8) | static_cast<unsigned char>(body[i]);
    }
    body.remove_prefix(kFrameHeaderBytes);
    if (size > body.size()) return Error(ErrorCode::corrupt, "an answer is cut off");
    messages.emplace_back(body.substr(0, size));
    body.remove_prefix(size);
  }
  return messages;
}

Error http_error(int status) {
  constexpr int kUnauthorized = 401;
  constexpr int kForbidden = 403;
  const bool denied = status == kUnauthorized || status == kForbidden;
  return {denied ? ErrorCode::denied : ErrorCode::unsupported,
          "this is no Spark Connect server, or a gateway refuses: it answers with "
          "HTTP status " +
              std::to_string(status)};
}

// What the call came to, by its trailers.
Status outcome_of(const net::HttpResponse& response) {
  if (response.status != kHttpOk) return http_error(response.status);
  const std::string_view status = response.header("grpc-status");
  int code = -1;
  std::from_chars(status.data(), status.data() + status.size(), code);
  if (code == 0) return {};
  if (code < 0) {
    return Error(ErrorCode::unknown, "the answer ends without a status");
  }
  return spark_error(code, net::unescape(response.header("grpc-message"), false));
}

}  // namespace

ConnectClient::ConnectClient(ConnectOptions options, net::HttpClient& http)
    : options_(std::move(options)),
      session_{options_.session_id, options_.remote.user_id},
      http_(http) {}

ConnectClient::~ConnectClient() {
  if (!used_) return;
  // Best effort: a server forgets sessions that nobody uses.
  (void)call("ReleaseSession", release_request(session_), kReleaseTimeout, {});
}

Result<std::vector<std::string>> ConnectClient::call(std::string_view method,
                                                     const std::string& message,
                                                     std::chrono::milliseconds timeout,
                                                     std::stop_token stop) {
  const SparkRemote& remote = options_.remote;
  net::HttpRequest request;
  request.method = "POST";
  request.url = (remote.tls ? "https://" : "http://") + remote.place() +
                "/spark.connect.SparkConnectService/" + std::string(method);
  request.headers = {{"content-type", "application/grpc"}, {"te", "trailers"}};
  if (!remote.token.empty()) {
    request.headers.push_back({"authorization", "Bearer " + remote.token});
  }
  request.headers.insert(request.headers.end(), remote.headers.begin(),
                         remote.headers.end());
  const std::string body = framed(message);
  request.body = body;
  request.timeout = timeout;
  request.http2 = true;
  request.stop = std::move(stop);
  const std::string doing = "Spark at " + remote.place();
  auto response = http_.send(request);
  if (!response) return std::move(response).error().while_doing(doing);
  if (auto outcome = outcome_of(*response); !outcome) {
    return std::move(outcome).error().while_doing(doing);
  }
  auto messages = unframed(response->body);
  if (!messages) return std::move(messages).error().while_doing(doing);
  return messages;
}

Result<std::vector<std::string>> ConnectClient::execute(const std::string& message) {
  if (options_.stop.stop_requested()) {
    return Error(ErrorCode::cancelled, "a stop was requested");
  }
  used_ = true;
  auto answer = call("ExecutePlan", message, options_.timeout_ms_max, options_.stop);
  // Nobody waits for it any more.
  if (!answer && (answer.error().code() == ErrorCode::cancelled ||
                  answer.error().code() == ErrorCode::unknown)) {
    (void)call("Interrupt", interrupt_request(session_), kReleaseTimeout, {});
  }
  return answer;
}

Status ConnectClient::configure(const std::map<std::string, std::string>& settings) {
  used_ = true;
  LAKEMILL_TRY(const auto answer, call("Config", config_request(session_, settings),
                                       options_.timeout_ms_max, options_.stop));
  (void)answer;  // the settings as they are now
  return {};
}

Status ConnectClient::run(std::string_view command) {
  LAKEMILL_TRY(const auto answer, execute(command_request(session_, command)));
  (void)answer;  // progress and metrics
  return {};
}

Result<std::vector<std::string>> ConnectClient::fetch(std::string_view relation) {
  LAKEMILL_TRY(const auto answer, execute(query_request(session_, relation)));
  std::vector<std::string> batches;
  for (const std::string& message : answer) {
    LAKEMILL_TRY(const std::string_view batch, arrow_batch_of(message));
    if (!batch.empty()) batches.emplace_back(batch);
  }
  return batches;
}

}  // namespace lakemill::engine_spark
