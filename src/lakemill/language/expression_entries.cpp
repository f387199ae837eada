#include <array>

#include "lakemill/base/text.h"
#include "lakemill/language/expression_compiler.h"

// What an expression begins with: nw.col, nw.lit, nw.when, nw.concat_str, …

namespace lakemill::language {
namespace {

using data::TypeKind;

Result<Value> col(Compiler& compiler, const Call& call) {
  if (call.arguments.many.empty()) return call.error("col needs the name of a column");
  std::vector<Operand> operands;
  for (const SyntaxNode* argument : call.arguments.many) {
    std::vector<const SyntaxNode*> names = {argument};
    if (argument->kind == NodeKind::list) {
      names.clear();
      for (const SyntaxNodePtr& item : argument->children) names.push_back(item.get());
    }
    for (const SyntaxNode* name : names) {
      if (name->kind != NodeKind::string) {
        return error_at(name->position, "the name of a column is a string");
      }
      if (name->text == "*" && !compiler.only_checks()) {
        for (const data::Field& field : compiler.schema().fields) {
          LAKEMILL_TRY(Operand operand, compiler.column(field.name, name->position));
          operands.push_back(std::move(operand));
        }
        continue;
      }
      LAKEMILL_TRY(Operand operand, compiler.column(name->text, name->position));
      operands.push_back(std::move(operand));
    }
  }
  return columns_value(std::move(operands));
}

Result<Value> all(Compiler& compiler, const Call& call) {
  if (compiler.only_checks()) return column_value(Compiler::unknown_column("*"));
  std::vector<Operand> operands;
  for (const data::Field& field : compiler.schema().fields) {
    LAKEMILL_TRY(Operand operand, compiler.column(field.name, call.position));
    operands.push_back(std::move(operand));
  }
  return columns_value(std::move(operands));
}

Result<Value> exclude(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(std::vector<Operand> left_out,
               compiler.columns(call.arguments.many, StringIs::column));
  LAKEMILL_TRY(Value everything, all(compiler, call));
  std::erase_if(everything.operands, [&](const Operand& operand) {
    for (const Operand& other : left_out) {
      if (other.name == operand.name) return true;
    }
    return false;
  });
  return everything;
}

Result<Value> nth(Compiler& compiler, const Call& call) {
  std::vector<Operand> operands;
  const auto count = static_cast<std::int64_t>(compiler.schema().fields.size());
  for (const SyntaxNode* argument : call.arguments.many) {
    if (argument->kind != NodeKind::integer) {
      return error_at(argument->position, "nth takes the places of columns, from 0");
    }
    if (compiler.only_checks()) {
      operands.push_back(
          Compiler::unknown_column("*" + std::to_string(argument->integer)));
      continue;
    }
    const std::int64_t place =
        argument->integer < 0 ? argument->integer + count : argument->integer;
    if (place < 0 || place >= count) {
      return error_at(argument->position,
                      "there are only " + std::to_string(count) + " columns");
    }
    const data::Field& field =
        compiler.schema().fields[static_cast<std::size_t>(place)];
    LAKEMILL_TRY(Operand operand, compiler.column(field.name, argument->position));
    operands.push_back(std::move(operand));
  }
  return columns_value(std::move(operands));
}

Result<Value> lit(Compiler& compiler, const Call& call) {
  const SyntaxNode& node = *call.arguments.find("value");
  LAKEMILL_TRY(Operand value, compiler.operand(node, StringIs::literal));
  if (const SyntaxNode* type = call.find("dtype")) {
    LAKEMILL_TRY(TypeName name, compiler.type_name(*type));
    value = cast_operand(std::move(value), name, true);
  }
  return column_value(std::move(value));
}

Result<Value> len(Compiler& compiler, const Call& call) {
  Operand operand;
  operand.name = "len";
  LAKEMILL_TRY(Operand result,
               compiler.finish_aggregate(call, operand, compiler.aggregate("count(*)"),
                                         data::make_type(TypeKind::int64)));
  return column_value(std::move(result));
}

Result<Operand> all_of(Compiler& compiler, const Call& call) {
  if (call.arguments.many.empty()) return call.error("when needs a condition");
  LAKEMILL_TRY(std::vector<Operand> predicates,
               compiler.columns(call.arguments.many, StringIs::column));
  Operand all = predicates.front();
  for (std::size_t i = 1; i < predicates.size(); ++i) {
    all = binary_operand("&", std::move(all), predicates[i]);
  }
  return all;
}

Result<Value> when(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(Operand condition, all_of(compiler, call));
  Value value;
  value.kind = Value::Kind::when;
  value.conditions.push_back(std::move(condition));
  return value;
}

Result<Value> when_again(Compiler& compiler, const Call& call) {
  if (call.subject.kind != Value::Kind::then) {
    return call.error("'.when' follows .then(...); a first condition is nw.when(...)");
  }
  LAKEMILL_TRY(Operand condition, all_of(compiler, call));
  Value value = call.subject;
  value.kind = Value::Kind::when;
  value.conditions.push_back(std::move(condition));
  return value;
}

Result<Value> then(Compiler& compiler, const Call& call) {
  if (call.subject.kind != Value::Kind::when) {
    return call.error("'.then' follows nw.when(...)");
  }
  LAKEMILL_TRY(Operand result,
               compiler.operand(*call.arguments.find("value"), StringIs::column));
  Value value = call.subject;
  value.kind = Value::Kind::then;
  value.results.push_back(std::move(result));
  return value;
}

Result<Value> otherwise(Compiler& compiler, const Call& call) {
  if (call.subject.kind != Value::Kind::then) {
    return call.error("'.otherwise' follows .then(...)");
  }
  LAKEMILL_TRY(Operand rest,
               compiler.operand(*call.arguments.find("value"), StringIs::column));
  return column_value(when_operand(call.subject, &rest));
}

// Several columns of one row as one.
struct Row {
  std::vector<Operand> operands;
  Operand first;  ///< the first, with all that is read

