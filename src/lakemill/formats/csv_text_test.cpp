#include "lakemill/formats/csv_text.h"

#include <gtest/gtest.h>

namespace lakemill::formats {
namespace {

TEST(CsvText, FindsTheLineOfAFieldBehindQuotedLineEnds) {
  const CsvDialect dialect;
  const std::string_view text = "id,v\r\n1,\"a\nb\"\r\n2,\"say \"\"x\"\"\"\r\n3,y\r\n";
  EXPECT_EQ(line_of_field(text, dialect, 0, "2"), 4);
  EXPECT_EQ(line_of_field(text, dialect, 1, "say \"x\""), 4);
  EXPECT_EQ(line_of_field(text, dialect, 1, "a\nb"), 2);
  EXPECT_FALSE(line_of_field(text, dialect, 0, "y"));
}

TEST(CsvText, LeavesOutSkippedLinesAndComments) {
  CsvDialect dialect;
  dialect.delimiter = "||";
  dialect.comment = '#';
  dialect.skipped_lines = 1;
  EXPECT_EQ(line_of_field("x||1\n#x||1\nx||1\n", dialect, 0, "x"), 3);
}

TEST(CsvText, TellsRecordsThatEndDifferently) {
  const CsvDialect dialect;
  EXPECT_FALSE(ends_of_records("a,b\r\n1,\"x\ny\"\r\n", dialect).are_mixed);
  const CsvEnds mixed = ends_of_records("a,b\r\n1,2\n3,4\r\n", dialect);
  EXPECT_TRUE(mixed.are_mixed);
  EXPECT_TRUE(mixed.are_plain);
  EXPECT_EQ(mixed.line, 2);
  EXPECT_FALSE(ends_of_records("a,b\n1,\"x\n", dialect).are_plain);
  EXPECT_FALSE(ends_of_records("a,b\n1,x\"y\n", dialect).are_plain);
}

}  // namespace
}  // namespace lakemill::formats
