#include "lakemill/engine_duckdb/json_numbers.h"

#include <algorithm>

#include <duckdb/common/type_visitor.hpp>

#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/json_exactness.h"
#include "lakemill/engine_duckdb/json_plan.h"
#include "lakemill/engine_duckdb/json_structure.h"

namespace lakemill::engine_duckdb {

namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using formats::NumbersAt;

constexpr int kDecimalDigitsMax = 38;
constexpr int kScaleWanted = 18;  // what later fractions may need

bool fits_decimal(const NumbersAt& numbers, const LogicalType& type) {
  const int scale = duckdb::DecimalType::GetScale(type);
  return numbers.scale <= scale &&
         numbers.integer_digits <= duckdb::DecimalType::GetWidth(type) - scale;
}

const LogicalType* member_type(const LogicalType& type, const std::string& name) {
  for (const auto& child : duckdb::StructType::GetChildTypes(type)) {
    if (equals_ignoring_case(child.first, name)) return &child.second;
  }
  return nullptr;
}

// What a path leads to in a value of `type`; null if it leads nowhere.
const LogicalType* type_at(const LogicalType& type, std::string_view path) {
  const LogicalType* at = &type;
  while (at != nullptr && !path.empty()) {
    const std::size_t end = std::min(path.find('/', 1), path.size());
    const std::string_view step = path.substr(0, end);
    path.remove_prefix(end);
    if (at->id() == LogicalTypeId::LIST && step == formats::kElementStep) {
      at = &duckdb::ListType::GetChildType(*at);
    } else if (at->id() == LogicalTypeId::MAP) {
      at = &duckdb::MapType::ValueType(*at);
    } else if (at->id() == LogicalTypeId::STRUCT) {
      at = member_type(*at, formats::step_name(step));
    } else {
      return nullptr;
    }
  }
  return at;
}

bool is_read_exactly(const NumbersAt& numbers, const LogicalType* type) {
  if (type != nullptr && type->id() == LogicalTypeId::BIGINT) return numbers.fit_long;
  if (type != nullptr && type->id() == LogicalTypeId::DOUBLE) return numbers.fit_double;
  if (type != nullptr && type->id() == LogicalTypeId::FLOAT) return false;
  return numbers.all_integer && numbers.fit_long;  // DuckDB gives their own text
}

bool is_held(const NumbersAt& numbers, const LogicalType* type) {
  if (type == nullptr) return true;  // within a value that is a text
  switch (type->id()) {
    case LogicalTypeId::BIGINT:
      return numbers.fit_long;
    case LogicalTypeId::DOUBLE:
      return numbers.fit_double;
    default:
      return type->id() == LogicalTypeId::VARCHAR ||
             type->id() == LogicalTypeId::DECIMAL;
  }
}

}  // namespace

std::optional<LogicalType> decimal_for(const NumbersAt& numbers) {
  const int integer_digits = std::max(numbers.integer_digits, 1);
  if (integer_digits + numbers.scale > kDecimalDigitsMax) return std::nullopt;
  const int room = std::min(kScaleWanted, kDecimalDigitsMax - integer_digits);
  const int scale = numbers.all_integer ? 0 : std::max(numbers.scale, room);
  return LogicalType::DECIMAL(kDecimalDigitsMax, static_cast<std::uint8_t>(scale));
}

void JsonNumbers::parse_text(const std::string& text, formats::NumbersByPath& numbers) {
  parse_numbers(text, numbers);
}

Result<NumbersAt> JsonNumbers::all_at(const std::string& path) {
  if (!all_) {
    const std::string numbers = std::string(kJsonNumbers) + "(json, true)";
    LAKEMILL_TRY(const auto answer,
                 session_.run("SELECT DISTINCT " + numbers + " FROM " +
                              records_sql(plan_, 0, plan_.relation.files.size())));
    all_.emplace();
    for (duckdb::idx_t row = 0; row < answer->RowCount(); ++row) {
      const duckdb::Value text = answer->GetValue(0, row);
      if (!text.IsNull()) parse_text(text.ToString(), *all_);
    }
  }
  const auto found = all_->find(path);
  return found == all_->end() ? NumbersAt() : found->second;
}

