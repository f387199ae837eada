#include "lakemill/base/hash.h"

#include <gtest/gtest.h>

namespace lakemill {
namespace {

// The test vector "abc" of FIPS 180-2.
TEST(Sha256, GivesThePublishedDigest) {
  EXPECT_EQ(sha256_hex("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace lakemill
