#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lakemill/base/result.h"

// Protocol Buffers on the wire: as much as Spark Connect's messages need.
// Source: protobuf.dev, "Encoding".

namespace lakemill::engine_spark {

/// Appends the fields of one message. Fields that are empty or 0 are left out, as
/// proto3 does.
class MessageWriter {
 public:
  MessageWriter& number(std::uint32_t field, std::uint64_t value);
  /// A string, bytes, or an embedded message (its bytes).
  MessageWriter& text(std::uint32_t field, std::string_view value);
  /// The same, also where it is empty: for members of a oneof and entries of lists.
  MessageWriter& embedded(std::uint32_t field, std::string_view message);

  const std::string& bytes() const { return bytes_; }

 private:
  void varint(std::uint64_t value);

  std::string bytes_;
};

/// One field as it stands in a message.
struct MessageField {
  std::uint32_t field = 0;
  std::uint64_t number = 0;  ///< of a varint or fixed field
  std::string_view text;     ///< of a length-delimited field
};

/// Goes through the fields of a message, which must outlive it.
class MessageReader {
 public:
  explicit MessageReader(std::string_view bytes) : rest_(bytes) {}

  /// Reads the next field; false at the end. Errors: corrupt.
  Result<bool> next(MessageField& field);

 private:
  Result<std::uint64_t> varint();
  Result<std::uint64_t> fixed(std::size_t size);

  std::string_view rest_;
};

}  // namespace lakemill::engine_spark
