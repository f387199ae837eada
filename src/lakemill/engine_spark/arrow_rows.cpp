#include "lakemill/engine_spark/arrow_rows.h"

#include <bit>

#include "lakemill/engine_spark/flat_table.h"

namespace lakemill::engine_spark {

namespace {

// Fields and values of Message.fbs and Schema.fbs.
constexpr std::size_t kHeaderType = 1;
constexpr std::size_t kHeader = 2;
constexpr std::size_t kBodyLength = 3;
constexpr std::uint8_t kSchema = 1;
constexpr std::uint8_t kRecordBatch = 3;
constexpr std::size_t kSchemaFields = 1;
constexpr std::size_t kFieldTypeKind = 2;
constexpr std::size_t kBatchLength = 0;
constexpr std::size_t kBatchNodes = 1;
constexpr std::size_t kBatchBuffers = 2;
constexpr std::size_t kBatchCompression = 3;
constexpr std::size_t kPairBytes = 16;  // of a FieldNode and of a Buffer

/// The number of a type in the union Type of Schema.fbs.
std::uint8_t arrow_type(ArrowKind kind) {
  switch (kind) {
    case ArrowKind::integer:
      return 2;
    case ArrowKind::float64:
      return 3;
    case ArrowKind::binary:
      return 4;
    case ArrowKind::string:
    case ArrowKind::decimal:
      return 5;
    case ArrowKind::boolean:
      return 6;
    case ArrowKind::date:
      return 8;
    case ArrowKind::timestamp:
      return 10;
  }
  return 0;
}

bool has_offsets(ArrowKind kind) {
  return kind == ArrowKind::string || kind == ArrowKind::decimal ||
         kind == ArrowKind::binary;
}

/// One column of a record batch: its buffers, whose sizes are looked at as they are
/// read.
struct Column {
  ArrowKind kind = ArrowKind::integer;
  std::string_view validity;  // empty: nothing is null
  std::string_view values;    // or offsets
  std::string_view bytes;     // of strings
};

bool bit_at(std::string_view bits, std::size_t index) {
  return ((static_cast<unsigned char>(bits[index / 8]) >> (index % 8)) & 1U) != 0;
}

Result<bool> checked_bit(std::string_view bits, std::size_t index) {
  if (index / 8 >= bits.size()) return FlatBytes::cut_off();
  return bit_at(bits, index);
}

Result<std::string> text_at(const Column& column, std::size_t row) {
  const FlatBytes offsets(column.values);
  LAKEMILL_TRY(const auto begin, offsets.integer<std::uint32_t>(4 * row));
  LAKEMILL_TRY(const auto end, offsets.integer<std::uint32_t>(4 * row + 4));
  if (begin > end || end > column.bytes.size()) return FlatBytes::cut_off();
  return std::string(column.bytes.substr(begin, end - begin));
}

Result<data::Value> value_at(const Column& column, std::size_t row) {
  if (!column.validity.empty()) {
    LAKEMILL_TRY(const bool valid, checked_bit(column.validity, row));
    if (!valid) return data::Value();
  }
  const FlatBytes values(column.values);
  switch (column.kind) {
    case ArrowKind::boolean: {
      LAKEMILL_TRY(const bool value, checked_bit(column.values, row));
      return data::Value(value);
    }
    case ArrowKind::integer: {
      LAKEMILL_TRY(const auto value, values.integer<std::int64_t>(8 * row));
      return data::Value(value);
    }
    case ArrowKind::float64: {
      LAKEMILL_TRY(const auto bits, values.integer<std::uint64_t>(8 * row));
      return data::Value(std::bit_cast<double>(bits));
    }
    case ArrowKind::date: {
      LAKEMILL_TRY(const auto days, values.integer<std::int32_t>(4 * row));
      return data::Value(data::Date{days});
    }
    case ArrowKind::timestamp: {
      LAKEMILL_TRY(const auto micros, values.integer<std::int64_t>(8 * row));
      return data::Value(data::Timestamp{micros});
    }
    default:
      break;
  }
  LAKEMILL_TRY(std::string text, text_at(column, row));
  if (column.kind == ArrowKind::decimal) return data::Value(data::Decimal{text});
  if (column.kind == ArrowKind::binary) return data::Value(data::Binary{text});
  return data::Value(std::move(text));
}

class StreamReader {
 public:
  StreamReader(std::string_view stream, const std::vector<ArrowKind>& kinds,
               std::int64_t rows_max, std::vector<std::vector<data::Value>>& rows)
      : rest_(stream), kinds_(kinds), rows_max_(rows_max), rows_(rows) {}

  Status read() {
    while (std::ssize(rows_) < rows_max_) {
      LAKEMILL_TRY(const bool more, read_message());
      if (!more) return {};
    }
    return {};
  }

