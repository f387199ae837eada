#include <array>
#include <cmath>

#include "lakemill/base/text.h"
#include "lakemill/language/expression_compiler.h"

// Methods of an expression that look at one row: numbers, nulls, names, casts.

namespace lakemill::language {
namespace {

using data::TypeKind;

const data::Type kBoolean = data::make_type(TypeKind::boolean);
const data::Type kDouble = data::make_type(TypeKind::float64);

std::string function(std::string_view name, const std::string& argument) {
  return std::string(name) + "(" + argument + ")";
}

// Null where `operand` is, else `sql`; for functions of the engine that skip nulls.
std::string keep_null(const Operand& operand, const std::string& sql) {
  return "(CASE WHEN " + operand.sql + " IS NULL THEN NULL ELSE " + sql + " END)";
}

Result<Value> alias(Compiler&, const Call& call) {
  LAKEMILL_TRY(std::string name, call.text("name", ""));
  if (name.empty()) return call.error("alias needs a name");
  if (call.subject.operands.size() != 1) {
    return call.error("alias names one column, not " +
                      std::to_string(call.subject.operands.size()) +
                      "; use .name.suffix(...) or .name.prefix(...)");
  }
  Operand operand = call.subject.operands.front();
  operand.name = name;
  operand.aliased = true;
  return column_value(std::move(operand));
}

Result<Value> cast(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(TypeName type, compiler.type_name(*call.arguments.find("dtype")));
  LAKEMILL_TRY(bool strict, call.boolean("strict", true));
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    return cast_operand(std::move(operand), type, strict);
  });
}

// Methods that are one function of the engine, or one test.
Result<Value> simple(Compiler&, const Call& call) {
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    const std::string& x = operand.sql;
    if (call.name == "is_null" || call.name == "isNull") {
      return with_sql(operand, "(" + x + " IS NULL)", kBoolean);
    }
    if (call.name == "is_not_null" || call.name == "isNotNull") {
      return with_sql(operand, "(" + x + " IS NOT NULL)", kBoolean);
    }
    if (call.name == "is_nan") return with_sql(operand, function("isnan", x), kBoolean);
    if (call.name == "is_not_nan") {
      return with_sql(operand, "(NOT isnan(" + x + "))", kBoolean);
    }
    if (call.name == "is_finite") {
      return with_sql(operand, function("isfinite", x), kBoolean);
    }
    if (call.name == "is_infinite") {
      return with_sql(operand, function("isinf", x), kBoolean);
    }
    if (call.name == "not_") return with_sql(operand, "(NOT " + x + ")", kBoolean);
    if (call.name == "neg") return with_sql(operand, "(-" + x + ")", operand.type);
    if (call.name == "abs") return with_sql(operand, function("abs", x), operand.type);
    if (call.name == "floor" || call.name == "ceil") {
      if (operand.is_integer()) return operand;
      return with_sql(operand, function(call.name, x), operand.type);
    }
    if (call.name == "sqrt") {
      return with_sql(operand,
                      "(CASE WHEN " + x + " < 0 THEN CAST('nan' AS DOUBLE) ELSE sqrt(" +
                          x + ") END)",
                      kDouble);
    }
    return with_sql(operand, function(call.name, x), kDouble);
  });
}

Result<Value> sign(Compiler&, const Call& call) {
  return for_each_column(call.subject, [](Operand operand) -> Result<Operand> {
    return with_sql(operand, "sign(" + operand.sql + ")", operand.type);
  });
}

Result<Value> round(Compiler&, const Call& call) {
  LAKEMILL_TRY(std::int64_t decimals, call.integer("decimals", 0));
  if (decimals < 0) return call.error("round takes 0 or more decimals");
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    if (operand.is_integer()) return operand;
    // round_even would turn a decimal into a fraction.
    const std::string name = operand.is(TypeKind::decimal) ? "round" : "round_even";
    const std::optional<data::Type> type =
        operand.is(TypeKind::decimal) ? std::nullopt : operand.type;
    return with_sql(operand,
                    name + "(" + operand.sql + ", " + std::to_string(decimals) + ")",
                    type);
  });
}

