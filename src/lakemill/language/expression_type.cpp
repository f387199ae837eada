#include <array>

#include "lakemill/base/text.h"
#include "lakemill/language/expression_compiler.h"

// Names of types, and casts.

namespace lakemill::language {
namespace {

using data::TypeKind;

struct TypeEntry {
  std::string_view name;
  std::string_view sql;
  TypeKind kind;
};

// Unsigned types are the next wider signed ones in a table, but checked as unsigned.
constexpr std::array<TypeEntry, 27> kPlainTypes = {{
    {"Int8", "TINYINT", TypeKind::int8},
    {"Int16", "SMALLINT", TypeKind::int16},
    {"Int32", "INTEGER", TypeKind::int32},
    {"Int64", "BIGINT", TypeKind::int64},
    {"UInt8", "UTINYINT", TypeKind::int16},
    {"UInt16", "USMALLINT", TypeKind::int32},
    {"UInt32", "UINTEGER", TypeKind::int64},
    {"UInt64", "UBIGINT", TypeKind::int64},
    {"Float32", "FLOAT", TypeKind::float32},
    {"Float64", "DOUBLE", TypeKind::float64},
    {"Boolean", "BOOLEAN", TypeKind::boolean},
    {"String", "VARCHAR", TypeKind::string},
    {"Utf8", "VARCHAR", TypeKind::string},
    {"Categorical", "VARCHAR", TypeKind::string},
    {"Binary", "BLOB", TypeKind::binary},
    {"Date", "DATE", TypeKind::date},
    {"Datetime", "TIMESTAMP", TypeKind::timestamp_ntz},
    {"Time", "TIME", TypeKind::string},
    {"Decimal", "DECIMAL(38, 0)", TypeKind::decimal},
    {"str", "VARCHAR", TypeKind::string},
    {"int", "BIGINT", TypeKind::int64},
    {"float", "DOUBLE", TypeKind::float64},
    {"bool", "BOOLEAN", TypeKind::boolean},
    {"List", "", TypeKind::array},
    {"Array", "", TypeKind::array},
    {"Struct", "", TypeKind::structure},
    {"Field", "", TypeKind::structure},
}};

constexpr std::array<TypeEntry, 20> kSparkTypes = {{
    {"byte", "TINYINT", TypeKind::int8},
    {"tinyint", "TINYINT", TypeKind::int8},
    {"short", "SMALLINT", TypeKind::int16},
    {"smallint", "SMALLINT", TypeKind::int16},
    {"int", "INTEGER", TypeKind::int32},
    {"integer", "INTEGER", TypeKind::int32},
    {"long", "BIGINT", TypeKind::int64},
    {"bigint", "BIGINT", TypeKind::int64},
    {"float", "FLOAT", TypeKind::float32},
    {"real", "FLOAT", TypeKind::float32},
    {"double", "DOUBLE", TypeKind::float64},
    {"boolean", "BOOLEAN", TypeKind::boolean},
    {"string", "VARCHAR", TypeKind::string},
    {"varchar", "VARCHAR", TypeKind::string},
    {"binary", "BLOB", TypeKind::binary},
    {"date", "DATE", TypeKind::date},
    {"timestamp", "TIMESTAMP WITH TIME ZONE", TypeKind::timestamp},
    {"timestamp_ntz", "TIMESTAMP", TypeKind::timestamp_ntz},
    {"decimal", "DECIMAL(10, 0)", TypeKind::decimal},
    {"numeric", "DECIMAL(10, 0)", TypeKind::decimal},
}};

TypeName from_entry(const TypeEntry& entry) {
  TypeName name{std::string(entry.sql), data::make_type(entry.kind)};
  if (entry.kind == TypeKind::decimal) {
    name.type.precision = entry.name == "Decimal" ? 38 : 10;
  }
  return name;
}

TypeName decimal_type(std::int64_t precision, std::int64_t scale) {
  return TypeName{
      "DECIMAL(" + std::to_string(precision) + ", " + std::to_string(scale) + ")",
      data::make_decimal(static_cast<int>(precision), static_cast<int>(scale))};
}

Error unknown_type(const SyntaxNode& node, std::string_view name) {
  if (name == "Duration" || name == "DayTimeIntervalType") {
    return error_at(node.position,
                    "Duration is not a type that a table can hold; take its "
                    ".dt.total_seconds() or the like");
  }
  if (name == "Enum" || name == "Object" || name == "Int128" || name == "UInt128") {
    return error_at(node.position, std::string(name) +
                                       " is not a type that a table can hold; use "
                                       "nw.String or nw.Decimal");
  }
  std::string message = "'" + std::string(name) + "' is not a type that is known here";
  const std::vector<std::string> known = expression_types();
  if (auto meant = nearest(name, known)) {
    message += "; did you mean '" + *meant + "'?";
  } else {
    message += "; there are " + join(known, ", ");
  }
  return error_at(node.position, message);
}

class TypeReader {
 public:
  TypeReader(Compiler& compiler, const SyntaxNode& node)
      : compiler_(compiler), node_(node) {}

