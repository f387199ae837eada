#include "lakemill/delta/table_properties.h"

#include <gtest/gtest.h>

namespace lakemill::delta {
namespace {

Metadata with(const std::string& name, const std::string& value) {
  Metadata metadata;
  metadata.configuration[name] = value;
  return metadata;
}

constexpr std::int64_t kHourMs = 3'600'000;

TEST(TableProperties, AreTheProtocolsDefaultsWhereNothingIsSet) {
  const Metadata metadata;
  EXPECT_EQ(deleted_file_retention_ms(metadata), 7 * 24 * kHourMs);
  EXPECT_EQ(log_retention_ms(metadata), 30 * 24 * kHourMs);
  EXPECT_TRUE(log_cleanup_enabled(metadata));
  EXPECT_EQ(checkpoint_interval(metadata), 10);
  EXPECT_EQ(target_file_bytes(metadata, 77), 77);
}

TEST(TableProperties, ReadIntervalsAsSparkWritesThem) {
  const auto retention = [](const char* text) {
    return log_retention_ms(with("delta.logRetentionDuration", text));
  };
  EXPECT_EQ(retention("interval 1 week"), 7 * 24 * kHourMs);
  EXPECT_EQ(retention("36 hours 30 minutes"), 36 * kHourMs + kHourMs / 2);
  EXPECT_EQ(retention("INTERVAL 0 SECONDS"), 0);
  for (const char* nonsense : {"", "soon", "7", "x days", "-1 days", "1 fortnight"}) {
    EXPECT_EQ(retention(nonsense), 30 * 24 * kHourMs) << nonsense;
  }
  EXPECT_EQ(deleted_file_retention_ms(
                with("delta.deletedFileRetentionDuration", "interval 2 days")),
            48 * kHourMs);
}

TEST(TableProperties, ReadSizesSwitchesAndNumbers) {
  const auto size = [](const char* text) {
    return target_file_bytes(with("delta.targetFileSize", text), 5);
  };
  EXPECT_EQ(size("128mb"), 128 << 20);
  EXPECT_EQ(size("1 GB"), 1 << 30);
  EXPECT_EQ(size("1000"), 1000);
  EXPECT_EQ(size("0"), 5);
  EXPECT_EQ(size("big"), 5);
  EXPECT_EQ(size("99999999999tb"), 5);
  EXPECT_FALSE(log_cleanup_enabled(with("delta.enableExpiredLogCleanup", "FALSE")));
  EXPECT_EQ(checkpoint_interval(with("delta.checkpointInterval", "3")), 3);
  EXPECT_EQ(checkpoint_interval(with("delta.checkpointInterval", "0")), 10);
}

TEST(TableProperties, AreCheckedBeforeTheyAreSet) {
  const auto fault = [](const std::string& name, const std::string& value) {
    const auto checked = check_properties({{name, value}});
    return checked ? std::string() : checked.error().message();
  };
  EXPECT_EQ(fault("delta.enableTypeWidening", "TRUE"), "");
  EXPECT_EQ(fault("delta.checkpointInterval", "3"), "");
  EXPECT_EQ(fault("delta.logRetentionDuration", "interval 3 days"), "");
  EXPECT_EQ(fault("delta.targetFileSize", "64mb"), "");
  EXPECT_EQ(fault("team", "anything"), "");
  EXPECT_EQ(fault("delta.enableTypeWidenning", "true"),
            "property delta.enableTypeWidenning is not known to Delta tables; did you "
            "mean delta.enableTypeWidening?");
  EXPECT_EQ(fault("delta.appendOnly", "yes"),
            "property delta.appendOnly is \"yes\"; it must be true or false");
  EXPECT_NE(fault("delta.checkpointInterval", "0"), "");
  EXPECT_NE(fault("delta.logRetentionDuration", "soon"), "");
  EXPECT_NE(fault("delta.targetFileSize", "big"), "");
  EXPECT_EQ(fault("delta.columnMapping.mode", "names"),
            "property delta.columnMapping.mode is \"names\"; it must be one of none, "
            "name, id");
  EXPECT_NE(fault("delta.feature.typeWidening", "supported"), "");
}

}  // namespace
}  // namespace lakemill::delta
