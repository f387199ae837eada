#include "lakemill/engine_duckdb/column_mapping.h"

#include <algorithm>
#include <cstdlib>

#include <duckdb/planner/filter/expression_filter.hpp>

#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/duckdb_headers.h"

namespace lakemill::engine_duckdb {
namespace {

using Definition = duckdb::MultiFileColumnDefinition;
using data::Field;
using data::TypeKind;
using duckdb::LogicalType;
using duckdb::LogicalTypeId;

constexpr const char* kPhysicalName = "delta.columnMapping.physicalName";
constexpr const char* kFieldId = "delta.columnMapping.id";

Definition make_definition(const std::string& name, const LogicalType& type) {
  Definition definition(name, type);
  switch (type.id()) {
    case LogicalTypeId::STRUCT:
      for (const auto& child : duckdb::StructType::GetChildTypes(type)) {
        definition.children.push_back(make_definition(child.first, child.second));
      }
      break;
    case LogicalTypeId::LIST:
      definition.children.push_back(
          make_definition("list", duckdb::ListType::GetChildType(type)));
      break;
    case LogicalTypeId::MAP:
      definition.children.push_back(
          make_definition("key", duckdb::MapType::KeyType(type)));
      definition.children.push_back(
          make_definition("value", duckdb::MapType::ValueType(type)));
      break;
    default:
      break;
  }
  return definition;
}

bool is_field(const Field& field, const Definition& column, const std::string& mode) {
  if (mode == "name") {
    return column.name == string_member(field.metadata, kPhysicalName, field.name);
  }
  const bool by_id = mode == "id" && find_member(field.metadata, kFieldId) != nullptr;
  if (by_id) {
    return !column.identifier.IsNull() &&
           column.identifier.type().id() == LogicalTypeId::INTEGER &&
           column.identifier.GetValue<std::int32_t>() ==
               integer_member(field.metadata, kFieldId, -1);
  }
  return equals_ignoring_case(column.name, field.name);
}

const Field* find_field(const std::vector<Field>& fields, const Definition& column,
                        const std::string& mode) {
  if (mode != "name" && mode != "id") {
    for (const auto& field : fields) {
      if (field.name == column.name) return &field;
    }
  }
  for (const auto& field : fields) {
    if (is_field(field, column, mode)) return &field;
  }
  return nullptr;
}

void name_children(const data::Type& type, const std::string& mode, Definition& column);

void name_all(const std::vector<Field>& fields, const std::string& mode,
              ColumnDefinitions& columns) {
  std::vector<const Field*> taken;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    auto& column = columns[i];
    const auto* field = find_field(fields, column, mode);
    const bool again =
        field != nullptr && std::find(taken.begin(), taken.end(), field) != taken.end();
    if (field == nullptr || again) {
      column.name = "\x01" + std::to_string(i);  // the name of no column
      continue;
    }
    taken.push_back(field);
    column.name = field->name;
    name_children(field->type, mode, column);
  }
}

void name_map(const data::Type& type, const std::string& mode, Definition& column) {
  if (column.children.size() != 1 || column.children[0].children.size() != 2) return;
  auto& entries = column.children[0];
  auto& key = entries.children[0];
  auto& value = entries.children[1];
  name_children(type.children[0].type, mode, key);
  name_children(type.children[1].type, mode, value);
  entries.name = "key_value";
  key.name = "key";
  value.name = "value";
  entries.type = LogicalType::STRUCT({{"key", key.type}, {"value", value.type}});
  column.type = LogicalType::MAP(key.type, value.type);
}

// Below a column that has its name: names of fields, in the definition and in its type.
void name_children(const data::Type& type, const std::string& mode,
                   Definition& column) {
  const auto id = column.type.id();
  if (type.kind == TypeKind::structure && id == LogicalTypeId::STRUCT) {
    name_all(type.children, mode, column.children);
    duckdb::child_list_t<LogicalType> children;
    for (const auto& child : column.children) {
      children.emplace_back(child.name, child.type);
    }
    if (!children.empty()) column.type = LogicalType::STRUCT(std::move(children));
  } else if (type.kind == TypeKind::array && id == LogicalTypeId::LIST &&
             column.children.size() == 1) {
    auto& element = column.children[0];
    name_children(type.children[0].type, mode, element);
    element.name = "list";
    column.type = LogicalType::LIST(element.type);
  } else if (type.kind == TypeKind::map && id == LogicalTypeId::MAP) {
    name_map(type, mode, column);
  }
}

bool contains_struct(const LogicalType& type) {
  switch (type.id()) {
    case LogicalTypeId::STRUCT:
      return true;
    case LogicalTypeId::LIST:
      return contains_struct(duckdb::ListType::GetChildType(type));
    case LogicalTypeId::MAP:
      return contains_struct(duckdb::MapType::KeyType(type)) ||
             contains_struct(duckdb::MapType::ValueType(type));
    default:
      return false;
  }
}

Definition* find_column(ColumnDefinitions& columns, const std::string& name) {
  for (auto& column : columns) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

void simplify(Definition& table_column, Definition& file_column) {
  if (table_column.type.id() == LogicalTypeId::STRUCT) {
    if (file_column.type.id() != LogicalTypeId::STRUCT) return;
    for (auto& child : table_column.children) {
      if (auto* other = find_column(file_column.children, child.name)) {
        simplify(child, *other);
      }
    }
    return;
  }
  if (table_column.type == file_column.type || !contains_struct(table_column.type) ||
      table_column.type.id() != file_column.type.id()) {
    table_column.children.clear();
    file_column.children.clear();
  }
}

// The bits of an integer type, negative where it has no sign; 0: it is none.
int integer_bits(const LogicalType& type) {
  switch (type.id()) {
    case LogicalTypeId::TINYINT:
      return 8;
    case LogicalTypeId::SMALLINT:
      return 16;
    case LogicalTypeId::INTEGER:
      return 32;
    case LogicalTypeId::BIGINT:
      return 64;
    case LogicalTypeId::UTINYINT:
      return -8;
    case LogicalTypeId::USMALLINT:
      return -16;
    case LogicalTypeId::UINTEGER:
      return -32;
    default:
      return 0;
  }
}

// Where the cast keeps the order and tells all values apart, so that to compare before
// it is to compare after it.
bool is_exact_widening(const LogicalType& from, const LogicalType& to) {
  const int bits = integer_bits(from);
  switch (to.id()) {
    case LogicalTypeId::SMALLINT:
    case LogicalTypeId::INTEGER:
    case LogicalTypeId::BIGINT:
      return bits != 0 && std::abs(bits) < integer_bits(to);
    case LogicalTypeId::DOUBLE:
      return from.id() == LogicalTypeId::FLOAT || (bits != 0 && std::abs(bits) <= 32);
    case LogicalTypeId::DECIMAL: {
      if (from.id() != LogicalTypeId::DECIMAL) return false;
      const int scale = duckdb::DecimalType::GetScale(from);
      const int wider_scale = duckdb::DecimalType::GetScale(to);
      return wider_scale >= scale && duckdb::DecimalType::GetWidth(to) - wider_scale >=
                                         duckdb::DecimalType::GetWidth(from) - scale;
    }
    case LogicalTypeId::TIMESTAMP:
      return from.id() == LogicalTypeId::DATE;
    default:
      return false;
  }
}

// Whether a file's type holds a constant of the table's type as it is: 2.5 would be
// rounded among integers.
bool holds(const LogicalType& file_type, const LogicalType& table_type,
           const duckdb::Value& constant) {
  if (constant.IsNull() || constant.type() != table_type) return false;
  if (file_type == table_type) return true;
  if (!is_exact_widening(file_type, table_type)) return false;
  duckdb::Value there_and_back = constant;
  return there_and_back.DefaultTryCastAs(file_type) &&
         there_and_back.DefaultTryCastAs(table_type) && there_and_back == constant;
}

bool all_fit(const duckdb::vector<duckdb::unique_ptr<duckdb::TableFilter>>& filters,
             const LogicalType& table_type, const LogicalType& file_type);

// Whether DuckDB may compare the file's own values with the filter's constants.
bool fits(const duckdb::TableFilter& filter, const LogicalType& table_type,
          const LogicalType& file_type) {
  using duckdb::TableFilterType;
  switch (filter.filter_type) {
    case TableFilterType::IS_NULL:
    case TableFilterType::IS_NOT_NULL:
    case TableFilterType::EXPRESSION_FILTER:  // evaluated after the cast anyway
      return true;
    case TableFilterType::CONSTANT_COMPARISON:
      return holds(file_type, table_type,
                   filter.Cast<duckdb::ConstantFilter>().constant);
    case TableFilterType::IN_FILTER: {
      const auto& values = filter.Cast<duckdb::InFilter>().values;
      return std::all_of(values.begin(), values.end(), [&](const duckdb::Value& value) {
        return holds(file_type, table_type, value);
      });
    }
    case TableFilterType::CONJUNCTION_AND:
      return all_fit(filter.Cast<duckdb::ConjunctionAndFilter>().child_filters,
                     table_type, file_type);
    case TableFilterType::CONJUNCTION_OR:
      return all_fit(filter.Cast<duckdb::ConjunctionOrFilter>().child_filters,
                     table_type, file_type);
    case TableFilterType::OPTIONAL_FILTER: {
      const auto& child = filter.Cast<duckdb::OptionalFilter>().child_filter;
      return child && fits(*child, table_type, file_type);
    }
    case TableFilterType::STRUCT_EXTRACT: {
      const auto& part = filter.Cast<duckdb::StructFilter>();
      if (table_type.id() != LogicalTypeId::STRUCT ||
          file_type.id() != LogicalTypeId::STRUCT) {
        return false;
      }
      const auto& [name, type] =
          duckdb::StructType::GetChildTypes(table_type).at(part.child_idx);
      for (const auto& [own_name, own_type] :
           duckdb::StructType::GetChildTypes(file_type)) {
        if (equals_ignoring_case(own_name, name)) {
          return fits(*part.child_filter, type, own_type);
        }
      }
      return false;
    }
    default:
      return false;
  }
}

bool all_fit(const duckdb::vector<duckdb::unique_ptr<duckdb::TableFilter>>& filters,
             const LogicalType& table_type, const LogicalType& file_type) {
  return std::all_of(filters.begin(), filters.end(), [&](const auto& filter) {
    return fits(*filter, table_type, file_type);
  });
}

// A filter for a file that holds its column with another type; null if nothing is left
// of it. What does not fit becomes an expression, which DuckDB evaluates after the
// cast.
duckdb::unique_ptr<duckdb::TableFilter> fitted(const duckdb::TableFilter& filter,
                                               const LogicalType& table_type,
                                               const LogicalType& file_type) {
  using duckdb::TableFilterType;
  if (fits(filter, table_type, file_type)) return filter.Copy();
  switch (filter.filter_type) {
    case TableFilterType::OPTIONAL_FILTER:
    case TableFilterType::DYNAMIC_FILTER:
    case TableFilterType::BLOOM_FILTER:
      return nullptr;
    case TableFilterType::CONJUNCTION_AND: {
      auto kept = duckdb::make_uniq<duckdb::ConjunctionAndFilter>();
      const auto& children = filter.Cast<duckdb::ConjunctionAndFilter>().child_filters;
      for (const auto& child : children) {
        auto copy = fitted(*child, table_type, file_type);
        if (copy) kept->child_filters.push_back(std::move(copy));
      }
      if (kept->child_filters.empty()) return nullptr;
      return kept;
    }
    default: {
      const duckdb::BoundReferenceExpression column(table_type, 0);
      return duckdb::make_uniq<duckdb::ExpressionFilter>(filter.ToExpression(column));
    }
  }
}

}  // namespace

ColumnDefinitions global_columns(const data::Schema& schema,
                                 const duckdb::vector<LogicalType>& types) {
  ColumnDefinitions columns;
  for (std::size_t i = 0; i < types.size(); ++i) {
    columns.push_back(make_definition(schema.fields[i].name, types[i]));
    columns.back().default_expression =
        duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value(types[i]));
  }
  return columns;
}

