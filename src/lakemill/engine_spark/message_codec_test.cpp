#include "lakemill/engine_spark/message_codec.h"

#include <gtest/gtest.h>

#include "lakemill/engine_spark/connect_messages.h"

namespace lakemill::engine_spark {
namespace {

// The example of protobuf.dev: field 1 is 150, field 2 is "testing".
TEST(MessageCodec, WritesWhatTheSpecificationShows) {
  MessageWriter message;
  message.number(1, 150).text(2, "testing").number(3, 0).text(4, "");
  EXPECT_EQ(message.bytes(), std::string("\x08\x96\x01\x12\x07testing", 12));
}

TEST(MessageCodec, ReadsBackWhatItWrote) {
  MessageWriter message;
  message.number(1, ~std::uint64_t{0})
      .embedded(999, "")
      .text(16, std::string(300, 'x'));
  MessageReader reader(message.bytes());
  MessageField field;
  ASSERT_TRUE(reader.next(field).value());
  EXPECT_EQ(field.field, 1U);
  EXPECT_EQ(field.number, ~std::uint64_t{0});
  ASSERT_TRUE(reader.next(field).value());
  EXPECT_EQ(field.field, 999U);
  EXPECT_TRUE(field.text.empty());
  ASSERT_TRUE(reader.next(field).value());
  EXPECT_EQ(field.text, std::string(300, 'x'));
  EXPECT_FALSE(reader.next(field).value());
}

TEST(MessageCodec, RefusesEveryCutAndEveryFlippedBitOrReadsWithinBounds) {
  MessageWriter message;
  message.number(1, 300).embedded(2, MessageWriter().text(2, "rows").bytes());
  const std::string whole = message.bytes();
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const auto read = arrow_batch_of(std::string_view(whole).substr(0, size));
    EXPECT_TRUE(!read || read->empty()) << size;
  }
  int refused = 0;
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string bytes = whole;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    const auto read = arrow_batch_of(bytes);
    if (!read) {
      EXPECT_EQ(read.error().code(), ErrorCode::corrupt);
      ++refused;
    } else {
      EXPECT_LE(read->size(), whole.size());
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_EQ(arrow_batch_of(whole).value(), "rows");
}

TEST(MessageCodec, RefusesAFieldNumberedZeroAndGroups) {
  EXPECT_FALSE(arrow_batch_of(std::string("\x00\x01", 2)).has_value());
  EXPECT_FALSE(arrow_batch_of("\x0B\x0C").has_value());
}

}  // namespace
}  // namespace lakemill::engine_spark
