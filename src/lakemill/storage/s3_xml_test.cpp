#include "lakemill/storage/s3_xml.h"

#include <random>

#include <gtest/gtest.h>

#include "lakemill/testing/matchers.h"

namespace lakemill::storage {
namespace {

using testkit::HasError;
using testkit::IsOk;

TEST(S3Xml, ReadsElementsTextAndEntities) {
  auto read = parse_xml(
      "<?xml version=\"1.0\"?>\n<!-- a > b -->\n"
      "<r xmlns='x>y'><s3:k a=\"/>\">a&amp;b &#65;&#x20AC;</s3:k><k/>"
      "<n><k><![CDATA[<&>]]></k></n></r>\n");
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->name, "r");
  ASSERT_EQ(read->children.size(), 3U);
  EXPECT_EQ(read->child_text("k"), "a&b A\xE2\x82\xAC");
  EXPECT_EQ(read->children[2].child_text("k"), "<&>");
  EXPECT_EQ(read->child_text("none"), "");
  EXPECT_EQ(read->find("none"), nullptr);
}

TEST(S3Xml, RefusesWhatIsNoDocument) {
  for (const auto* text :
       {"", "text", "<a>", "<a", "<a><b></a", "<a>&nope;</a>", "<a>&#x110000;</a>",
        "<!DOCTYPE x [<!ENTITY y 'z'>]><x>&y;</x>", "<a></a><b></b>", "< a></a>"}) {
    EXPECT_THAT(parse_xml(text), HasError(ErrorCode::corrupt, "XML")) << text;
  }
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "<a>";
  EXPECT_THAT(parse_xml(deep), HasError(ErrorCode::corrupt, "too deep"));
}

TEST(S3Xml, ReadsBackWhatItEscapes) {
  const std::string odd = "a<b>&\"c' \xC3\xA4]]>";
  auto read = parse_xml("<k>" + escape_xml(odd) + "</k>");
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->text, odd);
}

// Goal: no bytes make the reader crash or run for ever. Method: pieces at random.
TEST(S3Xml, SurvivesAnyBytes) {
  constexpr const char* kPieces[] = {
      "<",   ">",  "</", "/>", "a",  "&",  ";",    "&amp;", "<!--", "-->", "<![CDATA[",
      "]]>", "\"", "'",  " ",  "<?", "?>", "\xFF", "<a>",   "</a>", "=",   "!"};
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string text = "<a>";
    for (auto count = random() % 12; count > 0; --count) {
      text += kPieces[random() % std::size(kPieces)];
    }
    (void)parse_xml(text);  // an answer of either kind
  }
}

}  // namespace
}  // namespace lakemill::storage
