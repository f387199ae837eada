#include "lakemill/delta/deletion_vector.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include <roaring/roaring64map.hh>

#include "lakemill/base/guard.h"
#include "lakemill/delta/crc32.h"
#include "lakemill/delta/roaring_format.h"
#include "lakemill/delta/z85.h"

namespace lakemill::delta {

namespace {

constexpr std::uint32_t kMagic = 1681511377;
constexpr std::size_t kMagicBytes = 4;
constexpr char kFileVersion = 1;
constexpr std::size_t kEncodedUuidSize = 20;
constexpr int kPutAttemptsMax = 3;

void append_big_endian(std::string& bytes, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>((value >> shift) & 0xFFU));
  }
}

std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes.substr(0, 4)) {
    value = (value << 8) | static_cast<unsigned char>(byte);
  }
  return value;
}

// "0a1b…" with dashes to 16 bytes, and back.
std::string uuid_bytes(std::string_view uuid) {
  std::string bytes;
  unsigned pending = 0;
  bool half = false;
  for (const char digit : uuid) {
    if (digit == '-') continue;
    const auto value =
        static_cast<unsigned>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
    pending = pending << 4 | value;
    if (half) bytes.push_back(static_cast<char>(pending & 0xFFU));
    half = !half;
  }
  return bytes;
}

std::string uuid_text(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
    const auto byte = static_cast<unsigned char>(bytes[i]);
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

Result<std::string> relative_path(std::string_view encoded) {
  if (encoded.size() < kEncodedUuidSize) {
    return Error(ErrorCode::corrupt,
                 "deletion vector file name too short: " + std::string(encoded));
  }
  const std::string_view prefix = encoded.substr(0, encoded.size() - kEncodedUuidSize);
  LAKEMILL_TRY(const std::string uuid, z85_decode(encoded.substr(prefix.size())));
  std::string path;
  if (!prefix.empty()) path.append(prefix).append("/");
  return path + "deletion_vector_" + uuid_text(uuid) + ".bin";
}

Result<std::string> absolute_path(const storage::ObjectStore& store,
                                  std::string_view path) {
  std::string_view rest = path;
  for (const std::string_view scheme : {"file://", "file:"}) {
    if (rest.starts_with(scheme)) {
      rest.remove_prefix(scheme.size());
      break;
    }
  }
  const std::string root = store.url() + "/";
  if (rest.starts_with(root) && rest.find("/../") == std::string_view::npos) {
    return std::string(rest.substr(root.size()));
  }
  return Error(ErrorCode::unsupported,
               "deletion vector outside of the table's root: " + std::string(path));
}

Result<std::string> read_bytes(storage::ObjectStore& store,
                               const DeletionVectorDescriptor& descriptor) {
  const auto size = static_cast<std::size_t>(descriptor.size_bytes);
  if (descriptor.storage_type == "i") {
    LAKEMILL_TRY(std::string bytes, z85_decode(descriptor.path_or_inline));
    if (bytes.size() < size) {
      return Error(ErrorCode::corrupt, "inline deletion vector ends too early");
    }
    bytes.resize(size);
    return bytes;
  }
  LAKEMILL_TRY(const std::string path, deletion_vector_path(store, descriptor));
  LAKEMILL_TRY(std::string bytes, store.get_range(path, descriptor.offset.value_or(0),
                                                  descriptor.size_bytes + 8));
  if (bytes.size() != size + 8 || big_endian(bytes) != size) {
    return Error(ErrorCode::corrupt, "deletion vector file '" + path +
                                         "' does not have the size that the log says");
  }
  const std::uint32_t checksum = big_endian(std::string_view(bytes).substr(size + 4));
  bytes = bytes.substr(4, size);
  if (crc32(bytes) != checksum) {
    return Error(ErrorCode::corrupt,
                 "deletion vector file '" + path + "' has a wrong checksum");
  }
  return bytes;
}

}  // namespace

class DeletionVector::Set {
 public:
  explicit Set(Roaring64Map map) : rows(std::move(map)), count(rows.cardinality()) {
    if (count == 0) return;
    first = rows.minimum();
    last = rows.maximum();
  }

  const Roaring64Map rows;
  const std::uint64_t count;
  std::uint64_t first = 1;
  std::uint64_t last = 0;
};

DeletionVector::DeletionVector()
    : DeletionVector(std::make_shared<Set>(Roaring64Map())) {}

DeletionVector::DeletionVector(std::shared_ptr<const Set> set) : set_(std::move(set)) {}

DeletionVector DeletionVector::of(std::span<const std::uint64_t> rows) {
  Roaring64Map map;
  map.addMany(rows.size(), rows.data());
  map.runOptimize();
  return DeletionVector(std::make_shared<Set>(std::move(map)));
}

Result<DeletionVector> DeletionVector::decode(std::string_view bytes) {
  if (bytes.size() < kMagicBytes + 8) {
    return Error(ErrorCode::corrupt, "deletion vector ends too early");
  }
  std::uint32_t magic = 0;
  std::memcpy(&magic, bytes.data(), kMagicBytes);
  if (magic != kMagic) {
    return Error(ErrorCode::corrupt, "deletion vector has the unknown magic number " +
                                         std::to_string(magic));
  }
  const std::string bitmap(bytes.substr(kMagicBytes));  // aligned, as the library wants
  LAKEMILL_TRY_OK(check_roaring_format(bitmap));
  auto map = guard("deletion vector", [&] {
    return Roaring64Map::readSafe(bitmap.data(), bitmap.size() - 8);
  });
  if (!map) return Error(ErrorCode::corrupt, map.error().message());
  return DeletionVector(std::make_shared<Set>(*std::move(map)));
}