Result<std::string> JsonNumbers::leaf(const std::string& seen, const LogicalType* known,
                                      const std::string& path) {
  const bool is_whole = is_integer_structure(seen);
  if (!is_whole && seen != "DOUBLE") return seen;
  if (known != nullptr && known->id() == LogicalTypeId::DECIMAL) {
    LAKEMILL_TRY(const NumbersAt all, all_at(path));
    decimals_fit_ = decimals_fit_ && fits_decimal(all, *known);
    return known->ToString();
  }
  const auto hard = hard_.find(path);
  if (hard == hard_.end()) return seen;
  if (is_whole ? hard->second.fit_long : hard->second.fit_double) return seen;
  // What the known type does not hold is told of value by value.
  if (known != nullptr && known->id() == LogicalTypeId::DOUBLE) return seen;
  LAKEMILL_TRY(const NumbersAt all, all_at(path));
  const auto decimal = decimal_for(all);
  return decimal ? decimal->ToString() : std::string("DOUBLE");
}

Result<OrderedJson> JsonNumbers::with_decimals(const OrderedJson& structure,
                                               const LogicalType* known,
                                               const std::string& path) {
  if (structure.is_string()) {
    LAKEMILL_TRY(const std::string type,
                 leaf(structure.get<std::string>(), known, path));
    return OrderedJson(type);
  }
  OrderedJson result = structure;
  if (structure.is_array() && !structure.empty()) {
    const bool is_list = known != nullptr && known->id() == LogicalTypeId::LIST;
    LAKEMILL_TRY(
        result[0],
        with_decimals(structure[0],
                      is_list ? &duckdb::ListType::GetChildType(*known) : nullptr,
                      path + std::string(formats::kElementStep)));
  }
  if (!structure.is_object()) return result;
  const bool is_struct = known != nullptr && known->id() == LogicalTypeId::STRUCT;
  for (const auto& [name, child] : structure.items()) {
    LAKEMILL_TRY(result[name],
                 with_decimals(child, is_struct ? member_type(*known, name) : nullptr,
                               path + formats::member_step(name)));
  }
  return result;
}

bool JsonNumbers::are_read_exactly() const {
  if (!decimals_fit_) return false;
  duckdb::child_list_t<LogicalType> columns;
  for (std::size_t i = 0; i < plan_.columns.names.size(); ++i) {
    columns.emplace_back(plan_.columns.names[i], plan_.columns.types[i]);
  }
  if (columns.empty()) return hard_.empty();
  const LogicalType record = LogicalType::STRUCT(std::move(columns));
  return std::all_of(hard_.begin(), hard_.end(), [&](const auto& entry) {
    return is_read_exactly(entry.second, type_at(record, entry.first));
  });
}

bool JsonNumbers::are_held(const std::string& column, const LogicalType& type) const {
  const bool has_decimals = duckdb::TypeVisitor::Contains(type, LogicalTypeId::DECIMAL);
  if (has_decimals && !decimals_fit_) return false;
  const std::string root = formats::member_step(column);
  return std::all_of(hard_.begin(), hard_.end(), [&](const auto& entry) {
    const auto& [path, numbers] = entry;
    const bool is_there = path.starts_with(root) &&
                          (path.size() == root.size() || path[root.size()] == '/');
    return !is_there || is_held(numbers, type_at(type, path.substr(root.size())));
  });
}

void add_text_paths(const LogicalType& type, const std::string& path,
                    std::set<std::string>& paths) {
  switch (type.id()) {
    case LogicalTypeId::VARCHAR:
      paths.insert(path);
      return;
    case LogicalTypeId::LIST:
      add_text_paths(duckdb::ListType::GetChildType(type),
                     path + std::string(formats::kElementStep), paths);
      return;
    case LogicalTypeId::STRUCT:
      for (const auto& [name, child] : duckdb::StructType::GetChildTypes(type)) {
        add_text_paths(child, path + formats::member_step(name), paths);
      }
      return;
    default:
      return;
  }
}

}  // namespace lakemill::engine_duckdb
