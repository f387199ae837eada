#include "lakemill/server/chunked_body.h"

#include <algorithm>
#include <charconv>
#include <variant>

#include "lakemill/server/http_head.h"

namespace lakemill::server {

namespace {

constexpr std::size_t kLineMax = 1024;
constexpr std::size_t kOverheadMax = 16 << 10;
constexpr std::size_t kSizeDigitsMax = 12;
constexpr std::string_view kHexDigits = "0123456789abcdefABCDEF";

Refusal malformed(std::string message) {
  return {400, "malformed_body", std::move(message)};
}

Refusal overlong() {
  return {431, "trailers_too_large",
          "The chunks of the body have too much beside their data."};
}

}  // namespace

std::optional<Refusal> ChunkedBody::feed(std::string_view& input, std::string& body) {
  while (!input.empty() && state_ != State::whole) {
    if (state_ != State::data) {
      if (auto refusal = take_line(input, body)) return refusal;
      continue;
    }
    const std::size_t size =
        std::min(input.size(), static_cast<std::size_t>(chunk_left_));
    body.append(input.substr(0, size));
    input.remove_prefix(size);
    chunk_left_ -= static_cast<std::int64_t>(size);
    if (chunk_left_ == 0) state_ = State::data_end;
  }
  return std::nullopt;
}

std::optional<Refusal> ChunkedBody::take_line(std::string_view& input,
                                              std::string& body) {
  const std::size_t newline = input.find('\n');
  const bool ends = newline != std::string_view::npos;
  const std::size_t size = ends ? newline + 1 : input.size();
  if (line_.size() + size > kLineMax) return overlong();
  line_.append(input.substr(0, size));
  input.remove_prefix(size);
  if (!ends) return std::nullopt;
  if (!line_.ends_with("\r\n")) {
    return malformed("A line of a chunked body does not end in CR LF.");
  }
  line_.resize(line_.size() - 2);
  auto refusal = end_line(body);
  line_.clear();
  return refusal;
}

// A whole line is in line_.
std::optional<Refusal> ChunkedBody::end_line(const std::string& body) {
  if (state_ == State::size_line) return read_size(body);
  if (state_ == State::data_end) {
    if (!line_.empty()) return malformed("A chunk has more bytes than it says.");
    state_ = State::size_line;
    return std::nullopt;
  }
  if (line_.empty()) {
    state_ = State::whole;
    return std::nullopt;
  }
  overhead_ += line_.size();
  if (overhead_ > kOverheadMax) return overlong();
  auto trailer = parse_header_line(line_);
  if (auto* refusal = std::get_if<Refusal>(&trailer)) return std::move(*refusal);
  return std::nullopt;
}

std::optional<Refusal> ChunkedBody::read_size(const std::string& body) {
  const std::size_t digits =
      std::min(line_.find_first_not_of(kHexDigits), line_.size());
  const std::string_view extension = std::string_view(line_).substr(digits);
  const bool extended = extension.empty() || extension.starts_with(';');
  if (digits == 0 || digits > kSizeDigitsMax || !extended ||
      !is_header_value(extension)) {
    return malformed("The size of a chunk is no hexadecimal number.");
  }
  overhead_ += extension.size();
  if (overhead_ > kOverheadMax) return overlong();
  std::from_chars(line_.data(), line_.data() + digits, chunk_left_, 16);
  if (chunk_left_ > bytes_max_ - static_cast<std::int64_t>(body.size())) {
    return Refusal{413, "body_too_large",
                   "The body has more than " + std::to_string(bytes_max_) + " bytes."};
  }
  state_ = chunk_left_ == 0 ? State::trailers : State::data;
  return std::nullopt;
}

}  // namespace lakemill::server
