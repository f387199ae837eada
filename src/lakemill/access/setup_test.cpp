#include "lakemill/access/setup.h"

#include <gmock/gmock.h>

#include "lakemill/access/access_fixture_test.h"

namespace lakemill::access {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using testkit::HasError;
using testkit::IsOk;
using testkit::IsOkAnd;

class SetupTest : public AccessTest {
 protected:
  SecretText offered(Process& process) {
    const auto offer = process.setup.offer();
    EXPECT_THAT(offer, IsOk());
    EXPECT_TRUE(*offer && (*offer)->secret);
    return *(*offer)->secret;
  }
};

TEST_F(SetupTest, MakesTheFirstAdminOnce) {
  EXPECT_THAT(here.setup.is_over(), IsOkAnd(false));
  const SecretText link = offered(here);
  for (const auto& [url, bytes] : stores.objects()) {
    EXPECT_EQ(bytes.find(link.reveal()), std::string::npos) << url;
  }
  const auto admin = there.setup.redeem(link, "ann", good_password());
  ASSERT_THAT(admin, IsOk());
  EXPECT_EQ(admin->name, "ann");
  EXPECT_EQ(admin->role, Role::admin);
  for (Process* process : {&here, &there}) {
    EXPECT_THAT(process->setup.redeem(link, "bob", good_password()),
                HasError(ErrorCode::exists, "log in"));
    EXPECT_THAT(process->setup.is_over(), IsOkAnd(true));
    const auto offer = process->setup.offer();
    ASSERT_THAT(offer, IsOk());
    EXPECT_FALSE(*offer);
  }
  EXPECT_THAT(here.accounts.login("ann", good_password()), IsOk());
  EXPECT_EQ(stores.objects().at("memory://s/_lakemill/access/setup-used.json"),
            "{\"name\":\"ann\"}\n");
}

TEST_F(SetupTest, IsOfferedByTheFirstOfSeveralProcesses) {
  const SecretText link = offered(here);
  clock.advance(hours(1) - microseconds(1));
  const auto second = there.setup.offer();
  ASSERT_THAT(second, IsOk());
  ASSERT_TRUE(*second);
  EXPECT_FALSE((*second)->secret);
  EXPECT_EQ((*second)->expires_at, clock.now() + microseconds(1));
  EXPECT_EQ((*second)->url, "memory://s/_lakemill/access/setup/000000000001.json");
  EXPECT_THAT(here.setup.redeem(link, "ann", good_password()), IsOk());
}

TEST_F(SetupTest, EndsAfterAnHourAndIsOfferedAnew) {
  const SecretText link = offered(here);
  clock.advance(hours(1));
  EXPECT_THAT(here.setup.redeem(link, "ann", good_password()),
              HasError(ErrorCode::denied, "ended"));
  const SecretText next = offered(there);
  EXPECT_THAT(here.setup.redeem(link, "ann", good_password()),
              HasError(ErrorCode::denied, "replaced"));
  // Nor does the older one count again if the clock goes back.
  clock.set(clock.now() - hours(1));
  EXPECT_THAT(here.setup.redeem(link, "ann", good_password()),
              HasError(ErrorCode::denied, ""));
  clock.set(clock.now() + hours(1));
  EXPECT_THAT(here.setup.redeem(next, "ann", good_password()), IsOk());
}

TEST_F(SetupTest, IsOfferedAnewWhereItsObjectIsRemoved) {
  const SecretText link = offered(here);
  stores.tamper("memory://s/_lakemill/access/setup/000000000001.json", nullptr);
  EXPECT_THAT(here.setup.redeem(link, "ann", good_password()),
              HasError(ErrorCode::denied, ""));
  const SecretText next = offered(there);
  EXPECT_THAT(here.setup.redeem(link, "ann", good_password()),
              HasError(ErrorCode::denied, ""));
  EXPECT_THAT(here.setup.redeem(next, "ann", good_password()), IsOk());
}

TEST_F(SetupTest, TakesNoOtherSecret) {
  EXPECT_THAT(here.setup.redeem(secret(std::string(43, 'A')), "ann", good_password()),
              HasError(ErrorCode::denied, ""));
  const SecretText link = offered(here);
  for (std::size_t i = 0; i < link.reveal().size(); ++i) {
    std::string changed(link.reveal());
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_THAT(here.setup.redeem(secret(changed), "ann", good_password()),
                HasError(ErrorCode::denied, "wrong"));
  }
  EXPECT_THAT(here.setup.redeem(secret(""), "ann", good_password()),
              HasError(ErrorCode::denied, "wrong"));
  // What is wrong with the rest uses nothing up.
  EXPECT_THAT(here.setup.redeem(link, "Ann", good_password()),
              HasError(ErrorCode::invalid, "name"));
  EXPECT_THAT(here.setup.redeem(link, "ann", secret("short")),
              HasError(ErrorCode::invalid, "password"));
  EXPECT_THAT(here.setup.redeem(link, "ann", good_password()), IsOk());
}

TEST_F(SetupTest, IsOverOnceThereIsAUserMadeOtherwise) {
  const SecretText link = offered(here);
  add_user("ann", Role::admin);
  EXPECT_THAT(here.setup.redeem(link, "bob", good_password()),
              HasError(ErrorCode::exists, ""));
  EXPECT_THAT(there.setup.is_over(), IsOkAnd(true));
  const auto bob = here.accounts.find("bob");
  ASSERT_THAT(bob, IsOk());
  EXPECT_FALSE(*bob);
}

}  // namespace
}  // namespace lakemill::access
