#include "lakemill/access/sessions.h"

#include <gmock/gmock.h>

#include "lakemill/access/access_fixture_test.h"
#include "lakemill/testing/crashing_store.h"

namespace lakemill::access {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testkit::CrashingStoreProvider;
using testkit::Fault;
using testkit::HasError;
using testkit::IsOk;

class SessionsTest : public AccessTest {
 protected:
  SessionsTest() : ann(add_user("ann", Role::editor)) {}

  SecretText log_in() {
    auto session = here.sessions.begin(ann);
    EXPECT_THAT(session, IsOk());
    return session->secret;
  }
  static auto refused() { return HasError(ErrorCode::denied, "log in"); }

  Account ann;
};

TEST_F(SessionsTest, SayWhoComes) {
  const auto session = here.sessions.begin(ann);
  ASSERT_THAT(session, IsOk());
  EXPECT_EQ(session->identity.role, Role::editor);
  EXPECT_FALSE(there.sessions.recall(session->secret));
  for (Process* process : {&here, &there}) {
    const auto identity = process->sessions.check(session->secret);
    ASSERT_THAT(identity, IsOk());
    EXPECT_EQ(identity->name, "ann");
    EXPECT_EQ(identity->account, ann.id);
    EXPECT_EQ(identity->how, LoginKind::session);
    EXPECT_EQ(identity->role, Role::editor);
    EXPECT_EQ(identity->pipelines, "*");
    EXPECT_EQ(identity->expires_at, clock.now() + hours(24 * 7));
    ASSERT_TRUE(process->sessions.recall(session->secret));
    EXPECT_THAT(*process->sessions.recall(session->secret), IsOk());
  }
  for (const auto& [url, bytes] : stores.objects()) {
    const std::string shown(session->secret.reveal());
    EXPECT_EQ((url + bytes).find(shown), std::string::npos) << url;
    EXPECT_EQ(bytes.find(session->csrf_token.reveal()), std::string::npos) << url;
  }
}

TEST_F(SessionsTest, ThatWereTamperedWithAreRefused) {
  const SecretText good = log_in();
  std::vector<std::string> bad = {"", "../users/ann/000000000001", std::string(43, 'A'),
                                  std::string(good.reveal()) + "A"};
  for (std::size_t i = 0; i < good.reveal().size(); ++i) {
    std::string changed(good.reveal());
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    bad.push_back(changed);
  }
  for (const std::string& text : bad) {
    EXPECT_THAT(here.sessions.check(secret(text)), refused()) << text;
  }
}

TEST_F(SessionsTest, EndHalfADayAfterTheirLastUse) {
  const SecretText cookie = log_in();
  clock.advance(hours(12) - microseconds(1));
  ASSERT_THAT(here.sessions.check(cookie), IsOk());  // noted
  clock.advance(hours(12) - microseconds(1));
  ASSERT_THAT(there.sessions.check(cookie), IsOk());  // who did not see that
  clock.advance(hours(12));
  EXPECT_THAT(here.sessions.check(cookie), refused());
  // Once it has ended, a clock that goes back does not bring it back.
  clock.set(clock.now() - hours(6));
  EXPECT_THAT(there.sessions.check(cookie), refused());
  EXPECT_EQ(stores.objects().size(), 1U);  // the user
}

TEST_F(SessionsTest, NoteTheirUseEachFewMinutes) {
  const SecretText cookie = log_in();
  const auto objects = [&] { return stores.objects().size(); };
  const std::size_t before = objects();
  clock.advance(minutes(5) - microseconds(1));
  ASSERT_THAT(here.sessions.check(cookie), IsOk());
  EXPECT_EQ(objects(), before);
  clock.advance(microseconds(1));
  ASSERT_THAT(here.sessions.check(cookie), IsOk());
  EXPECT_EQ(objects(), before + 1);
}

TEST_F(SessionsTest, EndAfterAWeekHoweverMuchUsed) {
  const SecretText cookie = log_in();
  const Instant end = clock.now() + hours(24 * 7);
  while (clock.now() < end - hours(6)) {
    clock.advance(hours(6));
    ASSERT_THAT(here.sessions.check(cookie), IsOk()) << format_instant(clock.now());
  }
  clock.advance(hours(6) - microseconds(1));
  ASSERT_THAT(here.sessions.check(cookie), IsOk());
  clock.advance(microseconds(1));
  EXPECT_FALSE(here.sessions.recall(cookie));
  EXPECT_THAT(here.sessions.check(cookie), refused());
}

TEST_F(SessionsTest, DoNotEndByWhatAProcessRemembersOfTheirUse) {
  const SecretText cookie = log_in();
  clock.advance(hours(12) - seconds(2));
  CrashingStoreProvider unwritten(stores, {Fault::refuse, 4});
  Process other(unwritten, clock, 5);
  ASSERT_THAT(other.sessions.check(cookie), IsOk());  // could not note it
  ASSERT_EQ(unwritten.trace().back().substr(0, 4), "put ");
  ASSERT_THAT(there.sessions.check(cookie), IsOk());
  clock.advance(seconds(3));
  EXPECT_FALSE(other.sessions.recall(cookie));
  EXPECT_THAT(other.sessions.check(cookie), IsOk());
  EXPECT_THAT(here.sessions.check(cookie), IsOk());
}

TEST_F(SessionsTest, EndWithThePasswordAndWithTheAccount) {
  add_user("root", Role::admin);
  const SecretText first = log_in();
  ASSERT_THAT(here.sessions.check(first), IsOk());
  ASSERT_THAT(there.sessions.check(first), IsOk());
  const auto changed =
      here.accounts.set_password("ann", 1, secret("another good password"));
  ASSERT_THAT(changed, IsOk());
  EXPECT_THAT(here.sessions.check(first), refused());
  clock.advance(kAgeMax);
  EXPECT_THAT(there.sessions.check(first), refused());

  ann = *changed;
  const SecretText second = log_in();
  ASSERT_THAT(here.sessions.check(second), IsOk());
  ASSERT_THAT(here.accounts.set_role("ann", 2, Role::viewer), IsOk());
  EXPECT_EQ(here.sessions.check(second)->role, Role::viewer);
  ASSERT_THAT(here.accounts.set_disabled("ann", 3, true), IsOk());
  EXPECT_THAT(here.sessions.check(second), refused());
  const auto enabled = here.accounts.set_disabled("ann", 4, false);
  ASSERT_THAT(enabled, IsOk());
  EXPECT_THAT(here.sessions.check(second), refused());

  ann = *enabled;
  const SecretText third = log_in();
  ASSERT_THAT(here.sessions.check(third), IsOk());
  ASSERT_THAT(here.accounts.remove("ann", 5), IsOk());
  EXPECT_THAT(here.sessions.check(third), refused());
}

TEST_F(SessionsTest, ThatAreEndedStayEndedWhateverOthersNote) {
  const SecretText cookie = log_in();
  ASSERT_THAT(there.sessions.check(cookie), IsOk());
  ASSERT_THAT(here.sessions.end(cookie), IsOk());
  EXPECT_THAT(here.sessions.check(cookie), refused());
  EXPECT_THAT(here.sessions.end(cookie), IsOk());
  EXPECT_THAT(here.sessions.end(secret("../x")), IsOk());
  clock.advance(kAgeMax);
  EXPECT_THAT(there.sessions.check(cookie), refused());

  // Another process that still remembers it notes a use after it was ended.
  const SecretText next = log_in();
  clock.advance(minutes(5) - seconds(1));
  ASSERT_THAT(there.sessions.check(next), IsOk());
  ASSERT_THAT(here.sessions.end(next), IsOk());
  clock.advance(seconds(1));
  ASSERT_THAT(there.sessions.check(next), IsOk());
  clock.advance(kAgeMax - seconds(1));  // noting a use is no looking after it
  EXPECT_THAT(there.sessions.check(next), refused());
  EXPECT_EQ(stores.objects().size(), 2U);  // the user, and that note
  ASSERT_THAT(here.sessions.tidy(), IsOk());
  EXPECT_EQ(stores.objects().size(), 1U);
}

TEST_F(SessionsTest, ThatBeginInTheFutureDoNotCount) {
  const SecretText cookie = log_in();
  const Instant now = clock.now();
  clock.set(now - kClockSkewMax);
  EXPECT_THAT(here.sessions.check(cookie), IsOk());
  clock.set(now - kClockSkewMax - microseconds(1));
  EXPECT_THAT(here.sessions.check(cookie), refused());
  clock.set(now);
  EXPECT_THAT(here.sessions.check(cookie), IsOk());
}

// A use that was noted while the clock was wrong does not keep a session open.
TEST_F(SessionsTest, AreNotKeptOpenByAUseThatIsStillToCome) {
  const SecretText cookie = log_in();
  const Instant begin = clock.now();
  for (const int hour : {11, 22}) {
    clock.set(begin + hours(hour));
    ASSERT_THAT(here.sessions.check(cookie), IsOk());
  }
  clock.set(begin + hours(12));
  EXPECT_THAT(there.sessions.check(cookie), refused());
}

TEST_F(SessionsTest, AreTidiedOnceTheyHaveEnded) {
  const SecretText first = log_in();
  clock.advance(hours(6));
  const SecretText second = log_in();
  ASSERT_THAT(here.sessions.check(second), IsOk());
  clock.advance(hours(6));
  ASSERT_THAT(here.sessions.check(second), IsOk());
  ASSERT_THAT(there.sessions.tidy(), IsOk());
  EXPECT_EQ(stores.objects().size(), 3U);  // the user, the second, its note
  EXPECT_THAT(here.sessions.check(first), refused());
  EXPECT_THAT(here.sessions.check(second), IsOk());
}

TEST_F(SessionsTest, HaveACsrfTokenOfTheirOwn) {
  const auto first = here.sessions.begin(ann);
  const auto second = here.sessions.begin(ann);
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(second, IsOk());
  const std::string token(first->csrf_token.reveal());
  EXPECT_TRUE(Sessions::is_csrf_token_of(first->secret, token));
  EXPECT_FALSE(Sessions::is_csrf_token_of(second->secret, token));
  EXPECT_FALSE(Sessions::is_csrf_token_of(first->secret, ""));
  EXPECT_FALSE(Sessions::is_csrf_token_of(first->secret, token + "A"));
  EXPECT_FALSE(Sessions::is_csrf_token_of(first->secret, first->secret.reveal()));
  EXPECT_NE(token, first->secret.reveal());
}

}  // namespace
}  // namespace lakemill::access
