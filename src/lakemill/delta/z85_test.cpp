#include "lakemill/delta/z85.h"

#include <gtest/gtest.h>

namespace lakemill::delta {
namespace {

TEST(Z85, EncodesTheVectorOfItsSpecification) {
  const std::string bytes("\x86\x4F\xD2\x6F\xB5\x59\xF7\x5B", 8);
  EXPECT_EQ(z85_encode(bytes), "HelloWorld");
  auto back = z85_decode("HelloWorld");
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(*back, bytes);
}

TEST(Z85, FillsUpWithZeroBytes) {
  EXPECT_EQ(z85_encode(std::string("\x01", 1)),
            z85_encode(std::string("\x01\x00\x00\x00", 4)));
  EXPECT_EQ(z85_encode(""), "");
}

TEST(Z85, RefusesWhatIsNotOfItsAlphabet) {
  for (const char* text : {"Hell", "Hel\"o", "#####", "Hello World"}) {
    auto decoded = z85_decode(text);
    ASSERT_FALSE(decoded.has_value()) << text;
    EXPECT_EQ(decoded.error().code(), ErrorCode::corrupt);
  }
}

}  // namespace
}  // namespace lakemill::delta
