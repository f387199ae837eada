#include <string>

#include "lakemill/access/accounts.h"

namespace lakemill::access {

Json to_json(const StoredAccount& stored) {
  const Account& account = stored.account;
  Json json{{"name", account.name},
            {"account", account.id},
            {"role", to_text(account.role)},
            {"version", account.version},
            {"at", format_instant(account.changed_at)}};
  if (account.is_disabled) json["disabled"] = true;
  if (stored.is_deleted) {
    json["deleted"] = true;
  } else {
    json["password"] = stored.password_hash.reveal();
    json["login_id"] = account.login_id;
  }
  return json;
}

std::optional<StoredAccount> stored_account_from_json(const Json& json) {
  const auto role = role_from_text(string_member(json, "role", ""));
  const auto at = instant_member(json, "at");
  if (!role || !at) return std::nullopt;
  StoredAccount stored;
  stored.account.name = string_member(json, "name", "");
  stored.account.id = string_member(json, "account", "");
  stored.account.role = *role;
  stored.account.is_disabled = bool_member(json, "disabled", false);
  stored.account.version = integer_member(json, "version", 0);
  stored.account.login_id = string_member(json, "login_id", "");
  stored.account.changed_at = *at;
  stored.password_hash = SecretText(string_member(json, "password", ""));
  stored.is_deleted = bool_member(json, "deleted", false);
  const bool is_whole = !stored.account.id.empty() &&
                        (stored.is_deleted || (!stored.account.login_id.empty() &&
                                               !stored.password_hash.reveal().empty()));
  return is_whole ? std::optional(std::move(stored)) : std::nullopt;
}

}  // namespace lakemill::access
