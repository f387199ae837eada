#include "lakemill/access/tokens.h"

#include <gmock/gmock.h>

#include "lakemill/access/access_fixture_test.h"

namespace lakemill::access {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::seconds;
using testkit::HasError;
using testkit::IsOk;
using TokensTest = AccessTest;

TokenWish wish_for(std::optional<Role> role) {
  TokenWish wish;
  wish.role = role;
  wish.lifetime = hours(1);
  return wish;
}

auto refused() { return HasError(ErrorCode::denied, "unknown, wrong or revoked"); }

TEST_F(TokensTest, SayWhoComesAndWhatThatOneMay) {
  const Account ann = add_user("ann", Role::admin);
  TokenWish wish = wish_for(Role::runner);
  wish.note = "nightly";
  wish.scopes = {"events", "ingest:*"};
  wish.pipelines = "sales_*";
  const auto made = here.tokens.make(wish, identity_of(ann));
  ASSERT_THAT(made, IsOk());
  const std::string text(made->secret.reveal());
  ASSERT_EQ(text.size(), 4U + 8 + 1 + 43);
  EXPECT_TRUE(text.starts_with("lkm_" + made->info.id + "_"));
  for (Process* process : {&here, &there}) {
    const auto identity = process->tokens.check(made->secret);
    ASSERT_THAT(identity, IsOk());
    EXPECT_EQ(identity->name, "ann");
    EXPECT_EQ(identity->account, ann.id);
    EXPECT_EQ(identity->token_id, made->info.id);
    EXPECT_EQ(identity->how, LoginKind::token);
    EXPECT_EQ(identity->role, Role::runner);
    EXPECT_THAT(identity->scopes, ::testing::ElementsAre("events", "ingest:*"));
    EXPECT_EQ(identity->pipelines, "sales_*");
    EXPECT_EQ(identity->expires_at, clock.now() + hours(1));
  }
  // Nothing of the secret is stored.
  for (const auto& [url, bytes] : stores.objects()) {
    EXPECT_EQ(bytes.find(text.substr(13)), std::string::npos) << url;
  }
}

TEST_F(TokensTest, ThatWereTamperedWithAreRefused) {
  const auto made = here.tokens.make(wish_for(Role::admin), local_admin());
  const auto other = here.tokens.make(wish_for(Role::viewer), local_admin());
  ASSERT_THAT(made, IsOk());
  ASSERT_THAT(other, IsOk());
  const std::string good(made->secret.reveal());
  ASSERT_THAT(here.tokens.check(made->secret), IsOk());  // it is remembered
  std::vector<std::string> bad = {"", "lkm_", "lkm__", good + "A", " " + good,
                                  good.substr(0, good.size() - 1), good + '\0',
                                  "Bearer " + good,
                                  good.substr(0, 13) + std::string(43, 'A'),
                                  // the secret of one under the id of another
                                  good.substr(0, 13) +
                                      std::string(other->secret.reveal().substr(13)),
                                  "lkm_../../xx" + good.substr(12)};
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string changed = good;
    changed[i] = changed[i] == 'b' ? 'c' : 'b';
    bad.push_back(changed);
  }
  for (const std::string& text : bad) {
    for (Process* process : {&here, &there}) {
      EXPECT_THAT(process->tokens.check(secret(text)), refused()) << text;
      const auto recalled = process->tokens.recall(secret(text));
      if (recalled) {
        EXPECT_THAT(*recalled, refused()) << text;
      }
    }
  }
}

TEST_F(TokensTest, EndWhenTheyWereToEnd) {
  TokenWish wish = wish_for(Role::viewer);
  wish.lifetime = seconds(2);
  const auto made = here.tokens.make(wish, local_admin());
  ASSERT_THAT(made, IsOk());
  clock.advance(seconds(2) - microseconds(1));
  EXPECT_THAT(here.tokens.check(made->secret), IsOk());
  clock.advance(microseconds(1));
  for (Process* process : {&here, &there}) {  // one remembers it, the other does not
    EXPECT_THAT(process->tokens.check(made->secret),
                HasError(ErrorCode::denied, "ended at 2026-01-01T00:00:02"));
    ASSERT_TRUE(process->tokens.recall(made->secret));
    EXPECT_FALSE(*process->tokens.recall(made->secret));
  }
  // Whoever has not the secret is not told that there was such a token.
  std::string wrong(made->secret.reveal());
  wrong.back() = wrong.back() == 'A' ? 'E' : 'A';
  EXPECT_THAT(here.tokens.check(secret(wrong)), refused());
}

