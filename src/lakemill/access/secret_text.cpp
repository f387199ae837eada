#include "lakemill/access/secret_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include <string.h>  // NOLINT(modernize-deprecated-headers): explicit_bzero

#include "lakemill/base/hash.h"

namespace lakemill::access {

namespace {

constexpr std::string_view kLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t kSecretLetters = 43;  // 256 bits, 6 a letter

}  // namespace

SecretText::SecretText(SecretText&& other) noexcept : text_(std::move(other.text_)) {
  other.wipe();
}

SecretText& SecretText::operator=(const SecretText& other) {
  if (this != &other) {
    wipe();
    text_ = other.text_;
  }
  return *this;
}

SecretText& SecretText::operator=(SecretText&& other) noexcept {
  if (this != &other) {
    wipe();
    text_ = std::move(other.text_);
    other.wipe();
  }
  return *this;
}

SecretText::~SecretText() { wipe(); }

// All that the string holds: a short one that was moved from keeps its bytes.
void SecretText::wipe() {
  text_.resize(text_.capacity());
  explicit_bzero(text_.data(), text_.size());
  text_.clear();
}

SecretText make_secret(Random& random) {
  std::array<char, 32> bytes{};
  for (std::size_t i = 0; i < bytes.size(); i += sizeof(std::uint64_t)) {
    std::uint64_t number = random.next();
    for (std::size_t j = 0; j < sizeof number; ++j, number >>= 8) {
      bytes[i + j] = static_cast<char>(number & 0xff);
    }
  }
  SecretText secret(base64url(std::string_view(bytes.data(), bytes.size())));
  explicit_bzero(bytes.data(), bytes.size());
  return secret;
}

bool is_secret_shaped(std::string_view text) {
  return text.size() == kSecretLetters &&
         text.find_first_not_of(kLetters) == std::string_view::npos;
}

std::string hash_of(const SecretText& secret) { return sha256_hex(secret.reveal()); }

bool equal_in_constant_time(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return false;
  // Volatile: else the compiler may leave the loop where they differ.
  volatile unsigned char difference = 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    difference = static_cast<unsigned char>(difference | (left[i] ^ right[i]));
  }
  return difference == 0;
}

std::string base64url(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      const auto byte =
          j < count ? static_cast<unsigned char>(bytes[i + j]) : std::uint8_t{0};
      group = (group << 8) | byte;
    }
    for (std::size_t j = 0; j <= count; ++j) {
      text.push_back(kLetters[(group >> (18 - 6 * j)) & 63]);
    }
  }
  return text;
}

}  // namespace lakemill::access
