#include "lakemill/engine_duckdb/timestamp_casts.h"

#include <duckdb/common/operator/cast_operators.hpp>
#include <duckdb/common/types/timestamp.hpp>
#include <duckdb/common/vector_operations/unary_executor.hpp>
#include <duckdb/execution/expression_executor.hpp>
#include <duckdb/function/cast/cast_function_set.hpp>
#include <duckdb/function/cast/default_casts.hpp>
#include <duckdb/function/function_binder.hpp>
#include <duckdb/planner/expression/bound_reference_expression.hpp>
#include <duckdb/transaction/transaction_context.hpp>

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

// The call `timezone(name, wall clock)`, bound; nothing where no statement is bound.
duckdb::unique_ptr<duckdb::Expression> bind_zone_call(duckdb::ClientContext& context) {
  if (!context.transaction.HasActiveTransaction()) return nullptr;
  duckdb::vector<duckdb::unique_ptr<duckdb::Expression>> arguments;
  for (const auto& type : {LogicalType::VARCHAR, LogicalType::TIMESTAMP}) {
    arguments.push_back(duckdb::make_uniq<duckdb::BoundReferenceExpression>(
        LogicalType(type), arguments.size()));
  }
  duckdb::ErrorData error;
  duckdb::FunctionBinder binder(context);
  return binder.BindScalarFunction(DEFAULT_SCHEMA, "timezone", std::move(arguments),
                                   error);
}

struct ZoneCall final : duckdb::BoundCastData {
  ZoneCall(duckdb::ClientContext& owner, duckdb::unique_ptr<duckdb::Expression> bound)
      : context(owner), call(std::move(bound)) {}

  duckdb::unique_ptr<duckdb::BoundCastData> Copy() const override {
    return duckdb::make_uniq<ZoneCall>(context, call ? call->Copy() : nullptr);
  }

  /// Leaves `instant`, the wall clock of that zone, as the instant that it was. False
  /// if there is no such zone.
  bool resolve(duckdb::string_t zone, duckdb::timestamp_t& instant) const {
    if (!call) return false;
    duckdb::DataChunk row;
    row.Initialize(duckdb::Allocator::DefaultAllocator(),
                   {LogicalType::VARCHAR, LogicalType::TIMESTAMP});
    row.SetValue(0, 0, duckdb::Value(zone.GetString()));
    row.SetValue(1, 0, duckdb::Value::TIMESTAMP(instant));
    row.SetCardinality(1);
    try {
      duckdb::Vector answer(LogicalType::TIMESTAMP_TZ);
      duckdb::ExpressionExecutor executor(context, *call);
      executor.ExecuteExpression(row, answer);
      instant = answer.GetValue(0).GetValue<duckdb::timestamp_tz_t>();
      return true;
    } catch (const std::exception&) {
      return false;
    }
  }

  duckdb::ClientContext& context;
  duckdb::unique_ptr<duckdb::Expression> call;
};

// Text to an instant, each row by itself: in DuckDB's own cast the zone that one row
// names holds for the rows behind it too. Sessions are in UTC.
bool text_to_instant(duckdb::Vector& source, duckdb::Vector& result,
                     duckdb::idx_t count, duckdb::CastParameters& parameters) {
  const auto& zones = parameters.cast_data->Cast<ZoneCall>();
  bool all = true;
  duckdb::UnaryExecutor::ExecuteWithNulls<duckdb::string_t, duckdb::timestamp_tz_t>(
      source, result, count,
      [&](duckdb::string_t text, duckdb::ValidityMask& valid, duckdb::idx_t row) {
        duckdb::timestamp_t instant;
        bool has_offset = false;
        duckdb::string_t zone(nullptr, 0);
        const auto outcome = duckdb::Timestamp::TryConvertTimestampTZ(
            text.GetData(), text.GetSize(), instant, true, has_offset, zone);
        const bool is_read = outcome == duckdb::TimestampCastResult::SUCCESS;
        const bool has_zone = is_read && !has_offset && zone.GetSize() > 0;
        if (is_read && (!has_zone || zones.resolve(zone, instant))) {
          return duckdb::timestamp_tz_t(instant);
        }
        duckdb::HandleCastError::AssignError(
            has_zone ? "unknown time zone in \"" + text.GetString() + "\""
            : outcome == duckdb::TimestampCastResult::ERROR_RANGE
                ? duckdb::Timestamp::RangeError(text.GetString())
                : duckdb::Timestamp::FormatError(text),
            parameters);
        all = false;
        valid.SetInvalid(row);
        return duckdb::timestamp_tz_t();
      });
  return all;
}

duckdb::BoundCastInfo bind_text_to_instant(duckdb::BindCastInput& input,
                                           const LogicalType& source,
                                           const LogicalType& target) {
  if (!input.context) {
    return duckdb::DefaultCasts::GetDefaultCastFunction(input, source, target);
  }
  return {text_to_instant,
          duckdb::make_uniq<ZoneCall>(*input.context, bind_zone_call(*input.context))};
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
  casts.RegisterCastFunction(
      LogicalType::VARCHAR, LogicalType::TIMESTAMP_TZ, bind_text_to_instant,
      casts.ImplicitCastCost(nullptr, LogicalType::VARCHAR, LogicalType::TIMESTAMP_TZ));
}

}  // namespace lakemill::engine_duckdb
