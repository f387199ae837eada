#include "lakemill/access/password.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <argon2.h>

#include "lakemill/access/slots.h"
#include "lakemill/base/utf8.h"

namespace lakemill::access {

namespace {

constexpr std::uint32_t kMemoryKiB = 19 * 1024;
constexpr std::uint32_t kPasses = 2;
constexpr std::uint32_t kLanes = 1;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;
constexpr std::string_view kBeginning = "$argon2id$v=19$m=19456,t=2,p=1$";
constexpr std::size_t kEncodedBytesMax = 128;

// Nobody's: no password with this hash is known.
constexpr const char* kNobodys =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA"
    "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

Slots& slots() {
  static Slots process_slots(Password::kAtOnceMax);
  return process_slots;
}

std::array<std::uint8_t, kSaltBytes> make_salt(Random& random) {
  std::array<std::uint8_t, kSaltBytes> salt{};
  for (std::size_t i = 0; i < salt.size(); i += sizeof(std::uint64_t)) {
    const std::uint64_t number = random.next();
    std::memcpy(salt.data() + i, &number, sizeof number);
  }
  return salt;
}

}  // namespace

Status Password::check(const SecretText& password) {
  const std::string_view text = password.reveal();
  if (text.size() < kBytesMin || text.size() > kBytesMax) {
    return Error(ErrorCode::invalid, "a password has " + std::to_string(kBytesMin) +
                                         " to " + std::to_string(kBytesMax) +
                                         " bytes; this one has " +
                                         std::to_string(text.size()));
  }
  if (!is_utf8(text)) return Error(ErrorCode::invalid, "a password must be UTF-8");
  return {};
}

Result<SecretText> Password::hash(const SecretText& password, Random& random) {
  LAKEMILL_TRY_OK(check(password));
  const auto salt = make_salt(random);
  const std::string_view text = password.reveal();
  std::array<char, kEncodedBytesMax> encoded{};
  const Slots::Held slot(slots());
  const int code = argon2id_hash_encoded(kPasses, kMemoryKiB, kLanes, text.data(),
                                         text.size(), salt.data(), salt.size(),
                                         kHashBytes, encoded.data(), encoded.size());
  if (code != ARGON2_OK) {
    return Error(ErrorCode::unavailable,
                 std::string("hash a password: ") + argon2_error_message(code));
  }
  return SecretText(encoded.data());
}

Result<bool> Password::verify(const SecretText& password, const SecretText* hash) {
  const std::string_view text = password.reveal();
  if (text.size() > kBytesMax) return false;
  const std::string encoded(hash == nullptr ? kNobodys : hash->reveal());
  if (!encoded.starts_with(kBeginning)) {
    return Error(ErrorCode::corrupt, "the stored hash of a password is none of ours");
  }
  const Slots::Held slot(slots());
  const int code = argon2id_verify(encoded.c_str(), text.data(), text.size());
  if (code == ARGON2_OK) return hash != nullptr;
  if (code == ARGON2_VERIFY_MISMATCH) return false;
  return Error(code == ARGON2_MEMORY_ALLOCATION_ERROR ? ErrorCode::unavailable
                                                      : ErrorCode::corrupt,
               std::string("verify a password: ") + argon2_error_message(code));
}

}  // namespace lakemill::access
