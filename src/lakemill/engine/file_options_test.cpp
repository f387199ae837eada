#include "lakemill/engine/file_options.h"

#include <gmock/gmock.h>

namespace lakemill::engine {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(FileOptions, AreFoundByEachOfTheirNamesWhateverTheCase) {
  for (const char* name : {"sep", "separator", "delimiter", "SEP"}) {
    const auto option = reader_option(FileFormat::csv, name);
    ASSERT_TRUE(option) << option.error().message();
    EXPECT_EQ(*option, FileOption::delimiter);
  }
  const auto null_value = writer_option(FileFormat::csv, "nullValue");
  ASSERT_TRUE(null_value);
  EXPECT_EQ(*null_value, FileOption::null_values);
}

TEST(FileOptions, AnUnknownOneIsToldWithTheNearestAndTheKnownOnes) {
  const auto misspelt = reader_option(FileFormat::csv, "seperator");
  ASSERT_FALSE(misspelt);
  EXPECT_THAT(misspelt.error().message(),
              AllOf(HasSubstr("reader of CSV"), HasSubstr("'seperator'"),
                    HasSubstr("did you mean 'separator'?"), HasSubstr("null_values")));
  const auto none = writer_option(FileFormat::jsonl, "x");
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message(), HasSubstr("known are compression"));
  EXPECT_FALSE(reader_option(FileFormat::binaryfile, "header"));
}

}  // namespace
}  // namespace lakemill::engine