  std::string list(const std::function<std::string(const Operand&)>& text,
                   std::string_view separator) const {
    std::vector<std::string> parts;
    for (const Operand& operand : operands) parts.push_back(text(operand));
    return join(parts, separator);
  }
};

Result<Row> row_of(Compiler& compiler, const Call& call) {
  Row row;
  LAKEMILL_TRY(row.operands, compiler.columns(call.arguments.many, StringIs::column));
  if (row.operands.empty()) {
    return call.error("'" + std::string(call.name) + "' needs at least one column");
  }
  row.first = row.operands.front();
  for (const Operand& operand : row.operands) absorb(row.first, operand);
  return row;
}

std::string plain(const Operand& operand) { return operand.sql; }
std::string or_zero(const Operand& operand) {
  return "coalesce(" + operand.sql + ", 0)";
}

std::optional<data::Type> common_type(const Row& row) {
  for (const Operand& operand : row.operands) {
    if (operand.type != row.operands.front().type) return std::nullopt;
  }
  return row.operands.front().type;
}

std::optional<data::Type> number_type(const Row& row) {
  bool integer = true;
  for (const Operand& operand : row.operands) {
    integer = integer && operand.is_integer();
    if (!operand.is_integer() && !operand.is_real()) return std::nullopt;
  }
  return data::make_type(integer ? TypeKind::int64 : TypeKind::float64);
}

Result<Value> sum_horizontal(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(Row row, row_of(compiler, call));
  return column_value(
      with_sql(row.first, "(" + row.list(or_zero, " + ") + ")", number_type(row)));
}

Result<Value> mean_horizontal(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(Row row, row_of(compiler, call));
  auto present = [](const Operand& operand) {
    return "CAST(" + operand.sql + " IS NOT NULL AS INTEGER)";
  };
  return column_value(with_sql(row.first,
                               "((" + row.list(or_zero, " + ") + ") / nullif(" +
                                   row.list(present, " + ") + ", 0))",
                               data::make_type(TypeKind::float64)));
}

Result<Value> min_horizontal(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(Row row, row_of(compiler, call));
  return column_value(
      with_sql(row.first, "least(" + row.list(plain, ", ") + ")", common_type(row)));
}

Result<Value> max_horizontal(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(Row row, row_of(compiler, call));
  return column_value(
      with_sql(row.first, "greatest(" + row.list(plain, ", ") + ")", common_type(row)));
}

Result<Value> logic_horizontal(Compiler& compiler, const Call& call, bool all) {
  LAKEMILL_TRY(Row row, row_of(compiler, call));
  LAKEMILL_TRY(bool ignore_nulls, call.boolean("ignore_nulls", false));
  auto text = [&](const Operand& operand) {
    return ignore_nulls ? "coalesce(" + operand.sql + (all ? ", TRUE)" : ", FALSE)")
                        : operand.sql;
  };
  return column_value(with_sql(row.first,
                               "(" + row.list(text, all ? " AND " : " OR ") + ")",
                               data::make_type(TypeKind::boolean)));
}

Result<Value> any_horizontal(Compiler& compiler, const Call& call) {
  return logic_horizontal(compiler, call, false);
}
Result<Value> all_horizontal(Compiler& compiler, const Call& call) {
  return logic_horizontal(compiler, call, true);
}

Result<Value> concat_str(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(Row row, row_of(compiler, call));
  LAKEMILL_TRY(std::string separator, call.text("separator", ""));
  LAKEMILL_TRY(bool ignore_nulls, call.boolean("ignore_nulls", false));
  auto as_text = [](const Operand& operand) {
    return operand.is(TypeKind::string) ? operand.sql
                                        : "CAST(" + operand.sql + " AS VARCHAR)";
  };
  std::string sql;
  if (ignore_nulls) {
    sql =
        "concat_ws(" + quote_literal(separator) + ", " + row.list(as_text, ", ") + ")";
  } else {
    const std::string between =
        separator.empty() ? " || " : " || " + quote_literal(separator) + " || ";
    sql = "(" + row.list(as_text, between) + ")";
  }
  return column_value(with_sql(row.first, sql, data::make_type(TypeKind::string)));
}

Result<Value> coalesce(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(Row row, row_of(compiler, call));
  return column_value(
      with_sql(row.first, "coalesce(" + row.list(plain, ", ") + ")", common_type(row)));
}

Result<Value> format(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(std::string pattern, call.text("f_string", ""));
  std::vector<Operand> operands;
  if (!call.arguments.many.empty()) {
    LAKEMILL_TRY(operands, compiler.columns(call.arguments.many, StringIs::column));
  }
  std::vector<std::string> parts;
  Operand result;
  result.name = operands.empty() ? "literal" : operands.front().name;
  std::size_t used = 0;
  std::size_t from = 0;
  while (true) {
    const std::size_t at = pattern.find("{}", from);
    const std::string text = pattern.substr(from, at - from);
    if (!text.empty()) parts.push_back(quote_literal(text));
    if (at == std::string::npos) break;
    if (used < operands.size()) {
      parts.push_back("CAST(" + operands[used].sql + " AS VARCHAR)");
      absorb(result, operands[used]);
    }
    ++used;
    from = at + 2;
  }
  if (used != operands.size()) {
    return call.error("format has " + std::to_string(used) + " places {} for " +
                      std::to_string(operands.size()) + " columns");
  }
  if (parts.empty()) parts.emplace_back("''");
  return column_value(with_sql(result, "(" + join(parts, " || ") + ")",
                               data::make_type(TypeKind::string)));
}

Result<Value> structure(Compiler& compiler, const Call& call) {
  std::vector<Operand> operands;
  if (!call.arguments.many.empty()) {
    LAKEMILL_TRY(operands, compiler.columns(call.arguments.many, StringIs::column));
  }
  for (const auto& [name, node] : call.arguments.many_named) {
    LAKEMILL_TRY(Operand operand, compiler.operand(*node, StringIs::column));
    operand.name = name;
    operands.push_back(std::move(operand));
  }
  if (operands.empty()) return call.error("struct needs at least one column");
  std::vector<std::string> parts;
  std::vector<data::Field> fields;
  Operand result = operands.front();
  bool typed = true;
  for (const Operand& operand : operands) {
    absorb(result, operand);
    parts.push_back(quote_identifier(operand.name) + " := " + operand.sql);
    typed = typed && operand.type.has_value();
    if (typed) {
      fields.push_back(data::Field{operand.name, *operand.type, true, Json::object()});
    }
  }
  std::optional<data::Type> type;
  if (typed) type = data::make_struct(std::move(fields));
  return column_value(with_sql(result, "struct_pack(" + join(parts, ", ") + ")", type));
}

Result<Value> list(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(Row row, row_of(compiler, call));
  std::optional<data::Type> type;
  if (auto item = common_type(row)) type = data::make_array(*item, true);
  return column_value(with_sql(row.first, "[" + row.list(plain, ", ") + "]", type));
}

// nw.sum("a", "b") is nw.col("a", "b").sum().
Result<Value> column_method(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(Value subject, col(compiler, call));
  const FunctionEntry* entry = find_function("expr", call.name);
  const Call inner{call.node, entry->name, call.position, std::move(subject), {}};
  return entry->handler(compiler, inner);
}

Result<Value> correlation(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(Operand a,
               compiler.operand(*call.arguments.find("a"), StringIs::column));
  LAKEMILL_TRY(Operand b,
               compiler.operand(*call.arguments.find("b"), StringIs::column));
  LAKEMILL_TRY_OK(compiler.no_window_inside(call, b));
  constexpr std::array<std::string_view, 1> kMethods = {"pearson"};
  LAKEMILL_TRY(std::string method, call.choice("method", "pearson", kMethods));
  const std::string sql = compiler.aggregate("corr(" + a.sql + ", " + b.sql + ")");
  LAKEMILL_TRY(Operand result, compiler.finish_aggregate(
                                   call, a, sql, data::make_type(TypeKind::float64)));
  return column_value(std::move(result));
}

Result<Value> sql_text(Compiler&, const Call& call) {
  LAKEMILL_TRY(std::string text, call.text("sql", ""));
  auto compiled = embed_sql_expression(text);
  if (!compiled) {
    return error_at(call.arguments.find("sql")->position, compiled.error().message());
  }
  Operand operand;
  operand.sql = compiled->sql;
  operand.name = compiled->name;
  operand.aliased = compiled->alias.has_value();
  operand.aggregates = compiled->aggregates;
  operand.windows = compiled->windows;
  operand.columns = compiled->reads_rows;
  operand.is_sql = true;
  return column_value(std::move(operand));
}

Result<Value> make_time(Compiler& compiler, const Call& call) {
  std::vector<std::string> parts;
  Operand result;
  result.name = std::string(call.name);
  for (const std::string_view part :
       {"year", "month", "day", "hour", "minute", "second"}) {
    if (call.name == "date" && part == "hour") break;
    const SyntaxNode* node = call.find(part);
    if (node == nullptr) {
      parts.emplace_back("0");
      continue;
    }
    LAKEMILL_TRY(Operand operand, compiler.operand(*node, StringIs::column));
    absorb(result, operand);
    parts.push_back(operand.sql);
  }
  const bool date = call.name == "date";
  return column_value(with_sql(
      result, (date ? "make_date(" : "make_timestamp(") + join(parts, ", ") + ")",
      data::make_type(date ? TypeKind::date : TypeKind::timestamp_ntz)));
}

Result<Value> current_timestamp(Compiler&, const Call&) {
  Operand operand;
  operand.sql = "now()";
  operand.name = "literal";
  operand.type = data::make_type(TypeKind::timestamp);
  return column_value(std::move(operand));
}

constexpr std::array kEntries = {
    FunctionEntry{"nw", "col", "*names", "The columns of these names; \"*\" is all.",
                  col},
    FunctionEntry{"nw", "all", "", "Every column.", all},
    FunctionEntry{"nw", "exclude", "*names", "Every column but these.", exclude},
    FunctionEntry{"nw", "nth", "*indices", "The columns at these places, from 0.", nth},
    FunctionEntry{"nw", "lit", "value, dtype=None", "A constant as a column.", lit},
    FunctionEntry{"nw", "len", "", "The number of rows.", len},
    FunctionEntry{
        "nw", "when", "*predicates",
        "Begins when(...).then(...).otherwise(...); all predicates must hold.", when},
    FunctionEntry{"expr", "then", "value", "The value where the condition holds.",
                  then},
    FunctionEntry{"expr", "when", "*predicates", "A further condition after then.",
                  when_again},
    FunctionEntry{"expr", "otherwise", "value",
                  "The value where no condition holds; null without it.", otherwise},
    FunctionEntry{"nw", "concat_str", "*exprs, separator='', ignore_nulls=False",
                  "Columns as one text; null if any is, unless ignored.", concat_str},
    FunctionEntry{"nw", "coalesce", "*exprs", "The first value that is not null.",
                  coalesce},
    FunctionEntry{"nw", "format", "f_string, *args",
                  "A text with the columns in the places of {}.", format},
    FunctionEntry{"nw", "struct", "*exprs, **named", "Columns as the fields of one.",
                  structure},
    FunctionEntry{"nw", "list", "*exprs", "Columns as the items of a list.", list},
    FunctionEntry{"nw", "concat_list", "*exprs", "Columns as the items of a list.",
                  list},
    FunctionEntry{"nw", "sum_horizontal", "*exprs",
                  "The sum of the columns of a row; null counts as 0.", sum_horizontal},
    FunctionEntry{"nw", "mean_horizontal", "*exprs",
                  "The mean of the columns of a row, without nulls.", mean_horizontal},
    FunctionEntry{"nw", "min_horizontal", "*exprs",
                  "The least of the columns of a row, without nulls.", min_horizontal},
    FunctionEntry{"nw", "max_horizontal", "*exprs",
                  "The greatest of the columns of a row, without nulls.",
                  max_horizontal},
    FunctionEntry{"nw", "any_horizontal", "*exprs, ignore_nulls=False",
                  "True if any column of a row is.", any_horizontal},
    FunctionEntry{"nw", "all_horizontal", "*exprs, ignore_nulls=False",
                  "True if all columns of a row are.", all_horizontal},
    FunctionEntry{"nw", "sum", "*columns", "col(...).sum().", column_method},
    FunctionEntry{"nw", "mean", "*columns", "col(...).mean().", column_method},
    FunctionEntry{"nw", "median", "*columns", "col(...).median().", column_method},
    FunctionEntry{"nw", "min", "*columns", "col(...).min().", column_method},
    FunctionEntry{"nw", "max", "*columns", "col(...).max().", column_method},
    FunctionEntry{"nw", "n_unique", "*columns", "col(...).n_unique().", column_method},
    FunctionEntry{"nw", "corr", "a, b, *, method='pearson'",
                  "The correlation of two columns.", correlation},
    FunctionEntry{"nw", "date", "year, month, day", "A date of its parts.", make_time},
    FunctionEntry{"nw", "datetime", "year, month, day, hour=0, minute=0, second=0",
                  "A time of its parts.", make_time},
    FunctionEntry{"nw", "sql_expr", "sql", "An SQL expression as a column.", sql_text},
    FunctionEntry{"nw.laktory", "sql_expr", "sql", "An SQL expression as a column.",
                  sql_text},
    FunctionEntry{"nw.laktory", "current_timestamp", "",
                  "The instant of the batch, the same on every row.",
                  current_timestamp},
    FunctionEntry{"F", "expr", "sql", "An SQL expression as a column.", sql_text},
    FunctionEntry{"F", "current_timestamp", "",
                  "The instant of the batch, the same on every row.",
                  current_timestamp},
    FunctionEntry{"F", "col", "*names", "The columns of these names.", col},
    FunctionEntry{"F", "lit", "value", "A constant as a column.", lit},
    FunctionEntry{"F", "coalesce", "*exprs", "The first value that is not null.",
                  coalesce},
    FunctionEntry{"F", "greatest", "*exprs",
                  "The greatest of the columns, without nulls.", max_horizontal},
    FunctionEntry{"F", "least", "*exprs", "The least of the columns, without nulls.",
                  min_horizontal},
    FunctionEntry{"F", "concat", "*exprs", "Texts in a row; null if any is null.",
                  concat_str},
    FunctionEntry{"F", "struct", "*exprs, **named", "Columns as the fields of one.",
                  structure},
    FunctionEntry{"F", "array", "*exprs", "Columns as the items of a list.", list},
};

}  // namespace

std::span<const FunctionEntry> entry_functions() { return kEntries; }

}  // namespace lakemill::language
