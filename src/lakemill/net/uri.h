#pragma once

#include <string>
#include <string_view>

namespace lakemill::net {

/// RFC 3986: all but letters, digits and "-._~" as %XX; '/' stays.
std::string escape_path(std::string_view text);

/// The same with '/' escaped too: for names and values of a query.
std::string escape_query(std::string_view text);

/// The bytes that %XX stand for; '+' is a space where `plus_is_space`.
std::string unescape(std::string_view text, bool plus_is_space);

/// "host:port" of "scheme://host:port/…", the port only where it is written.
std::string host_of(std::string_view url);

}  // namespace lakemill::net
