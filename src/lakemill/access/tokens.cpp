#include "lakemill/access/tokens.h"

#include <algorithm>
#include <array>
#include <utility>

#include "lakemill/base/utf8.h"

namespace lakemill::access {

namespace {

constexpr std::string_view kPrefix = "lkm_";
constexpr std::size_t kIdLetters = 8;
// Of one case: ids name objects, also where file systems know no cases.
constexpr std::string_view kIdAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
constexpr int kIdAttemptsMax = 5;
constexpr std::chrono::hours kLifetimeMax{24 * 365};
constexpr std::chrono::hours kKeptAfterwards{24 * 30};
constexpr std::size_t kNoteBytesMax = 200;
constexpr std::size_t kScopesMax = 20;
constexpr std::size_t kPatternBytesMax = 128;
constexpr std::string_view kEnding = ".json";
constexpr std::string_view kRevokedEnding = ".revoked.json";

bool is_id(std::string_view id) {
  return id.size() == kIdLetters &&
         id.find_first_not_of(kIdAlphabet) == std::string_view::npos;
}

std::string path_of(std::string_view id, std::string_view ending) {
  return access_path("tokens/").append(id).append(ending);
}

// The id of a token; empty where it is none.
std::string id_of(const SecretText& token) {
  const std::string_view text = token.reveal();
  const std::size_t secret_at = kPrefix.size() + kIdLetters + 1;
  if (text.size() <= secret_at || !text.starts_with(kPrefix)) return "";
  const std::string_view id = text.substr(kPrefix.size(), kIdLetters);
  const bool is_token = is_id(id) && text[secret_at - 1] == '_' &&
                        is_secret_shaped(text.substr(secret_at));
  return is_token ? std::string(id) : "";
}

std::string make_id(Random& random) {
  std::string id;
  std::uint64_t number = random.next();
  for (std::size_t i = 0; i < kIdLetters; ++i, number >>= 5) {
    id.push_back(kIdAlphabet[number & 31]);
  }
  return id;
}

Error refused() {
  return {ErrorCode::denied,
          "the token does not count: it is unknown, wrong or revoked"};
}

// Letters, digits and what names of pipelines and scopes have, and wildcards.
Status check_pattern(std::string_view what, std::string_view text) {
  const auto fits = [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') ||
           std::string_view("_-.:*?").find(letter) != std::string_view::npos;
  };
  if (!text.empty() && text.size() <= kPatternBytesMax &&
      std::all_of(text.begin(), text.end(), fits)) {
    return {};
  }
  return Error(ErrorCode::invalid,
               std::string(what) + " of a token: 1 to " +
                   std::to_string(kPatternBytesMax) +
                   " letters, digits, '_', '-', '.', ':', '*' and '?'");
}

Status check_wish(const TokenWish& wish) {
  if (!wish.role && wish.scopes.empty()) {
    return Error(ErrorCode::invalid, "a token needs a role or a scope");
  }
  if (wish.lifetime < std::chrono::seconds(1) || wish.lifetime > kLifetimeMax) {
    return Error(ErrorCode::invalid, "a token lives 1 second to 365 days, not " +
                                         std::to_string(wish.lifetime.count()) +
                                         " seconds");
  }
  if (wish.note.size() > kNoteBytesMax || !is_utf8(wish.note)) {
    return Error(ErrorCode::invalid, "the note of a token has up to " +
                                         std::to_string(kNoteBytesMax) +
                                         " bytes of UTF-8");
  }
  if (wish.scopes.size() > kScopesMax) {
    return Error(ErrorCode::invalid,
                 "a token has up to " + std::to_string(kScopesMax) + " scopes");
  }
  for (const std::string& scope : wish.scopes) {
    LAKEMILL_TRY_OK(check_pattern("a scope", scope));
  }
  return check_pattern("the pipelines", wish.pipelines);
}

// Nobody gives more than they have.
Status check_maker(const TokenWish& wish, const Identity& maker) {
  const auto too_much = [](const std::string& what) {
    return Error(ErrorCode::denied,
                 "a token may not have more than who makes it: " + what);
  };
  if (wish.role && (!maker.role || *wish.role > *maker.role)) {
    return too_much("its role");
  }
  if (maker.pipelines != "*" && wish.pipelines != maker.pipelines) {
    return too_much("its pipelines");
  }
  for (const std::string& scope : wish.scopes) {
    const bool has = std::find(maker.scopes.begin(), maker.scopes.end(), scope) !=
                     maker.scopes.end();
    if (!has && !may_everywhere(maker, Role::runner)) return too_much("scope " + scope);
  }
  return {};
}

}  // namespace

Tokens::Tokens(AccessContext context, Accounts& accounts)
    : context_(context),
      accounts_(accounts),
      recent_(context.clock, kRememberedMax, kAgeMax) {}

Result<NewToken> Tokens::make(const TokenWish& wish, const Identity& maker) {
  LAKEMILL_TRY_OK(check_wish(wish));
  LAKEMILL_TRY_OK(check_maker(wish, maker));
  Record record;
  TokenInfo& info = record.info;
  info.note = wish.note;
  info.role = wish.role;
  info.scopes = wish.scopes;
  info.pipelines = wish.pipelines;
  info.made_by = maker.name;
  info.account = maker.account;
  info.made_by_token = maker.token_id;
  info.made_at = context_.clock.now();
  info.expires_at = info.made_at + wish.lifetime;
  if (maker.how == LoginKind::token && info.expires_at > maker.expires_at) {
    return Error(ErrorCode::denied, "what a token makes ends no later than it: " +
                                        format_instant(maker.expires_at));
  }
  for (int attempt = 0; attempt < kIdAttemptsMax; ++attempt) {
    info.id = make_id(context_.random);
    const SecretText part = make_secret(context_.random);
    SecretText token(std::string(kPrefix)
                         .append(info.id)
                         .append("_")
                         .append(part.reveal()));
    record.hash = hash_of(token);
    const auto put =
        put_once(context_.store, path_of(info.id, kEnding), to_json(record));
    if (put) return NewToken{std::move(info), std::move(token)};
    // Else the id is another token's.
    if (put.error().code() != ErrorCode::exists) return put.error();
  }
  return Error(ErrorCode::unavailable, "no free id for a token was found; try again");
}

Result<Identity> Tokens::check(const SecretText& token) {
  const std::string id = id_of(token);
  if (id.empty()) return refused();
  auto record = recent_.find(id);
  if (!record) {
    const auto moment = recent_.begin();
    LAKEMILL_TRY(record, read(id));
    if (!record) return refused();
    recent_.keep(id, *record, moment);
  }
  std::optional<Account> owner;
  if (!record->info.account.empty()) {
    LAKEMILL_TRY(owner, accounts_.current(record->info.made_by));
  }
  return judge(*record, owner, token);
}

std::optional<Result<Identity>> Tokens::recall(const SecretText& token) const {
  const std::string id = id_of(token);
  if (id.empty()) return Result<Identity>(refused());
  const auto record = recent_.find(id);
  if (!record) return std::nullopt;
  std::optional<Account> owner;
  if (!record->info.account.empty()) {
    owner = accounts_.recall(record->info.made_by);
    if (!owner) return std::nullopt;
  }
  return judge(*record, owner, token);
}

Result<Identity> Tokens::judge(const Record& record,
                               const std::optional<Account>& owner,
                               const SecretText& token) const {
  const TokenInfo& info = record.info;
  if (!equal_in_constant_time(record.hash, hash_of(token))) return refused();
  if (info.revoked_at) return refused();
  const Instant now = context_.clock.now();
  if (now >= info.expires_at) {
    return Error(ErrorCode::denied, "the token " + info.id + " ended at " +
                                        format_instant(info.expires_at));
  }
  if (info.made_at > now + kClockSkewMax) {
    return Error(ErrorCode::denied,
                 "the token " + info.id + " was made at " +
                     format_instant(info.made_at) +
                     ", which has not come yet; look at this machine's clock");
  }
  Identity identity;
  identity.name = info.made_by;
  identity.account = info.account;
  identity.token_id = info.id;
  identity.how = LoginKind::token;
  identity.role = info.role;
  identity.scopes = info.scopes;
  identity.pipelines = info.pipelines;
  identity.expires_at = info.expires_at;
  if (info.account.empty()) return identity;
  if (!owner || owner->id != info.account || owner->is_disabled) return refused();
  if (identity.role) identity.role = std::min(*identity.role, owner->role);
  if (owner->role < Role::runner) identity.scopes.clear();
  return identity;
}

Status Tokens::revoke(const std::string& id, const std::string& by) {
  const auto unknown = [&] {
    return Error(ErrorCode::not_found, "there is no such token");
  };
  if (!is_id(id)) return unknown();
  LAKEMILL_TRY(const auto record, read(id));
  if (!record) return unknown();
  if (record->info.revoked_at) return {};
  auto put = put_once(context_.store, path_of(id, kRevokedEnding),
                      Json{{"token", id},
                           {"at", format_instant(context_.clock.now())},
                           {"by", by},
                           {"change", make_uuid(context_.random)}});
  recent_.drop(id);
  if (!put && put.error().code() == ErrorCode::exists) return {};
  return put;
}

Result<std::optional<TokenInfo>> Tokens::find(const std::string& id) {
  if (!is_id(id)) return std::optional<TokenInfo>();
  LAKEMILL_TRY(auto record, read(id));
  if (!record) return std::optional<TokenInfo>();
  return std::optional(std::move(record->info));
}

Result<std::vector<TokenInfo>> Tokens::list(const std::string& after,
                                            std::size_t count_max) {
  LAKEMILL_TRY(const auto objects,
               context_.store.list(access_path("tokens/"),
                                   is_id(after) ? path_of(after, kRevokedEnding) : ""));
  std::vector<TokenInfo> tokens;
  for (const storage::ObjectInfo& object : objects) {
    if (tokens.size() >= count_max) break;
    std::string_view id = object.path;
    id.remove_prefix(id.rfind('/') + 1);
    if (id.size() != kIdLetters + kEnding.size()) continue;  // not <id>.json
    LAKEMILL_TRY(auto token, find(std::string(id.substr(0, kIdLetters))));
    if (token) tokens.push_back(*std::move(token));
  }
  return tokens;
}

Status Tokens::tidy() {
  std::string after;
  constexpr std::size_t kPage = 1'000;
  while (true) {
    LAKEMILL_TRY(const auto tokens, list(after, kPage));
    for (const TokenInfo& token : tokens) {
      after = token.id;
      if (context_.clock.now() < token.expires_at + kKeptAfterwards) continue;
      // In this order: what was revoked is never there without that.
      LAKEMILL_TRY_OK(context_.store.remove(path_of(token.id, kEnding)));
      LAKEMILL_TRY_OK(context_.store.remove(path_of(token.id, kRevokedEnding)));
    }
    if (tokens.size() < kPage) return {};
  }
}

Result<std::optional<Tokens::Record>> Tokens::read(const std::string& id) {
  const std::string path = path_of(id, kEnding);
  LAKEMILL_TRY(const auto json, find_json(context_.store, path));
  if (!json) return std::optional<Record>();
  auto record = from_json(*json);
  if (!record || record->info.id != id) {
    return corrupt_object(context_.store, path, "no token of that id");
  }
  LAKEMILL_TRY(const auto revoked,
               find_json(context_.store, path_of(id, kRevokedEnding)));
  if (revoked) {
    record->info.revoked_at = instant_member(*revoked, "at").value_or(Instant());
    record->info.revoked_by = string_member(*revoked, "by", "");
  }
  return record;
}

Json Tokens::to_json(const Record& record) {
  const TokenInfo& info = record.info;
  Json json{{"token", info.id},
            {"hash", record.hash},
            {"pipelines", info.pipelines},
            {"made_by", info.made_by},
            {"made_at", format_instant(info.made_at)},
            {"expires_at", format_instant(info.expires_at)}};
  if (!info.note.empty()) json["note"] = info.note;
  if (info.role) json["role"] = to_text(*info.role);
  if (!info.scopes.empty()) json["scopes"] = info.scopes;
  if (!info.account.empty()) json["account"] = info.account;
  if (!info.made_by_token.empty()) json["made_by_token"] = info.made_by_token;
  return json;
}

std::optional<Tokens::Record> Tokens::from_json(const Json& json) {
  Record record;
  TokenInfo& info = record.info;
  info.id = string_member(json, "token", "");
  record.hash = string_member(json, "hash", "");
  info.pipelines = string_member(json, "pipelines", "");
  info.made_by = string_member(json, "made_by", "");
  info.note = string_member(json, "note", "");
  info.account = string_member(json, "account", "");
  info.made_by_token = string_member(json, "made_by_token", "");
  const auto made_at = instant_member(json, "made_at");
  const auto expires_at = instant_member(json, "expires_at");
  constexpr std::size_t kHashDigits = 64;
  if (record.hash.size() != kHashDigits || !made_at || !expires_at) return std::nullopt;
  info.made_at = *made_at;
  info.expires_at = *expires_at;
  if (find_member(json, "role") != nullptr) {
    info.role = role_from_text(string_member(json, "role", ""));
    if (!info.role) return std::nullopt;
  }
  const Json* scopes = find_member(json, "scopes");
  if (scopes == nullptr) return record;
  if (!scopes->is_array()) return std::nullopt;
  for (const Json& scope : *scopes) {
    if (!scope.is_string()) return std::nullopt;
    info.scopes.push_back(scope.get<std::string>());
  }
  return record;
}

}  // namespace lakemill::access
