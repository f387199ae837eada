#include "lakemill/engine_duckdb/type_mapping.h"

#include <cmath>

#include "lakemill/base/guard.h"

namespace lakemill::engine_duckdb {
namespace {

using data::Type;
using data::TypeKind;
using duckdb::LogicalType;
using duckdb::LogicalTypeId;

Error no_place(const LogicalType& type, std::string_view column) {
  return Error(ErrorCode::invalid, "column " + std::string(column) + " has type " +
                                       type.ToString() +
                                       ", which a table cannot hold; cast it, for "
                                       "example to VARCHAR");
}

Result<Type> nested_from_duckdb(const LogicalType& type, std::string_view column) {
  switch (type.id()) {
    case LogicalTypeId::LIST: {
      LAKEMILL_TRY(auto element,
                   from_duckdb(duckdb::ListType::GetChildType(type), column));
      return data::make_array(std::move(element), true);
    }
    case LogicalTypeId::ARRAY: {
      LAKEMILL_TRY(auto element,
                   from_duckdb(duckdb::ArrayType::GetChildType(type), column));
      return data::make_array(std::move(element), true);
    }
    case LogicalTypeId::MAP: {
      LAKEMILL_TRY(auto key, from_duckdb(duckdb::MapType::KeyType(type), column));
      LAKEMILL_TRY(auto value, from_duckdb(duckdb::MapType::ValueType(type), column));
      return data::make_map(std::move(key), std::move(value), true);
    }
    case LogicalTypeId::STRUCT: {
      if (duckdb::StructType::IsUnnamed(type)) {
        return Error(ErrorCode::invalid,
                     "column " + std::string(column) +
                         " is a struct whose fields have no names, as row(...) makes "
                         "it; name them: {'a': 1, 'b': 2}");
      }
      std::vector<data::Field> fields;
      for (const auto& child : duckdb::StructType::GetChildTypes(type)) {
        LAKEMILL_TRY(auto inner, from_duckdb(child.second,
                                             std::string(column) + "." + child.first));
        fields.push_back({.name = child.first, .type = std::move(inner)});
      }
      return data::make_struct(std::move(fields));
    }
    default:
      return no_place(type, column);
  }
}

Json to_json(const duckdb::Value& value);

Json nested_to_json(const duckdb::Value& value) {
  const bool is_struct = value.type().id() == LogicalTypeId::STRUCT;
  if (is_struct && !duckdb::StructType::IsUnnamed(value.type())) {
    Json object = Json::object();
    const auto& children = duckdb::StructValue::GetChildren(value);
    const auto& types = duckdb::StructType::GetChildTypes(value.type());
    for (std::size_t i = 0; i < children.size(); ++i) {
      object[types[i].first] = to_json(children[i]);
    }
    return object;
  }
  if (value.type().id() == LogicalTypeId::MAP) {
    Json object = Json::object();
    for (const auto& entry : duckdb::MapValue::GetChildren(value)) {
      const auto& pair = duckdb::StructValue::GetChildren(entry);
      object[pair[0].ToString()] = to_json(pair[1]);
    }
    return object;
  }
  Json array = Json::array();
  const auto& children = is_struct ? duckdb::StructValue::GetChildren(value)
                         : value.type().id() == LogicalTypeId::ARRAY
                             ? duckdb::ArrayValue::GetChildren(value)
                             : duckdb::ListValue::GetChildren(value);
  for (const auto& child : children) array.push_back(to_json(child));
  return array;
}

Json to_json(const duckdb::Value& value) {
  if (value.IsNull()) return nullptr;
  switch (value.type().id()) {
    case LogicalTypeId::STRUCT:
    case LogicalTypeId::MAP:
    case LogicalTypeId::LIST:
    case LogicalTypeId::ARRAY:
      return nested_to_json(value);
    case LogicalTypeId::BOOLEAN:
      return value.GetValue<bool>();
    case LogicalTypeId::TINYINT:
    case LogicalTypeId::SMALLINT:
    case LogicalTypeId::INTEGER:
    case LogicalTypeId::BIGINT:
    case LogicalTypeId::UTINYINT:
    case LogicalTypeId::USMALLINT:
    case LogicalTypeId::UINTEGER:
      return value.GetValue<std::int64_t>();
    case LogicalTypeId::FLOAT:
    case LogicalTypeId::DOUBLE: {
      const auto number = value.GetValue<double>();
      if (std::isnan(number)) return "NaN";  // JSON has no such numbers
      if (std::isinf(number)) return number < 0 ? "-Infinity" : "Infinity";
      return number;
    }
    default:
      return value.ToString();
  }
}

bool is_nested(const LogicalType& type) {
  return type.id() == LogicalTypeId::STRUCT || type.id() == LogicalTypeId::MAP ||
         type.id() == LogicalTypeId::LIST || type.id() == LogicalTypeId::ARRAY;
}

}  // namespace

Result<LogicalType> to_duckdb(const Type& type) {
  switch (type.kind) {
    case TypeKind::boolean:
      return LogicalType(LogicalType::BOOLEAN);
    case TypeKind::int8:
      return LogicalType(LogicalType::TINYINT);
    case TypeKind::int16:
      return LogicalType(LogicalType::SMALLINT);
    case TypeKind::int32:
    case TypeKind::void_type:
      return LogicalType(LogicalType::INTEGER);
    case TypeKind::int64:
      return LogicalType(LogicalType::BIGINT);
    case TypeKind::float32:
      return LogicalType(LogicalType::FLOAT);
    case TypeKind::float64:
      return LogicalType(LogicalType::DOUBLE);
    case TypeKind::decimal:
      return LogicalType::DECIMAL(static_cast<std::uint8_t>(type.precision),
                                  static_cast<std::uint8_t>(type.scale));
    case TypeKind::string:
      return LogicalType(LogicalType::VARCHAR);
    case TypeKind::binary:
      return LogicalType(LogicalType::BLOB);
    case TypeKind::date:
      return LogicalType(LogicalType::DATE);
    case TypeKind::timestamp:
      return LogicalType(LogicalType::TIMESTAMP_TZ);
    case TypeKind::timestamp_ntz:
      return LogicalType(LogicalType::TIMESTAMP);
    case TypeKind::variant:
      return Error(ErrorCode::unsupported, "type variant cannot be read yet");
    case TypeKind::array: {
      LAKEMILL_TRY(auto element, to_duckdb(type.children.at(0).type));
      return LogicalType::LIST(element);
    }
    case TypeKind::map: {
      LAKEMILL_TRY(auto key, to_duckdb(type.children.at(0).type));
      LAKEMILL_TRY(auto value, to_duckdb(type.children.at(1).type));
      return LogicalType::MAP(std::move(key), std::move(value));
    }
    case TypeKind::structure: {
      duckdb::child_list_t<LogicalType> children;
      for (const auto& field : type.children) {
        LAKEMILL_TRY(auto inner, to_duckdb(field.type));
        children.emplace_back(field.name, std::move(inner));
      }
      if (children.empty()) {
        return Error(ErrorCode::unsupported, "a struct without fields cannot be read");
      }
      return LogicalType::STRUCT(std::move(children));
    }
  }
  return Error(ErrorCode::unsupported, "unknown type " + to_text(type));
}

Result<Type> from_duckdb(const LogicalType& type, std::string_view column) {
  switch (type.id()) {
    case LogicalTypeId::BOOLEAN:
      return data::make_type(TypeKind::boolean);
    case LogicalTypeId::TINYINT:
      return data::make_type(TypeKind::int8);
    case LogicalTypeId::SMALLINT:
    case LogicalTypeId::UTINYINT:
      return data::make_type(TypeKind::int16);
    case LogicalTypeId::INTEGER:
    case LogicalTypeId::USMALLINT:
      return data::make_type(TypeKind::int32);
    case LogicalTypeId::BIGINT:
    case LogicalTypeId::UINTEGER:
    case LogicalTypeId::HUGEINT:
    case LogicalTypeId::UHUGEINT:
      return data::make_type(TypeKind::int64);
    case LogicalTypeId::UBIGINT:
      return data::make_decimal(20, 0);
    case LogicalTypeId::FLOAT:
      return data::make_type(TypeKind::float32);
    case LogicalTypeId::DOUBLE:
      return data::make_type(TypeKind::float64);
    case LogicalTypeId::DECIMAL:
      return data::make_decimal(duckdb::DecimalType::GetWidth(type),
                                duckdb::DecimalType::GetScale(type));
    case LogicalTypeId::SQLNULL:  // `NULL AS x`: what can hold it and says the least
    case LogicalTypeId::VARCHAR:
    case LogicalTypeId::CHAR:
    case LogicalTypeId::STRING_LITERAL:
    case LogicalTypeId::UUID:
    case LogicalTypeId::ENUM:
    case LogicalTypeId::TIME:
    case LogicalTypeId::TIME_TZ:
    case LogicalTypeId::TIME_NS:
      return data::make_type(TypeKind::string);
    case LogicalTypeId::INTEGER_LITERAL:
      return data::make_type(TypeKind::int32);
    case LogicalTypeId::BLOB:
      return data::make_type(TypeKind::binary);
    case LogicalTypeId::DATE:
      return data::make_type(TypeKind::date);
    case LogicalTypeId::TIMESTAMP_TZ:
      return data::make_type(TypeKind::timestamp);
    case LogicalTypeId::TIMESTAMP:
    case LogicalTypeId::TIMESTAMP_SEC:
    case LogicalTypeId::TIMESTAMP_MS:
    case LogicalTypeId::TIMESTAMP_NS:
      return data::make_type(TypeKind::timestamp_ntz);
    default:
      return nested_from_duckdb(type, column);
  }
}

Result<data::Schema> from_duckdb(const std::vector<std::string>& names,
                                 const duckdb::vector<LogicalType>& types) {
  data::Schema schema;
  for (std::size_t i = 0; i < names.size(); ++i) {
    LAKEMILL_TRY(auto type, from_duckdb(types[i], names[i]));
    schema.fields.push_back({.name = names[i], .type = std::move(type)});
  }
  return schema;
}

Result<duckdb::Value> to_duckdb(const data::Value& value, const Type& type) {
  LAKEMILL_TRY(auto target, to_duckdb(type));
  auto raw = [&]() -> duckdb::Value {
    if (const auto* boolean = std::get_if<bool>(&value)) {
      return duckdb::Value::BOOLEAN(*boolean);
    }
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      return duckdb::Value::BIGINT(*integer);
    }
    if (const auto* number = std::get_if<double>(&value)) {
      return duckdb::Value::DOUBLE(*number);
    }
    if (const auto* text = std::get_if<std::string>(&value)) {
      return duckdb::Value(*text);
    }
    if (const auto* date = std::get_if<data::Date>(&value)) {
      return duckdb::Value::DATE(duckdb::date_t(date->days));
    }
    if (const auto* timestamp = std::get_if<data::Timestamp>(&value)) {
      if (type.kind == TypeKind::timestamp) {
        return duckdb::Value::TIMESTAMPTZ(duckdb::timestamp_tz_t(timestamp->micros));
      }
      return duckdb::Value::TIMESTAMP(duckdb::timestamp_t(timestamp->micros));
    }
    if (const auto* decimal = std::get_if<data::Decimal>(&value)) {
      return duckdb::Value(decimal->digits);
    }
    if (const auto* binary = std::get_if<data::Binary>(&value)) {
      return duckdb::Value::BLOB(duckdb::const_data_ptr_cast(binary->bytes.data()),
                                 binary->bytes.size());
    }
    return duckdb::Value(target);
  }();
  auto cast = guard("value " + data::to_text(value) + " as " + to_text(type),
                    [&] { return raw.DefaultCastAs(target); });
  return cast;
}

