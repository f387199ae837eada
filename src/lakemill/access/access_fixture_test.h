#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "lakemill/access/accounts.h"
#include "lakemill/access/sessions.h"
#include "lakemill/access/setup.h"
#include "lakemill/access/tokens.h"
#include "lakemill/testing/manual_clock.h"
#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::access {

inline SecretText secret(std::string text) { return SecretText(std::move(text)); }

inline const SecretText& good_password() {
  static const SecretText password("correct horse battery");
  return password;
}

/// One process beside others on a store: what it remembers is its own.
class Process {
 public:
  Process(storage::StoreProvider& stores, Clock& clock, std::uint64_t seed)
      : random_(seed),
        store_(*stores.open("memory://s")),
        context{*store_, clock, random_},
        accounts(context),
        tokens(context, accounts),
        sessions(context, accounts),
        setup(context, accounts) {}

 private:
  SeededRandom random_;
  std::shared_ptr<storage::ObjectStore> store_;

 public:
  AccessContext context;
  Accounts accounts;
  Tokens tokens;
  Sessions sessions;
  Setup setup;
};

/// Two processes on one store, and a user of each role, all with good_password(): made
/// of one hash, as it takes long.
class AccessTest : public ::testing::Test {
 protected:
  AccessTest() : here(stores, clock, 1), there(stores, clock, 2) {}

  Account add_user(const std::string& name, Role role) {
    static const StoredAccount model = [] {
      testkit::MemoryStoreProvider own_stores;
      testkit::ManualClock own_clock;
      Process process(own_stores, own_clock, 3);
      return *process.accounts.prepare("model", Role::viewer, good_password());
    }();
    StoredAccount stored = model;
    stored.account.name = name;
    stored.account.id = "id of " + name;
    stored.account.role = role;
    stored.account.changed_at = clock.now();
    EXPECT_THAT(here.accounts.put_first(stored), testkit::IsOk());
    return stored.account;
  }

  static Identity local_admin() {
    Identity identity;
    identity.name = "somebody here";
    identity.role = Role::admin;
    return identity;
  }
  static Identity identity_of(const Account& account) {
    Identity identity;
    identity.name = account.name;
    identity.account = account.id;
    identity.role = account.role;
    identity.how = LoginKind::session;
    return identity;
  }

  testkit::ManualClock clock;
  testkit::MemoryStoreProvider stores;
  Process here;
  Process there;
};

}  // namespace lakemill::access
