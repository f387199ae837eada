#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include "lakemill/base/random.h"

namespace lakemill::access {

/// Text that must show nowhere: a password, a token, a cookie, the hash of a password.
/// Nothing prints it or makes a string of it but reveal(), so that each place which
/// reads it can be found; the bytes are overwritten when it goes.
///
/// Thread-safety: as a string's.
class SecretText {
 public:
  SecretText() = default;
  explicit SecretText(std::string text) : text_(std::move(text)) {}
  SecretText(const SecretText&) = default;
  SecretText(SecretText&& other) noexcept;
  SecretText& operator=(const SecretText& other);
  SecretText& operator=(SecretText&& other) noexcept;
  ~SecretText();

  std::string_view reveal() const { return text_; }

  friend std::ostream& operator<<(std::ostream&, const SecretText&) = delete;

 private:
  void wipe();

  std::string text_;
};

/// 256 random bits as 43 characters of base64url. `random` must not be foreseeable:
/// an EntropyRandom, but in tests.
SecretText make_secret(Random& random);

/// True for what make_secret() may give.
bool is_secret_shaped(std::string_view text);

/// SHA-256 of a secret of 256 bits, as 64 hex digits: what is stored of it. Not for
/// passwords, which can be guessed.
std::string hash_of(const SecretText& secret);

/// Compares in a time that depends on the sizes alone.
bool equal_in_constant_time(std::string_view left, std::string_view right);

/// Bytes in base64url (RFC 4648, 5) without padding.
std::string base64url(std::string_view bytes);

}  // namespace lakemill::access
