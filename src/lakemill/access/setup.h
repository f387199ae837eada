#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>

#include "lakemill/access/access_store.h"
#include "lakemill/access/accounts.h"
#include "lakemill/access/secret_text.h"

namespace lakemill::access {

/// The one-time secret by which the first admin is made.
struct SetupOffer {
  std::optional<SecretText> secret;  ///< nothing: another process has shown one
  Instant expires_at{};
  std::string url;  ///< the object; who removes it gets a new one at the next start
};

/// Makes the first admin, once. Offers are objects `setup/<number>.json`, each written
/// once: of processes that start together one shows a link. An offer counts for
/// kLifetime; the next process that starts later makes the next one. That one was used
/// is the object `setup-used.json`, written once with all of the account: who finds it
/// without the account (its process died) completes it.
///
/// Thread-safe; any number of processes may share a store. All calls wait for it.
class Setup {
 public:
  static constexpr std::chrono::hours kLifetime{1};

  /// `accounts` outlives it.
  Setup(AccessContext context, Accounts& accounts);

  /// At the start of a process: what to show; nothing where there is, or was, a user.
  /// Errors: those of the store, corrupt.
  Result<std::optional<SetupOffer>> offer();

  /// Whether there is, or was, a user; completes what a process that died left. Once it
  /// is so, the store is not asked again. Errors: those of the store, corrupt.
  Result<bool> is_over();

  /// Makes the admin. Errors: denied (wrong or expired), exists (it was done: log in),
  /// invalid (name or password), those of the store; unknown and unavailable: the same
  /// call again says whether it was done.
  Result<Account> redeem(const SecretText& secret, const std::string& name,
                         const SecretText& password);

 private:
  struct Shown {
    std::string hash;
    Instant made_at{};
    Instant expires_at{};
  };

  Result<std::optional<Shown>> read(std::int64_t number);
  bool counts(const Shown& shown) const;
  Status complete(const Json& used);

  AccessContext context_;
  Accounts& accounts_;
  std::atomic<bool> is_over_ = false;
};

}  // namespace lakemill::access
