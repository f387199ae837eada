#pragma once

// The body of a request in chunks (RFC 9112, section 7.1), decoded as it comes.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lakemill/server/refusal.h"

namespace lakemill::server {

/// Decodes one body. Strict as http_head.h is: lines end in CR LF, sizes are bare hex
/// digits. Extensions of chunks and trailers are checked and left out; both together
/// are bounded, as is the body.
///
/// Not thread-safe.
class ChunkedBody {
 public:
  explicit ChunkedBody(std::int64_t bytes_max) : bytes_max_(bytes_max) {}

  /// Takes bytes off the front of `input`, up to the end of the body, and adds what
  /// they hold to `body`. A refusal is final: where the next request begins is not
  /// known.
  std::optional<Refusal> feed(std::string_view& input, std::string& body);

  /// The last chunk and the trailers were taken.
  bool is_whole() const { return state_ == State::whole; }

 private:
  enum class State { size_line, data, data_end, trailers, whole };

  std::optional<Refusal> take_line(std::string_view& input, std::string& body);
  std::optional<Refusal> end_line(const std::string& body);
  std::optional<Refusal> read_size(const std::string& body);

  const std::int64_t bytes_max_;
  State state_ = State::size_line;
  std::string line_;  // what is there of it, with its CR LF
  std::int64_t chunk_left_ = 0;
  std::size_t overhead_ = 0;  // bytes of extensions and trailers
};

}  // namespace lakemill::server
