#include "lakemill/access/accounts.h"

#include <gmock/gmock.h>

#include "lakemill/access/access_fixture_test.h"
#include "lakemill/testing/crashing_store.h"

namespace lakemill::access {
namespace {

using testkit::HasError;
using testkit::IsOk;
using AccountsTest = AccessTest;

std::string object(const std::string& name, int version) {
  return "memory://s/" + numbered_path(access_path("users/" + name), version);
}

TEST(UserName, IsChecked) {
  for (const char* name : {"a", "ann", "ann.b-c_d+e@f.example", "0x", "a..b"}) {
    EXPECT_THAT(check_user_name(name), IsOk()) << name;
  }
  for (const std::string name :
       {"", "Ann", ".ann", "-a", "ann.", "a/b", "..", "a b", "änn", "a\n", "a%2f",
        "a:b", "a\\b"}) {
    EXPECT_THAT(check_user_name(name), HasError(ErrorCode::invalid, "")) << name;
  }
  EXPECT_THAT(check_user_name(std::string(64, 'a')), IsOk());
  EXPECT_THAT(check_user_name(std::string(65, 'a')), HasError(ErrorCode::invalid, ""));
  EXPECT_THAT(check_user_name({"a\0b", 3}), HasError(ErrorCode::invalid, ""));
}

TEST_F(AccountsTest, AreSeenByOthersAsTheyWereMade) {
  const auto made = here.accounts.create("ann", Role::editor, good_password());
  ASSERT_THAT(made, IsOk());
  EXPECT_EQ(made->version, 1);
  const auto found = there.accounts.find("ann");
  ASSERT_THAT(found, IsOk());
  ASSERT_TRUE(*found);
  EXPECT_EQ((*found)->name, "ann");
  EXPECT_EQ((*found)->id, made->id);
  EXPECT_EQ((*found)->role, Role::editor);
  EXPECT_EQ((*found)->version, 1);
  EXPECT_EQ((*found)->login_id, made->login_id);
  EXPECT_EQ((*found)->changed_at, clock.now());
  EXPECT_FALSE((*found)->is_disabled);
  EXPECT_THAT(there.accounts.create("ann", Role::viewer, good_password()),
              HasError(ErrorCode::exists, "ann"));
  EXPECT_THAT(here.accounts.create("Ann", Role::viewer, good_password()),
              HasError(ErrorCode::invalid, "a-z"));
  EXPECT_THAT(here.accounts.create("bob", Role::viewer, secret("short")),
              HasError(ErrorCode::invalid, "12"));
}

TEST_F(AccountsTest, LogInWithTheirPasswordAlone) {
  const Account ann = add_user("ann", Role::viewer);
  const Account bob = add_user("bob", Role::admin);
  add_user("eve", Role::admin);
  const auto logged_in = there.accounts.login("ann", good_password());
  ASSERT_THAT(logged_in, IsOk());
  EXPECT_EQ(logged_in->id, ann.id);
  ASSERT_THAT(here.accounts.set_disabled("bob", bob.version, true), IsOk());
  ASSERT_THAT(here.accounts.remove("eve", 1), HasError(ErrorCode::invalid, "only"));
  // One answer to all, so that nobody learns which names there are.
  const std::string same = "the name or the password is wrong";
  for (const char* name : {"bob", "nobody", "Ann", "../ann", ""}) {
    const auto refused = here.accounts.login(name, good_password());
    ASSERT_THAT(refused, HasError(ErrorCode::denied, same)) << name;
    EXPECT_EQ(refused.error().message(), same);
  }
  EXPECT_THAT(here.accounts.login("ann", secret("incorrect horse")),
              HasError(ErrorCode::denied, same));
}

TEST_F(AccountsTest, ThatNobodyHasCostAsManyCallsOfTheStoreAtLogin) {
  add_user("ann", Role::viewer);
  std::int64_t calls[2] = {};
  for (int i = 0; i < 2; ++i) {
    testkit::CrashingStoreProvider counted(stores, {});
    Process process(counted, clock, 5);
    (void)process.accounts.login(i == 0 ? "ann" : "nobody", secret("wrong password"));
    calls[i] = counted.calls();
  }
  EXPECT_EQ(calls[0], calls[1]);
  EXPECT_GT(calls[0], 0);
}

TEST_F(AccountsTest, AreChangedFromTheVersionThatWasSeen) {
  add_user("ann", Role::viewer);
  const auto changed = here.accounts.set_role("ann", 1, Role::runner);
  ASSERT_THAT(changed, IsOk());
  EXPECT_EQ(changed->version, 2);
  EXPECT_EQ(changed->role, Role::runner);
  EXPECT_THAT(there.accounts.set_role("ann", 1, Role::editor),
              HasError(ErrorCode::exists, "after version 1"));
  EXPECT_THAT(there.accounts.set_role("ann", 3, Role::editor),
              HasError(ErrorCode::exists, ""));
  EXPECT_THAT(there.accounts.set_role("bob", 1, Role::editor),
              HasError(ErrorCode::not_found, "bob"));
  EXPECT_THAT(there.accounts.set_role("ann", 2, Role::editor), IsOk());
  const auto found = here.accounts.find("ann");
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ((*found)->role, Role::editor);
  EXPECT_EQ((*found)->version, 3);
}

TEST_F(AccountsTest, HaveOnlyTheirNewestPassword) {
  const Account ann = add_user("ann", Role::viewer);
  const SecretText next("another good password");
  EXPECT_THAT(here.accounts.set_password("ann", 1, secret("short")),
              HasError(ErrorCode::invalid, ""));
  const auto changed = here.accounts.set_password("ann", 1, next);
  ASSERT_THAT(changed, IsOk());
  EXPECT_NE(changed->login_id, ann.login_id);
  EXPECT_THAT(there.accounts.login("ann", good_password()),
              HasError(ErrorCode::denied, ""));
  EXPECT_THAT(there.accounts.login("ann", next), IsOk());
  // Of the older one nothing is left in the store.
  EXPECT_EQ(stores.objects().at(object("ann", 1)), "{\"superseded\":true}\n");
  EXPECT_NE(stores.objects().at(object("ann", 2)).find("argon2id"), std::string::npos);
}

TEST_F(AccountsTest, ThatAreRemovedDoNotComeBackWithTheirName) {
  const Account ann = add_user("ann", Role::viewer);
  ASSERT_THAT(here.accounts.remove("ann", 1), IsOk());
  const auto gone = there.accounts.find("ann");
  ASSERT_THAT(gone, IsOk());
  EXPECT_FALSE(*gone);
  EXPECT_THAT(there.accounts.set_role("ann", 2, Role::editor),
              HasError(ErrorCode::not_found, ""));
  EXPECT_THAT(there.accounts.login("ann", good_password()),
              HasError(ErrorCode::denied, ""));
  for (const auto& [url, bytes] : stores.objects()) {
    EXPECT_EQ(bytes.find("argon2id"), std::string::npos) << url;
  }
  const auto any = there.accounts.any();
  ASSERT_THAT(any, IsOk());
  EXPECT_TRUE(*any);
  const auto again = there.accounts.create("ann", Role::viewer, good_password());
  ASSERT_THAT(again, IsOk());
  EXPECT_NE(again->id, ann.id);
  EXPECT_EQ(again->version, 3);
}

TEST_F(AccountsTest, KeepTheLastAdmin) {
  add_user("ann", Role::admin);
  add_user("bob", Role::editor);
  const auto only = HasError(ErrorCode::invalid, "ann is the only admin");
  EXPECT_THAT(here.accounts.set_role("ann", 1, Role::editor), only);
  EXPECT_THAT(here.accounts.set_disabled("ann", 1, true), only);
  EXPECT_THAT(here.accounts.remove("ann", 1), only);
  EXPECT_THAT(here.accounts.set_role("ann", 1, Role::admin), IsOk());
  ASSERT_THAT(here.accounts.set_role("bob", 1, Role::admin), IsOk());
  ASSERT_THAT(here.accounts.set_disabled("bob", 2, true), IsOk());
  EXPECT_THAT(here.accounts.remove("ann", 2), only);  // a disabled admin is no help
  ASSERT_THAT(here.accounts.set_disabled("bob", 3, false), IsOk());
  EXPECT_THAT(here.accounts.remove("ann", 2), IsOk());
}

TEST_F(AccountsTest, AreListedByName) {
  for (const char* name : {"eve", "ann", "dan", "bob", "cid"}) {
    add_user(name, Role::viewer);
  }
  ASSERT_THAT(here.accounts.remove("cid", 1), IsOk());
  const auto names = [&](const std::string& after, std::size_t count_max) {
    std::string all;
    const auto accounts = there.accounts.list(after, count_max);
    EXPECT_THAT(accounts, IsOk());
    for (const Account& account : *accounts) all += account.name + " ";
    return all;
  };
  EXPECT_EQ(names("", 100), "ann bob dan eve ");
  EXPECT_EQ(names("", 2), "ann bob ");
  EXPECT_EQ(names("bob", 2), "dan eve ");
  EXPECT_EQ(names("c", 1), "dan ");
  EXPECT_EQ(names("eve", 2), "");
}

TEST_F(AccountsTest, ThatOthersChangeCountSoonAfterwards) {
  add_user("ann", Role::editor);
  EXPECT_FALSE(there.accounts.recall("ann"));
  ASSERT_THAT(there.accounts.current("ann"), IsOk());
  ASSERT_THAT(here.accounts.set_role("ann", 1, Role::viewer), IsOk());
  // Until then another process may go by what it read.
  ASSERT_TRUE(there.accounts.recall("ann"));
  EXPECT_EQ(there.accounts.recall("ann")->role, Role::editor);
  clock.advance(kAgeMax);
  EXPECT_FALSE(there.accounts.recall("ann"));
  const auto now = there.accounts.current("ann");
  ASSERT_THAT(now, IsOk());
  EXPECT_EQ((*now)->role, Role::viewer);
  // Its own changes count at once.
  ASSERT_THAT(there.accounts.set_role("ann", 2, Role::runner), IsOk());
  EXPECT_FALSE(there.accounts.recall("ann"));
}

TEST_F(AccountsTest, ThatAreDamagedAreToldWithoutWhatTheyHold) {
  add_user("ann", Role::admin);
  const std::string whole = stores.objects().at(object("ann", 1));
  std::string other_name = whole;
  other_name.replace(other_name.find("\"ann\""), 5, "\"bob\"");
  std::string other_role = whole;
  other_role.replace(other_role.find("\"admin\""), 7, "\"owner\"");
  for (const std::string& text : {whole.substr(0, whole.size() / 2), other_name,
                                  other_role, std::string("{}"), std::string("[]")}) {
    stores.tamper(object("ann", 1), &text);
    for (const auto& found :
         {here.accounts.find("ann"), here.accounts.current("ann")}) {
      ASSERT_THAT(found, HasError(ErrorCode::corrupt, "users/ann/000000000001.json"));
      EXPECT_EQ(found.error().message().find("argon"), std::string::npos);
      EXPECT_EQ(found.error().message().find("id of"), std::string::npos);
    }
    EXPECT_THAT(here.accounts.login("ann", good_password()),
                HasError(ErrorCode::corrupt, ""));
  }
}

}  // namespace
}  // namespace lakemill::access
