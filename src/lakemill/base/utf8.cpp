#include "lakemill/base/utf8.h"

#include <cstdint>
#include <cstring>

namespace lakemill {

namespace {

unsigned char byte_at(std::string_view text, std::size_t index) {
  return static_cast<unsigned char>(text[index]);
}

bool is_continuation(std::string_view text, std::size_t index) {
  return index < text.size() && (byte_at(text, index) & 0xC0U) == 0x80U;
}

// The bytes of the character that begins at `at`; 0 if none does.
std::size_t character_size(std::string_view text, std::size_t at) {
  const unsigned char first = byte_at(text, at);
  if (first < 0x80) return 1;
  if (first < 0xC2 || !is_continuation(text, at + 1)) return 0;
  if (first < 0xE0) return 2;
  const unsigned char second = byte_at(text, at + 1);
  if (first < 0xF0) {
    const bool overlong = first == 0xE0 && second < 0xA0;
    const bool surrogate = first == 0xED && second > 0x9F;
    return overlong || surrogate || !is_continuation(text, at + 2) ? 0 : 3;
  }
  const bool overlong = first == 0xF0 && second < 0x90;
  const bool beyond = first > 0xF4 || (first == 0xF4 && second > 0x8F);
  const bool whole = is_continuation(text, at + 2) && is_continuation(text, at + 3);
  return overlong || beyond || !whole ? 0 : 4;
}

}  // namespace

bool is_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    std::uint64_t eight = 0;
    if (text.size() - at >= sizeof eight) {
      std::memcpy(&eight, text.data() + at, sizeof eight);
      if ((eight & 0x8080'8080'8080'8080ULL) == 0) {
        at += sizeof eight;
        continue;
      }
    }
    const std::size_t size = character_size(text, at);
    if (size == 0) return false;
    at += size;
  }
  return true;
}

std::string escape_invalid_utf8(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string escaped;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t size = character_size(text, at);
    if (size > 0) {
      escaped.append(text.substr(at, size));
      at += size;
      continue;
    }
    const unsigned char byte = byte_at(text, at++);
    escaped += "\\x";
    escaped += kDigits[byte >> 4U];
    escaped += kDigits[byte & 0x0FU];
  }
  return escaped;
}

}  // namespace lakemill
