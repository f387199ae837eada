#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "lakemill/access/access_store.h"
#include "lakemill/access/accounts.h"
#include "lakemill/access/identity.h"
#include "lakemill/access/recent_cache.h"
#include "lakemill/access/secret_text.h"

namespace lakemill::access {

/// What a new token is to be.
struct TokenWish {
  std::string note;                 ///< what it is for; up to 200 bytes of UTF-8
  std::optional<Role> role;         ///< nothing: only `scopes` count
  std::vector<std::string> scopes;  ///< "events", "ingest:clicks", "ingest:*"; up to 20
  std::string pipelines = "*";      ///< a glob, see fits_glob()
  std::chrono::seconds lifetime{};  ///< 1 s to 365 days
};

/// A token without its secret.
struct TokenInfo {
  std::string id;  ///< 8 letters and digits
  std::string note;
  std::optional<Role> role;
  std::vector<std::string> scopes;
  std::string pipelines = "*";
  std::string made_by;        ///< name of a user, or of who was at this machine
  std::string account;        ///< id of that user's account; empty: none
  std::string made_by_token;  ///< id of the token that made it; may be empty
  Instant made_at{};
  Instant expires_at{};
  std::optional<Instant> revoked_at;
  std::string revoked_by;
};

struct NewToken {
  TokenInfo info;
  SecretText secret;  ///< shown once; nobody can tell it later
};

/// Tokens of programs: `lkm_<id>_<secret>`. Stored is the SHA-256 of one, in the object
/// `tokens/<id>.json` that is written once; that it was revoked is an object beside it,
/// `<id>.revoked.json`.
///
/// A token never allows more than who made it may do now: it ends with the account.
///
/// Thread-safe; any number of processes may share a store. All calls but recall() wait
/// for the store. What another process revokes counts after kAgeMax at the latest.
class Tokens {
 public:
  /// `accounts` outlives it.
  Tokens(AccessContext context, Accounts& accounts);

  /// Errors: denied (more than `maker` may do), invalid (the wish), those of the store.
  Result<NewToken> make(const TokenWish& wish, const Identity& maker);

  /// Who comes with that token. Errors: denied (unknown, wrong, revoked, expired),
  /// corrupt, those of the store.
  Result<Identity> check(const SecretText& token);
  /// What check() would say without waiting; nothing where it would have to read.
  std::optional<Result<Identity>> recall(const SecretText& token) const;

  /// Once revoked, again is a success. Errors: not_found, those of the store.
  Status revoke(const std::string& id, const std::string& by);
  /// Errors: those of the store, corrupt.
  Result<std::optional<TokenInfo>> find(const std::string& id);
  /// By id, from after `after` on. Errors: as find().
  Result<std::vector<TokenInfo>> list(const std::string& after, std::size_t count_max);

  /// Removes tokens that expired more than 30 days ago; to be called now and then.
  /// Errors: those of the store.
  Status tidy();

 private:
  struct Record {
    TokenInfo info;
    std::string hash;  // 64 hex digits
  };

  Result<std::optional<Record>> read(const std::string& id);
  Result<Identity> judge(const Record& record, const std::optional<Account>& owner,
                         const SecretText& token) const;
  static Json to_json(const Record& record);
  static std::optional<Record> from_json(const Json& json);

  AccessContext context_;
  Accounts& accounts_;
  RecentCache<Record> recent_;
};

}  // namespace lakemill::access
