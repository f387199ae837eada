#include "lakemill/access/sessions.h"

#include <utility>

#include "lakemill/base/hash.h"

namespace lakemill::access {

namespace {

constexpr std::string_view kEnding = ".json";
constexpr std::string_view kUsedEnding = ".used.json";
constexpr std::size_t kKeyDigits = 64;

std::string path_of(std::string_view key, std::string_view ending) {
  return access_path("sessions/").append(key).append(ending);
}

Error refused() {
  return {ErrorCode::denied, "the session has ended or never was; log in"};
}

Identity identity_of(const Account& account, Instant made_at) {
  Identity identity;
  identity.name = account.name;
  identity.account = account.id;
  identity.how = LoginKind::session;
  identity.role = account.role;
  identity.expires_at = made_at + Sessions::kLifetimeMax;
  return identity;
}

}  // namespace

Sessions::Sessions(AccessContext context, Accounts& accounts)
    : context_(context),
      accounts_(accounts),
      recent_(context.clock, kRememberedMax, kAgeMax) {}

Result<NewSession> Sessions::begin(const Account& account) {
  const Instant now = context_.clock.now();
  NewSession session{identity_of(account, now), make_secret(context_.random), {}};
  session.csrf_token = csrf_token_of(session.secret);
  LAKEMILL_TRY_OK(
      put_once(context_.store, path_of(hash_of(session.secret), kEnding),
               Json{{"name", account.name},
                    {"account", account.id},
                    {"login_id", account.login_id},
                    {"made_at", format_instant(now)},
                    {"change", make_uuid(context_.random)}}));
  return session;
}

Result<Identity> Sessions::check(const SecretText& secret) {
  if (!is_secret_shaped(secret.reveal())) return refused();
  const std::string key = hash_of(secret);
  auto record = recent_.find(key);
  // Another process may have noted a use since: it has ended if the store says so.
  if (!record || has_ended(*record)) {
    const auto moment = recent_.begin();
    LAKEMILL_TRY(record, read(key));
    if (!record) return refused();
    recent_.keep(key, *record, moment);
  }
  LAKEMILL_TRY(const auto account, accounts_.current(record->name));
  auto identity = judge(*record, account);
  if (identity) {
    note_use(key, *record);
  } else if (has_ended(*record)) {
    (void)remove(key);  // so that a clock that goes back does not bring it back
  }
  return identity;
}

std::optional<Result<Identity>> Sessions::recall(const SecretText& secret) const {
  if (!is_secret_shaped(secret.reveal())) return Result<Identity>(refused());
  const auto record = recent_.find(hash_of(secret));
  if (!record || has_ended(*record)) return std::nullopt;
  const auto account = accounts_.recall(record->name);
  if (!account) return std::nullopt;
  return judge(*record, account);
}

bool Sessions::has_ended(const Record& record) const {
  const Instant now = context_.clock.now();
  return now >= record.made_at + kLifetimeMax || now >= record.used_at + kIdleMax;
}

Result<Identity> Sessions::judge(const Record& record,
                                 const std::optional<Account>& account) const {
  const bool has_begun = record.made_at <= context_.clock.now() + kClockSkewMax;
  if (!has_begun || has_ended(record) || !account || account->is_disabled ||
      account->id != record.account || account->login_id != record.login_id) {
    return refused();
  }
  return identity_of(*account, record.made_at);
}

// One that is not noted now is noted with the next use.
void Sessions::note_use(const std::string& key, const Record& record) {
  const Instant now = context_.clock.now();
  if (now < record.used_at + kNotedEach) return;
  const auto moment = recent_.begin();
  const auto put = context_.store.put(
      path_of(key, kUsedEnding),
      json_text(Json{{"used_at", format_instant(now)}}) + "\n");
  if (!put) return;
  Record used = record;
  used.used_at = now;
  // Not newer than it was read: whether it has ended must be looked for as often.
  recent_.amend(key, std::move(used), moment);
}

Status Sessions::end(const SecretText& secret) {
  if (!is_secret_shaped(secret.reveal())) return {};
  return remove(hash_of(secret));
}

Status Sessions::remove(const std::string& key) {
  auto removed = context_.store.remove(path_of(key, kEnding));
  recent_.drop(key);
  if (!removed) return removed;
  return context_.store.remove(path_of(key, kUsedEnding));
}

Status Sessions::tidy() {
  LAKEMILL_TRY(const auto objects, context_.store.list(access_path("sessions/"), ""));
  std::string last;  // of one session "….json" comes before "….used.json"
  for (const storage::ObjectInfo& object : objects) {
    const std::string name = object.path.substr(object.path.rfind('/') + 1);
    const std::string key = name.substr(0, kKeyDigits);
    if (name == key + std::string(kUsedEnding) && key != last) {
      LAKEMILL_TRY_OK(context_.store.remove(object.path));
    }
    if (name != key + std::string(kEnding)) continue;
    last = key;
    LAKEMILL_TRY(const auto record, read(key));
    if (record && has_ended(*record)) LAKEMILL_TRY_OK(remove(key));
  }
  return {};
}

Result<std::optional<Sessions::Record>> Sessions::read(const std::string& key) {
  const std::string path = path_of(key, kEnding);
  LAKEMILL_TRY(const auto json, find_json(context_.store, path));
  if (!json) return std::optional<Record>();
  const auto made_at = instant_member(*json, "made_at");
  if (!made_at) return corrupt_object(context_.store, path, "no session");
  Record record{string_member(*json, "name", ""), string_member(*json, "account", ""),
                string_member(*json, "login_id", ""), *made_at, *made_at};
  LAKEMILL_TRY(const auto used, find_json(context_.store, path_of(key, kUsedEnding)));
  if (!used) return std::optional(std::move(record));
  const auto used_at = instant_member(*used, "used_at");
  if (!used_at) {
    return corrupt_object(context_.store, path_of(key, kUsedEnding), "no instant");
  }
  // A use that is still to come was noted under a wrong clock, and tells nothing.
  if (*used_at <= context_.clock.now() + kClockSkewMax) record.used_at = *used_at;
  return std::optional(std::move(record));
}

SecretText Sessions::csrf_token_of(const SecretText& secret) {
  return SecretText(base64url(hmac_sha256(secret.reveal(), "lakemill csrf 1")));
}

bool Sessions::is_csrf_token_of(const SecretText& secret, std::string_view given) {
  return equal_in_constant_time(csrf_token_of(secret).reveal(), given);
}

}  // namespace lakemill::access