TEST_F(TokensTest, DoNotCountBeforeTheyWereMade) {
  const auto made = here.tokens.make(wish_for(Role::viewer), local_admin());
  ASSERT_THAT(made, IsOk());
  const Instant made_at = clock.now();
  clock.set(made_at - kClockSkewMax);
  EXPECT_THAT(here.tokens.check(made->secret), IsOk());
  clock.set(made_at - kClockSkewMax - microseconds(1));
  EXPECT_THAT(here.tokens.check(made->secret), HasError(ErrorCode::denied, "clock"));
  clock.set(made_at);
  EXPECT_THAT(here.tokens.check(made->secret), IsOk());
}

TEST_F(TokensTest, ThatAreRevokedEndHereAtOnceAndElsewhereSoon) {
  const auto made = here.tokens.make(wish_for(Role::viewer), local_admin());
  ASSERT_THAT(made, IsOk());
  EXPECT_FALSE(there.tokens.recall(made->secret));
  ASSERT_THAT(there.tokens.check(made->secret), IsOk());
  ASSERT_THAT(here.tokens.check(made->secret), IsOk());
  clock.advance(seconds(4));
  ASSERT_THAT(here.tokens.revoke(made->info.id, "ann"), IsOk());
  EXPECT_THAT(here.tokens.check(made->secret), refused());
  clock.advance(seconds(1));
  EXPECT_FALSE(there.tokens.recall(made->secret));
  EXPECT_THAT(there.tokens.check(made->secret), refused());
  ASSERT_TRUE(there.tokens.recall(made->secret));
  EXPECT_THAT(*there.tokens.recall(made->secret), refused());

  EXPECT_THAT(there.tokens.revoke(made->info.id, "bob"), IsOk());
  const auto info = here.tokens.find(made->info.id);
  ASSERT_THAT(info, IsOk());
  EXPECT_EQ((*info)->revoked_by, "ann");
  EXPECT_EQ((*info)->revoked_at, clock.now() - seconds(1));
  for (const char* id : {"aaaaaaaa", "", "../users", "AAAAAAAA"}) {
    EXPECT_THAT(here.tokens.revoke(id, "ann"), HasError(ErrorCode::not_found, ""));
  }
}

TEST_F(TokensTest, GiveNoMoreThanWhoMadeThemMayDoNow) {
  add_user("root", Role::admin);
  const Account ann = add_user("ann", Role::admin);
  TokenWish wish = wish_for(Role::editor);
  wish.scopes = {"events"};
  const auto made = here.tokens.make(wish, identity_of(ann));
  ASSERT_THAT(made, IsOk());
  const auto role_now = [&]() -> std::optional<Role> {
    const auto identity = here.tokens.check(made->secret);
    EXPECT_THAT(identity, IsOk());
    return identity ? identity->role : std::nullopt;
  };
  EXPECT_EQ(role_now(), Role::editor);
  ASSERT_THAT(here.accounts.set_role("ann", 1, Role::viewer), IsOk());
  EXPECT_EQ(role_now(), Role::viewer);
  EXPECT_FALSE(may_use_scope(*here.tokens.check(made->secret), "events"));
  ASSERT_THAT(here.accounts.set_role("ann", 2, Role::admin), IsOk());
  EXPECT_EQ(role_now(), Role::editor);
  EXPECT_TRUE(may_use_scope(*here.tokens.check(made->secret), "events"));
  ASSERT_THAT(here.accounts.set_disabled("ann", 3, true), IsOk());
  EXPECT_THAT(here.tokens.check(made->secret), refused());
  ASSERT_THAT(here.accounts.set_disabled("ann", 4, false), IsOk());
  EXPECT_EQ(role_now(), Role::editor);
  ASSERT_THAT(here.accounts.remove("ann", 5), IsOk());
  EXPECT_THAT(here.tokens.check(made->secret), refused());
  // Another ann is not who made it.
  ASSERT_THAT(here.accounts.create("ann", Role::admin, good_password()), IsOk());
  EXPECT_THAT(here.tokens.check(made->secret), refused());
  EXPECT_THAT(there.tokens.check(made->secret), refused());
}

TEST_F(TokensTest, AreNotMadeWithMoreThanTheirMakerHas) {
  Identity maker = local_admin();
  maker.role = Role::runner;
  EXPECT_THAT(here.tokens.make(wish_for(Role::runner), maker), IsOk());
  EXPECT_THAT(here.tokens.make(wish_for(Role::editor), maker),
              HasError(ErrorCode::denied, "role"));
  maker.pipelines = "sales_*";
  EXPECT_THAT(here.tokens.make(wish_for(Role::viewer), maker),
              HasError(ErrorCode::denied, "pipelines"));
  TokenWish wish = wish_for(Role::viewer);
  wish.pipelines = "sales_*";
  EXPECT_THAT(here.tokens.make(wish, maker), IsOk());
  wish.scopes = {"events"};
  EXPECT_THAT(here.tokens.make(wish, maker),
              HasError(ErrorCode::denied, "scope events"));
  maker.scopes = {"events"};
  EXPECT_THAT(here.tokens.make(wish, maker), IsOk());
  maker.role = std::nullopt;
  EXPECT_THAT(here.tokens.make(wish, maker), HasError(ErrorCode::denied, "role"));
  wish.role = std::nullopt;
  EXPECT_THAT(here.tokens.make(wish, maker), IsOk());
  maker.how = LoginKind::token;
  maker.expires_at = clock.now() + wish.lifetime;
  EXPECT_THAT(here.tokens.make(wish, maker), IsOk());
  wish.lifetime += seconds(1);
  EXPECT_THAT(here.tokens.make(wish, maker), HasError(ErrorCode::denied, "no later"));
}

