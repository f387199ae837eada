#include "lakemill/app/object_stores.h"

#include <map>

#include <gtest/gtest.h>

#include "lakemill/language/load.h"
#include "lakemill/testing/matchers.h"

namespace lakemill::app {
namespace {

using testkit::HasError;
using testkit::IsOk;

class S3Options : public testing::Test {
 protected:
  Result<storage::S3Options> options_of(const std::string& bucket,
                                        const std::string& connections) {
    language::MemoryFileReader reader({{"lakemill.yaml", "name: p\n" + connections}});
    language::LoadOptions options;
    options.reader = &reader;
    auto loaded = language::load_project("lakemill.yaml", options);
    EXPECT_TRUE(loaded.project.has_value()) << loaded.diagnostics.to_text();
    Secrets secrets({.environment = true, .file = "", .command = ""}, "/");
    return s3_options(bucket, *loaded.project, secrets,
                      [this](const std::string& name) -> std::optional<std::string> {
                        const auto found = variables_.find(name);
                        if (found == variables_.end()) return std::nullopt;
                        return found->second;
                      });
  }

  std::map<std::string, std::string> variables_ = {
      {"AWS_ACCESS_KEY_ID", "env key"},
      {"AWS_SECRET_ACCESS_KEY", "env word"},
      {"AWS_SESSION_TOKEN", "env token"},
      {"AWS_REGION", "eu-west-1"},
      {"AWS_ENDPOINT_URL", "https://env:1"}};
};

TEST_F(S3Options, AreThoseOfTheEnvironmentWhereNoConnectionIsGiven) {
  const auto options = options_of("b", "");
  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(options->endpoint, "https://env:1");
  EXPECT_EQ(options->region, "eu-west-1");
  EXPECT_EQ(options->credentials.access_key_id, "env key");
  EXPECT_EQ(options->credentials.secret_access_key, "env word");
  EXPECT_EQ(options->credentials.session_token, "env token");
  EXPECT_FALSE(options->path_style.has_value());
  variables_.clear();
  const auto bare = options_of("b", "");
  ASSERT_THAT(bare, IsOk());
  EXPECT_EQ(bare->region, "us-east-1");
  EXPECT_TRUE(bare->credentials.empty());
}

TEST_F(S3Options, AreThoseOfTheConnectionThatNamesTheBucket) {
  ::setenv("LAKEMILL_SECRET_WORD", "a secret word", 1);
  const std::string connections =
      "connections:\n"
      "  other: {type: S3, endpoint: 'https://other', region: r2}\n"
      "  mine: {type: S3, bucket: b, endpoint: 'http://mine:9', path_style: false,\n"
      "    access_key_id: k, secret_access_key: '${secret.WORD}'}\n";
  const auto mine = options_of("b", connections);
  ASSERT_THAT(mine, IsOk());
  EXPECT_EQ(mine->endpoint, "http://mine:9");
  EXPECT_EQ(mine->region, "eu-west-1");
  EXPECT_EQ(mine->credentials.access_key_id, "k");
  EXPECT_EQ(mine->credentials.secret_access_key, "a secret word");
  EXPECT_EQ(mine->credentials.session_token, "") << "another key's token";
  EXPECT_EQ(mine->path_style, false);
  const auto other = options_of("c", connections);
  ASSERT_THAT(other, IsOk());
  EXPECT_EQ(other->endpoint, "https://other");
  EXPECT_EQ(other->credentials.access_key_id, "env key");
}

TEST_F(S3Options, RefuseHalfAPairAndWhatIsNoUrl) {
  EXPECT_THAT(
      options_of("b", "connections: {s: {type: S3, access_key_id: k}}\n"),
      HasError(ErrorCode::invalid, "the connection s gives one of access_key_id"));
  EXPECT_THAT(options_of("b", "connections: {s: {type: S3, endpoint: 'host:9'}}\n"),
              HasError(ErrorCode::invalid, "begin it with https://"));
  EXPECT_THAT(options_of("b",
                         "connections: {s: {type: S3, access_key_id: k, "
                         "secret_access_key: '${secret.NOT_THERE}'}}\n"),
              HasError(ErrorCode::not_found, "NOT_THERE"));
  variables_.erase("AWS_SECRET_ACCESS_KEY");
  EXPECT_THAT(options_of("b", ""), HasError(ErrorCode::invalid, "only one is set"));
}

}  // namespace
}  // namespace lakemill::app