std::string DeletionVector::encode() const {
  std::string bytes(kMagicBytes + set_->rows.getSizeInBytes(), '\0');
  std::memcpy(bytes.data(), &kMagic, kMagicBytes);
  std::string bitmap(set_->rows.getSizeInBytes(), '\0');
  set_->rows.write(bitmap.data());
  bytes.replace(kMagicBytes, bitmap.size(), bitmap);
  return bytes;
}

bool DeletionVector::contains(std::uint64_t row) const {
  return set_->rows.contains(row);
}

std::uint64_t DeletionVector::count() const { return set_->count; }

std::uint64_t DeletionVector::fill_kept(std::uint64_t start, std::uint64_t count,
                                        bool* keep) const {
  std::fill_n(keep, count, true);
  const std::uint64_t end = start + count;
  if (set_->count == 0 || start > set_->last || end <= set_->first) return count;
  std::uint64_t kept = count;
  const auto none = set_->rows.end();
  auto row = set_->rows.begin();
  if (!row.move(start)) return count;
  for (; row != none && *row < end; ++row) {
    keep[*row - start] = false;
    --kept;
  }
  return kept;
}

DeletionVector DeletionVector::united_with(const DeletionVector& other) const {
  Roaring64Map map = set_->rows;
  map |= other.set_->rows;
  map.runOptimize();
  return DeletionVector(std::make_shared<Set>(std::move(map)));
}

DeletionVector DeletionVector::without(const DeletionVector& other) const {
  Roaring64Map map = set_->rows;
  map -= other.set_->rows;
  return DeletionVector(std::make_shared<Set>(std::move(map)));
}

std::vector<std::uint64_t> DeletionVector::rows() const {
  std::vector<std::uint64_t> rows(set_->count);
  set_->rows.toUint64Array(rows.data());
  return rows;
}

Result<std::string> deletion_vector_path(const storage::ObjectStore& store,
                                         const DeletionVectorDescriptor& descriptor) {
  if (descriptor.storage_type == "u") return relative_path(descriptor.path_or_inline);
  if (descriptor.storage_type == "p") {
    return absolute_path(store, descriptor.path_or_inline);
  }
  return Error(ErrorCode::corrupt, "deletion vector of the unknown storage type '" +
                                       descriptor.storage_type + "'");
}

Result<DeletionVector> read_deletion_vector(
    storage::ObjectStore& store, const DeletionVectorDescriptor& descriptor) {
  if (descriptor.size_bytes < 0 || descriptor.offset.value_or(0) < 0) {
    return Error(ErrorCode::corrupt, "deletion vector with a negative size or offset");
  }
  LAKEMILL_TRY(const std::string bytes, read_bytes(store, descriptor));
  LAKEMILL_TRY(DeletionVector vector, DeletionVector::decode(bytes));
  if (vector.count() != static_cast<std::uint64_t>(descriptor.cardinality)) {
    return Error(ErrorCode::corrupt, "deletion vector of " +
                                         std::to_string(vector.count()) +
                                         " rows where the log says " +
                                         std::to_string(descriptor.cardinality));
  }
  return vector;
}

Result<std::shared_ptr<const data::DeletedRows>> load_deletion_vector(
    storage::ObjectStore& store, const DeletionVectorDescriptor& descriptor) {
  LAKEMILL_TRY(DeletionVector vector, read_deletion_vector(store, descriptor));
  return std::shared_ptr<const data::DeletedRows>(
      std::make_shared<DeletionVector>(std::move(vector)));
}

DeletionVectorWriter::DeletionVectorWriter(storage::ObjectStore& store, Random& random)
    : store_(store), uuid_(make_uuid(random)), content_(1, kFileVersion) {}

DeletionVectorDescriptor DeletionVectorWriter::add(const DeletionVector& vector) {
  LAKEMILL_CHECK(vector.count() > 0);
  const std::string bytes = vector.encode();
  LAKEMILL_CHECK(content_.size() + bytes.size() + 8 <
                 static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()));
  DeletionVectorDescriptor descriptor;
  descriptor.size_bytes = static_cast<std::int32_t>(bytes.size());
  descriptor.cardinality = static_cast<std::int64_t>(vector.count());
  // Never inline, however small: the vacuum of Delta for Spark fails at those.
  descriptor.storage_type = "u";
  descriptor.path_or_inline = z85_encode(uuid_bytes(uuid_));
  descriptor.offset = static_cast<std::int32_t>(content_.size());
  append_big_endian(content_, static_cast<std::uint32_t>(bytes.size()));
  content_ += bytes;
  append_big_endian(content_, crc32(bytes));
  return descriptor;
}

Status DeletionVectorWriter::finish() {
  if (content_.size() == 1) return {};
  // The same bytes under a name that nobody else has: repeating a lost answer is safe.
  Status put = Error(ErrorCode::unknown, "");
  for (int attempt = 0; attempt < kPutAttemptsMax && !put; ++attempt) {
    put = store_.put("deletion_vector_" + uuid_ + ".bin", content_);
    if (!put && put.error().code() != ErrorCode::unknown) break;
  }
  if (!put) return std::move(put).error().while_doing("write deletion vectors");
  return {};
}

}  // namespace lakemill::delta