  Result<TypeName> read(std::string_view name) {
    if (name == "Decimal" || name == "DecimalType") return decimal();
    if (name == "Datetime") return datetime();
    if (name == "List" || name == "ArrayType" || name == "Array") return list();
    if (name == "Struct") return structure();
    if (auto type = plain_type(name); type && name != "Field") return *type;
    if (name.ends_with("Type")) {
      if (auto type = spark_type(name.substr(0, name.size() - 4))) return *type;
    }
    return unknown_type(node_, name);
  }

 private:
  // The argument at `place`, or of that name; null if absent or None.
  const SyntaxNode* argument(std::size_t place, std::string_view name) const {
    const SyntaxNode* found = nullptr;
    if (node_.kind != NodeKind::call) return nullptr;
    if (node_.children.size() > place + 1) found = node_.children[place + 1].get();
    for (const KeywordArgument& keyword : node_.keywords) {
      if (keyword.name == name) found = keyword.value.get();
    }
    return found != nullptr && found->kind == NodeKind::none ? nullptr : found;
  }

  Result<TypeName> decimal() {
    std::array<std::int64_t, 2> values = {38, 0};
    const std::array<std::string_view, 2> names = {"precision", "scale"};
    for (std::size_t i = 0; i < 2; ++i) {
      const SyntaxNode* given = argument(i, names[i]);
      if (given == nullptr) continue;
      if (given->kind != NodeKind::integer) {
        return error_at(given->position,
                        std::string(names[i]) + " must be a whole number");
      }
      values[i] = given->integer;
    }
    if (values[0] < 1 || values[0] > 38 || values[1] < 0 || values[1] > values[0]) {
      return error_at(
          node_.position,
          "a decimal has 1 to 38 digits, and at most as many after the point");
    }
    return decimal_type(values[0], values[1]);
  }

  Result<TypeName> datetime() {
    TypeName name{"TIMESTAMP", data::make_type(TypeKind::timestamp_ntz)};
    if (const SyntaxNode* unit = argument(0, "time_unit")) {
      const bool known =
          unit->kind == NodeKind::string && (unit->text == "us" || unit->text == "ms" ||
                                             unit->text == "ns" || unit->text == "s");
      if (!known) return error_at(unit->position, "time_unit must be s, ms, us or ns");
      if (unit->text == "ms") name.sql = "TIMESTAMP_MS";
      if (unit->text == "s") name.sql = "TIMESTAMP_S";
      if (unit->text == "ns") name.sql = "TIMESTAMP_NS";
    }
    if (const SyntaxNode* zone = argument(1, "time_zone")) {
      if (zone->kind != NodeKind::string ||
          (zone->text != "UTC" && zone->text != "Z")) {
        return error_at(zone->position,
                        "a table keeps instants in UTC; cast to time_zone=\"UTC\" and "
                        "use .dt.convert_time_zone for wall clocks");
      }
      if (name.sql != "TIMESTAMP") {
        return error_at(node_.position, "a Datetime with a zone has time_unit=\"us\"");
      }
      name = {"TIMESTAMP WITH TIME ZONE", data::make_type(TypeKind::timestamp)};
    }
    return name;
  }

  Result<TypeName> list() {
    const SyntaxNode* inner = argument(0, "inner");
    if (inner == nullptr) {
      return error_at(node_.position, "List needs the type of its items");
    }
    LAKEMILL_TRY(TypeName item, compiler_.type_name(*inner));
    return TypeName{item.sql + "[]", data::make_array(item.type, true)};
  }

  Result<TypeName> structure() {
    const SyntaxNode* fields = argument(0, "fields");
    if (fields == nullptr || fields->children.empty() ||
        (fields->kind != NodeKind::dictionary && fields->kind != NodeKind::list)) {
      return error_at(node_.position,
                      "Struct needs its fields: {\"name\": nw.String(), ...}");
    }
    std::vector<std::string> parts;
    std::vector<data::Field> children;
    auto add = [&](const SyntaxNode& name, const SyntaxNode& type) -> Status {
      if (name.kind != NodeKind::string) {
        return error_at(name.position, "a field's name is a string");
      }
      LAKEMILL_TRY(TypeName field, compiler_.type_name(type));
      parts.push_back(quote_identifier(name.text) + " " + field.sql);
      children.push_back(data::Field{name.text, field.type, true, Json::object()});
      return {};
    };
    if (fields->kind == NodeKind::dictionary) {
      for (std::size_t i = 0; i + 1 < fields->children.size(); i += 2) {
        LAKEMILL_TRY_OK(add(*fields->children[i], *fields->children[i + 1]));
      }
    } else {
      for (const SyntaxNodePtr& field : fields->children) {
        const bool is_field = field->kind == NodeKind::call &&
                              field->children[0]->text == "Field" &&
                              field->children.size() == 3;
        if (!is_field) {
          return error_at(field->position, "nw.Field(\"name\", type) is due here");
        }
        LAKEMILL_TRY_OK(add(*field->children[1], *field->children[2]));
      }
    }
    return TypeName{"STRUCT(" + join(parts, ", ") + ")",
                    data::make_struct(std::move(children))};
  }

