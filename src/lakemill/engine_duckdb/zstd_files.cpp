// RFC 8878: a zstd file is frames one after another, a frame blocks that each have
// their size before them.

#include "lakemill/engine_duckdb/zstd_files.h"

#include <array>
#include <cstdint>

namespace lakemill::engine_duckdb {

namespace {

using duckdb::FileCompressionType;

// Bytes of a file, from its beginning to its end.
class Bytes {
 public:
  explicit Bytes(duckdb::FileHandle& file)
      : file_(file), size_(static_cast<std::int64_t>(file.GetFileSize())) {}

  bool at_end() const { return offset_ >= size_; }

  // False if so many are not there.
  bool skip(std::int64_t count) {
    offset_ += count;
    return offset_ <= size_;
  }

  // A number of so many bytes, the lowest first; nothing if they are not there.
  std::optional<std::uint64_t> number(std::int64_t count) {
    if (count > size_ - offset_) return std::nullopt;
    std::array<unsigned char, 8> bytes{};
    file_.Read(bytes.data(), static_cast<duckdb::idx_t>(count),
               static_cast<duckdb::idx_t>(offset_));
    offset_ += count;
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i > 0; --i) value = (value << 8U) | bytes[i - 1];
    return value;
  }

 private:
  duckdb::FileHandle& file_;
  std::int64_t size_ = 0;
  std::int64_t offset_ = 0;
};

constexpr std::uint64_t kFrameMagic = 0xFD2FB528;
constexpr std::uint64_t kSkippableMagic = 0x184D2A50;  // and the 15 numbers after it

// Goes past the blocks of a frame; false where the file ends before they do.
bool skip_frame(Bytes& bytes) {
  const auto descriptor = bytes.number(1);
  if (!descriptor) return false;
  const std::uint64_t content_size_code = *descriptor >> 6U;
  const bool is_single_segment = (*descriptor & 0x20U) != 0;
  const bool has_sum = (*descriptor & 0x04U) != 0;
  constexpr std::array<std::int64_t, 4> kContentSizeBytes = {0, 2, 4, 8};
  constexpr std::array<std::int64_t, 4> kDictionaryBytes = {0, 1, 2, 4};
  std::int64_t header = kContentSizeBytes[content_size_code];
  header += kDictionaryBytes[*descriptor & 0x03U];
  header += is_single_segment ? (content_size_code == 0 ? 1 : 0) : 1;
  if (!bytes.skip(header)) return false;
  for (bool is_last = false; !is_last;) {
    const auto block = bytes.number(3);
    if (!block) return false;
    is_last = (*block & 1U) != 0;
    const bool is_one_byte_repeated = ((*block >> 1U) & 3U) == 1;
    const auto size = static_cast<std::int64_t>(*block >> 3U);
    if (!bytes.skip(is_one_byte_repeated ? 1 : size)) return false;
  }
  return bytes.skip(has_sum ? 4 : 0);
}

}  // namespace

std::optional<std::string> zstd_fault(duckdb::FileHandle& file,
                                      FileCompressionType how) {
  const bool is_zstd = how == FileCompressionType::ZSTD ||
                       (how == FileCompressionType::AUTO_DETECT &&
                        duckdb::IsFileCompressed(file.path, FileCompressionType::ZSTD));
  if (!is_zstd) return std::nullopt;
  Bytes bytes(file);
  bool is_whole = true;
  while (is_whole && !bytes.at_end()) {
    const auto magic = bytes.number(4);
    if (!magic) {
      is_whole = false;
    } else if ((*magic & ~std::uint64_t{15}) == kSkippableMagic) {
      const auto size = bytes.number(4);
      is_whole = size && bytes.skip(static_cast<std::int64_t>(*size));
    } else if (*magic == kFrameMagic) {
      is_whole = skip_frame(bytes);
    } else {
      return "it is no zstd stream, or a broken one; write it anew";
    }
  }
  if (is_whole) return std::nullopt;
  return "the file ends in the middle of its zstd stream; write it anew, whole, and "
         "under "
         "its name only when it is";
}

}  // namespace lakemill::engine_duckdb
