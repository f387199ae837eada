#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "lakemill/base/result.h"

namespace lakemill::engine_spark {

/// The bytes of a FlatBuffer, read with every offset checked.
/// Source: flatbuffers.dev, "FlatBuffer Internals".
class FlatBytes {
 public:
  explicit FlatBytes(std::string_view bytes) : bytes_(bytes) {}

  /// The little-endian integer at `at`. Errors: corrupt.
  template <typename Integer>
  Result<Integer> integer(std::size_t at) const {
    if (at > bytes_.size() || bytes_.size() - at < sizeof(Integer)) return cut_off();
    std::uint64_t value = 0;
    for (std::size_t i = sizeof(Integer); i > 0; --i) {
      value = (value << 8) | static_cast<unsigned char>(bytes_[at + i - 1]);
    }
    return static_cast<Integer>(value);
  }

  static Error cut_off() {
    return {ErrorCode::corrupt, "rows from Spark are cut off or malformed"};
  }

 private:
  std::string_view bytes_;
};

/// A vector: where its first element is, and how many there are.
struct FlatVector {
  std::size_t begin = 0;
  std::size_t count = 0;
};

/// A table in a FlatBuffer. Absent fields have their default.
class FlatTable {
 public:
  /// The root of `bytes`, which must outlive it.
  static Result<FlatTable> root(const FlatBytes& bytes);

  template <typename Integer>
  Result<Integer> integer(std::size_t field, Integer absent) const {
    LAKEMILL_TRY(const auto at, place(field));
    if (!at) return absent;
    return bytes_->integer<Integer>(*at);
  }
  /// Errors: corrupt, also where it is absent.
  Result<FlatTable> table(std::size_t field) const;
  Result<FlatVector> vector(std::size_t field) const;
  /// The table that an element of a vector of tables is.
  Result<FlatTable> element(const FlatVector& vector, std::size_t index) const;

 private:
  FlatTable(const FlatBytes& bytes, std::size_t at) : bytes_(&bytes), at_(at) {}
  Result<std::optional<std::size_t>> place(std::size_t field) const;
  Result<std::size_t> target(std::size_t at) const;

  const FlatBytes* bytes_;
  std::size_t at_;
};

}  // namespace lakemill::engine_spark
