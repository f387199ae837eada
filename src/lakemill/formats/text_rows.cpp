#include "lakemill/formats/text_rows.h"

#include <array>
#include <bit>
#include <cstring>

namespace lakemill::formats {

namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::size_t kLengthSize = sizeof(std::uint32_t);

void append_length(std::string& rows, std::uint32_t length) {
  std::array<char, kLengthSize> bytes{};
  std::memcpy(bytes.data(), &length, kLengthSize);
  rows.append(bytes.data(), kLengthSize);
}

}  // namespace

void append_text(std::string& rows, std::string_view text) {
  append_length(rows, static_cast<std::uint32_t>(text.size()));
  rows.append(text);
}

void append_null(std::string& rows) { append_length(rows, kNullText); }

bool take_text_row(std::string_view& rows,
                   std::span<std::optional<std::string_view>> row) {
  std::string_view rest = rows;
  for (auto& text : row) {
    if (rest.size() < kLengthSize) return false;
    std::uint32_t length = 0;
    std::memcpy(&length, rest.data(), kLengthSize);
    rest.remove_prefix(kLengthSize);
    text.reset();
    if (length == kNullText) continue;
    if (rest.size() < length) return false;
    text = rest.substr(0, length);
    rest.remove_prefix(length);
  }
  rows = rest;
  return true;
}

}  // namespace lakemill::formats
