#include "lakemill/delta/deletion_vector.h"

#include <array>
#include <map>
#include <memory>
#include <set>

#include <gtest/gtest.h>

#include "lakemill/delta/crc32.h"
#include "lakemill/delta/only_rows.h"

namespace lakemill::delta {
namespace {

// Whole objects in a map: all that vectors need of a store.
class MapStore final : public storage::ObjectStore {
 public:
  const std::string& url() const override { return url_; }
  Result<std::string> get(std::string_view path) override {
    const auto found = objects.find(std::string(path));
    if (found == objects.end()) return Error(ErrorCode::not_found, std::string(path));
    return found->second;
  }
  Result<std::string> get_range(std::string_view path, std::int64_t offset,
                                std::int64_t size) override {
    LAKEMILL_TRY(const std::string bytes, get(path));
    if (static_cast<std::size_t>(offset) >= bytes.size()) return std::string();
    return bytes.substr(static_cast<std::size_t>(offset),
                        static_cast<std::size_t>(size));
  }
  Result<storage::ObjectInfo> head(std::string_view) override { return none(); }
  Result<std::vector<storage::ObjectInfo>> list(std::string_view,
                                                std::string_view) override {
    return none();
  }
  Result<std::vector<std::string>> list_folders(std::string_view) override {
    return none();
  }
  Status put_if_absent(std::string_view, std::string_view) override { return none(); }
  Status put(std::string_view path, std::string_view bytes) override {
    objects[std::string(path)] = std::string(bytes);
    if (lost_answers-- > 0) return Error(ErrorCode::unknown, "no answer");
    return {};
  }
  Result<std::unique_ptr<storage::ObjectWriter>> create(std::string_view) override {
    return none();
  }
  Status remove(std::string_view) override { return none(); }

  std::map<std::string, std::string> objects;
  int lost_answers = 0;

