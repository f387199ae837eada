#include "lakemill/formats/text_rows.h"

#include <array>

#include <gtest/gtest.h>

namespace lakemill::formats {
namespace {

TEST(TextRows, GivesBackNullsEmptyTextsAndAnyBytes) {
  const std::string odd("a\0,\"\n", 5);
  std::string bytes;
  append_text(bytes, "");
  append_null(bytes);
  append_text(bytes, odd);
  append_null(bytes);

  std::string_view rest = bytes;
  std::array<std::optional<std::string_view>, 2> row;
  ASSERT_TRUE(take_text_row(rest, row));
  EXPECT_EQ(row[0], "");
  EXPECT_FALSE(row[1].has_value());
  ASSERT_TRUE(take_text_row(rest, row));
  EXPECT_EQ(row[0], odd);
  EXPECT_FALSE(row[1].has_value());
  EXPECT_TRUE(rest.empty());
}

TEST(TextRows, ARowThatIsCutOffIsNoRow) {
  std::string bytes;
  append_text(bytes, "abc");
  append_text(bytes, "d");
  std::array<std::optional<std::string_view>, 2> row;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    std::string_view part = std::string_view(bytes).substr(0, size);
    EXPECT_FALSE(take_text_row(part, row)) << size;
    EXPECT_EQ(part.size(), size);
  }
}

}  // namespace
}  // namespace lakemill::formats
