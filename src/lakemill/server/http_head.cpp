#include "lakemill/server/http_head.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "lakemill/base/text.h"

namespace lakemill::server {

namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::size_t kLengthDigitsMax = 15;
constexpr std::array<std::string_view, 7> kMethods = {
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
// Two lines of one of these would be two truths.
constexpr std::array<std::string_view, 12> kSingleHeaders = {
    "authorization", "content-length", "content-type",    "cookie",
    "expect",        "host",           "idempotency-key", "last-event-id",
    "origin",        "sec-fetch-site", "x-csrf-token",    "transfer-encoding",
};

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }
bool is_letter(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
}

// A control byte other than a tab.
bool is_control(char letter) {
  const auto byte = static_cast<unsigned char>(letter);
  return (byte < 0x20 && letter != '\t') || byte == 0x7F;
}

Refusal malformed(std::string message) {
  return {400, "malformed_head", std::move(message)};
}

std::string_view trim_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// host[:port], the host a name, an IPv4 address or an IPv6 address in brackets.
bool is_host(std::string_view text) {
  std::string_view host = text;
  std::string_view port;
  bool has_port = false;
  const std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
  if (bracket == std::string_view::npos) return false;
  if (const std::size_t colon = text.find(':', bracket);
      colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    has_port = true;
  }
  if (has_port && (port.empty() || port.size() > 5 ||
                   !std::all_of(port.begin(), port.end(), is_digit))) {
    return false;
  }
  if (host.starts_with('[')) {
    if (!host.ends_with(']') || host.size() < 4) return false;
    host = host.substr(1, host.size() - 2);
    return host.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
  }
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char letter) {
    return is_letter(letter) || is_digit(letter) || letter == '.' || letter == '-' ||
           letter == '_';
  });
}

std::optional<Refusal> read_version(std::string_view version, RequestHead& head) {
  if (version.size() != 8 || !version.starts_with("HTTP/") || !is_digit(version[5]) ||
      version[6] != '.' || !is_digit(version[7])) {
    return malformed("The request line is not \"METHOD /target HTTP/1.1\".");
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return Refusal{505, "version_not_supported", "HTTP/1.1 is spoken here."};
  }
  head.minor_version = version[7] - '0';
  return std::nullopt;
}

// "http://host/path" as a client of a proxy sends it (RFC 9112, 3.2.2). Host must then
// say the same, which is checked when the headers are known.
std::optional<Refusal> read_absolute_target(std::string_view target,
                                            RequestHead& head) {
  const std::size_t begin = target.find("://") + 3;
  const std::size_t slash = target.find('/', begin);
  if (slash == std::string_view::npos) {
    return malformed("The target has no path.");
  }
  head.host = target.substr(begin, slash - begin);
  head.target = target.substr(slash);
  if (!is_host(head.host)) return malformed("The target's host is none.");
  return std::nullopt;
}

std::optional<Refusal> read_target(std::string_view target, RequestHead& head) {
  const bool printable = std::all_of(target.begin(), target.end(), [](char letter) {
    return letter > 0x20 && letter < 0x7F;
  });
  if (target.empty() || !printable) {
    return malformed("The target holds bytes that must be escaped as %XX.");
  }
  if (target.starts_with('/')) {
    head.target = target;
    return std::nullopt;
  }
  const std::string lower = to_lower(target.substr(0, 8));
  if (lower.starts_with("http://") || lower.starts_with("https://")) {
    return read_absolute_target(target, head);
  }
  return malformed("The target is no path that begins with '/'.");
}

std::optional<Refusal> read_request_line(std::string_view line,
                                         const HeadLimits& limits, RequestHead& head) {
  const std::size_t first = line.find(' ');
  const std::size_t second =
      first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos || !is_token(line.substr(0, first))) {
    return malformed("The request line is not \"METHOD /target HTTP/1.1\".");
  }
  head.method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, second - first - 1);
  if (target.size() > limits.target_bytes_max) {
    return Refusal{414, "target_too_long",
                   "The target has more than " +
                       std::to_string(limits.target_bytes_max) + " bytes."};
  }
  if (auto refusal = read_version(line.substr(second + 1), head)) return refusal;
  if (std::find(kMethods.begin(), kMethods.end(), head.method) == kMethods.end()) {
    return Refusal{501, "method_not_implemented", "The method is not known here."};
  }
  return read_target(target, head);
}

std::optional<Refusal> read_content_length(std::string_view value, RequestHead& head) {
  std::int64_t length = 0;
  const bool digits = !value.empty() && value.size() <= kLengthDigitsMax &&
                      std::all_of(value.begin(), value.end(), is_digit);
  if (!digits) return malformed("Content-Length is no number of bytes.");
  std::from_chars(value.data(), value.data() + value.size(), length);
  head.content_length = length;
  return std::nullopt;
}

std::optional<Refusal> read_transfer_encoding(std::string_view value,
                                              RequestHead& head) {
  if (head.minor_version == 0) {
    return malformed("HTTP/1.0 has no Transfer-Encoding.");
  }
  if (!equals_ignoring_case(value, "chunked")) {
    return Refusal{501, "transfer_encoding_not_implemented",
                   "Only the transfer encoding \"chunked\" is taken."};
  }
  head.chunked = true;
  return std::nullopt;
}