 private:
  static Error none() { return {ErrorCode::unsupported, "not in this test"}; }
  std::string url_ = "/data/table";
};

// A file that Delta for Spark wrote: rows 0 and 9.
std::string spark_file() {
  constexpr std::string_view kHex =
      "0100000024d1d339640100000000000000000000003a300000010000000000010010000000000009"
      "00"
      "2a671846";
  std::string bytes;
  for (std::size_t i = 0; i < kHex.size(); i += 2) {
    bytes.push_back(
        static_cast<char>(std::stoi(std::string(kHex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

DeletionVectorDescriptor spark_descriptor() {
  DeletionVectorDescriptor descriptor;
  descriptor.storage_type = "u";
  descriptor.path_or_inline = "vBn[lx{q8@P<9BNH/isA";
  descriptor.offset = 1;
  descriptor.size_bytes = 36;
  descriptor.cardinality = 2;
  return descriptor;
}

constexpr const char* kSparkPath =
    "deletion_vector_61d16c75-6994-46b7-a15b-8b538852e50e.bin";

TEST(DeletionVector, ReadsAFileThatSparkWrote) {
  MapStore store;
  store.objects[kSparkPath] = spark_file();
  auto vector = read_deletion_vector(store, spark_descriptor());
  ASSERT_TRUE(vector.has_value()) << vector.error().message();
  EXPECT_EQ(vector->rows(), (std::vector<std::uint64_t>{0, 9}));
  // What we write for the same rows is what Spark wrote.
  EXPECT_EQ(vector->encode(), spark_file().substr(5, 36));
}

TEST(DeletionVector, ReadsAnInlineVector) {
  MapStore store;
  DeletionVectorDescriptor descriptor;
  descriptor.storage_type = "i";
  descriptor.path_or_inline = "^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L";
  descriptor.size_bytes = 44;
  descriptor.cardinality = 6;
  auto vector = load_deletion_vector(store, descriptor);
  ASSERT_TRUE(vector.has_value()) << vector.error().message();
  for (const std::uint64_t row : {3U, 4U, 7U, 11U, 18U, 29U}) {
    EXPECT_TRUE((*vector)->contains(row)) << row;
  }
  EXPECT_FALSE((*vector)->contains(5));
  EXPECT_EQ((*vector)->count(), 6U);
}

TEST(DeletionVector, FindsFilesUnderARandomPrefixAndInsideTheRootOnly) {
  MapStore store;
  DeletionVectorDescriptor descriptor;
  descriptor.storage_type = "u";
  descriptor.path_or_inline = "ab^-aqEH.-t@S}K{vb[*k^";
  auto path = deletion_vector_path(store, descriptor);
  ASSERT_TRUE(path.has_value());
  EXPECT_EQ(*path, "ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin");

  descriptor.storage_type = "p";
  descriptor.path_or_inline = "file:///data/table/x/v.bin";
  path = deletion_vector_path(store, descriptor);
  ASSERT_TRUE(path.has_value());
  EXPECT_EQ(*path, "x/v.bin");
  for (const char* outside :
       {"/data/other/v.bin", "/data/table/../v.bin", "s3://b/v.bin"}) {
    descriptor.path_or_inline = outside;
    path = deletion_vector_path(store, descriptor);
    ASSERT_FALSE(path.has_value()) << outside;
    EXPECT_EQ(path.error().code(), ErrorCode::unsupported);
  }
}

TEST(DeletionVector, NoticesADamagedFile) {
  const std::string whole = spark_file();
  for (std::size_t i = 1; i < whole.size(); ++i) {
    MapStore store;
    store.objects[kSparkPath] = whole;
    store.objects[kSparkPath][i] ^= 0x10;
    auto vector = read_deletion_vector(store, spark_descriptor());
    ASSERT_FALSE(vector.has_value()) << "byte " << i;
    EXPECT_EQ(vector.error().code(), ErrorCode::corrupt);
  }
  MapStore store;
  store.objects[kSparkPath] = whole.substr(0, whole.size() - 1);
  EXPECT_FALSE(read_deletion_vector(store, spark_descriptor()).has_value());
}

// Goal: bytes from outside never make the library read or write out of bounds.
// Method: every byte of several encodings set to several values, and every cut; what is
// accepted must be consistent with itself.
TEST(DeletionVector, SurvivesAnyDamageToItsBytes) {
  std::vector<std::uint64_t> runs;
  std::vector<std::uint64_t> bits;
  for (std::uint64_t i = 0; i < 9000; ++i) {
    runs.push_back(i + (i / 3000) * 100000);
    bits.push_back(i * 5);
  }
  const std::vector<std::uint64_t> sparse = {1, 70000, 1ULL << 33, (1ULL << 33) + 5};
  for (const auto& rows : {runs, bits, sparse}) {
    const std::string whole = DeletionVector::of(rows).encode();
    for (std::size_t i = 0; i < std::min<std::size_t>(whole.size(), 64); ++i) {
      for (const int mask : {1, 2, 0x40, 0xFF}) {
        std::string damaged = whole;
        damaged[i] = static_cast<char>(damaged[i] ^ mask);
        auto vector = DeletionVector::decode(damaged);
        if (!vector) continue;
        EXPECT_EQ(vector->rows().size(), vector->count());
      }
    }
    for (std::size_t size = 0; size < whole.size(); size += 1 + size / 50) {
      EXPECT_FALSE(DeletionVector::decode(whole.substr(0, size)).has_value()) << size;
    }
  }
}

std::vector<std::uint64_t> random_rows(SeededRandom& random) {
  std::vector<std::uint64_t> rows;
  const std::uint64_t spread = 1ULL << (4 + random.next() % 33);
  const std::uint64_t runs = random.next() % 40;
  for (std::uint64_t run = 0; run < runs; ++run) {
    const std::uint64_t start = random.next() % spread;
    const std::uint64_t length = 1 + random.next() % (1ULL << (random.next() % 12));
    for (std::uint64_t i = 0; i < length; ++i) rows.push_back(start + i);
  }
  return rows;
}

// Goal: whatever the rows, a vector holds exactly them. Oracle: std::set.
TEST(DeletionVector, HoldsExactlyTheRowsItWasGiven) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom random(seed);
    const auto first = random_rows(random);
    const auto second = random_rows(random);
    std::set<std::uint64_t> expected(first.begin(), first.end());
    expected.insert(second.begin(), second.end());

    const auto both = DeletionVector::of(first).united_with(DeletionVector::of(second));
    auto decoded = DeletionVector::decode(both.encode());
    ASSERT_TRUE(decoded.has_value()) << decoded.error().message();
    ASSERT_EQ(decoded->rows(),
              std::vector<std::uint64_t>(expected.begin(), expected.end()));
    ASSERT_EQ(decoded->count(), expected.size());

    const std::uint64_t around = expected.empty() ? 5 : *expected.begin();
    const std::uint64_t start = around - std::min<std::uint64_t>(around, 100);
    std::array<bool, 2048> keep{};
    const std::uint64_t kept = decoded->fill_kept(start, keep.size(), keep.data());
    std::uint64_t counted = 0;
    for (std::size_t i = 0; i < keep.size(); ++i) {
      ASSERT_EQ(keep[i], !expected.contains(start + i)) << start + i;
      counted += keep[i] ? 1 : 0;
    }
    EXPECT_EQ(kept, counted);
  }
}

TEST(DeletionVectorWriter, PacksAllOfACommitIntoOneFile) {
  MapStore store;
  SeededRandom random(7);
  std::vector<std::uint64_t> many;
  for (std::uint64_t i = 0; i < 1000; ++i) many.push_back(i * 3);
  const std::vector<std::uint64_t> few = {5, 6};

  DeletionVectorWriter writer(store, random);
  const auto first = writer.add(DeletionVector::of(many));
  const auto second = writer.add(DeletionVector::of(few));
  many.push_back(1);
  const auto third = writer.add(DeletionVector::of(many));
  store.lost_answers = 1;
  ASSERT_TRUE(writer.finish().has_value());

  EXPECT_EQ(first.storage_type, "u");
  EXPECT_EQ(first.offset, 1);
  EXPECT_EQ(second.storage_type, "u");
  EXPECT_EQ(second.offset, 1 + 8 + first.size_bytes);
  EXPECT_EQ(third.offset, 1 + 8 + first.size_bytes + 8 + second.size_bytes);
  EXPECT_EQ(store.objects.size(), 1U);
  auto small = read_deletion_vector(store, second);
  ASSERT_TRUE(small.has_value()) << small.error().message();
  EXPECT_EQ(small->rows(), few);
  auto big = read_deletion_vector(store, third);
  ASSERT_TRUE(big.has_value()) << big.error().message();
  EXPECT_EQ(big->count(), 1001U);
}

TEST(DeletionVectorWriter, WritesNoFileWithoutAVector) {
  MapStore store;
  SeededRandom random(7);
  DeletionVectorWriter writer(store, random);
  ASSERT_TRUE(writer.finish().has_value());
  EXPECT_TRUE(store.objects.empty());
}

TEST(Crc32, GivesTheCheckValueOfItsPolynomial) {
  EXPECT_EQ(crc32("123456789"), 0xCBF43926U);
}

TEST(DeletionVector, TellsWhatAnotherLacks) {
  const std::vector<std::uint64_t> before = {1, 2, 70'000};
  const std::vector<std::uint64_t> after = {2, 3, 70'000, 5'000'000'000};
  const auto old = DeletionVector::of(before);
  const auto now = DeletionVector::of(after);
  EXPECT_EQ(now.without(old).rows(), (std::vector<std::uint64_t>{3, 5'000'000'000}));
  EXPECT_EQ(old.without(now).rows(), (std::vector<std::uint64_t>{1}));
  EXPECT_EQ(old.without(old).count(), 0U);
}

TEST(OnlyRows, KeepsWhatTheVectorNames) {
  const std::vector<std::uint64_t> rows = {1, 3};
  const OnlyRows only(std::make_shared<DeletionVector>(DeletionVector::of(rows)), 5);
  EXPECT_EQ(only.count(), 3U);
  EXPECT_TRUE(only.contains(0));
  EXPECT_FALSE(only.contains(3));
  std::array<bool, 3> keep{};
  EXPECT_EQ(only.fill_kept(2, keep.size(), keep.data()), 1U);
  EXPECT_EQ(keep, (std::array{false, true, false}));
}

}  // namespace
}  // namespace lakemill::delta
