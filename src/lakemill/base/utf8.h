#pragma once

#include <string>
#include <string_view>

namespace lakemill {

/// True if `text` is UTF-8 without overlong forms and surrogates.
bool is_utf8(std::string_view text);

/// `text` with each byte that is no UTF-8 written as \xNN.
std::string escape_invalid_utf8(std::string_view text);

}  // namespace lakemill
