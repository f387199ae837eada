#include "lakemill/server/answer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "lakemill/base/json.h"
#include "lakemill/base/text.h"
#include "lakemill/net/http_date.h"

namespace lakemill::server {

namespace {

constexpr std::array<std::string_view, 4> kListenersOwn = {
    "content-length", "transfer-encoding", "connection", "date"};

std::string_view reason_of(int status) {
  constexpr std::array<std::pair<int, std::string_view>, 31> kReasons = {{
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {204, "No Content"},
      {303, "See Other"},
      {304, "Not Modified"},
      {307, "Temporary Redirect"},
      {308, "Permanent Redirect"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {410, "Gone"},
      {412, "Precondition Failed"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {417, "Expectation Failed"},
      {422, "Unprocessable Content"},
      {428, "Precondition Required"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {505, "HTTP Version Not Supported"},
  }};
  for (const auto& [number, reason] : kReasons) {
    if (number == status) return reason;
  }
  return "Status";
}

bool has_no_body(int status) { return status == 204 || status == 304; }

}  // namespace

Answer json_answer(int status, std::string json) {
  Answer answer;
  answer.status = status;
  answer.headers = {{"Content-Type", "application/json"}};
  answer.body = std::move(json);
  return answer;
}

Answer error_answer(const Refusal& refusal) {
  Answer answer;
  answer.status = refusal.status;
  answer.headers = {{"Content-Type", "application/problem+json"},
                    {"Cache-Control", "no-store"}};
  answer.body = json_text(OrderedJson{{"type", "about:blank"},
                                      {"title", reason_of(refusal.status)},
                                      {"status", refusal.status},
                                      {"detail", refusal.message},
                                      {"code", refusal.code}});
  if (refusal.status == 429 || refusal.status == 503) {
    answer.headers.push_back({"Retry-After", "1"});
  }
  return answer;
}

Answer stream_answer(std::shared_ptr<EventStream> stream) {
  Answer answer;
  answer.headers = {{"Content-Type", "text/event-stream"},
                    {"Cache-Control", "no-store"},
                    {"X-Accel-Buffering", "no"}};  // nginx would gather the events
  answer.stream = std::move(stream);
  return answer;
}

bool is_sendable(const Answer& answer) {
  if (answer.status < 200 || answer.status > 599) return false;
  if (has_no_body(answer.status) && (!answer.body.empty() || answer.stream))
    return false;
  return std::all_of(
      answer.headers.begin(), answer.headers.end(), [](const Header& header) {
        const std::string name = to_lower(header.name);
        return is_token(name) && is_header_value(header.value) &&
               std::find(kListenersOwn.begin(), kListenersOwn.end(), name) ==
                   kListenersOwn.end();
      });
}

std::string answer_head(const Answer& answer, bool closes, Instant now) {
  std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " ";
  head += reason_of(answer.status);
  head += "\r\nDate: " + net::format_http_date(now) + "\r\n";
  for (const Header& header : answer.headers) {
    head += header.name + ": " + header.value + "\r\n";
  }
  if (!answer.stream && !has_no_body(answer.status)) {
    head += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n";
  }
  if (closes) head += "Connection: close\r\n";
  return head + "\r\n";
}

}  // namespace lakemill::server