Result<Value> log(Compiler&, const Call& call) {
  const bool ten = call.name == "log10";
  const bool one_more = call.name == "log1p";
  double base = std::exp(1.0);
  if (call.name == "log") {
    LAKEMILL_TRY(base, call.real("base", base));
  }
  if (base <= 0) return call.error("the base of a logarithm is above 0");
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    std::string x = operand.sql;
    if (one_more) x = "(" + x + " + 1)";
    std::string value = "ln(" + x + ")";
    if (ten || base == 10) {
      value = "log10(" + x + ")";
    } else if (base == 2) {
      value = "log2(" + x + ")";
    } else if (call.find("base") != nullptr) {
      value = "ln(" + x + ") / ln(" + literal_sql(base) + ")";
    }
    return with_sql(operand,
                    "(CASE WHEN " + x + " < 0 THEN CAST('nan' AS DOUBLE) WHEN " + x +
                        " = 0 THEN CAST('-inf' AS DOUBLE) ELSE " + value + " END)",
                    kDouble);
  });
}

Result<Value> clip(Compiler& compiler, const Call& call) {
  std::optional<Operand> lower;
  std::optional<Operand> upper;
  if (const SyntaxNode* node = call.find("lower_bound")) {
    LAKEMILL_TRY(lower, compiler.operand(*node, StringIs::column));
  }
  if (const SyntaxNode* node = call.find("upper_bound")) {
    LAKEMILL_TRY(upper, compiler.operand(*node, StringIs::column));
  }
  if (!lower && !upper) return call.error("clip needs lower_bound or upper_bound");
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    std::string sql = operand.sql;
    if (upper) sql = "least(" + sql + ", " + upper->sql + ")";
    if (lower) sql = "greatest(" + sql + ", " + lower->sql + ")";
    if (operand.is_real()) {
      sql = "CASE WHEN isnan(" + operand.sql + ") THEN " + operand.sql + " ELSE " +
            sql + " END";
    }
    Operand result = with_sql(operand, keep_null(operand, sql), operand.type);
    if (lower) absorb(result, *lower);
    if (upper) absorb(result, *upper);
    return result;
  });
}

Result<Value> is_in(Compiler& compiler, const Call& call) {
  std::vector<const SyntaxNode*> items;
  for (const SyntaxNode* argument : call.arguments.many) {
    if (argument->kind == NodeKind::list) {
      for (const SyntaxNodePtr& item : argument->children) items.push_back(item.get());
    } else if (call.name == "isin") {
      items.push_back(argument);
    } else {
      return error_at(argument->position, "is_in takes a list: is_in([1, 2])");
    }
  }
  if (call.arguments.many.empty()) return call.error("is_in needs a list");
  std::vector<Operand> values;
  for (const SyntaxNode* item : items) {
    if (item->kind == NodeKind::none) continue;  // null is in no list
    LAKEMILL_TRY(Operand value, compiler.operand(*item, StringIs::literal));
    values.push_back(std::move(value));
  }
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    if (values.empty()) return with_sql(operand, keep_null(operand, "FALSE"), kBoolean);
    std::vector<std::string> texts;
    Operand result = operand;
    for (const Operand& value : values) {
      texts.push_back(value.sql);
      absorb(result, value);
    }
    return with_sql(result, "(" + operand.sql + " IN (" + join(texts, ", ") + "))",
                    kBoolean);
  });
}

Result<Value> is_between(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(Operand lower,
               compiler.operand(*call.arguments.find("lower_bound"), StringIs::column));
  LAKEMILL_TRY(Operand upper,
               compiler.operand(*call.arguments.find("upper_bound"), StringIs::column));
  constexpr std::array<std::string_view, 4> kClosed = {"both", "left", "right", "none"};
  LAKEMILL_TRY(std::string closed, call.choice("closed", "both", kClosed));
  const std::string_view above = closed == "both" || closed == "left" ? ">=" : ">";
  const std::string_view below = closed == "both" || closed == "right" ? "<=" : "<";
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    return binary_operand("&", binary_operand(above, operand, lower),
                          binary_operand(below, operand, upper));
  });
}

Result<Value> is_close(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(Operand other,
               compiler.operand(*call.arguments.find("other"), StringIs::column));
  LAKEMILL_TRY(double absolute, call.real("abs_tol", 0.0));
  LAKEMILL_TRY(double relative, call.real("rel_tol", 1e-9));
  if (absolute < 0 || relative < 0 || relative >= 1) {
    return call.error("abs_tol is at least 0, and rel_tol at least 0 and below 1");
  }
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    const std::string x = operand.sql;
    const std::string y = other.sql;
    Operand result = operand;
    absorb(result, other);
    // Engines hold NaN to be equal to itself and above all numbers; it is close to
    // none, and an infinity only to itself.
    const auto within = [](const std::string& value, const char* comparison) {
      return "abs(CAST(" + value + " AS DOUBLE)) " + comparison +
             " CAST('Infinity' AS DOUBLE)";
    };
    return with_sql(result,
                    "((" + x + " = " + y + " AND " + within(x, "<=") + ") OR (" +
                        within(x, "<") + " AND " + within(y, "<") + " AND abs(" + x +
                        " - " + y + ") <= greatest(" + literal_sql(relative) +
                        " * greatest(abs(" + x + "), abs(" + y + ")), " +
                        literal_sql(absolute) + ")))",
                    kBoolean);
  });
}

