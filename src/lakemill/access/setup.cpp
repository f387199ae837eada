#include "lakemill/access/setup.h"

#include <utility>

namespace lakemill::access {

namespace {

constexpr int kRaceAttemptsMax = 100;

std::string folder() { return access_path("setup"); }
std::string used_path() { return access_path("setup-used.json"); }

Error done_already() {
  return {ErrorCode::exists, "setup has been done; log in as the user it made"};
}

}  // namespace

Setup::Setup(AccessContext context, Accounts& accounts)
    : context_(context), accounts_(accounts) {}

Result<std::optional<SetupOffer>> Setup::offer() {
  LAKEMILL_TRY(const bool over, is_over());
  if (over) return std::optional<SetupOffer>();
  for (int attempt = 0; attempt < kRaceAttemptsMax; ++attempt) {
    LAKEMILL_TRY(const std::int64_t newest, newest_number(context_.store, folder()));
    SetupOffer offer;
    offer.url = context_.store.url() + "/" + numbered_path(folder(), newest);
    LAKEMILL_TRY(const auto shown, read(newest));
    if (shown && counts(*shown)) {
      offer.expires_at = shown->expires_at;
      return std::optional(std::move(offer));
    }
    const Instant now = context_.clock.now();
    offer.secret = make_secret(context_.random);
    offer.expires_at = now + kLifetime;
    const std::string path = numbered_path(folder(), newest + 1);
    offer.url = context_.store.url() + "/" + path;
    const auto put = put_once(context_.store, path,
                              Json{{"hash", hash_of(*offer.secret)},
                                   {"made_at", format_instant(now)},
                                   {"expires_at", format_instant(offer.expires_at)}});
    if (put) return std::optional(std::move(offer));
    if (put.error().code() != ErrorCode::exists) return put.error();
  }
  return Error(ErrorCode::unavailable, "offers of setup are made without an end");
}

Result<bool> Setup::is_over() {
  if (is_over_) return true;
  LAKEMILL_TRY(const auto used, find_json(context_.store, used_path()));
  if (used) {
    LAKEMILL_TRY_OK(complete(*used));
    is_over_ = true;
    return true;
  }
  LAKEMILL_TRY(const bool any, accounts_.any());
  if (any) is_over_ = true;
  return any;
}

// The account stands in the object that says so; once it is an account, its hash is
// taken out there.
Status Setup::complete(const Json& used) {
  const Json* account = find_member(used, "account");
  if (account == nullptr) return {};
  const auto stored = stored_account_from_json(*account);
  if (!stored || !check_user_name(stored->account.name) ||
      stored->account.version != 1) {
    return corrupt_object(context_.store, used_path(), "it holds no account");
  }
  auto put = accounts_.put_first(*stored);
  if (!put && put.error().code() != ErrorCode::exists) return put;
  (void)context_.store.put(used_path(),
                           json_text(Json{{"name", stored->account.name}}) + "\n");
  return {};
}

Result<Account> Setup::redeem(const SecretText& secret, const std::string& name,
                              const SecretText& password) {
  LAKEMILL_TRY(const bool over, is_over());
  if (over) return done_already();
  LAKEMILL_TRY(const std::int64_t newest, newest_number(context_.store, folder()));
  LAKEMILL_TRY(const auto shown, read(newest));
  if (!shown || !is_secret_shaped(secret.reveal()) ||
      !equal_in_constant_time(shown->hash, hash_of(secret))) {
    return Error(ErrorCode::denied, "the link of setup is wrong, or was replaced");
  }
  if (!counts(*shown)) {
    return Error(ErrorCode::denied,
                 "the link of setup ended; start lakemill again for another one");
  }
  LAKEMILL_TRY(const StoredAccount stored,
               accounts_.prepare(name, Role::admin, password));
  const Json used{{"name", name}, {"account", to_json(stored)}};
  const auto put = put_once(context_.store, used_path(), used);
  if (!put) {
    return put.error().code() == ErrorCode::exists ? done_already() : put.error();
  }
  LAKEMILL_TRY_OK(complete(used));
  is_over_ = true;
  LAKEMILL_TRY(auto account, accounts_.find(name));
  // Somebody else may have made a user of that name at the same moment.
  if (!account || account->id != stored.account.id) return done_already();
  return *std::move(account);
}

bool Setup::counts(const Shown& shown) const {
  const Instant now = context_.clock.now();
  return now < shown.expires_at && shown.made_at <= now + kClockSkewMax;
}

Result<std::optional<Setup::Shown>> Setup::read(std::int64_t number) {
  if (number == 0) return std::optional<Shown>();
  const std::string path = numbered_path(folder(), number);
  LAKEMILL_TRY(const auto json, find_json(context_.store, path));
  if (!json) return std::optional<Shown>();
  const auto made_at = instant_member(*json, "made_at");
  const auto expires_at = instant_member(*json, "expires_at");
  if (!made_at || !expires_at) {
    return corrupt_object(context_.store, path, "no offer of setup");
  }
  return std::optional(Shown{string_member(*json, "hash", ""), *made_at, *expires_at});
}

}  // namespace lakemill::access
