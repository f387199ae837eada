#include "lakemill/engine_spark/message_codec.h"

namespace lakemill::engine_spark {

namespace {

enum class WireType : std::uint8_t { varint = 0, fixed64 = 1, text = 2, fixed32 = 5 };

constexpr unsigned kTypeBits = 3;
constexpr unsigned kPayloadBits = 7;
constexpr unsigned kBitsMax = 64;

Error cut_off() {
  return {ErrorCode::corrupt, "a message of the Spark server is cut off or malformed"};
}

std::uint64_t tag(std::uint32_t field, WireType type) {
  return (std::uint64_t{field} << kTypeBits) | static_cast<std::uint64_t>(type);
}

}  // namespace

void MessageWriter::varint(std::uint64_t value) {
  while (value >= 0x80) {
    bytes_.push_back(static_cast<char>((value & 0x7F) | 0x80));
    value >>= kPayloadBits;
  }
  bytes_.push_back(static_cast<char>(value));
}

MessageWriter& MessageWriter::number(std::uint32_t field, std::uint64_t value) {
  if (value == 0) return *this;
  varint(tag(field, WireType::varint));
  varint(value);
  return *this;
}

MessageWriter& MessageWriter::text(std::uint32_t field, std::string_view value) {
  return value.empty() ? *this : embedded(field, value);
}

MessageWriter& MessageWriter::embedded(std::uint32_t field, std::string_view message) {
  varint(tag(field, WireType::text));
  varint(message.size());
  bytes_.append(message);
  return *this;
}

Result<std::uint64_t> MessageReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < kBitsMax; shift += kPayloadBits) {
    if (rest_.empty()) return cut_off();
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7FU} << shift;
    if ((byte & 0x80U) == 0) return value;
  }
  return cut_off();
}

Result<std::uint64_t> MessageReader::fixed(std::size_t size) {
  if (rest_.size() < size) return cut_off();
  std::uint64_t value = 0;
  for (std::size_t i = size; i > 0; --i) {
    value = (value << 8) | static_cast<unsigned char>(rest_[i - 1]);
  }
  rest_.remove_prefix(size);
  return value;
}

Result<bool> MessageReader::next(MessageField& field) {
  if (rest_.empty()) return false;
  LAKEMILL_TRY(const std::uint64_t key, varint());
  if ((key >> kTypeBits) == 0 || (key >> kTypeBits) > 0x1FFFFFFF) return cut_off();
  field = {static_cast<std::uint32_t>(key >> kTypeBits), 0, {}};
  switch (static_cast<WireType>(key & 0x7)) {
    case WireType::varint: {
      LAKEMILL_TRY(field.number, varint());
      return true;
    }
    case WireType::fixed64: {
      LAKEMILL_TRY(field.number, fixed(8));
      return true;
    }
    case WireType::fixed32: {
      LAKEMILL_TRY(field.number, fixed(4));
      return true;
    }
    case WireType::text: {
      LAKEMILL_TRY(const std::uint64_t size, varint());
      if (size > rest_.size()) return cut_off();
      field.text = rest_.substr(0, size);
      rest_.remove_prefix(size);
      return true;
    }
  }
  return cut_off();
}

}  // namespace lakemill::engine_spark
