#include "lakemill/engine_duckdb/json_structure.h"

#include <algorithm>
#include <charconv>

#include "lakemill/base/text.h"

namespace lakemill::engine_duckdb {

namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;

Json transform_json(const LogicalType& type) {
  switch (type.id()) {
    case LogicalTypeId::STRUCT: {
      Json object = Json::object();
      for (const auto& child : duckdb::StructType::GetChildTypes(type)) {
        object[child.first] = transform_json(child.second);
      }
      return object;
    }
    case LogicalTypeId::LIST:
      return Json::array({transform_json(duckdb::ListType::GetChildType(type))});
    default:
      return reading_type(type).ToString();
  }
}

// "DECIMAL(38,18)", as DuckDB writes the type.
constexpr std::string_view kDecimal = "DECIMAL(";

LogicalType decimal_type(std::string_view text) {
  const auto number_at = [&](std::size_t at) {
    std::uint8_t number = 0;
    std::from_chars(text.data() + at, text.data() + text.size(), number);
    return number;
  };
  return LogicalType::DECIMAL(number_at(kDecimal.size()),
                              number_at(text.find(',') + 1));
}

bool scalar_fits(const std::string& seen, const LogicalType& type) {
  if (seen == "NULL") return true;
  if (type.id() == LogicalTypeId::VARCHAR) return true;
  if (seen == "BOOLEAN") return type.id() == LogicalTypeId::BOOLEAN;
  if (is_integer_structure(seen)) {
    return type.id() == LogicalTypeId::BIGINT || type.id() == LogicalTypeId::DOUBLE;
  }
  return seen == "DOUBLE" && type.id() == LogicalTypeId::DOUBLE;
}

}  // namespace

bool is_integer_structure(const std::string& seen) {
  // HUGEINT where negative ones meet those without a sign.
  return seen == "UBIGINT" || seen == "BIGINT" || seen == "HUGEINT";
}

LogicalType type_of_structure(const OrderedJson& structure) {
  if (structure.is_object()) {
    duckdb::child_list_t<LogicalType> children;
    for (const auto& [name, child] : structure.items()) {
      children.emplace_back(name, type_of_structure(child));
    }
    if (children.empty()) return LogicalType::VARCHAR;
    return LogicalType::STRUCT(std::move(children));
  }
  if (structure.is_array()) {
    return LogicalType::LIST(structure.empty() ? LogicalType(LogicalType::VARCHAR)
                                               : type_of_structure(structure[0]));
  }
  const std::string name = structure.is_string() ? structure.get<std::string>() : "";
  if (is_integer_structure(name)) return LogicalType::BIGINT;
  if (name == "DOUBLE") return LogicalType::DOUBLE;
  if (name == "BOOLEAN") return LogicalType::BOOLEAN;
  if (name.starts_with(kDecimal)) return decimal_type(name);
  return LogicalType::VARCHAR;
}

bool has_only_nulls(const OrderedJson& structure) {
  if (structure.is_string()) return structure == "NULL";
  return structure.empty() ||
         std::any_of(structure.begin(), structure.end(), has_only_nulls);
}

LogicalType type_of_structure(const OrderedJson& structure, const LogicalType& known) {
  const bool is_struct = structure.is_object() && known.id() == LogicalTypeId::STRUCT;
  const bool is_list = structure.is_array() && known.id() == LogicalTypeId::LIST;
  if (structure.is_string()) {
    const std::string seen = structure.get<std::string>();
    const bool becomes_known = seen == "NULL" || (is_integer_structure(seen) &&
                                                  known.id() == LogicalTypeId::DOUBLE);
    return becomes_known ? known : type_of_structure(structure);
  }
  if (structure.empty()) {
    const bool holds_it = is_struct || is_list ||
                          (structure.is_object() && known.id() == LogicalTypeId::MAP);
    return holds_it ? known : type_of_structure(structure);
  }
  if (is_list) {
    return LogicalType::LIST(
        type_of_structure(structure[0], duckdb::ListType::GetChildType(known)));
  }
  if (!is_struct) return type_of_structure(structure);
  duckdb::child_list_t<LogicalType> children;
  for (const auto& [name, child] : structure.items()) {
    LogicalType type = type_of_structure(child);
    for (const auto& field : duckdb::StructType::GetChildTypes(known)) {
      if (equals_ignoring_case(field.first, name)) {
        type = type_of_structure(child, field.second);
      }
    }
    children.emplace_back(name, std::move(type));
  }
  return LogicalType::STRUCT(std::move(children));
}

std::string transform_structure(const LogicalType& type) {
  return json_text(transform_json(type));
}

LogicalType reading_type(const LogicalType& type) {
  switch (type.id()) {
    case LogicalTypeId::STRUCT: {
      duckdb::child_list_t<LogicalType> children;
      for (const auto& child : duckdb::StructType::GetChildTypes(type)) {
        children.emplace_back(child.first, reading_type(child.second));
      }
      return LogicalType::STRUCT(std::move(children));
    }
    case LogicalTypeId::LIST:
      return LogicalType::LIST(reading_type(duckdb::ListType::GetChildType(type)));
    case LogicalTypeId::MAP:
      return LogicalType::MAP(reading_type(duckdb::MapType::KeyType(type)),
                              reading_type(duckdb::MapType::ValueType(type)));
    case LogicalTypeId::BOOLEAN:
    case LogicalTypeId::BIGINT:
    case LogicalTypeId::DOUBLE:
    case LogicalTypeId::FLOAT:
      return type;
    default:
      return LogicalType::VARCHAR;  // cast in SQL, where a misfit can be told
  }
}

bool structure_fits(const OrderedJson& structure, const LogicalType& type,
                    bool exact_names) {
  if (structure.is_object()) {
    if (type.id() == LogicalTypeId::MAP) {
      for (const auto& [name, child] : structure.items()) {
        if (!structure_fits(child, duckdb::MapType::ValueType(type), exact_names))
          return false;
      }
      return true;
    }
    if (type.id() != LogicalTypeId::STRUCT) return type.id() == LogicalTypeId::VARCHAR;
    for (const auto& [name, child] : structure.items()) {
      bool found = false;
      for (const auto& field : duckdb::StructType::GetChildTypes(type)) {
        const bool same = exact_names ? std::string(field.first) == name
                                      : equals_ignoring_case(field.first, name);
        if (!same) continue;
        found = structure_fits(child, field.second, exact_names);
      }
      if (!found) return false;
    }
    return true;
  }
  if (structure.is_array()) {
    if (type.id() != LogicalTypeId::LIST) return type.id() == LogicalTypeId::VARCHAR;
    return structure.empty() ||
           structure_fits(structure[0], duckdb::ListType::GetChildType(type),
                          exact_names);
  }
  return structure.is_string() && scalar_fits(structure.get<std::string>(), type);
}

}  // namespace lakemill::engine_duckdb
