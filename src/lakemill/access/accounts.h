#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/access/access_store.h"
#include "lakemill/access/recent_cache.h"
#include "lakemill/access/role.h"
#include "lakemill/access/secret_text.h"

namespace lakemill::access {

/// A user. Holds no secret.
struct Account {
  std::string name;
  std::string id;  ///< random; another one where a name is given anew
  Role role = Role::viewer;
  bool is_disabled = false;
  std::int64_t version = 0;  ///< from 1, +1 with each change: its ETag
  /// Random; another one whenever sessions end: with each password, and if disabled.
  std::string login_id;
  Instant changed_at{};
};

/// Success if a user may have that name: 1 to 64 of a-z, 0-9, '.', '_', '-', '@', '+',
/// the first of them a letter or digit, the last one no '.'. Errors: invalid.
Status check_user_name(std::string_view name);

/// An account and the hash of its password, as an object of the store.
struct StoredAccount {
  Account account;
  SecretText password_hash;
  bool is_deleted = false;
};

Json to_json(const StoredAccount& stored);
/// Nothing where a member is missing or wrong.
std::optional<StoredAccount> stored_account_from_json(const Json& json);

/// Users, as objects `users/<name>/<version>.json` that are each written once: of two
/// changes to one version one wins. What an older version held is taken away once a
/// newer one stands; that the name had it stays.
///
/// Thread-safe; any number of processes may share a store. All calls but recall() wait
/// for the store, those with a password for its hash too.
class Accounts {
 public:
  explicit Accounts(AccessContext context);

  /// Errors: exists (the name is taken), invalid (name or password), those of the
  /// store; unknown: ask again whether it is there.
  Result<Account> create(const std::string& name, Role role,
                         const SecretText& password);

  /// As it is now; nothing where nobody has that name. Errors: those of the store,
  /// corrupt.
  Result<std::optional<Account>> find(const std::string& name);
  /// By name, from after `after` on. Errors: as find().
  Result<std::vector<Account>> list(const std::string& after, std::size_t count_max);
  /// Whether there is, or ever was, a user. Errors: those of the store.
  Result<bool> any();

  /// Changes what had `version`. Errors: exists (somebody else changed it), not_found,
  /// invalid (the password; or no admin would be left), those of the store; unknown:
  /// look whether it was changed.
  Result<Account> set_role(const std::string& name, std::int64_t version, Role role);
  /// A disabled user's sessions end; tokens rest until the user is enabled.
  Result<Account> set_disabled(const std::string& name, std::int64_t version,
                               bool is_disabled);
  /// Ends the user's sessions, not the tokens.
  Result<Account> set_password(const std::string& name, std::int64_t version,
                               const SecretText& password);
  /// Ends sessions and tokens, also if the name is given anew.
  Status remove(const std::string& name, std::int64_t version);

  /// Whose name and password these are. The same error after about the same time for
  /// an unknown name, a wrong password and a disabled user.
  /// Errors: denied, those of the store, corrupt.
  Result<Account> login(const std::string& name, const SecretText& password);

  /// As find(), but up to kAgeMax old: for each request.
  Result<std::optional<Account>> current(const std::string& name);
  /// What current() would give without waiting; nothing where it would have to read.
  std::optional<Account> recall(const std::string& name) const;

  /// An account, version 1, that is not written yet. Errors: invalid.
  Result<StoredAccount> prepare(const std::string& name, Role role,
                                const SecretText& password);
  /// Writes one of prepare(). Errors: exists, unknown, denied, unavailable.
  Status put_first(const StoredAccount& stored);

 private:
  using Change = std::function<Status(StoredAccount&)>;

  Result<std::optional<StoredAccount>> read_newest(const std::string& name,
                                                   bool reads_always);
  Result<StoredAccount> change(const std::string& name, std::int64_t version,
                               const Change& change);
  Status write(const StoredAccount& stored);
  void clear_older(const std::string& name, std::int64_t version);
  Status check_other_admin(const Account& account);

  AccessContext context_;
  RecentCache<Account> recent_;
};

}  // namespace lakemill::access
