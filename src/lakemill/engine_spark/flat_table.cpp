#include "lakemill/engine_spark/flat_table.h"

namespace lakemill::engine_spark {

Result<FlatTable> FlatTable::root(const FlatBytes& bytes) {
  LAKEMILL_TRY(const auto offset, bytes.integer<std::uint32_t>(0));
  return FlatTable(bytes, offset);
}

// Where a field's value is; nothing if it is absent.
Result<std::optional<std::size_t>> FlatTable::place(std::size_t field) const {
  constexpr std::size_t kHeaderBytes = 4;  // sizes of the vtable and of the table
  LAKEMILL_TRY(const auto back, bytes_->integer<std::int32_t>(at_));
  const std::int64_t vtable = static_cast<std::int64_t>(at_) - back;
  if (vtable < 0) return FlatBytes::cut_off();
  const auto begin = static_cast<std::size_t>(vtable);
  LAKEMILL_TRY(const auto size, bytes_->integer<std::uint16_t>(begin));
  const std::size_t slot = kHeaderBytes + 2 * field;
  if (slot + 2 > size) return std::optional<std::size_t>();
  LAKEMILL_TRY(const auto offset, bytes_->integer<std::uint16_t>(begin + slot));
  if (offset == 0) return std::optional<std::size_t>();
  return std::optional<std::size_t>(at_ + offset);
}

Result<std::size_t> FlatTable::target(std::size_t at) const {
  LAKEMILL_TRY(const auto offset, bytes_->integer<std::uint32_t>(at));
  return at + offset;
}

Result<FlatTable> FlatTable::table(std::size_t field) const {
  LAKEMILL_TRY(const auto at, place(field));
  if (!at) return FlatBytes::cut_off();
  LAKEMILL_TRY(const std::size_t there, target(*at));
  return FlatTable(*bytes_, there);
}

Result<FlatVector> FlatTable::vector(std::size_t field) const {
  LAKEMILL_TRY(const auto at, place(field));
  if (!at) return FlatBytes::cut_off();
  LAKEMILL_TRY(const std::size_t there, target(*at));
  LAKEMILL_TRY(const auto count, bytes_->integer<std::uint32_t>(there));
  return FlatVector{there + sizeof(std::uint32_t), count};
}

Result<FlatTable> FlatTable::element(const FlatVector& vector,
                                     std::size_t index) const {
  LAKEMILL_TRY(const std::size_t there,
               target(vector.begin + index * sizeof(std::uint32_t)));
  return FlatTable(*bytes_, there);
}

}  // namespace lakemill::engine_spark
