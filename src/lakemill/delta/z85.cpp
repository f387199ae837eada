#include "lakemill/delta/z85.h"

#include <array>
#include <cstdint>

namespace lakemill::delta {

namespace {

constexpr std::string_view kAlphabet =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/"
    "*?&<>()[]{}@%"
    "$#";
static_assert(kAlphabet.size() == 85);

constexpr std::uint8_t kNone = 255;

constexpr std::array<std::uint8_t, 256> make_digits() {
  std::array<std::uint8_t, 256> digits{};
  digits.fill(kNone);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    digits[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return digits;
}
constexpr std::array<std::uint8_t, 256> kDigits = make_digits();

}  // namespace

std::string z85_encode(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 3) / 4 * 5);
  for (std::size_t start = 0; start < bytes.size(); start += 4) {
    std::uint32_t group = 0;
    for (std::size_t i = start; i < start + 4; ++i) {
      group =
          (group << 8) | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U);
    }
    std::array<char, 5> digits{};
    for (std::size_t i = 5; i-- > 0; group /= 85) digits[i] = kAlphabet[group % 85];
    text.append(digits.data(), digits.size());
  }
  return text;
}

Result<std::string> z85_decode(std::string_view text) {
  if (text.size() % 5 != 0) {
    return Error(ErrorCode::corrupt, "Z85 text of " + std::to_string(text.size()) +
                                         " characters, which is no multiple of five");
  }
  std::string bytes;
  bytes.reserve(text.size() / 5 * 4);
  for (std::size_t start = 0; start < text.size(); start += 5) {
    std::uint64_t group = 0;
    for (const char digit : text.substr(start, 5)) {
      const std::uint8_t value = kDigits[static_cast<unsigned char>(digit)];
      if (value == kNone) {
        return Error(ErrorCode::corrupt, "not Z85: '" + std::string(text) + "'");
      }
      group = group * 85 + value;
    }
    if (group > 0xffffffffULL) {
      return Error(ErrorCode::corrupt, "not Z85: '" + std::string(text) + "'");
    }
    for (int shift = 24; shift >= 0; shift -= 8) {
      bytes.push_back(static_cast<char>((group >> shift) & 0xff));
    }
  }
  return bytes;
}

}  // namespace lakemill::delta
