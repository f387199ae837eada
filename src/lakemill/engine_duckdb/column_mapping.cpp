#include "lakemill/engine_duckdb/column_mapping.h"

#include <algorithm>

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

bool needs_bloom(const duckdb::TableFilter& filter) {
  switch (filter.filter_type) {
    case duckdb::TableFilterType::BLOOM_FILTER:
      return true;
    case duckdb::TableFilterType::OPTIONAL_FILTER: {
      const auto& child = filter.Cast<duckdb::OptionalFilter>().child_filter;
      return child && needs_bloom(*child);
    }
    default:
      return false;
  }
}

// Null if nothing is left.
duckdb::unique_ptr<duckdb::TableFilter> without_bloom(
    const duckdb::TableFilter& filter) {
  if (filter.filter_type == duckdb::TableFilterType::OPTIONAL_FILTER) {
    return needs_bloom(filter) ? nullptr : filter.Copy();
  }
  if (filter.filter_type != duckdb::TableFilterType::CONJUNCTION_AND) {
    return filter.Copy();
  }
  auto kept = duckdb::make_uniq<duckdb::ConjunctionAndFilter>();
  for (const auto& child : filter.Cast<duckdb::ConjunctionAndFilter>().child_filters) {
    if (auto copy = without_bloom(*child)) {
      kept->child_filters.push_back(std::move(copy));
    }
  }
  if (kept->child_filters.empty()) return nullptr;
  return kept;
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

void keep_castable(const duckdb::TableFilterSet& filters,
                   const duckdb::vector<duckdb::ColumnIndex>& column_ids,
                   const ColumnDefinitions& table_columns,
                   const ColumnDefinitions& file_columns,
                   duckdb::TableFilterSet& kept) {
  for (const auto& [index, filter] : filters.filters) {
    const auto id = column_ids[index].GetPrimaryIndex();
    bool same_type = true;
    if (!duckdb::IsVirtualColumn(id)) {
      for (const auto& column : file_columns) {
        if (column.name == table_columns[id].name) {
          same_type = column.type == table_columns[id].type;
        }
      }
    }
    auto copy = same_type ? filter->Copy() : without_bloom(*filter);
    if (copy) kept.filters[index] = std::move(copy);
  }
}

}  // namespace lakemill::engine_duckdb
