#include "lakemill/delta/roaring_format.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace lakemill::delta {

namespace {

constexpr std::uint32_t kCookie = 12346;
constexpr std::uint32_t kCookieWithRuns = 12347;
constexpr std::uint32_t kArrayValuesMax = 4096;
constexpr std::uint32_t kContainersMax = 1U << 16;
constexpr std::uint32_t kContainersWithoutOffsets = 4;
constexpr std::size_t kBitsetBytes = 8192;

// Walks over bytes that may be wrong; the first broken rule is kept, and everything
// read after it is zero.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <typename Unsigned>
  Unsigned read() {
    Unsigned value = 0;
    const std::string_view raw = take(sizeof(Unsigned));
    if (raw.size() == sizeof(Unsigned)) std::memcpy(&value, raw.data(), raw.size());
    return value;
  }

  std::string_view take(std::size_t size) {
    if (size > bytes_.size() - position_) {
      require(false, "ends too early");
      return {};
    }
    const std::string_view taken = bytes_.substr(position_, size);
    position_ += size;
    return taken;
  }

  void require(bool holds, const char* rule) {
    if (holds || !fault_.empty()) return;
    fault_ = "Roaring bitmap " + std::string(rule) + ", at byte " +
             std::to_string(position_);
  }

  bool failed() const { return !fault_.empty(); }
  bool at_end() const { return position_ == bytes_.size(); }
  const std::string& fault() const { return fault_; }

 private:
  std::string_view bytes_;
  std::size_t position_ = 0;
  std::string fault_;
};

struct Container {
  std::uint32_t cardinality = 0;
  bool runs = false;
};

std::uint64_t check_array(Reader& reader, std::uint32_t cardinality) {
  std::int32_t previous = -1;
  for (std::uint32_t i = 0; i < cardinality && !reader.failed(); ++i) {
    const auto value = static_cast<std::int32_t>(reader.read<std::uint16_t>());
    reader.require(value > previous, "has values out of order");
    previous = value;
  }
  return cardinality;
}

std::uint64_t check_bitset(Reader& reader) {
  const std::string_view words = reader.take(kBitsetBytes);
  std::uint64_t count = 0;
  for (std::size_t i = 0; i + 8 <= words.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, words.data() + i, 8);
    count += static_cast<std::uint64_t>(std::popcount(word));
  }
  return count;
}

std::uint64_t check_runs(Reader& reader) {
  const std::uint32_t runs = reader.read<std::uint16_t>();
  std::int64_t previous_end = -1;
  std::uint64_t count = 0;
  for (std::uint32_t i = 0; i < runs && !reader.failed(); ++i) {
    const std::int64_t start = reader.read<std::uint16_t>();
    const std::int64_t length = reader.read<std::uint16_t>();  // less one
    reader.require(start > previous_end, "has runs out of order");
    reader.require(start + length < 65536, "has a run past its container");
    previous_end = start + length;
    count += static_cast<std::uint64_t>(length) + 1;
  }
  return count;
}

// The header of one 32-bit bitmap: what its containers are.
std::vector<Container> read_header(Reader& reader) {
  const auto cookie = reader.read<std::uint32_t>();
  std::string_view run_flags;
  std::uint32_t count = 0;
  if ((cookie & 0xFFFFU) == kCookieWithRuns) {
    count = (cookie >> 16) + 1;
    run_flags = reader.take((count + 7) / 8);
  } else {
    reader.require(cookie == kCookie, "has an unknown cookie");
    count = reader.read<std::uint32_t>();
    reader.require(count <= kContainersMax, "has too many containers");
  }
  std::vector<Container> containers;
  std::int32_t previous_key = -1;
  for (std::uint32_t i = 0; i < count && !reader.failed(); ++i) {
    const auto key = static_cast<std::int32_t>(reader.read<std::uint16_t>());
    const std::uint32_t cardinality = reader.read<std::uint16_t>() + 1U;
    reader.require(key > previous_key, "has container keys out of order");
    previous_key = key;
    const bool runs =
        !run_flags.empty() &&
        ((static_cast<unsigned char>(run_flags[i / 8]) >> (i % 8)) & 1) != 0;
    containers.push_back({cardinality, runs});
  }
  if (run_flags.empty() || count >= kContainersWithoutOffsets) {
    reader.take(containers.size() * sizeof(std::uint32_t));  // offsets: not needed
  }
  return containers;
}

void check_bitmap(Reader& reader) {
  for (const Container& container : read_header(reader)) {
    if (reader.failed()) return;
    std::uint64_t count = 0;
    if (container.runs) {
      count = check_runs(reader);
    } else if (container.cardinality <= kArrayValuesMax) {
      count = check_array(reader, container.cardinality);
    } else {
      count = check_bitset(reader);
    }
    reader.require(count == container.cardinality, "has a wrong cardinality");
  }
}

}  // namespace

Status check_roaring_format(std::string_view bytes) {
  Reader reader(bytes);
  const auto buckets = reader.read<std::uint64_t>();
  std::int64_t previous_key = -1;
  for (std::uint64_t i = 0; i < buckets && !reader.failed(); ++i) {
    const std::int64_t key = reader.read<std::uint32_t>();
    reader.require(key > previous_key, "has bucket keys out of order");
    reader.require(key < (std::int64_t{1} << 31), "has a negative bucket key");
    previous_key = key;
    check_bitmap(reader);
  }
  reader.require(reader.at_end(), "is followed by other bytes");
  if (reader.failed()) return Error(ErrorCode::corrupt, reader.fault());
  return {};
}

}  // namespace lakemill::delta