data::Value from_duckdb(const duckdb::Value& value) {
  if (value.IsNull()) return std::monostate();
  switch (value.type().id()) {
    case LogicalTypeId::BOOLEAN:
      return value.GetValue<bool>();
    case LogicalTypeId::TINYINT:
    case LogicalTypeId::SMALLINT:
    case LogicalTypeId::INTEGER:
    case LogicalTypeId::BIGINT:
    case LogicalTypeId::UTINYINT:
    case LogicalTypeId::USMALLINT:
    case LogicalTypeId::UINTEGER:
      return value.GetValue<std::int64_t>();
    case LogicalTypeId::UBIGINT:
    case LogicalTypeId::HUGEINT:
    case LogicalTypeId::UHUGEINT: {
      duckdb::Value narrow;
      std::string too_wide;  // without a place for it the cast throws
      if (value.DefaultTryCastAs(LogicalType::BIGINT, narrow, &too_wide)) {
        return narrow.GetValue<std::int64_t>();
      }
      return data::Decimal{value.ToString()};
    }
    case LogicalTypeId::DECIMAL:
      return data::Decimal{value.ToString()};
    case LogicalTypeId::FLOAT:
    case LogicalTypeId::DOUBLE:
      return value.GetValue<double>();
    case LogicalTypeId::DATE:
      return data::Date{value.GetValue<duckdb::date_t>().days};
    case LogicalTypeId::TIMESTAMP:
      return data::Timestamp{value.GetValue<duckdb::timestamp_t>().value};
    case LogicalTypeId::TIMESTAMP_TZ:
      return data::Timestamp{duckdb::TimestampTZValue::Get(value).value};
    case LogicalTypeId::TIMESTAMP_SEC:
    case LogicalTypeId::TIMESTAMP_MS:
    case LogicalTypeId::TIMESTAMP_NS:
      return data::Timestamp{value.DefaultCastAs(LogicalType::TIMESTAMP)
                                 .GetValue<duckdb::timestamp_t>()
                                 .value};
    case LogicalTypeId::BLOB:
      return data::Binary{duckdb::StringValue::Get(value)};
    case LogicalTypeId::VARCHAR:
      return duckdb::StringValue::Get(value);
    default:
      if (is_nested(value.type())) return json_text(to_json(value));
      return value.ToString();
  }
}

}  // namespace lakemill::engine_duckdb
