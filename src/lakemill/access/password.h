#pragma once

#include <cstddef>

#include "lakemill/access/secret_text.h"
#include "lakemill/base/random.h"
#include "lakemill/base/result.h"

namespace lakemill::access {

/// Passwords, by argon2id (RFC 9106) with 19 MiB, two passes and one lane.
///
/// Thread-safe. hash() and verify() take tens of milliseconds; at most kAtOnceMax are
/// worked on in a process, the others wait, so that logins cannot take all memory.
class Password {
 public:
  static constexpr std::size_t kBytesMin = 12;
  static constexpr std::size_t kBytesMax = 1024;
  static constexpr int kAtOnceMax = 2;

  /// Whether it may be somebody's password: 12 to 1024 bytes of UTF-8.
  /// Errors: invalid, which says what is wrong and shows nothing of it.
  static Status check(const SecretText& password);

  /// What is stored of it: salt, costs and hash in argon2's own encoding.
  /// Errors: invalid (as check()), unavailable (no memory).
  static Result<SecretText> hash(const SecretText& password, Random& random);

  /// Whether `hash` was made of it. Without a hash (null: nobody has that name) the
  /// answer is no and takes as long. Longer passwords than there can be are refused at
  /// once. Errors: corrupt (`hash` is none of ours), unavailable (no memory).
  static Result<bool> verify(const SecretText& password, const SecretText* hash);
};

}  // namespace lakemill::access
