#include "lakemill/storage/s3_connection.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "lakemill/base/hash.h"
#include "lakemill/base/text.h"
#include "lakemill/net/http_date.h"
#include "lakemill/net/uri.h"
#include "lakemill/storage/s3_xml.h"

namespace lakemill::storage {

namespace {

constexpr std::int64_t kClockDifferenceMaxMs = 4 * 60 * 1000;  // S3 allows 15 minutes
constexpr std::size_t kDetailMax = 300;

// Codes that say "try again", under whatever status they come.
constexpr std::array<std::string_view, 9> kPassingCodes = {"SlowDown",
                                                           "RequestTimeout",
                                                           "InternalError",
                                                           "ServiceUnavailable",
                                                           "ThrottlingException",
                                                           "Throttling",
                                                           "RequestLimitExceeded",
                                                           "ConditionalRequestConflict",
                                                           "OperationAborted"};
// Those of them after which nothing can have been written.
constexpr std::array<std::string_view, 6> kRefusingCodes = {
    "SlowDown",
    "ThrottlingException",
    "Throttling",
    "RequestLimitExceeded",
    "ConditionalRequestConflict",
    "OperationAborted"};

template <std::size_t N>
bool holds(const std::array<std::string_view, N>& codes, std::string_view code) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

bool may_pass(const S3Call& call, const net::HttpResponse& response) {
  const int status = response.status;
  if (status == 408 || status == 429 || status == 500 || status == 502 ||
      status == 503 || status == 504) {
    return true;
  }
  // The end of an upload is answered 200 before it is known whether it worked.
  return (status >= 400 || call.method == "POST") &&
         holds(kPassingCodes, s3_error_code(response));
}

bool refused(const net::HttpResponse& response) {
  return response.status == 429 || response.status == 503 ||
         holds(kRefusingCodes, s3_error_code(response));
}

std::optional<std::chrono::milliseconds> asked_pause(
    const net::HttpResponse& response) {
  const std::string_view text = response.header("retry-after");
  int seconds = 0;
  const auto [end, fault] =
      std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || fault != std::errc() || end != text.data() + text.size() ||
      seconds < 0) {
    return std::nullopt;
  }
  return std::chrono::seconds(seconds);
}

struct Code {
  std::string code;
  std::string message;
};

Code code_of(const net::HttpResponse& response) {
  if (response.body.find("<Error") == std::string::npos) return {};
  const auto read = parse_xml(response.body);
  if (!read || read->name != "Error") return {};
  return {read->child_text("Code"), read->child_text("Message")};
}

// What to do about an answer, where that is not plain from S3's own words.
std::string advice(const S3Call& call, const net::HttpResponse& response,
                   const Code& code, bool is_signed) {
  if (!is_signed && (response.status == 403 || response.status == 401)) {
    return "; no credentials are set (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
           "a "
           "connection of type S3 in lakemill.yaml)";
  }
  if (code.code == "NoSuchBucket") {
    return "; make the bucket " + call.bucket + ", or correct its name";
  }
  const std::string_view region = response.header("x-amz-bucket-region");
  if (!region.empty() &&
      (response.status == 301 || response.status == 307 || response.status == 400)) {
    return "; the bucket is in the region " + std::string(region) + ": set AWS_REGION";
  }
  if (code.code == "ExpiredToken") return "; get new credentials";
  if (response.status == 403 && code.code.empty()) {
    return "; the credentials do not allow it, or do not allow to list the bucket";
  }
  return "";
}

ErrorCode meaning(const S3Call& call, const net::HttpResponse& response,
                  const Code& code) {
  if (code.code == "NoSuchBucket") return ErrorCode::invalid;
  switch (response.status) {
    case 404:
      return ErrorCode::not_found;
    case 401:
    case 403:
      return ErrorCode::denied;
    case 412:
      return ErrorCode::exists;
    case 501:
      return ErrorCode::unsupported;
    default:
      break;
  }
  if (code.code == "ExpiredToken" || code.code == "InvalidToken") {
    return ErrorCode::denied;
  }
  return may_pass(call, response) ? ErrorCode::unavailable : ErrorCode::invalid;
}

}  // namespace

std::string s3_place(const S3Call& call) {
  const std::string& named = call.key.empty() ? call.prefix : call.key;
  return "s3://" + call.bucket + (named.empty() ? "" : "/" + named);
}

std::string s3_error_code(const net::HttpResponse& response) {
  return code_of(response).code;
}

S3Connection::S3Connection(S3Options options, S3Services services)
    : options_(std::move(options)),
      services_(std::move(services)),
      budget_(options_.retries, services_.random) {}

