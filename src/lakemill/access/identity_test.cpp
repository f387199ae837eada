#include "lakemill/access/identity.h"

#include <gtest/gtest.h>

namespace lakemill::access {
namespace {

Identity with(std::optional<Role> role, const std::string& pipelines) {
  Identity identity;
  identity.role = role;
  identity.pipelines = pipelines;
  return identity;
}

TEST(Role, IsReadAsItIsWritten) {
  for (const Role role : {Role::viewer, Role::runner, Role::editor, Role::admin}) {
    EXPECT_EQ(role_from_text(to_text(role)), role);
  }
  EXPECT_EQ(to_text(Role::editor), "editor");
  EXPECT_EQ(role_from_text("Admin"), std::nullopt);
  EXPECT_EQ(role_from_text(""), std::nullopt);
}

TEST(Identity, MayDoWhatItsRoleAndTheOnesBeforeMay) {
  constexpr Role kRoles[] = {Role::viewer, Role::runner, Role::editor, Role::admin};
  for (const Role has : kRoles) {
    for (const Role wanted : kRoles) {
      EXPECT_EQ(may(with(has, "*"), wanted, "p"), has >= wanted);
      EXPECT_EQ(may_everywhere(with(has, "*"), wanted), has >= wanted);
    }
  }
  EXPECT_FALSE(may(with(std::nullopt, "*"), Role::viewer, "p"));
  EXPECT_FALSE(may_everywhere(with(std::nullopt, "*"), Role::viewer));
}

TEST(Identity, ThatIsLimitedToPipelinesMayDoNothingElsewhere) {
  const Identity limited = with(Role::admin, "sales_*");
  EXPECT_TRUE(may(limited, Role::editor, "sales_daily"));
  EXPECT_FALSE(may(limited, Role::viewer, "wages"));
  EXPECT_FALSE(may(limited, Role::viewer, ""));
  EXPECT_FALSE(may_everywhere(limited, Role::viewer));
  EXPECT_FALSE(may_use_scope(limited, "events"));
}

TEST(Identity, UsesItsScopesAndFromRunnerOnAll) {
  Identity identity = with(std::nullopt, "*");
  identity.scopes = {"events", "ingest:click*"};
  EXPECT_TRUE(may_use_scope(identity, "events"));
  EXPECT_TRUE(may_use_scope(identity, "ingest:clicks"));
  EXPECT_FALSE(may_use_scope(identity, "ingest:orders"));
  EXPECT_FALSE(may_use_scope(identity, "event"));
  EXPECT_TRUE(may_use_scope(with(Role::runner, "*"), "ingest:orders"));
  EXPECT_FALSE(may_use_scope(with(Role::viewer, "*"), "ingest:orders"));
}

TEST(Glob, FitsWhatAPersonExpects) {
  EXPECT_TRUE(fits_glob("", ""));
  EXPECT_TRUE(fits_glob("", "*"));
  EXPECT_TRUE(fits_glob("abc", "a*c"));
  EXPECT_TRUE(fits_glob("abcbc", "a*bc"));
  EXPECT_TRUE(fits_glob("abc", "???"));
  EXPECT_TRUE(fits_glob("abc", "abc**"));
  EXPECT_FALSE(fits_glob("abc", "ab"));
  EXPECT_FALSE(fits_glob("ab", "abc"));
  EXPECT_FALSE(fits_glob("abc", "ABC"));
  EXPECT_FALSE(fits_glob("", "?"));
  EXPECT_FALSE(fits_glob("abc", ""));
  // With a matcher that takes back more than the last star this would not end.
  EXPECT_FALSE(fits_glob(std::string(10'000, 'a'), "*a*a*a*a*a*a*a*a*a*a*a*b"));
}

}  // namespace
}  // namespace lakemill::access
