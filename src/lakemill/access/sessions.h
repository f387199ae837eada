#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "lakemill/access/access_store.h"
#include "lakemill/access/accounts.h"
#include "lakemill/access/identity.h"
#include "lakemill/access/recent_cache.h"
#include "lakemill/access/secret_text.h"

namespace lakemill::access {

struct NewSession {
  Identity identity;
  SecretText secret;      ///< the cookie's value: 43 characters of base64url
  SecretText csrf_token;  ///< what unsafe methods send beside the cookie
};

/// People who are logged in, as objects `sessions/<sha256 of the secret>.json`, written
/// once; when one was last used is an object beside it, `<sha256>.used.json`, so that a
/// late note of use cannot bring back a session that has ended.
///
/// A session ends kIdleMax after its last use (which is noted every kNotedEach, so it
/// may be that much earlier), kLifetimeMax after its beginning, with the password, the
/// account or its being disabled, and by end().
///
/// Thread-safe; any number of processes may share a store. All calls but recall() and
/// those of CSRF tokens wait for the store. What another process ends counts after
/// kAgeMax at the latest.
class Sessions {
 public:
  static constexpr std::chrono::hours kIdleMax{12};
  static constexpr std::chrono::hours kLifetimeMax{24 * 7};
  static constexpr std::chrono::minutes kNotedEach{5};

  /// `accounts` outlives it.
  Sessions(AccessContext context, Accounts& accounts);

  /// For an account that Accounts::login() gave. Errors: those of the store.
  Result<NewSession> begin(const Account& account);

  /// Whose session that is. Errors: denied (unknown or ended), those of the store,
  /// corrupt.
  Result<Identity> check(const SecretText& secret);
  /// What check() would say without waiting; nothing where it would have to read.
  std::optional<Result<Identity>> recall(const SecretText& secret) const;

  /// Logs out; without such a session it is a success. Errors: those of the store.
  Status end(const SecretText& secret);

  /// Removes sessions that have ended; to be called now and then. Errors: those of the
  /// store, corrupt.
  Status tidy();

  /// What goes with the session and cannot be computed without its secret.
  static SecretText csrf_token_of(const SecretText& secret);
  /// Compares in constant time.
  static bool is_csrf_token_of(const SecretText& secret, std::string_view given);

 private:
  struct Record {
    std::string name;
    std::string account;
    std::string login_id;
    Instant made_at{};
    Instant used_at{};
  };

  Result<std::optional<Record>> read(const std::string& key);
  bool has_ended(const Record& record) const;
  Result<Identity> judge(const Record& record,
                         const std::optional<Account>& account) const;
  void note_use(const std::string& key, const Record& record);
  Status remove(const std::string& key);

  AccessContext context_;
  Accounts& accounts_;
  RecentCache<Record> recent_;
};

}  // namespace lakemill::access