TEST_F(TokensTest, AreMadeOnlyAsTheyMayBe) {
  const auto expect_invalid = [&](const TokenWish& wish, const char* part) {
    EXPECT_THAT(here.tokens.make(wish, local_admin()),
                HasError(ErrorCode::invalid, part));
  };
  expect_invalid(wish_for(std::nullopt), "role or a scope");
  for (const seconds lifetime : {seconds(0), seconds(-1), seconds(hours(24 * 365)) +
                                                               seconds(1)}) {
    TokenWish wish = wish_for(Role::viewer);
    wish.lifetime = lifetime;
    expect_invalid(wish, "365 days");
  }
  TokenWish wish = wish_for(Role::viewer);
  wish.lifetime = hours(24 * 365);
  EXPECT_THAT(here.tokens.make(wish, local_admin()), IsOk());
  wish.note = std::string(201, 'a');
  expect_invalid(wish, "note");
  wish.note = "\xff";
  expect_invalid(wish, "note");
  wish.note = "";
  wish.pipelines = "";
  expect_invalid(wish, "pipelines");
  wish.pipelines = "a b";
  expect_invalid(wish, "pipelines");
  wish.pipelines = "*";
  wish.scopes = {"ingest:\n"};
  expect_invalid(wish, "scope");
  wish.scopes.assign(21, "events");
  expect_invalid(wish, "20 scopes");
}

TEST_F(TokensTest, AreListedAndTidiedLongAfterTheyEnded) {
  std::vector<std::string> ids;
  TokenWish wish = wish_for(Role::viewer);
  for (int i = 1; i <= 5; ++i) {
    wish.lifetime = hours(24 * i);
    const auto made = here.tokens.make(wish, local_admin());
    ASSERT_THAT(made, IsOk());
    ids.push_back(made->info.id);
    if (i % 2 == 0) {
      ASSERT_THAT(here.tokens.revoke(ids.back(), "ann"), IsOk());
    }
  }
  const auto listed = [&] {
    std::vector<std::string> all;
    while (true) {  // in pages of two
      const auto page = there.tokens.list(all.empty() ? "" : all.back(), 2);
      EXPECT_THAT(page, IsOk());
      for (const TokenInfo& token : *page) all.push_back(token.id);
      if (page->size() < 2) return all;
    }
  };
  std::vector<std::string> sorted = ids;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(listed(), sorted);
  clock.advance(hours(24 * 32) - seconds(1));
  ASSERT_THAT(here.tokens.tidy(), IsOk());
  EXPECT_EQ(listed().size(), 4U);
  clock.advance(seconds(1));
  ASSERT_THAT(here.tokens.tidy(), IsOk());
  std::vector<std::string> rest(ids.begin() + 2, ids.end());
  std::sort(rest.begin(), rest.end());
  EXPECT_EQ(listed(), rest);
  EXPECT_EQ(stores.objects().size(), 4U);  // one of the three is revoked
}

TEST_F(TokensTest, ThatAreDamagedAreToldWithoutWhatTheyHold) {
  const auto made = here.tokens.make(wish_for(Role::viewer), local_admin());
  ASSERT_THAT(made, IsOk());
  const std::string url = "memory://s/_lakemill/access/tokens/" + made->info.id;
  const std::string whole = stores.objects().at(url + ".json");
  const std::string hash = hash_of(made->secret);
  std::string no_role = whole;
  no_role.replace(no_role.find("\"viewer\""), 8, "\"\"");
  for (const std::string& text :
       {whole.substr(0, whole.find(hash) + 30), no_role, std::string("{}")}) {
    stores.tamper(url + ".json", &text);
    const auto checked = there.tokens.check(made->secret);
    ASSERT_THAT(checked, HasError(ErrorCode::corrupt, made->info.id));
    EXPECT_EQ(checked.error().message().find(hash.substr(0, 8)), std::string::npos);
  }
  // What revokes it counts however damaged: it does not read as not revoked.
  stores.tamper(url + ".json", &whole);
  const std::string rubbish = "{";
  stores.tamper(url + ".revoked.json", &rubbish);
  EXPECT_THAT(there.tokens.check(made->secret), HasError(ErrorCode::corrupt, ""));
}

}  // namespace
}  // namespace lakemill::access