// What a header says about the message itself.
std::optional<Refusal> apply_header(const Header& header, RequestHead& head) {
  if (header.name == "content-length") return read_content_length(header.value, head);
  if (header.name == "transfer-encoding") {
    return read_transfer_encoding(header.value, head);
  }
  if (header.name == "host") {
    if (!is_host(header.value)) return malformed("Host is no host.");
    if (!head.host.empty() && !equals_ignoring_case(head.host, header.value)) {
      return malformed("Host is not the host of the target.");
    }
    head.host = header.value;
  }
  if (header.name == "connection") {
    for (const std::string& option : split(header.value, ',')) {
      if (equals_ignoring_case(trim_blanks(option), "close")) head.keep_alive = false;
    }
  }
  if (header.name == "expect") {
    if (!equals_ignoring_case(header.value, "100-continue")) {
      return Refusal{417, "expectation_failed", "Only 100-continue may be expected."};
    }
    head.expects_continue = head.minor_version == 1;
  }
  return std::nullopt;
}

bool is_repeated(const Header& header, const RequestHead& head) {
  const bool single = std::find(kSingleHeaders.begin(), kSingleHeaders.end(),
                                header.name) != kSingleHeaders.end();
  return single && std::any_of(head.headers.begin(), head.headers.end(),
                               [&](const Header& h) { return h.name == header.name; });
}

std::optional<Refusal> read_headers(std::string_view lines, const HeadLimits& limits,
                                    RequestHead& head) {
  while (!lines.empty()) {
    const std::size_t end = lines.find(kLineEnd);
    if (end == std::string_view::npos) return malformed("A line has no end.");
    auto parsed = parse_header_line(lines.substr(0, end));
    if (auto* refusal = std::get_if<Refusal>(&parsed)) return std::move(*refusal);
    Header& header = *std::get_if<Header>(&parsed);
    lines.remove_prefix(end + kLineEnd.size());
    if (head.headers.size() >= limits.headers_max) {
      return Refusal{
          431, "too_many_headers",
          "There are more than " + std::to_string(limits.headers_max) + " headers."};
    }
    if (is_repeated(header, head)) {
      return malformed("The header " + header.name + " is there twice.");
    }
    if (auto refusal = apply_header(header, head)) return refusal;
    head.headers.push_back(std::move(header));
  }
  return std::nullopt;
}

std::optional<Refusal> check_whole(const RequestHead& head) {
  if (head.chunked && head.content_length) {
    return malformed("Content-Length and Transfer-Encoding are both there.");
  }
  const bool needs_host = head.minor_version == 1 || !head.host.empty();
  if (needs_host && head.header("host").empty()) {
    return malformed("The header Host is missing.");
  }
  return std::nullopt;
}

}  // namespace

std::string_view RequestHead::header(std::string_view name) const {
  for (const Header& header : headers) {
    if (header.name == name) return header.value;
  }
  return {};
}

bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char letter) {
    return is_letter(letter) || is_digit(letter) ||
           kMarks.find(letter) != std::string_view::npos;
  });
}

bool is_header_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(), is_control);
}

HeadEnd find_head_end(std::string_view bytes, std::size_t looked_at) {
  for (std::size_t at = looked_at; at < bytes.size(); ++at) {
    const char byte = bytes[at];
    const bool after_return = at > 0 && bytes[at - 1] == '\r';
    if ((byte == '\n') != after_return) return {HeadEnd::State::broken, at};
    if (byte == '\n') {
      if (at < 2) return {HeadEnd::State::broken, at};  // an empty first line
      if (bytes[at - 2] == '\n') return {HeadEnd::State::whole, at + 1};
    } else if (is_control(byte) && byte != '\r') {
      return {HeadEnd::State::broken, at};
    }
  }
  return {HeadEnd::State::more, bytes.size()};
}

std::variant<Header, Refusal> parse_header_line(std::string_view line) {
  if (line.starts_with(' ') || line.starts_with('\t')) {
    return malformed("A header is folded over two lines.");
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return malformed("A header is not \"Name: value\".");
  }
  const std::string_view value = trim_blanks(line.substr(colon + 1));
  if (!is_header_value(value)) return malformed("A header holds control bytes.");
  return Header{to_lower(line.substr(0, colon)), std::string(value)};
}

std::variant<RequestHead, Refusal> parse_head(std::string_view bytes,
                                              const HeadLimits& limits) {
  if (bytes.size() > limits.bytes_max) {
    return Refusal{431, "head_too_large",
                   "The request's head has more than " +
                       std::to_string(limits.bytes_max) + " bytes."};
  }
  const HeadEnd end = find_head_end(bytes, 0);
  if (end.state != HeadEnd::State::whole || end.size != bytes.size()) {
    return malformed(
        "The head holds control bytes, or lines that do not end in CR LF.");
  }
  RequestHead head;
  const std::size_t line_end = bytes.find(kLineEnd);
  if (auto refusal = read_request_line(bytes.substr(0, line_end), limits, head)) {
    return std::move(*refusal);
  }
  const std::size_t begin = line_end + kLineEnd.size();
  const std::string_view lines =
      bytes.substr(begin, bytes.size() - begin - kLineEnd.size());
  if (auto refusal = read_headers(lines, limits, head)) return std::move(*refusal);
  if (auto refusal = check_whole(head)) return std::move(*refusal);
  if (head.minor_version == 0) head.keep_alive = false;
  return head;
}

std::string write_head(const RequestHead& head) {
  std::string bytes = head.method + " " + head.target + " HTTP/1." +
                      std::to_string(head.minor_version) + "\r\n";
  for (const Header& header : head.headers) {
    bytes += header.name + ": " + header.value + "\r\n";
  }
  return bytes + "\r\n";
}

}  // namespace lakemill::server