  Compiler& compiler_;
  const SyntaxNode& node_;
};

std::string call(std::string_view function, const std::string& argument) {
  return std::string(function) + "(" + argument + ")";
}

std::string cast(const std::string& sql, const std::string& type, bool strict) {
  return (strict ? "CAST(" : "TRY_CAST(") + sql + " AS " + type + ")";
}

// Numbers as times are counts since 1970; the other way around too.
std::optional<std::string> cast_number_and_time(const Operand& operand,
                                                const TypeName& type, bool strict) {
  const bool to_time = type.type.kind == TypeKind::timestamp ||
                       type.type.kind == TypeKind::timestamp_ntz;
  const bool to_integer =
      type.type.kind == TypeKind::int8 || type.type.kind == TypeKind::int16 ||
      type.type.kind == TypeKind::int32 || type.type.kind == TypeKind::int64;
  if (operand.is_integer() || operand.is_real()) {
    const std::string whole = operand.is_real()
                                  ? cast(call("trunc", operand.sql), "BIGINT", strict)
                                  : cast(operand.sql, "BIGINT", strict);
    if (to_time) {
      std::string micros = whole;
      if (type.sql == "TIMESTAMP_S") micros = whole + " * 1000000";
      if (type.sql == "TIMESTAMP_MS") micros = whole + " * 1000";
      if (type.sql == "TIMESTAMP_NS") return call("make_timestamp_ns", whole);
      const std::string made = call("make_timestamp", micros);
      return type.sql == "TIMESTAMP" ? made : cast(made, type.sql, strict);
    }
    if (type.type.kind == TypeKind::date) {
      return "(DATE '1970-01-01' + " + cast(whole, "INTEGER", strict) + ")";
    }
    if (to_integer && operand.is_real()) {
      return cast(call("trunc", operand.sql), type.sql, strict);
    }
  }
  if (to_integer && (operand.is_timestamp() || operand.duration)) {
    return cast(call("epoch_us", operand.sql), type.sql, strict);
  }
  if (to_integer && operand.is(TypeKind::date)) {
    return cast("(" + operand.sql + " - DATE '1970-01-01')", type.sql, strict);
  }
  return std::nullopt;
}

}  // namespace

std::optional<TypeName> plain_type(std::string_view name) {
  for (const TypeEntry& entry : kPlainTypes) {
    if (entry.name == name && !entry.sql.empty()) return from_entry(entry);
  }
  return std::nullopt;
}

std::optional<TypeName> spark_type(std::string_view name) {
  const std::string lower = to_lower(trim(name));
  for (const TypeEntry& entry : kSparkTypes) {
    if (entry.name == lower) return from_entry(entry);
  }
  return std::nullopt;
}

Result<TypeName> Compiler::type_name(const SyntaxNode& node) {
  const SyntaxNode* name = node.kind == NodeKind::call ? node.children[0].get() : &node;
  if (name->kind == NodeKind::string) {
    if (auto type = spark_type(name->text)) return *type;
    const std::string_view text = trim(name->text);
    if (text.starts_with("decimal(") && text.ends_with(")")) {
      auto inner = parse_expression("Decimal" + std::string(text.substr(7)));
      if (inner && (*inner)->kind == NodeKind::call) {
        return TypeReader(*this, **inner).read("Decimal");
      }
    }
    return error_at(name->position, "'" + name->text + "' is not a type name");
  }
  const bool dotted = name->kind == NodeKind::attribute || name->kind == NodeKind::name;
  if (!dotted) return error_at(node.position, "a type is due here, as nw.Int64");
  return TypeReader(*this, node).read(name->text);
}

Operand cast_operand(Operand operand, const TypeName& type, bool strict) {
  if (auto special = cast_number_and_time(operand, type, strict)) {
    return with_sql(std::move(operand), std::move(*special), type.type);
  }
  std::string sql = cast(operand.sql, type.sql, strict);
  return with_sql(std::move(operand), std::move(sql), type.type);
}

std::vector<std::string> expression_types() {
  std::vector<std::string> names;
  for (const TypeEntry& entry : kPlainTypes) {
    if (entry.name[0] >= 'A' && entry.name[0] <= 'Z' && entry.name != "Field") {
      names.emplace_back(entry.name);
    }
  }
  return names;
}

}  // namespace lakemill::language
