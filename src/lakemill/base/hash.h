#pragma once

#include <string>
#include <string_view>

namespace lakemill {

/// SHA-256 of `bytes`, as 64 lower-case hex digits.
std::string sha256_hex(std::string_view bytes);

/// HMAC-SHA-256 of `bytes` under `key`: 32 bytes.
std::string hmac_sha256(std::string_view key, std::string_view bytes);

/// MD5 of `bytes` in base64, as the header Content-MD5 has it. No protection against
/// anybody, only against damage on the way. Empty where the library has no MD5.
std::string md5_base64(std::string_view bytes);

/// Base64 of `bytes` with "+", "/" and padding (RFC 4648, section 4).
std::string base64_text(std::string_view bytes);

/// Two lower-case hex digits a byte.
std::string hex_text(std::string_view bytes);

}  // namespace lakemill