// In the order of `over`: the value before, or after, that is not null.
Result<Value> fill_with_neighbour(Compiler& compiler, const Call& call,
                                  const std::string& strategy) {
  LAKEMILL_TRY_OK(compiler.need_order(call));
  LAKEMILL_TRY(std::int64_t limit, call.integer("limit", -1));
  const WindowSpec& window = compiler.window();
  const std::string reach = limit < 0 ? "UNBOUNDED" : std::to_string(limit);
  const bool forward = strategy == "forward";
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    LAKEMILL_TRY_OK(compiler.no_window_inside(call, operand));
    std::string sql = (forward ? "last_value(" : "first_value(") + operand.sql +
                      " IGNORE NULLS) OVER (";
    if (!window.partition.empty()) {
      sql += "PARTITION BY " + join(window.partition, ", ") + " ";
    }
    sql += "ORDER BY " + join(window.order, ", ") + " ROWS BETWEEN ";
    sql += forward ? reach + " PRECEDING AND CURRENT ROW)"
                   : "CURRENT ROW AND " + reach + " FOLLOWING)";
    Operand result = with_sql(operand, sql, operand.type);
    result.windows = true;
    return result;
  });
}

Result<Value> fill_null(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(std::string strategy, call.text("strategy", ""));
  const SyntaxNode* node = call.find("value");
  if (!strategy.empty()) {
    constexpr std::array<std::string_view, 2> kStrategies = {"forward", "backward"};
    LAKEMILL_TRY(strategy, call.choice("strategy", "", kStrategies));
    if (node != nullptr) return call.error("fill_null takes a value or a strategy");
    return fill_with_neighbour(compiler, call, strategy);
  }
  if (node == nullptr) return call.error("fill_null needs a value or a strategy");
  LAKEMILL_TRY(Operand value, compiler.operand(*node, StringIs::literal));
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    Operand result = operand;
    absorb(result, value);
    return with_sql(result, "coalesce(" + operand.sql + ", " + value.sql + ")",
                    operand.type);
  });
}

Result<Value> fill_nan(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(Operand value,
               compiler.operand(*call.arguments.find("value"), StringIs::literal));
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    return with_sql(operand,
                    "(CASE WHEN isnan(" + operand.sql + ") THEN " + value.sql +
                        " ELSE " + operand.sql + " END)",
                    operand.type);
  });
}

struct Mapping {
  std::vector<const SyntaxNode*> from;
  std::vector<const SyntaxNode*> to;
};

Result<Mapping> read_mapping(const Call& call) {
  Mapping mapping;
  const SyntaxNode& old_values = *call.arguments.find("old");
  const SyntaxNode* new_values = call.find("new");
  if (old_values.kind == NodeKind::dictionary && new_values == nullptr) {
    for (std::size_t i = 0; i + 1 < old_values.children.size(); i += 2) {
      mapping.from.push_back(old_values.children[i].get());
      mapping.to.push_back(old_values.children[i + 1].get());
    }
  } else if (old_values.kind == NodeKind::list && new_values != nullptr &&
             new_values->kind == NodeKind::list) {
    for (const SyntaxNodePtr& item : old_values.children)
      mapping.from.push_back(item.get());
    for (const SyntaxNodePtr& item : new_values->children)
      mapping.to.push_back(item.get());
  } else {
    return call.error("a mapping {old: new} or two lists are due");
  }
  if (mapping.from.size() != mapping.to.size() || mapping.from.empty()) {
    return call.error("there must be as many new values as old ones, and at least one");
  }
  return mapping;
}