 private:
  Result<std::string_view> take(std::size_t size) {
    if (size > rest_.size()) return FlatBytes::cut_off();
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  Result<std::uint32_t> take_size() {
    LAKEMILL_TRY(const std::string_view bytes, take(sizeof(std::uint32_t)));
    return FlatBytes(bytes).integer<std::uint32_t>(0);
  }

  // False at the end of the stream.
  Result<bool> read_message() {
    constexpr std::uint32_t kContinuation = 0xFFFFFFFF;
    if (rest_.empty()) return false;
    LAKEMILL_TRY(std::uint32_t size, take_size());
    if (size == kContinuation) {
      LAKEMILL_TRY(size, take_size());
    }
    if (size == 0) return false;
    LAKEMILL_TRY(const std::string_view metadata, take(size));
    const FlatBytes bytes(metadata);
    LAKEMILL_TRY(const FlatTable message, FlatTable::root(bytes));
    LAKEMILL_TRY(const auto type, message.integer<std::uint8_t>(kHeaderType, 0));
    LAKEMILL_TRY(const auto body_size, message.integer<std::uint64_t>(kBodyLength, 0));
    LAKEMILL_TRY(const std::string_view body, take(body_size));
    LAKEMILL_TRY(const FlatTable header, message.table(kHeader));
    if (type == kSchema) LAKEMILL_TRY_OK(check_schema(header));
    if (type == kRecordBatch) LAKEMILL_TRY_OK(read_batch(header, bytes, body));
    return true;
  }

  Status check_schema(const FlatTable& schema) const {
    LAKEMILL_TRY(const FlatVector fields, schema.vector(kSchemaFields));
    bool equal = fields.count == kinds_.size();
    for (std::size_t i = 0; equal && i < fields.count; ++i) {
      LAKEMILL_TRY(const FlatTable field, schema.element(fields, i));
      LAKEMILL_TRY(const auto type, field.integer<std::uint8_t>(kFieldTypeKind, 0));
      equal = type == arrow_type(kinds_[i]);
    }
    if (equal) return {};
    return Error(ErrorCode::corrupt,
                 "Spark answers with other columns than were asked for");
  }

  Result<std::string_view> take_buffer(const FlatVector& buffers,
                                       const FlatBytes& bytes, std::string_view body) {
    if (buffer_ >= buffers.count) return FlatBytes::cut_off();
    const std::size_t at = buffers.begin + kPairBytes * buffer_++;
    LAKEMILL_TRY(const auto offset, bytes.integer<std::uint64_t>(at));
    LAKEMILL_TRY(const auto size, bytes.integer<std::uint64_t>(at + 8));
    if (offset > body.size() || size > body.size() - offset) {
      return FlatBytes::cut_off();
    }
    return body.substr(offset, size);
  }

  Status read_batch(const FlatTable& batch, const FlatBytes& bytes,
                    std::string_view body) {
    if (batch.table(kBatchCompression)) {
      return Error(ErrorCode::unsupported,
                   "Spark sends compressed rows; set "
                   "spark.sql.execution.arrow.compression.codec to none");
    }
    LAKEMILL_TRY(const auto count, batch.integer<std::uint64_t>(kBatchLength, 0));
    LAKEMILL_TRY(const FlatVector nodes, batch.vector(kBatchNodes));
    LAKEMILL_TRY(const FlatVector buffers, batch.vector(kBatchBuffers));
    if (nodes.count != kinds_.size()) return FlatBytes::cut_off();
    buffer_ = 0;
    std::vector<Column> columns;
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
      LAKEMILL_TRY(const auto nulls,
                   bytes.integer<std::uint64_t>(nodes.begin + kPairBytes * i + 8));
      Column column;
      column.kind = kinds_[i];
      LAKEMILL_TRY(column.validity, take_buffer(buffers, bytes, body));
      LAKEMILL_TRY(column.values, take_buffer(buffers, bytes, body));
      if (has_offsets(column.kind)) {
        LAKEMILL_TRY(column.bytes, take_buffer(buffers, bytes, body));
      }
      if (nulls == 0) column.validity = {};
      if (nulls != 0 && column.validity.empty()) return FlatBytes::cut_off();
      columns.push_back(column);
    }
    for (std::size_t row = 0; row < count && std::ssize(rows_) < rows_max_; ++row) {
      std::vector<data::Value>& values = rows_.emplace_back();
      for (const Column& column : columns) {
        LAKEMILL_TRY(data::Value value, value_at(column, row));
        values.push_back(std::move(value));
      }
    }
    return {};
  }

  std::string_view rest_;
  const std::vector<ArrowKind>& kinds_;
  const std::int64_t rows_max_;
  std::vector<std::vector<data::Value>>& rows_;
  std::size_t buffer_ = 0;  // the next of the batch
};

}  // namespace

Status append_rows(std::string_view stream, const std::vector<ArrowKind>& kinds,
                   std::int64_t rows_max, std::vector<std::vector<data::Value>>& rows) {
  if (kinds.empty()) return {};  // a batch of no columns could claim any number of rows
  return StreamReader(stream, kinds, rows_max, rows).read();
}

}  // namespace lakemill::engine_spark
