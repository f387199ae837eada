#pragma once

#include <string>
#include <string_view>

#include "lakemill/base/result.h"

namespace lakemill::delta {

/// Z85, the text form of bytes in deletion vector descriptors: four bytes as five
/// characters. Source: https://rfc.zeromq.org/spec/32/.
///
/// `bytes` are filled up with zero bytes to a multiple of four, as Delta does; whoever
/// decodes must know the size.
std::string z85_encode(std::string_view bytes);

/// Errors: corrupt (a length that is no multiple of five, a character that is not of
/// the alphabet, a group that does not fit into four bytes).
Result<std::string> z85_decode(std::string_view text);

}  // namespace lakemill::delta