Result<Value> replace_values(Compiler& compiler, const Call& call) {
  const bool strict = call.name == "replace_strict";
  LAKEMILL_TRY(Mapping mapping, read_mapping(call));
  std::optional<Operand> otherwise;
  if (strict && call.gives("default")) {
    LAKEMILL_TRY(otherwise,
                 compiler.operand(*call.arguments.find("default"), StringIs::literal));
  }
  std::optional<TypeName> type;
  if (const SyntaxNode* node = call.find("return_dtype")) {
    LAKEMILL_TRY(type, compiler.type_name(*node));
  }
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    Operand result = operand;
    std::string sql = "(CASE";
    for (std::size_t i = 0; i < mapping.from.size(); ++i) {
      LAKEMILL_TRY(Operand from, compiler.operand(*mapping.from[i], StringIs::literal));
      LAKEMILL_TRY(Operand to, compiler.operand(*mapping.to[i], StringIs::literal));
      const bool null = mapping.from[i]->kind == NodeKind::none;
      sql += " WHEN " + operand.sql + (null ? " IS NULL" : " = " + from.sql) +
             " THEN " + to.sql;
    }
    if (!strict) {
      sql += " ELSE " + operand.sql;
    } else if (otherwise) {
      sql += " ELSE " + otherwise->sql;
      absorb(result, *otherwise);
    } else {
      sql += " WHEN " + operand.sql +
             " IS NOT NULL THEN error('replace_strict: no new value for ' || CAST(" +
             operand.sql + " AS VARCHAR))";
    }
    result = with_sql(result, sql + " END)", std::nullopt);
    if (type) result = cast_operand(std::move(result), *type, true);
    return result;
  });
}

Result<Value> like(Compiler&, const Call& call) {
  LAKEMILL_TRY(std::string pattern, call.text("pattern", ""));
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    const std::string text = quote_literal(pattern);
    if (call.name == "rlike") {
      return with_sql(operand, "regexp_matches(" + operand.sql + ", " + text + ")",
                      kBoolean);
    }
    return with_sql(operand, "(" + operand.sql + " LIKE " + text + ")", kBoolean);
  });
}

// Operators as methods: add, sub, eq, …, and_, or_.
Result<Value> operator_method(Compiler& compiler, const Call& call) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 15> kSymbols = {
      {{"add", "+"},
       {"sub", "-"},
       {"mul", "*"},
       {"truediv", "/"},
       {"floordiv", "//"},
       {"mod", "%"},
       {"pow", "**"},
       {"eq", "=="},
       {"ne", "!="},
       {"lt", "<"},
       {"le", "<="},
       {"gt", ">"},
       {"ge", ">="},
       {"and_", "&"},
       {"or_", "|"}}};
  LAKEMILL_TRY(Operand other,
               compiler.operand(*call.arguments.find("other"), StringIs::literal));
  std::string_view symbol;
  for (const auto& [name, text] : kSymbols) {
    if (name == call.name) symbol = text;
  }
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    return binary_operand(symbol, std::move(operand), other);
  });
}

Result<Value> refuse_python(Compiler&, const Call& call) {
  return call.error("'" + std::string(call.name) +
                    "' runs Python code on rows, which is not done here; write the "
                    "expression, or SQL");
}

