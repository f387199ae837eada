#include <array>
#include <charconv>

#include "lakemill/base/text.h"
#include "lakemill/language/expression_compiler.h"

// Operators: arithmetic, comparisons and logic of columns, with Python's meaning.

namespace lakemill::language {
namespace {

using data::TypeKind;

constexpr std::string_view kNegativePower =
    "a whole number to a negative power is a fraction: cast one of the two to "
    "nw.Float64() first";

std::string infix(const Operand& left, std::string_view symbol, const Operand& right) {
  return "(" + left.sql + " " + std::string(symbol) + " " + right.sql + ")";
}

bool is_comparison(std::string_view symbol) {
  return symbol == "==" || symbol == "!=" || symbol == "<" || symbol == "<=" ||
         symbol == ">" || symbol == ">=";
}

std::optional<data::Type> arithmetic_type(const Operand& left, const Operand& right) {
  if (!left.is_numeric() || !right.is_numeric()) return std::nullopt;
  if (left.is_real() || right.is_real()) return data::make_type(TypeKind::float64);
  if (left.is(TypeKind::decimal) || right.is(TypeKind::decimal)) return std::nullopt;
  return data::make_type(TypeKind::int64);
}

Operand logic(std::string_view symbol, const Operand& left, const Operand& right) {
  const std::optional<data::Type> boolean = data::make_type(TypeKind::boolean);
  if (left.is_integer() && right.is_integer()) {
    if (symbol == "^") {
      return with_sql(left, "xor(" + left.sql + ", " + right.sql + ")", left.type);
    }
    return with_sql(left, infix(left, symbol, right), left.type);
  }
  const std::string_view word = symbol == "&" ? "AND" : symbol == "|" ? "OR" : "<>";
  return with_sql(left, infix(left, word, right), boolean);
}

Operand subtract(const Operand& left, const Operand& right) {
  const bool times = (left.is_timestamp() || left.is(TypeKind::date)) &&
                     (right.is_timestamp() || right.is(TypeKind::date));
  if (!times)
    return with_sql(left, infix(left, "-", right), arithmetic_type(left, right));
  auto as_time = [](const Operand& operand) {
    return operand.is(TypeKind::date) ? "CAST(" + operand.sql + " AS TIMESTAMP)"
                                      : operand.sql;
  };
  Operand result =
      with_sql(left, "(" + as_time(left) + " - " + as_time(right) + ")", std::nullopt);
  result.duration = true;
  return result;
}

Operand add(const Operand& left, const Operand& right) {
  if (left.is(TypeKind::string) || right.is(TypeKind::string)) {
    return with_sql(left, infix(left, "||", right), data::make_type(TypeKind::string));
  }
  if (left.duration != right.duration) {
    return with_sql(left, infix(left, "+", right),
                    left.duration ? right.type : left.type);
  }
  Operand result =
      with_sql(left, infix(left, "+", right), arithmetic_type(left, right));
  result.duration = left.duration;
  return result;
}

// Rounds towards minus infinity; the engine's // cuts integers and does not round
// fractions at all.
Operand floor_divide(const Operand& left, const Operand& right) {
  if (left.is_integer() && right.is_integer()) {
    const std::string a = left.sql;
    const std::string b = right.sql;
    return with_sql(left,
                    "((" + a + " // " + b + ") - CASE WHEN (" + a + " % " + b +
                        ") <> 0 AND (" + a + " < 0) <> (" + b +
                        " < 0) THEN 1 ELSE 0 END)",
                    data::make_type(TypeKind::int64));
  }
  return with_sql(left, "floor(" + left.sql + " / nullif(" + right.sql + ", 0))",
                  arithmetic_type(left, right));
}

// The result has the sign of the divisor; nullif: the engine gives NaN for fractions.
Operand modulo(const Operand& left, const Operand& right) {
  const std::string b = "nullif(" + right.sql + ", 0)";
  return with_sql(left,
                  "(((" + left.sql + " % " + b + ") + " + right.sql + ") % " + b + ")",
                  arithmetic_type(left, right));
}

// A product of as many factors as the exponent says: exact, where pow() would go
// through fractions, and an error where 64 bits do not hold it. More than 64 factors
// are none but 0, 1 and -1, of which only the sign still changes.
Operand integer_power(const Operand& left, const Operand& right) {
  const std::string exponent = "CAST(" + right.sql + " AS BIGINT)";
  const std::string count = "CASE WHEN " + exponent + " < 0 THEN error('" +
                            std::string(kNegativePower) + "') WHEN " + exponent +
                            " > 64 THEN 64 + " + exponent + " % 2 ELSE " + exponent +
                            " END";
  const std::string factors = "list_resize([CAST(1 AS BIGINT)], (" + count +
                              ") + 1, CAST(" + left.sql + " AS BIGINT))";
  return with_sql(left,
                  "(CASE WHEN " + exponent + " IS NOT NULL THEN list_reduce(" +
                      factors + ", lambda x, y: x * y) END)",
                  data::make_type(TypeKind::int64));
}

Operand power(const Operand& left, const Operand& right) {
  if (left.is_integer() && right.is_integer()) return integer_power(left, right);
  return with_sql(left, "pow(" + left.sql + ", " + right.sql + ")",
                  data::make_type(TypeKind::float64));
}

}  // namespace

std::string literal_sql(std::int64_t value) {
  std::string text = std::to_string(value);
  return value < 0 ? "(" + text + ")" : text;
}

std::string literal_sql(double value) {
  std::array<char, 64> buffer{};
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  std::string text(buffer.data(), end);
  if (text == "inf" || text == "-inf" || text == "nan") {
    return "CAST('" + text + "' AS DOUBLE)";
  }
  if (text.find('e') == std::string::npos) text += "e0";
  return value < 0 ? "(" + text + ")" : text;
}

Operand binary_operand(std::string_view symbol, Operand left, const Operand& right) {
  absorb(left, right);
  if (is_comparison(symbol)) {
    const std::string_view word = symbol == "==" ? "=" : symbol == "!=" ? "<>" : symbol;
    return with_sql(left, infix(left, word, right), data::make_type(TypeKind::boolean));
  }
  if (symbol == "&" || symbol == "|" || symbol == "^")
    return logic(symbol, left, right);
  if (symbol == "+") return add(left, right);
  if (symbol == "-") return subtract(left, right);
  if (symbol == "//") return floor_divide(left, right);
  if (symbol == "%") return modulo(left, right);
  if (symbol == "**") return power(left, right);
  if (symbol == "/") {
    return with_sql(left, infix(left, "/", right), data::make_type(TypeKind::float64));
  }
  return with_sql(left, infix(left, symbol, right), arithmetic_type(left, right));
}

Result<Value> Compiler::compile_binary(const SyntaxNode& node) {
  const SyntaxNode& left_node = *node.children[0];
  const SyntaxNode& right_node = *node.children[1];
  LAKEMILL_TRY(std::vector<Operand> left, columns(left_node, StringIs::literal));
  LAKEMILL_TRY(Operand right, operand(right_node, StringIs::literal));
  const bool left_is_constant =
      left_node.kind == NodeKind::integer || left_node.kind == NodeKind::real ||
      left_node.kind == NodeKind::string || left_node.kind == NodeKind::boolean ||
      left_node.kind == NodeKind::none || left_node.kind == NodeKind::unary;
  const bool negative_power = node.text == "**" &&
                              right_node.kind == NodeKind::integer &&
                              right_node.integer < 0;
  std::vector<Operand> results;
  for (Operand& operand : left) {
    if (negative_power && operand.is_integer()) {
      return error_at(right_node.position, kNegativePower);
    }
    const std::string name = operand.name;
    const bool small_power = node.text == "**" && operand.is_integer() &&
                             right_node.kind == NodeKind::integer &&
                             right_node.integer >= 1 && right_node.integer <= 8;
    if (small_power) {
      // Exact, where pow() would go through fractions.
      std::vector<std::string> factors(static_cast<std::size_t>(right_node.integer),
                                       "CAST(" + operand.sql + " AS BIGINT)");
      results.push_back(with_sql(operand, "(" + join(factors, " * ") + ")",
                                 data::make_type(TypeKind::int64)));
    } else {
      results.push_back(binary_operand(node.text, operand, right));
    }
    // As Python: 5 < col is col > 5, but 5 + col starts from the constant.
    if (left_is_constant && name == "literal" && is_comparison(node.text)) {
      results.back().name = right.name;
      results.back().aliased = right.aliased;
    }
  }
  return columns_value(std::move(results));
}

Result<Value> Compiler::compile_unary(const SyntaxNode& node) {
  LAKEMILL_TRY(std::vector<Operand> operands,
               columns(*node.children[0], StringIs::literal));
  for (Operand& operand : operands) {
    if (node.text == "+") continue;
    if (node.text == "-") {
      const bool duration = operand.duration;
      operand = with_sql(operand, "(-" + operand.sql + ")", operand.type);
      operand.duration = duration;
    } else if (operand.is_integer()) {
      operand = with_sql(operand, "(~" + operand.sql + ")", operand.type);
    } else {
      operand = with_sql(operand, "(NOT " + operand.sql + ")",
                         data::make_type(TypeKind::boolean));
    }
  }
  return columns_value(std::move(operands));
}

Operand when_operand(const Value& value, const Operand* otherwise) {
  Operand result = value.results.front();
  std::string sql = "CASE";
  for (std::size_t i = 0; i < value.results.size(); ++i) {
    sql += " WHEN " + value.conditions[i].sql + " THEN " + value.results[i].sql;
    absorb(result, value.conditions[i]);
    absorb(result, value.results[i]);
  }
  std::optional<data::Type> type = result.type;
  auto agree = [&type](const Operand& other) {
    if (!type || !other.type || *type == *other.type || other.is(TypeKind::void_type)) {
      return;
    }
    type = std::nullopt;
  };
  for (const Operand& other : value.results) agree(other);
  if (otherwise != nullptr) {
    sql += " ELSE " + otherwise->sql;
    absorb(result, *otherwise);
    agree(*otherwise);
  }
  return with_sql(std::move(result), "(" + sql + " END)", std::move(type));
}

}  // namespace lakemill::language
