#include "lakemill/engine_spark/arrow_rows.h"

#include <gtest/gtest.h>

namespace lakemill::engine_spark {
namespace {

// A stream of one record batch of two rows, the second all null, by pyarrow: columns of
// bool, int64, double, utf8, utf8, binary, date32 and timestamp[us, UTC].
constexpr const char* kStreamHex =
    "ffffffffb80100001000000000000a000c000600050008000a000000000104000c000000080008"
    "00000004000800000004000000080000006001000018010000e8000000c0000000980000007000"
    "00004400000004000000d0feffff0000010a100000001c00000004000000000000000200000074"
    "73000008000c000600080008000000000002000400000003000000555443000cffffff00000108"
    "1000000014000000040000000000000002000000647400006effffff0000000034ffffff000001"
    "0410000000140000000400000000000000010000007900000024ffffff58ffffff000001051000"
    "0000140000000400000000000000010000006d00000048ffffff7cffffff000001051000000014"
    "000000040000000000000001000000730000006cffffffa0ffffff000001031000000018000000"
    "04000000000000000100000064000600080006000600000000000200ccffffff00000102100000"
    "001c0000000400000000000000010000006900000008000c000800070008000000000000014000"
    "0000100014000800060007000c0000001000100000000000010610000000180000000400000000"
    "00000001000000620000000400040004000000ffffffff0802000014000000000000000c001600"
    "0600050008000c000c0000000003040018000000c80000000000000000000a0018000c00040008"
    "000a0000004c010000100000000200000000000000000000001300000000000000000000000100"
    "000000000000080000000000000001000000000000001000000000000000010000000000000018"
    "000000000000001000000000000000280000000000000001000000000000003000000000000000"
    "10000000000000004000000000000000010000000000000048000000000000000c000000000000"
    "005800000000000000050000000000000060000000000000000100000000000000680000000000"
    "00000c000000000000007800000000000000060000000000000080000000000000000100000000"
    "00000088000000000000000c0000000000000098000000000000000200000000000000a0000000"
    "000000000100000000000000a8000000000000000800000000000000b000000000000000010000"
    "0000000000b8000000000000001000000000000000000000000800000002000000000000000100"
    "000000000000020000000000000001000000000000000200000000000000010000000000000002"
    "000000000000000100000000000000020000000000000001000000000000000200000000000000"
    "010000000000000002000000000000000100000000000000020000000000000001000000000000"
    "000100000000000000010000000000000001000000000000000700000000000000000000000000"
    "00000100000000000000000000000000f83f000000000000000001000000000000000000000005"
    "0000000500000000000000c3bc6265720000000100000000000000000000000600000006000000"
    "000000002d31322e33300000010000000000000000000000020000000200000000000000007800"
    "00000000000100000000000000464d00000000000001000000000000004072987a821206000000"
    "000000000000ffffffff00000000";

const std::vector<ArrowKind> kKinds = {
    ArrowKind::boolean, ArrowKind::integer, ArrowKind::float64, ArrowKind::string,
    ArrowKind::decimal, ArrowKind::binary,  ArrowKind::date,    ArrowKind::timestamp};

std::string stream() {
  std::string bytes;
  for (const char* at = kStreamHex; *at != '\0'; at += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(at, 2), nullptr, 16)));
  }
  return bytes;
}

using Rows = std::vector<std::vector<data::Value>>;

TEST(ArrowRows, ReadsEveryKindAndItsNulls) {
  Rows rows;
  ASSERT_TRUE(append_rows(stream(), kKinds, 10, rows).has_value());
  const std::vector<data::Value> first = {true,
                                          std::int64_t{7},
                                          1.5,
                                          std::string("über"),
                                          data::Decimal{"-12.30"},
                                          data::Binary{std::string("\0x", 2)},
                                          data::Date{19782},
                                          data::Timestamp{1709201472123456}};
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0], first);
  EXPECT_EQ(rows[1], std::vector<data::Value>(8));
}

TEST(ArrowRows, StopsAtTheMostThatIsWanted) {
  Rows rows;
  ASSERT_TRUE(append_rows(stream(), kKinds, 1, rows).has_value());
  ASSERT_TRUE(append_rows(stream(), kKinds, 1, rows).has_value());
  EXPECT_EQ(rows.size(), 1U);
}

TEST(ArrowRows, RefuseColumnsOfOtherKinds) {
  std::vector<ArrowKind> kinds = kKinds;
  kinds[1] = ArrowKind::float64;
  Rows rows;
  EXPECT_EQ(append_rows(stream(), kinds, 10, rows).error().code(), ErrorCode::corrupt);
  kinds.pop_back();
  EXPECT_FALSE(append_rows(stream(), kinds, 10, rows).has_value());
}

TEST(ArrowRows, RefuseEveryCutAndSurviveEveryFlippedBit) {
  const std::string whole = stream();
  int refused = 0;
  for (std::size_t size = 1; size < whole.size() - 8; ++size) {
    Rows rows;
    if (!append_rows(std::string_view(whole).substr(0, size), kKinds, 10, rows))
      ++refused;
    EXPECT_LE(rows.size(), 10U);
  }
  EXPECT_GT(refused, 1000);
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string bytes = whole;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    Rows rows;
    const auto read = append_rows(bytes, kKinds, 10, rows);
    if (!read) {
      EXPECT_NE(read.error().message(), "");
    }
    EXPECT_LE(rows.size(), 10U);
  }
}

}  // namespace
}  // namespace lakemill::engine_spark