constexpr std::array kEntries = {
    FunctionEntry{"expr", "alias", "name", "Names the column.", alias},
    FunctionEntry{"expr", "cast", "dtype, strict=True",
                  "As another type; what does not fit fails, or is null if not strict.",
                  cast},
    FunctionEntry{"expr", "is_null", "", "True where null.", simple},
    FunctionEntry{"expr", "is_not_null", "", "True where not null.", simple},
    FunctionEntry{"expr", "isNull", "", "True where null (PySpark).", simple},
    FunctionEntry{"expr", "isNotNull", "", "True where not null (PySpark).", simple},
    FunctionEntry{"expr", "is_nan", "", "True where not a number; null stays null.",
                  simple},
    FunctionEntry{"expr", "is_not_nan", "", "True where a number.", simple},
    FunctionEntry{"expr", "is_finite", "", "True where neither infinite nor NaN.",
                  simple},
    FunctionEntry{"expr", "is_infinite", "", "True where infinite.", simple},
    FunctionEntry{"expr", "not_", "", "The same as ~.", simple},
    FunctionEntry{"expr", "neg", "", "The same as -.", simple},
    FunctionEntry{"expr", "abs", "", "Without its sign.", simple},
    FunctionEntry{"expr", "floor", "", "The next integer below.", simple},
    FunctionEntry{"expr", "ceil", "", "The next integer above.", simple},
    FunctionEntry{"expr", "sqrt", "", "The square root; NaN below 0.", simple},
    FunctionEntry{"expr", "cbrt", "", "The cube root.", simple},
    FunctionEntry{"expr", "exp", "", "e to the power of it.", simple},
    FunctionEntry{"expr", "sin", "", "The sine, in radians.", simple},
    FunctionEntry{"expr", "cos", "", "The cosine, in radians.", simple},
    FunctionEntry{"expr", "tan", "", "The tangent, in radians.", simple},
    FunctionEntry{"expr", "asin", "", "The arc sine, in radians.", simple},
    FunctionEntry{"expr", "acos", "", "The arc cosine, in radians.", simple},
    FunctionEntry{"expr", "atan", "", "The arc tangent, in radians.", simple},
    FunctionEntry{"expr", "degrees", "", "Radians as degrees.", simple},
    FunctionEntry{"expr", "radians", "", "Degrees as radians.", simple},
    FunctionEntry{"expr", "sign", "", "-1, 0 or 1.", sign},
    FunctionEntry{"expr", "log", "base=e",
                  "The logarithm; NaN below 0, minus infinity at 0.", log},
    FunctionEntry{"expr", "log10", "", "The logarithm to base 10.", log},
    FunctionEntry{"expr", "log1p", "", "The natural logarithm of 1 more.", log},
    FunctionEntry{"expr", "round", "decimals=0",
                  "Rounded; halves go to the even digit.", round},
    FunctionEntry{"expr", "clip", "lower_bound=None, upper_bound=None",
                  "Not below and not above the bounds; null stays null.", clip},
    FunctionEntry{"expr", "is_in", "*other",
                  "True if it is one of the list; null for null.", is_in},
    FunctionEntry{"expr", "isin", "*other", "True if it is one of these (PySpark).",
                  is_in},
    FunctionEntry{"expr", "is_between", "lower_bound, upper_bound, closed='both'",
                  "True between the bounds; closed: both, left, right, none.",
                  is_between},
    FunctionEntry{"expr", "between", "lower_bound, upper_bound",
                  "True between the bounds (PySpark).", is_between},
    FunctionEntry{"expr", "is_close", "other, *, abs_tol=0.0, rel_tol=1e-09",
                  "True if nearly equal.", is_close},
    FunctionEntry{
        "expr", "fill_null", "value=None, strategy=None, limit=None",
        "Another value for null; strategy: forward, backward, in the order of "
        "over(order_by=...).",
        fill_null},
    FunctionEntry{"expr", "fill_nan", "value", "Another value for NaN.", fill_nan},
    FunctionEntry{
        "expr", "replace_strict", "old, new=None, *, default=None, return_dtype=None",
        "New values for old ones; others give the default, or fail.", replace_values},
    FunctionEntry{"expr", "replace", "old, new=None",
                  "New values for old ones; others stay.", replace_values},
    FunctionEntry{"expr", "like", "pattern", "True if like the SQL pattern (PySpark).",
                  like},
    FunctionEntry{"expr", "rlike", "pattern",
                  "True if the regular expression matches (PySpark).", like},
    FunctionEntry{"expr", "add", "other", "The same as +.", operator_method},
    FunctionEntry{"expr", "sub", "other", "The same as -.", operator_method},
    FunctionEntry{"expr", "mul", "other", "The same as *.", operator_method},
    FunctionEntry{"expr", "truediv", "other", "The same as /.", operator_method},
    FunctionEntry{"expr", "floordiv", "other", "The same as //.", operator_method},
    FunctionEntry{"expr", "mod", "other", "The same as %.", operator_method},
    FunctionEntry{"expr", "pow", "other", "The same as **.", operator_method},
    FunctionEntry{"expr", "eq", "other", "The same as ==.", operator_method},
    FunctionEntry{"expr", "ne", "other", "The same as !=.", operator_method},
    FunctionEntry{"expr", "lt", "other", "The same as <.", operator_method},
    FunctionEntry{"expr", "le", "other", "The same as <=.", operator_method},
    FunctionEntry{"expr", "gt", "other", "The same as >.", operator_method},
    FunctionEntry{"expr", "ge", "other", "The same as >=.", operator_method},
    FunctionEntry{"expr", "and_", "other", "The same as &.", operator_method},
    FunctionEntry{"expr", "or_", "other", "The same as |.", operator_method},
    FunctionEntry{"expr", "map_batches", "*function", "Refused: runs Python code.",
                  refuse_python},
    FunctionEntry{"expr", "map_elements", "*function", "Refused: runs Python code.",
                  refuse_python},
    FunctionEntry{"expr", "pipe", "*function", "Refused: runs Python code.",
                  refuse_python},
};

}  // namespace

std::span<const FunctionEntry> elementwise_functions() { return kEntries; }

}  // namespace lakemill::language
