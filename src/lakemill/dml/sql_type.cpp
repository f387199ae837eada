#include "lakemill/dml/sql_type.h"

#include "lakemill/base/text.h"

namespace lakemill::dml {

std::string sql_type(const data::Type& type) {
  switch (type.kind) {
    case data::TypeKind::boolean:
      return "BOOLEAN";
    case data::TypeKind::int8:
      return "TINYINT";
    case data::TypeKind::int16:
      return "SMALLINT";
    case data::TypeKind::int32:
    case data::TypeKind::void_type:
      return "INTEGER";
    case data::TypeKind::int64:
      return "BIGINT";
    case data::TypeKind::float32:
      return "FLOAT";
    case data::TypeKind::float64:
      return "DOUBLE";
    case data::TypeKind::decimal:
      return "DECIMAL(" + std::to_string(type.precision) + "," +
             std::to_string(type.scale) + ")";
    case data::TypeKind::string:
      return "VARCHAR";
    case data::TypeKind::binary:
      return "BLOB";
    case data::TypeKind::date:
      return "DATE";
    case data::TypeKind::timestamp:
      return "TIMESTAMP WITH TIME ZONE";
    case data::TypeKind::timestamp_ntz:
      return "TIMESTAMP";
    case data::TypeKind::variant:
      return "VARIANT";
    case data::TypeKind::array:
      return sql_type(type.children.at(0).type) + "[]";
    case data::TypeKind::map:
      return "MAP(" + sql_type(type.children.at(0).type) + ", " +
             sql_type(type.children.at(1).type) + ")";
    case data::TypeKind::structure:
      break;
  }
  std::string text = "STRUCT(";
  for (std::size_t i = 0; i < type.children.size(); ++i) {
    const data::Field& child = type.children[i];
    if (i > 0) text += ", ";
    text += quote_identifier(child.name) + " " + sql_type(child.type);
  }
  return text + ")";
}

}  // namespace lakemill::dml
