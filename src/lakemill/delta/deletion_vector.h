#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/random.h"
#include "lakemill/data/table_scan.h"
#include "lakemill/delta/action.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::delta {

/// The deleted rows of one data file, as a compressed set of positions.
///
/// Thread-safety: immutable. Copies are cheap: they share the set.
/// Source: PROTOCOL.md, "Deletion Vector Format".
class DeletionVector final : public data::DeletedRows {
 public:
  /// No rows.
  DeletionVector();
  /// `rows`: in any order, repetitions allowed, each below 2^63.
  static DeletionVector of(std::span<const std::uint64_t> rows);
  /// From the bytes of a descriptor or a file: magic number and 64-bit bitmap.
  /// Errors: corrupt.
  static Result<DeletionVector> decode(std::string_view bytes);

  std::string encode() const;

  bool contains(std::uint64_t row) const override;
  std::uint64_t count() const override;
  std::uint64_t fill_kept(std::uint64_t start, std::uint64_t count,
                          bool* keep) const override;

  /// The rows of both.
  DeletionVector united_with(const DeletionVector& other) const;
  /// The rows of this that the other does not have.
  DeletionVector without(const DeletionVector& other) const;
  /// Every row, ascending.
  std::vector<std::uint64_t> rows() const;

 private:
  class Set;
  explicit DeletionVector(std::shared_ptr<const Set> set);
  std::shared_ptr<const Set> set_;
};

/// Where a vector's file is, relative to the root of `store`. Errors: corrupt (a
/// descriptor that is no file or names none), unsupported (outside of the table's
/// root).
Result<std::string> deletion_vector_path(const storage::ObjectStore& store,
                                         const DeletionVectorDescriptor& descriptor);

/// Reads a vector, checks its checksum and its cardinality. `store` has the table's
/// root. Errors: corrupt, not_found, denied, unavailable, unsupported (an absolute path
/// outside of the table's root).
Result<DeletionVector> read_deletion_vector(storage::ObjectStore& store,
                                            const DeletionVectorDescriptor& descriptor);
Result<std::shared_ptr<const data::DeletedRows>> load_deletion_vector(
    storage::ObjectStore& store, const DeletionVectorDescriptor& descriptor);

/// Packs the vectors of one commit into one file, `deletion_vector_<uuid>.bin` in the
/// table's root.
///
/// Not thread-safe. Borrows the store.
class DeletionVectorWriter {
 public:
  DeletionVectorWriter(storage::ObjectStore& store, Random& random);

  /// Gives where `vector` will be once finish() has returned. `vector` is not empty.
  DeletionVectorDescriptor add(const DeletionVector& vector);
  /// Writes the file, if one is needed. Errors: denied, unavailable.
  Status finish();

 private:
  storage::ObjectStore& store_;
  std::string uuid_;
  std::string content_;
};

}  // namespace lakemill::delta
