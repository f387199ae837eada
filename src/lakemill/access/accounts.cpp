#include "lakemill/access/accounts.h"

#include <algorithm>
#include <utility>

#include "lakemill/access/password.h"

namespace lakemill::access {

namespace {

constexpr std::size_t kNameBytesMax = 64;
constexpr std::string_view kFirstLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789._-@+";

// What stands where a version was that is not the newest any more.
constexpr std::string_view kCleared = "{\"superseded\":true}\n";
constexpr int kRaceAttemptsMax = 100;

std::string folder_of(std::string_view name) {
  return access_path("users/") + std::string(name);
}

Error no_such_user(const std::string& name) {
  return {ErrorCode::not_found, "there is no user " + name};
}

}  // namespace

Status check_user_name(std::string_view name) {
  if (!name.empty() && name.size() <= kNameBytesMax &&
      kFirstLetters.find(name.front()) != std::string_view::npos &&
      name.find_first_not_of(kLetters) == std::string_view::npos &&
      name.back() != '.') {
    return {};
  }
  return Error(ErrorCode::invalid,
               "no name of a user: take 1 to 64 of a-z, 0-9, '.', '_', '-', '@' and "
               "'+', beginning with a letter or digit and not ending in '.'");
}

Accounts::Accounts(AccessContext context)
    : context_(context), recent_(context.clock, kRememberedMax, kAgeMax) {}

Result<Account> Accounts::create(const std::string& name, Role role,
                                 const SecretText& password) {
  LAKEMILL_TRY(StoredAccount stored, prepare(name, role, password));
  LAKEMILL_TRY(const auto there, read_newest(name, false));
  if (there && !there->is_deleted) {
    return Error(ErrorCode::exists, "there is a user " + name + " already");
  }
  if (there) stored.account.version = there->account.version + 1;
  LAKEMILL_TRY_OK(write(stored));
  return stored.account;
}

Result<StoredAccount> Accounts::prepare(const std::string& name, Role role,
                                        const SecretText& password) {
  LAKEMILL_TRY_OK(check_user_name(name));
  StoredAccount stored;
  stored.account = {name,
                    make_uuid(context_.random),
                    role,
                    false,
                    1,
                    make_uuid(context_.random),
                    context_.clock.now()};
  LAKEMILL_TRY(stored.password_hash, Password::hash(password, context_.random));
  return stored;
}

Status Accounts::put_first(const StoredAccount& stored) { return write(stored); }

Result<std::optional<Account>> Accounts::find(const std::string& name) {
  const auto moment = recent_.begin();
  LAKEMILL_TRY(const auto stored, read_newest(name, false));
  if (!stored || stored->is_deleted) return std::optional<Account>();
  recent_.keep(name, stored->account, moment);
  return std::optional(stored->account);
}

Result<std::optional<Account>> Accounts::current(const std::string& name) {
  auto account = recall(name);
  if (account) return account;
  return find(name);
}

std::optional<Account> Accounts::recall(const std::string& name) const {
  return recent_.find(name);
}

Result<std::vector<Account>> Accounts::list(const std::string& after,
                                            std::size_t count_max) {
  LAKEMILL_TRY(const auto names, context_.store.list_folders(access_path("users")));
  std::vector<Account> accounts;
  for (auto name = std::upper_bound(names.begin(), names.end(), after);
       name != names.end() && accounts.size() < count_max; ++name) {
    LAKEMILL_TRY(auto account, find(*name));
    if (account) accounts.push_back(*std::move(account));
  }
  return accounts;
}

Result<bool> Accounts::any() {
  LAKEMILL_TRY(const auto names, context_.store.list_folders(access_path("users")));
  return !names.empty();
}

Result<Account> Accounts::set_role(const std::string& name, std::int64_t version,
                                   Role role) {
  LAKEMILL_TRY(const StoredAccount stored,
               change(name, version, [&](StoredAccount& next) -> Status {
                 if (role != Role::admin) {
                   LAKEMILL_TRY_OK(check_other_admin(next.account));
                 }
                 next.account.role = role;
                 return {};
               }));
  return stored.account;
}

Result<Account> Accounts::set_disabled(const std::string& name, std::int64_t version,
                                       bool is_disabled) {
  LAKEMILL_TRY(const StoredAccount stored,
               change(name, version, [&](StoredAccount& next) -> Status {
                 if (is_disabled) {
                   LAKEMILL_TRY_OK(check_other_admin(next.account));
                   next.account.login_id = make_uuid(context_.random);
                 }
                 next.account.is_disabled = is_disabled;
                 return {};
               }));
  return stored.account;
}

Result<Account> Accounts::set_password(const std::string& name, std::int64_t version,
                                       const SecretText& password) {
  LAKEMILL_TRY(SecretText hash, Password::hash(password, context_.random));
  LAKEMILL_TRY(const StoredAccount stored,
               change(name, version, [&](StoredAccount& next) -> Status {
                 next.password_hash = std::move(hash);
                 next.account.login_id = make_uuid(context_.random);
                 return {};
               }));
  return stored.account;
}

Status Accounts::remove(const std::string& name, std::int64_t version) {
  const auto removed = change(name, version, [&](StoredAccount& next) -> Status {
    LAKEMILL_TRY_OK(check_other_admin(next.account));
    next.is_deleted = true;
    next.password_hash = SecretText();
    return {};
  });
  return removed ? Status() : Status(removed.error());
}

Result<Account> Accounts::login(const std::string& name, const SecretText& password) {
  std::optional<StoredAccount> stored;
  if (check_user_name(name)) {
    const auto moment = recent_.begin();
    LAKEMILL_TRY(stored, read_newest(name, true));
    if (stored && stored->is_deleted) stored.reset();
    if (stored) recent_.keep(name, stored->account, moment);
  }
  LAKEMILL_TRY(const bool is_right,
               Password::verify(password, stored ? &stored->password_hash : nullptr));
  if (!is_right || !stored || stored->account.is_disabled) {
    return Error(ErrorCode::denied, "the name or the password is wrong");
  }
  return stored->account;
}

// With `reads_always`, a name that nobody has takes as many calls of the store as one
// that somebody has.
Result<std::optional<StoredAccount>> Accounts::read_newest(const std::string& name,
                                                           bool reads_always) {
  if (!check_user_name(name)) return std::optional<StoredAccount>();
  LAKEMILL_TRY(const std::int64_t newest,
               newest_number(context_.store, folder_of(name)));
  if (newest == 0 && !reads_always) return std::optional<StoredAccount>();
  std::int64_t number = std::max<std::int64_t>(newest, 1);
  for (int attempt = 0; attempt < kRaceAttemptsMax; ++attempt, ++number) {
    const std::string path = numbered_path(folder_of(name), number);
    LAKEMILL_TRY(const auto json, find_json(context_.store, path));
    if (!json && newest == 0) return std::optional<StoredAccount>();
    if (!json) return corrupt_object(context_.store, path, "it is gone");
    // Somebody changes it at this moment: the next version is there.
    if (bool_member(*json, "superseded", false)) continue;
    auto stored = stored_account_from_json(*json);
    if (!stored || stored->account.name != name || stored->account.version != number) {
      return corrupt_object(context_.store, path, "no account of that name");
    }
    return stored;
  }
  return Error(ErrorCode::unavailable, "user " + name + " is changed without an end");
}

Result<StoredAccount> Accounts::change(const std::string& name, std::int64_t version,
                                       const Change& change) {
  LAKEMILL_TRY(auto stored, read_newest(name, false));
  if (!stored || stored->is_deleted) return no_such_user(name);
  const auto overtaken = [&] {
    return Error(ErrorCode::exists, "user " + name +
                                        " was changed by somebody else after version " +
                                        std::to_string(version) + "; read it again");
  };
  if (stored->account.version != version) return overtaken();
  LAKEMILL_TRY_OK(change(*stored));
  ++stored->account.version;
  stored->account.changed_at = context_.clock.now();
  auto written = write(*stored);
  if (!written && written.error().code() == ErrorCode::exists) return overtaken();
  if (!written) return std::move(written).error();
  return *std::move(stored);
}

Status Accounts::write(const StoredAccount& stored) {
  const Account& account = stored.account;
  Json json = to_json(stored);
  json["change"] = make_uuid(context_.random);  // tells whose write it was
  auto put = put_once(context_.store,
                      numbered_path(folder_of(account.name), account.version), json);
  recent_.drop(account.name);
  if (!put) return put;
  clear_older(account.name, account.version);
  return {};
}

// Takes older hashes away; the objects stay, so that no number is given twice. What is
// not done now is done with the next change.
void Accounts::clear_older(const std::string& name, std::int64_t version) {
  const auto objects = context_.store.list(folder_of(name) + "/", "");
  if (!objects) return;
  for (const storage::ObjectInfo& object : *objects) {
    const auto number = number_of_path(object.path);
    if (!number || *number >= version) continue;
    if (object.size_bytes == static_cast<std::int64_t>(kCleared.size())) continue;
    (void)context_.store.put(object.path, kCleared);
  }
}

// Two admins who take each other's role at the same moment are not kept from it: the
// command line makes another one.
Status Accounts::check_other_admin(const Account& account) {
  if (account.role != Role::admin || account.is_disabled) return {};
  LAKEMILL_TRY(const auto names, context_.store.list_folders(access_path("users")));
  for (const std::string& name : names) {
    if (name == account.name) continue;
    LAKEMILL_TRY(const auto other, find(name));
    if (other && other->role == Role::admin && !other->is_disabled) return {};
  }
  return Error(ErrorCode::invalid, account.name +
                                       " is the only admin; make another user one "
                                       "before");
}

}  // namespace lakemill::access
