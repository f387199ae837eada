#include "lakemill/base/hash.h"

#include <gtest/gtest.h>

namespace lakemill {
namespace {

// The test vector "abc" of FIPS 180-2.
TEST(Sha256, GivesThePublishedDigest) {
  EXPECT_EQ(sha256_hex("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// Test case 2 of RFC 4231.
TEST(HmacSha256, GivesThePublishedDigest) {
  EXPECT_EQ(hex_text(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

// The digest of "abc" in RFC 1321, in base64.
TEST(Md5, GivesThePublishedDigest) {
  EXPECT_EQ(md5_base64("abc"), "kAFQmDzST7DWlj99KOF/cg==");
}

// The test vectors of RFC 4648, section 10.
TEST(Base64, GivesThePublishedText) {
  EXPECT_EQ(base64_text(""), "");
  EXPECT_EQ(base64_text("f"), "Zg==");
  EXPECT_EQ(base64_text("fo"), "Zm8=");
  EXPECT_EQ(base64_text("foo"), "Zm9v");
  EXPECT_EQ(base64_text("foob"), "Zm9vYg==");
  EXPECT_EQ(base64_text("\xfb\xff"), "+/8=");
}

}  // namespace
}  // namespace lakemill
