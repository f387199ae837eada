#include "lakemill/sources/postgres/lsn.h"

#include <charconv>

namespace lakemill::sources::postgres {

namespace {

constexpr std::string_view kDigits = "0123456789ABCDEF";

void append_hex(std::string& text, std::uint64_t value, int digits) {
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) {
    text += kDigits[(value >> static_cast<unsigned>(shift)) & 0xFU];
  }
}

std::optional<std::uint64_t> parse_digits(std::string_view text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value, 16);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end) {
    return std::nullopt;
  }
  return value;
}

std::string short_hex(std::uint64_t value) {
  std::string text;
  append_hex(text, value, 16);
  const std::size_t begin = text.find_first_not_of('0');
  return begin == std::string::npos ? "0" : text.substr(begin);
}

}  // namespace

std::string to_text(Lsn lsn) {
  return short_hex(lsn >> 32U) + "/" + short_hex(lsn & 0xFFFF'FFFFU);
}

std::optional<Lsn> parse_lsn(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto high = parse_digits(text.substr(0, slash));
  const auto low = parse_digits(text.substr(slash + 1));
  if (!high || !low || *high > 0xFFFF'FFFFU || *low > 0xFFFF'FFFFU) {
    return std::nullopt;
  }
  return (*high << 32U) | *low;
}

std::string to_hex(Lsn lsn) {
  std::string text;
  append_hex(text, lsn, 16);
  return text;
}

std::optional<Lsn> parse_hex(std::string_view text) {
  if (text.size() != 16) return std::nullopt;
  return parse_digits(text);
}

std::string change_offset(Lsn commit_lsn, std::uint32_t index) {
  std::string text;
  text.reserve(25);
  append_hex(text, commit_lsn, 16);
  text += '/';
  append_hex(text, index, 8);
  return text;
}

}  // namespace lakemill::sources::postgres