void name_as_table(const data::Schema& schema, const std::string& mode,
                   ColumnDefinitions& file_columns) {
  name_all(schema.fields, mode, file_columns);
}

ColumnDefinitions columns_for_file(const ColumnDefinitions& table_columns,
                                   ColumnDefinitions& file_columns) {
  auto columns = table_columns;
  for (auto& column : columns) {
    if (auto* other = find_column(file_columns, column.name)) simplify(column, *other);
  }
  return columns;
}

void fit_filters(const duckdb::TableFilterSet& filters,
                 const duckdb::vector<duckdb::ColumnIndex>& column_ids,
                 const ColumnDefinitions& table_columns,
                 const ColumnDefinitions& file_columns, duckdb::TableFilterSet& kept) {
  for (const auto& [index, filter] : filters.filters) {
    const auto id = column_ids[index].GetPrimaryIndex();
    const Definition* other = nullptr;
    if (!duckdb::IsVirtualColumn(id)) {
      for (const auto& column : file_columns) {
        const bool is_it = equals_ignoring_case(column.name, table_columns[id].name);
        if (is_it && column.type != table_columns[id].type) other = &column;
      }
    }
    auto copy = other == nullptr ? filter->Copy()
                                 : fitted(*filter, table_columns[id].type, other->type);
    if (copy) kept.filters[index] = std::move(copy);
  }
}

}  // namespace lakemill::engine_duckdb