S3Connection::Target S3Connection::target_of(const S3Call& call) const {
  std::string endpoint = options_.endpoint;
  if (endpoint.empty()) {
    endpoint = "https://s3." + options_.region + ".amazonaws.com";
    if (options_.region.starts_with("cn-")) endpoint += ".cn";
  }
  while (endpoint.ends_with('/')) endpoint.pop_back();
  const std::size_t scheme_end = endpoint.find("://") + 3;
  std::string host = endpoint.substr(scheme_end);
  // A certificate for *.host does not cover a bucket with dots.
  const bool by_path = options_.path_style.value_or(
      !options_.endpoint.empty() || call.bucket.find('.') != std::string::npos);
  Target target;
  if (!by_path) host = call.bucket + "." + host;
  target.origin = endpoint.substr(0, scheme_end) + host;
  const std::string_view default_port = endpoint.starts_with("https") ? ":443" : ":80";
  target.host = host.ends_with(default_port)
                    ? host.substr(0, host.size() - default_port.size())
                    : host;
  target.path = by_path ? "/" + net::escape_path(call.bucket) : "";
  target.path += call.key.empty() && by_path ? "" : "/" + net::escape_path(call.key);
  return target;
}

net::HttpRequest S3Connection::signed_request(const S3Call& call) const {
  const Target target = target_of(call);
  net::HttpRequest request;
  request.method = call.method;
  request.timeout = options_.request_timeout;
  request.body = call.body;
  request.headers = call.headers;
  const std::string query = canonical_query(call.query);
  request.url = target.origin + target.path + (query.empty() ? "" : "?" + query);
  if (options_.credentials.empty()) return request;

  const Instant now =
      services_.clock.now() + std::chrono::milliseconds(clock_ahead_ms_.load());
  SignedRequest to_sign{.method = call.method,
                        .path = target.path,
                        .query = call.query,
                        .headers = {},
                        .body_sha256 = sha256_hex(call.body)};
  request.headers.push_back({"x-amz-content-sha256", to_sign.body_sha256});
  request.headers.push_back({"x-amz-date", signing_time(now)});
  if (!options_.credentials.session_token.empty()) {
    request.headers.push_back(
        {"x-amz-security-token", options_.credentials.session_token});
  }
  to_sign.headers = request.headers;
  to_sign.headers.push_back({"host", target.host});
  request.headers.push_back(
      {"Authorization", signature_header(to_sign, options_.credentials,
                                         {.region = options_.region, .now = now})});
  return request;
}

// True if the answer shows that our clock is off, and the next request allows for it.
bool S3Connection::correct_clock(const net::HttpResponse& response) {
  if (response.status != 403 && response.status != 400) return false;
  const auto theirs = net::parse_http_date(response.header("date"));
  if (!theirs) return false;
  const std::int64_t ahead = to_epoch_ms(*theirs) - to_epoch_ms(services_.clock.now());
  if (std::abs(ahead - clock_ahead_ms_.load()) < kClockDifferenceMaxMs) return false;
  clock_ahead_ms_ = ahead;
  return true;
}

Result<net::HttpResponse> S3Connection::send(const S3Call& call) {
  const auto begin = services_.clock.elapsed();
  bool may_have_acted = false;
  bool clock_corrected = false;
  for (int failures = 1;; ++failures) {
    auto answer = services_.http.send(signed_request(call));
    if (answer && !clock_corrected && correct_clock(*answer)) {
      clock_corrected = true;
      --failures;
      continue;
    }
    if (answer && !may_pass(call, *answer)) {
      budget_.note_success();
      return answer;
    }
    const bool passing = answer ? true
                                : answer.error().code() == ErrorCode::unavailable ||
                                      answer.error().code() == ErrorCode::unknown;
    if (!passing) {
      return std::move(answer).error().while_doing(std::string(call.activity) + " " +
                                                   s3_place(call));
    }
    if (answer ? !refused(*answer) : answer.error().code() == ErrorCode::unknown) {
      may_have_acted = true;
    }
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(
        services_.clock.elapsed() - begin);
    const auto pause = budget_.next_pause(failures, elapsed,
                                          answer ? asked_pause(*answer) : std::nullopt);
    if (pause) {
      services_.pause(*pause);
      continue;
    }
    const bool reads = call.method == "GET" || call.method == "HEAD";
    Error last = answer ? failure(call, *answer)
                        : std::move(answer).error().while_doing(
                              std::string(call.activity) + " " + s3_place(call));
    return Error(may_have_acted && !reads ? ErrorCode::unknown : ErrorCode::unavailable,
                 last.message() + " (after " + std::to_string(failures) +
                     (failures == 1 ? " attempt)" : " attempts)"));
  }
}

Error S3Connection::failure(const S3Call& call,
                            const net::HttpResponse& response) const {
  const Code code = code_of(response);
  std::string message = std::string(call.activity) + " " + s3_place(call) +
                        ": S3 answers " + std::to_string(response.status);
  if (!code.code.empty()) message += " " + code.code;
  if (!code.message.empty()) message += ": " + code.message.substr(0, kDetailMax);
  message += advice(call, response, code, !options_.credentials.empty());
  if (!options_.endpoint.empty()) {
    message += " (endpoint " + net::host_of(options_.endpoint) + ")";
  }
  return {meaning(call, response, code), std::move(message)};
}

}  // namespace lakemill::storage
