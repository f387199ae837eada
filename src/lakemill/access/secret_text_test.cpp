#include "lakemill/access/secret_text.h"

#include <concepts>
#include <ostream>
#include <set>
#include <type_traits>

#include <gtest/gtest.h>

#include "lakemill/access/entropy_random.h"

namespace lakemill::access {
namespace {

template <typename T>
concept Streamable = requires(std::ostream& out, const T& value) { out << value; };
template <typename T>
concept TextOfIt = requires(const T& value) { to_text(value); };

static_assert(!Streamable<SecretText>);
static_assert(!TextOfIt<SecretText>);
static_assert(!std::is_convertible_v<SecretText, std::string>);
static_assert(!std::is_convertible_v<SecretText, std::string_view>);
static_assert(!std::is_convertible_v<std::string, SecretText>);
static_assert(!std::equality_comparable<SecretText>);

TEST(SecretText, LeavesNothingBehindWhereItWasMovedFrom) {
  for (const std::string text : {"short", "longer than a string holds in itself"}) {
    SecretText first(text);
    const SecretText second(std::move(first));
    EXPECT_EQ(second.reveal(), text);
    const char* bytes = first.reveal().data();  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(first.reveal().size(), 0U);
    EXPECT_EQ(bytes[0], '\0');
    EXPECT_EQ(bytes[1], '\0');
    SecretText third("another");
    third = second;
    EXPECT_EQ(third.reveal(), text);
    EXPECT_EQ(second.reveal(), text);
  }
}

TEST(MakeSecret, HasFortyThreeLettersAndNeverRepeats) {
  EntropyRandom random;
  std::set<std::string> seen;
  std::set<char> letters;
  for (int i = 0; i < 1'000; ++i) {
    const SecretText made = make_secret(random);
    EXPECT_TRUE(is_secret_shaped(made.reveal()));
    seen.emplace(made.reveal());
    letters.insert(made.reveal().begin(), made.reveal().end());
  }
  EXPECT_EQ(seen.size(), 1'000U);
  EXPECT_EQ(letters.size(), 64U);
}

TEST(MakeSecret, UsesAllOfTheRandomBits) {
  // Each number differs in one bit from 0: so must the secret.
  class OneBit final : public Random {
   public:
    explicit OneBit(int bit) : bit_(bit) {}
    std::uint64_t next() override {
      const int here = bit_ - 64 * call_++;
      return here >= 0 && here < 64 ? std::uint64_t{1} << here : 0;
    }

   private:
    const int bit_;
    int call_ = 0;
  };
  std::set<std::string> seen;
  for (int bit = 0; bit < 256; ++bit) {
    OneBit random(bit);
    seen.emplace(make_secret(random).reveal());
  }
  EXPECT_EQ(seen.size(), 256U);
}

TEST(EntropyRandom, IsNotASeriesFromASeed) {
  EntropyRandom first;
  EntropyRandom second;
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 100; ++i) {
    seen.insert(first.next());
    seen.insert(second.next());
  }
  EXPECT_EQ(seen.size(), 200U);
}

TEST(SecretShape, IsRefusedWithOtherLettersAndSizes) {
  const std::string good(43, 'A');
  EXPECT_TRUE(is_secret_shaped(good));
  EXPECT_FALSE(is_secret_shaped(""));
  EXPECT_FALSE(is_secret_shaped(good + "A"));
  EXPECT_FALSE(is_secret_shaped(good.substr(1)));
  for (const char letter : {'+', '/', '=', '.', '\0', ' ', '\xc3'}) {
    std::string other = good;
    other[20] = letter;
    EXPECT_FALSE(is_secret_shaped(other));
  }
}

TEST(Base64Url, IsThatOfTheStandard) {
  EXPECT_EQ(base64url(""), "");
  EXPECT_EQ(base64url("f"), "Zg");
  EXPECT_EQ(base64url("fo"), "Zm8");
  EXPECT_EQ(base64url("foo"), "Zm9v");
  EXPECT_EQ(base64url("foob"), "Zm9vYg");
  EXPECT_EQ(base64url("fooba"), "Zm9vYmE");
  EXPECT_EQ(base64url("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64url("\xfb\xff\xfe"), "-__-");
}

TEST(EqualInConstantTime, IsEquality) {
  const std::string text = "0123456789abcdef";
  EXPECT_TRUE(equal_in_constant_time(text, text));
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_FALSE(equal_in_constant_time(text, ""));
  EXPECT_FALSE(equal_in_constant_time(text, text + "0"));
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string other = text;
      other[i] = static_cast<char>(other[i] ^ (1 << bit));
      EXPECT_FALSE(equal_in_constant_time(text, other)) << i << ' ' << bit;
    }
  }
}

}  // namespace
}  // namespace lakemill::access
