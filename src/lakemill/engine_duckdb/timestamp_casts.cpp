#include "lakemill/engine_duckdb/timestamp_casts.h"

#include <duckdb/common/operator/cast_operators.hpp>
#include <duckdb/common/types/timestamp.hpp>
#include <duckdb/common/vector_operations/unary_executor.hpp>
#include <duckdb/function/cast/cast_function_set.hpp>

namespace lakemill::engine_duckdb {

namespace {

using duckdb::LogicalType;

// The units in which types count an instant.
struct Microseconds {
  using Value = duckdb::timestamp_t;
  static Value of(duckdb::timestamp_t instant) { return instant; }
};
struct Milliseconds {
  using Value = duckdb::timestamp_ms_t;
  static Value of(duckdb::timestamp_t instant) {
    return Value(duckdb::Timestamp::IsFinite(instant)
                     ? duckdb::Timestamp::GetEpochMs(instant)
                     : instant.value);
  }
};
struct Seconds {
  using Value = duckdb::timestamp_sec_t;
  static Value of(duckdb::timestamp_t instant) {
    return Value(duckdb::Timestamp::IsFinite(instant)
                     ? duckdb::Timestamp::GetEpochSeconds(instant)
                     : instant.value);
  }
};

// Text to a wall clock: an offset in it counts, so that the answer is UTC's. DuckDB's
// own casts drop it.
template <typename Unit>
bool text_to_timestamp(duckdb::Vector& source, duckdb::Vector& result,
                       duckdb::idx_t count, duckdb::CastParameters& parameters) {
  bool all = true;
  duckdb::UnaryExecutor::ExecuteWithNulls<duckdb::string_t, typename Unit::Value>(
      source, result, count,
      [&](duckdb::string_t text, duckdb::ValidityMask& valid, duckdb::idx_t row) {
        duckdb::timestamp_t instant;
        const auto outcome = duckdb::Timestamp::TryConvertTimestamp(
            text.GetData(), text.GetSize(), instant, true);
        if (outcome == duckdb::TimestampCastResult::SUCCESS) return Unit::of(instant);
        const bool zone =
            outcome == duckdb::TimestampCastResult::ERROR_NON_UTC_TIMEZONE;
        duckdb::HandleCastError::AssignError(
            zone ? duckdb::Timestamp::UnsupportedTimezoneError(text)
                 : duckdb::Timestamp::FormatError(text),
            parameters);
        all = false;
        valid.SetInvalid(row);
        return typename Unit::Value(0);
      });
  return all;
}

// The same of JSON text: a string in quotes, or null.
template <typename Unit>
bool json_to_timestamp(duckdb::Vector& source, duckdb::Vector& result,
                       duckdb::idx_t count, duckdb::CastParameters& parameters) {
  duckdb::Vector texts(LogicalType::VARCHAR, count);
  duckdb::UnaryExecutor::ExecuteWithNulls<duckdb::string_t, duckdb::string_t>(
      source, texts, count,
      [&](duckdb::string_t json, duckdb::ValidityMask& valid, duckdb::idx_t row) {
        std::string_view text(json.GetData(), json.GetSize());
        if (text == "null") {
          valid.SetInvalid(row);
          return duckdb::string_t();
        }
        if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
          text = text.substr(1, text.size() - 2);
        }
        return duckdb::StringVector::AddString(texts, text.data(), text.size());
      });
  const bool all = text_to_timestamp<Unit>(texts, result, count, parameters);
  if (source.GetVectorType() == duckdb::VectorType::CONSTANT_VECTOR) {
    result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
  }
  return all;
}

template <typename Unit>
void register_casts(duckdb::CastFunctionSet& casts, const LogicalType& type) {
  const auto cost = casts.ImplicitCastCost(nullptr, LogicalType::VARCHAR, type);
  casts.RegisterCastFunction(LogicalType::VARCHAR, type,
                             duckdb::BoundCastInfo(text_to_timestamp<Unit>), cost);
  casts.RegisterCastFunction(LogicalType::JSON(), type,
                             duckdb::BoundCastInfo(json_to_timestamp<Unit>), cost);
}

}  // namespace

void register_timestamp_casts(duckdb::DatabaseInstance& database) {
  auto& casts = duckdb::CastFunctionSet::Get(database);
  register_casts<Microseconds>(casts, LogicalType::TIMESTAMP);
  register_casts<Milliseconds>(casts, LogicalType::TIMESTAMP_MS);
  register_casts<Seconds>(casts, LogicalType::TIMESTAMP_S);
}

}  // namespace lakemill::engine_duckdb
