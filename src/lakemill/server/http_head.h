#pragma once

// The head of an HTTP/1.1 request (RFC 9112), as a pure function over its bytes.
//
// Everything about which two readers could disagree is refused, never repaired: so no
// proxy in front can be made to see other requests than we do (request smuggling). That
// is stricter than the standard in some places: line ends are CR LF alone, header lines
// are not folded, one header is one line where only one value makes sense.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lakemill/server/refusal.h"

namespace lakemill::server {

struct Header {
  std::string name;   ///< of a request: in lower case
  std::string value;  ///< without spaces and tabs around it
  bool operator==(const Header&) const = default;
};

/// A request without its body, checked.
struct RequestHead {
  std::string method;     ///< GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS
  std::string target;     ///< begins with '/', printable ASCII; parse_target() reads it
  int minor_version = 1;  ///< of HTTP/1
  std::vector<Header> headers;                 ///< as they came
  std::string host;                            ///< with its port; "" only in HTTP/1.0
  std::optional<std::int64_t> content_length;  ///< never together with `chunked`
  bool chunked = false;
  bool expects_continue = false;  ///< Expect: 100-continue
  bool keep_alive = true;         ///< another request may follow

  /// The value of the first header of that name (lower case); "" if there is none.
  /// Headers that decide about access or bodies are there at most once.
  std::string_view header(std::string_view name) const;
  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
  bool operator==(const RequestHead&) const = default;
};

struct HeadLimits {
  std::size_t bytes_max = 16 << 10;  ///< of the whole head
  std::size_t headers_max = 100;
  std::size_t target_bytes_max = 8 << 10;
};

/// Where the head ends that begins `bytes`.
struct HeadEnd {
  enum class State { more, whole, broken };
  State state = State::more;
  std::size_t size = 0;  ///< whole: of the head with its empty line; more: looked at
};

/// Looks for the end of the head, from where the last call with fewer bytes of the same
/// head ended (`looked_at` = its size; 0 at first). Broken: a byte that no head has, so
/// that there is nothing to wait for.
HeadEnd find_head_end(std::string_view bytes, std::size_t looked_at);

/// Reads a whole head, from the request line to the empty line. A refused head ends the
/// connection: where the next request would begin is not known.
std::variant<RequestHead, Refusal> parse_head(std::string_view bytes,
                                              const HeadLimits& limits);

/// A line "name: value" without its line end, as headers and trailers have it.
std::variant<Header, Refusal> parse_header_line(std::string_view line);

/// The head as bytes: parse_head() gives back the same.
std::string write_head(const RequestHead& head);

/// True for what a header's value may hold: printable bytes, spaces and tabs.
bool is_header_value(std::string_view text);
/// True for a header's name.
bool is_token(std::string_view text);

}  // namespace lakemill::server
