#include <algorithm>
#include <array>

#include "lakemill/base/quoted_list.h"
#include "lakemill/base/text.h"
#include "lakemill/language/expression_compiler.h"
#include "lakemill/language/method_context.h"

// Methods that choose and compute columns: select, with_columns, filter, rename, …

namespace lakemill::language {
namespace {

std::string from(const MethodContext& context) {
  return " FROM " + context.input.relation;
}

std::string named(const OutputColumn& column) {
  return column.expression.sql + " AS " + quote_identifier(column.name);
}

Result<std::string> select(const MethodContext& context) {
  LAKEMILL_TRY(std::vector<OutputColumn> columns,
               context.output_columns(AggregateForm::plain));
  if (columns.empty()) return context.error(nullptr, "at least one column is due");
  auto any = [&columns](auto&& test) {
    return std::any_of(columns.begin(), columns.end(), [&](const OutputColumn& column) {
      return test(column.expression);
    });
  };
  const bool rows = any([](const CompiledExpression& e) { return e.reads_rows; });
  const bool aggregates = any([](const CompiledExpression& e) { return e.aggregates; });
  const bool windows = any([](const CompiledExpression& e) { return e.windows; });
  if (aggregates && (rows || windows)) {
    // Beside columns, an aggregate is repeated on every row.
    LAKEMILL_TRY(columns, context.output_columns(AggregateForm::broadcast));
  }
  std::vector<std::string> parts;
  for (const OutputColumn& column : columns) parts.push_back(named(column));
  // Constants alone are one row.
  const bool constants = !rows && !aggregates && !windows;
  return "SELECT " + join(parts, ", ") + (constants ? "" : from(context));
}

Result<std::string> with_columns(const MethodContext& context) {
  LAKEMILL_TRY(std::vector<OutputColumn> columns,
               context.output_columns(AggregateForm::broadcast));
  std::vector<std::string> parts;
  for (const data::Field& field : context.input.schema.fields) {
    auto replacement = std::find_if(
        columns.begin(), columns.end(), [&field](const OutputColumn& column) {
          return equals_ignoring_case(column.name, field.name);
        });
    if (replacement == columns.end()) {
      parts.push_back(quote_identifier(field.name));
    } else {
      parts.push_back(named(*replacement));
      columns.erase(replacement);
    }
  }
  for (const OutputColumn& column : columns) parts.push_back(named(column));
  return "SELECT " + join(parts, ", ") + from(context);
}

Result<std::string> with_column(const MethodContext& context) {
  LAKEMILL_TRY(std::string name, context.text("colName", ""));
  return context.error(nullptr, "use with_columns: func_kwargs: {" + name + ": ...}");
}

Result<std::string> filter(const MethodContext& context) {
  std::vector<std::string> conditions;
  bool windows = false;
  for (const Tree* argument : context.arguments.many) {
    LAKEMILL_TRY(std::vector<OutputColumn> columns,
                 context.expressions(*argument, AggregateForm::broadcast));
    for (const OutputColumn& column : columns) {
      windows = windows || column.expression.windows;
      conditions.push_back(column.expression.sql);
    }
  }
  for (const auto& [name, argument] : context.arguments.many_named) {
    Tree key = make_string(name);
    key.location = argument->location;
    LAKEMILL_TRY(std::string column, context.column(key));
    auto constant = constant_sql(*argument);
    if (!constant) return context.error(argument, "a constant is due here");
    conditions.push_back("(" + quote_identifier(column) + " = " + *constant + ")");
  }
  if (conditions.empty())
    return context.error(nullptr, "at least one predicate is due");
  // Windows see all rows, so they cannot stand in WHERE.
  return "SELECT *" + from(context) + (windows ? " QUALIFY " : " WHERE ") +
         join(conditions, " AND ");
}

Result<std::string> rename(const MethodContext& context) {
  std::vector<std::pair<std::string, std::string>> mapping;
  auto add = [&](const std::string& from_name, const Tree& value) -> Status {
    Tree key = make_string(from_name);
    key.location = value.location;
    LAKEMILL_TRY(std::string column, context.column(key));
    if (!value.is_string() || value.text.empty()) {
      return context.error(&value, "the new name of a column is due here");
    }
    mapping.emplace_back(column, value.text);
    return {};
  };
  if (const Tree* given = context.find("mapping")) {
    if (!given->is_mapping()) return context.error(given, "{old: new} is due here");
    for (const TreeEntry& entry : given->entries) {
      LAKEMILL_TRY_OK(add(entry.key, entry.value));
    }
  }
  for (const auto& [name, value] : context.arguments.many_named) {
    LAKEMILL_TRY_OK(add(name, *value));
  }
  if (mapping.empty()) return context.error(nullptr, "{old: new} is due");
  std::vector<std::string> parts;
  std::vector<std::string> names;
  for (const data::Field& field : context.input.schema.fields) {
    std::string name = field.name;
    for (const auto& [old_name, new_name] : mapping) {
      if (old_name == field.name) name = new_name;
    }
    if (contains_name(names, name)) {
      return context.error(nullptr, "two columns would have the name '" + name + "'");
    }
    names.push_back(name);
    parts.push_back(quote_identifier(field.name) +
                    (name == field.name ? "" : " AS " + quote_identifier(name)));
  }
  return "SELECT " + join(parts, ", ") + from(context);
}

Result<std::string> drop(const MethodContext& context) {
  LAKEMILL_TRY(bool strict, context.boolean("strict", true));
  std::vector<std::string> dropped;
  std::vector<const Tree*> items;
  for (const Tree* argument : context.arguments.many) {
    if (argument->is_list()) {
      for (const Tree& item : argument->items) items.push_back(&item);
    } else {
      items.push_back(argument);
    }
  }
  for (const Tree* item : items) {
    if (!strict && item->is_string() && !context.input.is_open &&
        context.input.schema.find(item->text) == nullptr) {
      continue;
    }
    LAKEMILL_TRY(std::string name, context.column(*item));
    dropped.push_back(std::move(name));
  }
  std::vector<std::string> kept;
  for (const std::string& name : column_names(context.input.schema)) {
    if (!contains_name(dropped, name)) kept.push_back(name);
  }
  if (kept.empty() && !context.input.is_open)
    return context.error(nullptr, "no column would be left");
  return "SELECT " + quoted_list(kept) + from(context);
}

Result<TypeName> type_of(const MethodContext& context, const Tree& value) {
  if (!value.is_string()) {
    return context.error(&value, "a type is due here, as \"nw.Int64\"");
  }
  auto parsed = parse_expression(value.text);
  if (!parsed) return context.error(&value, parsed.error().message());
  if ((*parsed)->kind == NodeKind::name) {
    if (auto type = spark_type(value.text)) return *type;
  }
  Compiler compiler(context.input.schema, context.dialect, AggregateForm::plain);
  auto type = compiler.type_name(**parsed);
  if (!type) return context.error(&value, type.error().message());
  return type;
}

Result<std::string> cast(const MethodContext& context) {
  std::vector<std::pair<std::string, TypeName>> casts;
  auto add = [&](const std::string& name, const Tree& value) -> Status {
    Tree key = make_string(name);
    key.location = value.location;
    LAKEMILL_TRY(std::string column, context.column(key));
    LAKEMILL_TRY(TypeName type, type_of(context, value));
    casts.emplace_back(std::move(column), std::move(type));
    return {};
  };
  if (const Tree* given = context.find("dtypes")) {
    if (given->is_mapping()) {
      for (const TreeEntry& entry : given->entries) {
        LAKEMILL_TRY_OK(add(entry.key, entry.value));
      }
    } else {
      for (const std::string& name : column_names(context.input.schema)) {
        LAKEMILL_TRY_OK(add(name, *given));
      }
    }
  }
  for (const auto& [name, value] : context.arguments.many_named) {
    LAKEMILL_TRY_OK(add(name, *value));
  }
  if (casts.empty()) return context.error(nullptr, "{column: type} is due");
  LAKEMILL_TRY(bool strict, context.boolean("strict", true));
  std::vector<std::string> parts;
  for (const data::Field& field : context.input.schema.fields) {
    Operand operand;
    operand.sql = quote_identifier(field.name);
    operand.type = field.type;
    for (const auto& [name, type] : casts) {
      if (name == field.name) operand = cast_operand(std::move(operand), type, strict);
    }
    const std::string quoted = quote_identifier(field.name);
    parts.push_back(operand.sql == quoted ? quoted : operand.sql + " AS " + quoted);
  }
  return "SELECT " + join(parts, ", ") + from(context);
}

// A constant fills the columns of its kind: text in text, numbers in numbers.
bool fits(const Tree& value, const data::Type& type) {
  Operand operand;
  operand.type = type;
  switch (value.kind) {
    case TreeKind::boolean:
      return operand.is(data::TypeKind::boolean);
    case TreeKind::integer:
      return operand.is_numeric();
    case TreeKind::number:
      return operand.is_real() || operand.is(data::TypeKind::decimal);
    default:
      return operand.is(data::TypeKind::string);
  }
}

Result<std::string> fill_null(const MethodContext& context) {
  const Tree* value = context.find("value");
  if (const Tree* strategy = context.find("strategy")) {
    return context.error(
        strategy,
        "a strategy needs an order of rows; use with_columns and "
        "nw.col(\"x\").fill_null(strategy=\"forward\").over(order_by=...)");
  }
  if (value == nullptr) return context.error(nullptr, "a value is due");
  LAKEMILL_TRY(std::vector<std::string> subset, context.columns("subset"));
  std::vector<std::string> parts;
  if (value->is_mapping()) {
    for (const TreeEntry& entry : value->entries) {
      Tree key = make_string(entry.key);
      key.location = entry.key_location;
      LAKEMILL_TRY(std::string name, context.column(key));
    }
  }
  for (const data::Field& field : context.input.schema.fields) {
    const Tree* fill = value->is_mapping() ? value->find(field.name) : value;
    const bool chosen = value->is_mapping() ||
                        (subset.empty() ? fill != nullptr && fits(*fill, field.type)
                                        : contains_name(subset, field.name));
    const std::string name = quote_identifier(field.name);
    if (fill == nullptr || !chosen) {
      parts.push_back(name);
      continue;
    }
    auto constant = constant_sql(*fill);
    if (!constant) return context.error(fill, "a constant is due here");
    parts.push_back("coalesce(" + name + ", " + *constant + ") AS " + name);
  }
  return "SELECT " + join(parts, ", ") + from(context);
}

constexpr std::array kEntries = {
    MethodEntry{"select", "*exprs, **named",
                "These columns; aggregates alone are one row.", select},
    MethodEntry{"with_columns", "*exprs, **named",
                "New columns at the end; those of the same name are replaced in place.",
                with_columns},
    MethodEntry{"withColumn", "colName, col=None", "Refused: use with_columns.",
                with_column},
    MethodEntry{"filter", "*predicates, **constraints",
                "The rows where all predicates are true.", filter},
    MethodEntry{"rename", "mapping=None, **named", "Other names for columns.", rename},
    MethodEntry{"drop", "*columns, strict=True", "Without these columns.", drop},
    MethodEntry{"cast", "dtypes=None, *, strict=True, **columns",
                "Other types for columns: {column: \"nw.Int64\"}.", cast},
    MethodEntry{"fill_null", "value=None, strategy=None, *, subset=None",
                "A constant for nulls, in columns of its kind.", fill_null},
};

}  // namespace

std::span<const MethodEntry> column_methods() { return kEntries; }

}  // namespace lakemill::language
