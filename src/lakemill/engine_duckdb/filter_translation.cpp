#include "lakemill/engine_duckdb/filter_translation.h"

#include <cmath>
#include <optional>

#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/type_mapping.h"

namespace lakemill::engine_duckdb {
namespace {

using data::Comparison;
using duckdb::Expression;
using duckdb::ExpressionClass;
using duckdb::ExpressionType;
using Op = data::Comparison::Op;

std::optional<Op> op_of(ExpressionType type) {
  switch (type) {
    case ExpressionType::COMPARE_EQUAL:
      return Op::eq;
    case ExpressionType::COMPARE_LESSTHAN:
      return Op::lt;
    case ExpressionType::COMPARE_LESSTHANOREQUALTO:
      return Op::le;
    case ExpressionType::COMPARE_GREATERTHAN:
      return Op::gt;
    case ExpressionType::COMPARE_GREATERTHANOREQUALTO:
      return Op::ge;
    default:
      return std::nullopt;
  }
}

bool is_plain(const duckdb::LogicalType& type) {
  switch (type.id()) {
    case duckdb::LogicalTypeId::BOOLEAN:
    case duckdb::LogicalTypeId::TINYINT:
    case duckdb::LogicalTypeId::SMALLINT:
    case duckdb::LogicalTypeId::INTEGER:
    case duckdb::LogicalTypeId::BIGINT:
    case duckdb::LogicalTypeId::FLOAT:
    case duckdb::LogicalTypeId::DOUBLE:
    case duckdb::LogicalTypeId::DECIMAL:
    case duckdb::LogicalTypeId::VARCHAR:
    case duckdb::LogicalTypeId::DATE:
    case duckdb::LogicalTypeId::TIMESTAMP:
    case duckdb::LogicalTypeId::TIMESTAMP_TZ:
      return true;
    default:
      return false;
  }
}

bool is_nan(const data::Value& value) {
  const auto* number = std::get_if<double>(&value);
  return number != nullptr && std::isnan(*number);
}

void add(const std::string& column, Op op, const duckdb::Value& constant,
         std::vector<Comparison>& out) {
  if (column.empty() || constant.IsNull() || !is_plain(constant.type())) return;
  auto value = from_duckdb(constant);
  if (is_nan(value)) return;
  const bool floating = std::holds_alternative<double>(value);
  if (floating && (op == Op::gt || op == Op::ge)) return;
  out.push_back({.column = column, .op = op, .values = {std::move(value)}});
}

void add_in(const std::string& column, const duckdb::vector<duckdb::Value>& constants,
            std::vector<Comparison>& out) {
  if (column.empty()) return;
  Comparison in{.column = column, .op = Op::in, .values = {}};
  for (const auto& constant : constants) {
    if (constant.IsNull()) continue;  // a comparison with null is never true
    if (!is_plain(constant.type())) return;
    auto value = from_duckdb(constant);
    if (is_nan(value)) return;
    in.values.push_back(std::move(value));
  }
  out.push_back(std::move(in));
}

// The name of a column, or "a.b" of a field of a struct column.
std::string column_of(const Expression& expression, const ColumnName& column_name) {
  if (expression.GetExpressionClass() == ExpressionClass::BOUND_COLUMN_REF) {
    return column_name(
        expression.Cast<duckdb::BoundColumnRefExpression>().binding.column_index);
  }
  if (expression.GetExpressionClass() != ExpressionClass::BOUND_FUNCTION) return "";
  const auto& call = expression.Cast<duckdb::BoundFunctionExpression>();
  const bool by_name = call.function.name == "struct_extract";
  if (!by_name || call.children.size() != 2 ||
      call.children[0]->return_type.id() != duckdb::LogicalTypeId::STRUCT ||
      call.children[1]->GetExpressionClass() != ExpressionClass::BOUND_CONSTANT) {
    return "";
  }
  const auto& key = call.children[1]->Cast<duckdb::BoundConstantExpression>().value;
  if (key.IsNull() || key.type().id() != duckdb::LogicalTypeId::VARCHAR) return "";
  const auto outer = column_of(*call.children[0], column_name);
  return outer.empty() ? "" : outer + "." + key.ToString();
}

const duckdb::Value* constant_of(const Expression& expression) {
  if (expression.GetExpressionClass() != ExpressionClass::BOUND_CONSTANT) {
    return nullptr;
  }
  return &expression.Cast<duckdb::BoundConstantExpression>().value;
}

void add_comparison(const duckdb::BoundComparisonExpression& comparison,
                    const ColumnName& column_name, std::vector<Comparison>& out) {
  const auto* right = constant_of(*comparison.right);
  const auto* left = constant_of(*comparison.left);
  if (right != nullptr) {
    const auto op = op_of(comparison.GetExpressionType());
    if (op) add(column_of(*comparison.left, column_name), *op, *right, out);
  } else if (left != nullptr) {
    const auto op =
        op_of(duckdb::FlipComparisonExpression(comparison.GetExpressionType()));
    if (op) add(column_of(*comparison.right, column_name), *op, *left, out);
  }
}

void add_operator(const duckdb::BoundOperatorExpression& call,
                  const ColumnName& column_name, std::vector<Comparison>& out) {
  const auto type = call.GetExpressionType();
  if (call.children.empty()) return;
  const auto column = column_of(*call.children[0], column_name);
  if (column.empty()) return;
  if (type == ExpressionType::OPERATOR_IS_NULL) {
    out.push_back({.column = column, .op = Op::is_null, .values = {}});
  } else if (type == ExpressionType::OPERATOR_IS_NOT_NULL) {
    out.push_back({.column = column, .op = Op::is_not_null, .values = {}});
  } else if (type == ExpressionType::COMPARE_IN) {
    duckdb::vector<duckdb::Value> constants;
    for (std::size_t i = 1; i < call.children.size(); ++i) {
      const auto* constant = constant_of(*call.children[i]);
      if (constant == nullptr) return;
      constants.push_back(*constant);
    }
    add_in(column, constants, out);
  }
}

void add_between(const duckdb::BoundBetweenExpression& between,
                 const ColumnName& column_name, std::vector<Comparison>& out) {
  const auto column = column_of(*between.input, column_name);
  if (const auto* lower = constant_of(*between.lower)) {
    add(column, between.lower_inclusive ? Op::ge : Op::gt, *lower, out);
  }
  if (const auto* upper = constant_of(*between.upper)) {
    add(column, between.upper_inclusive ? Op::le : Op::lt, *upper, out);
  }
}

}  // namespace

void add_comparisons(const Expression& filter, const ColumnName& column_name,
                     std::vector<Comparison>& out) {
  switch (filter.GetExpressionClass()) {
    case ExpressionClass::BOUND_COMPARISON:
      return add_comparison(filter.Cast<duckdb::BoundComparisonExpression>(),
                            column_name, out);
    case ExpressionClass::BOUND_OPERATOR:
      return add_operator(filter.Cast<duckdb::BoundOperatorExpression>(), column_name,
                          out);
    case ExpressionClass::BOUND_BETWEEN:
      return add_between(filter.Cast<duckdb::BoundBetweenExpression>(), column_name,
                         out);
    case ExpressionClass::BOUND_CONJUNCTION:
      if (filter.GetExpressionType() != ExpressionType::CONJUNCTION_AND) return;
      for (const auto& child :
           filter.Cast<duckdb::BoundConjunctionExpression>().children) {
        add_comparisons(*child, column_name, out);
      }
      return;
    default:
      return;
  }
}

void add_comparisons(const duckdb::TableFilter& filter, const std::string& column,
                     std::vector<Comparison>& out) {
  switch (filter.filter_type) {
    case duckdb::TableFilterType::CONSTANT_COMPARISON: {
      const auto& comparison = filter.Cast<duckdb::ConstantFilter>();
      if (const auto op = op_of(comparison.comparison_type)) {
        add(column, *op, comparison.constant, out);
      }
      return;
    }
    case duckdb::TableFilterType::IS_NULL:
      out.push_back({.column = column, .op = Op::is_null, .values = {}});
      return;
    case duckdb::TableFilterType::IS_NOT_NULL:
      out.push_back({.column = column, .op = Op::is_not_null, .values = {}});
      return;
    case duckdb::TableFilterType::CONJUNCTION_AND:
      for (const auto& child :
           filter.Cast<duckdb::ConjunctionAndFilter>().child_filters) {
        add_comparisons(*child, column, out);
      }
      return;
    case duckdb::TableFilterType::STRUCT_EXTRACT: {
      const auto& field = filter.Cast<duckdb::StructFilter>();
      return add_comparisons(*field.child_filter, column + "." + field.child_name, out);
    }
    case duckdb::TableFilterType::OPTIONAL_FILTER: {
      const auto& optional = filter.Cast<duckdb::OptionalFilter>();
      if (optional.child_filter) add_comparisons(*optional.child_filter, column, out);
      return;
    }
    case duckdb::TableFilterType::IN_FILTER:
      return add_in(column, filter.Cast<duckdb::InFilter>().values, out);
    case duckdb::TableFilterType::DYNAMIC_FILTER: {
      const auto& dynamic = filter.Cast<duckdb::DynamicFilter>();
      if (!dynamic.filter_data || !dynamic.filter_data->initialized) return;
      const std::lock_guard<std::mutex> guard(dynamic.filter_data->lock);
      if (dynamic.filter_data->filter) {
        add_comparisons(*dynamic.filter_data->filter, column, out);
      }
      return;
    }
    default:
      return;
  }
}

}  // namespace lakemill::engine_duckdb
