#include "lakemill/engine_spark/spark_remote.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lakemill::engine_spark {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(SparkRemote, ReadsWhatSparksOwnClientsWrite) {
  const auto plain = parse_remote("sc://spark.local").value();
  EXPECT_EQ(plain.place(), "spark.local:15002");
  EXPECT_FALSE(plain.tls);
  const auto full =
      parse_remote("sc://h:443/;use_ssl=true;token=a%3Bb;user_id=ann;x-cluster=c1");
  ASSERT_TRUE(full.has_value());
  EXPECT_EQ(full->port, 443);
  EXPECT_TRUE(full->tls);
  EXPECT_EQ(full->token, "a;b");
  EXPECT_EQ(full->user_id, "ann");
  ASSERT_EQ(full->headers.size(), 1U);
  EXPECT_EQ(full->headers[0].value, "c1");
  EXPECT_EQ(parse_remote("sc://[::1]:15003").value().place(), "[::1]:15003");
}

TEST(SparkRemote, SendsNoTokenUnencryptedToAnotherMachine) {
  EXPECT_TRUE(parse_remote("sc://h/;token=t").value().tls);
  EXPECT_FALSE(parse_remote("sc://127.0.0.1/;token=t").value().tls);
  const auto refused = parse_remote("sc://h/;token=verysecret;use_ssl=false");
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message(), HasSubstr("unencrypted"));
  EXPECT_THAT(refused.error().message(), Not(HasSubstr("verysecret")));
}

TEST(SparkRemote, RefusesWhatItDoesNotKnowWithoutPrintingValues) {
  for (const char* text : {"spark://h", "sc://", "sc://h:0", "sc://h:x", "sc://h/path",
                           "sc://h/;tokn=hush", "sc://h/;use_ssl=hush", "sc://h/;hush",
                           "sc://u@h", "sc://h:70000"}) {
    const auto refused = parse_remote(text);
    ASSERT_FALSE(refused.has_value()) << text;
    EXPECT_EQ(refused.error().code(), ErrorCode::invalid);
    EXPECT_THAT(refused.error().message(), Not(HasSubstr("hush")));
  }
}

}  // namespace
}  // namespace lakemill::engine_spark
