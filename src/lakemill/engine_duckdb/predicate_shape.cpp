#include "lakemill/engine_duckdb/predicate_shape.h"

#include <functional>
#include <set>

#include <duckdb/parser/expression/list.hpp>
#include <duckdb/parser/parsed_expression_iterator.hpp>

#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/error_mapping.h"
#include "lakemill/engine_duckdb/sql_functions.h"

namespace lakemill::engine_duckdb {

namespace {

using duckdb::ExpressionClass;
using duckdb::ParsedExpression;

// DuckDB's own, which it lists only where a database is open.
constexpr std::string_view kAggregates =
    "any_value approx_count_distinct approx_quantile approx_top_k arbitrary "
    "arg_max arg_max_null arg_max_nulls_last arg_min arg_min_null "
    "arg_min_nulls_last argmax argmin array_agg avg bit_and bit_or bit_xor "
    "bitstring_agg bool_and bool_or corr count count_if count_star countif "
    "covar_pop covar_samp entropy favg first fsum geomean geometric_mean "
    "group_concat histogram histogram_exact kahan_sum kurtosis kurtosis_pop last "
    "list listagg mad max max_by mean median min min_by mode product quantile "
    "quantile_cont quantile_disc regr_avgx regr_avgy regr_count regr_intercept "
    "regr_r2 regr_slope regr_sxx regr_sxy regr_syy reservoir_quantile sem skewness "
    "stddev "
    "stddev_pop stddev_samp string_agg sum sum_no_overflow sumkahan var_pop "
    "var_samp variance wavg weighted_avg";

void each_child(const ParsedExpression& expression,
                const std::function<void(const ParsedExpression&)>& call) {
  duckdb::ParsedExpressionIterator::EnumerateChildren(expression, call);
}

// The name that a call has, in lower case; empty of anything else.
std::string called(const ParsedExpression& expression) {
  if (expression.GetExpressionClass() != ExpressionClass::FUNCTION) return "";
  return to_lower(expression.Cast<duckdb::FunctionExpression>().function_name);
}

bool calls_any(const ParsedExpression& expression, const std::set<std::string>& names) {
  if (names.contains(called(expression))) return true;
  bool found = false;
  each_child(expression, [&](const ParsedExpression& child) {
    found = found || calls_any(child, names);
  });
  return found;
}

// DuckDB's, and those of our macros that are made of one.
std::set<std::string> all_aggregates() {
  std::set<std::string> names;
  for (const std::string& name : split(kAggregates, ' ')) names.insert(name);
  for (const SqlFunction& function : sql_functions()) {
    const auto body = duckdb::Parser::ParseExpressionList(std::string(function.body));
    if (calls_any(*body.front(), names)) names.emplace(function.name);
  }
  return names;
}

const std::set<std::string>& aggregate_names() {
  static const std::set<std::string> names = all_aggregates();
  return names;
}

// What is said of something that looks at more rows than `use` does.
std::string_view remedy(PredicateUse use) {
  switch (use) {
    case PredicateUse::filter:
      return "a filter looks at one row; filter in a step of the transformer, behind "
             "the one that computes it";
    case PredicateUse::condition:
      return "a condition of a merge looks at one change; compute it in a step of the "
             "transformer";
    case PredicateUse::row_check:
      return "a ROW expectation looks at one row; give it type: AGGREGATE";
    case PredicateUse::aggregate:
    case PredicateUse::any:
      break;
  }
  return "an AGGREGATE expectation gives one value for all rows; leave type out to "
         "check each row";
}

[[noreturn]] void refuse(const ParsedExpression& expression, const std::string& what) {
  throw_error(Error(ErrorCode::invalid, what), expression.GetQueryLocation());
}

class Shape {
 public:
  explicit Shape(PredicateUse use) : use_(use) {}

  void look_at(const ParsedExpression& expression) {
    switch (expression.GetExpressionClass()) {
      case ExpressionClass::WINDOW:
        window(expression);
        break;
      case ExpressionClass::FUNCTION:
        call(expression);
        return;
      case ExpressionClass::STAR:
        star(expression);
        return;
      case ExpressionClass::COLUMN_REF:
        if (column_ == nullptr) column_ = &expression;
        return;
      case ExpressionClass::LAMBDA:  // its parameters look like columns
        return;
      case ExpressionClass::OPERATOR:  // unpacked columns are arguments
        if (expression.GetExpressionType() == duckdb::ExpressionType::OPERATOR_UNPACK) {
          return;
        }
        break;
      default:
        break;
    }
    children(expression);
  }

  // What only the whole can tell.
  void finish() const {
    if (use_ != PredicateUse::aggregate || has_aggregate_) return;
    const ParsedExpression* row = window_ != nullptr ? window_ : column_;
    if (row == nullptr) return;
    refuse(*row, "no aggregate is called here, so each row gives another value, and " +
                     std::string(remedy(use_)));
  }

 private:
  void children(const ParsedExpression& expression) {
    each_child(expression, [this](const ParsedExpression& child) { look_at(child); });
  }

  void window(const ParsedExpression& expression) {
    if (window_ == nullptr) window_ = &expression;
    if (use_ != PredicateUse::filter) return;
    refuse(expression,
           "a window function looks at other rows, and " + std::string(remedy(use_)));
  }

  void call(const ParsedExpression& expression) {
    const std::string name = called(expression);
    if (name == "unnest" || name == "unlist") {
      refuse(expression, name +
                             " makes several rows of one, and one value is due here; "
                             "unnest in a step of the transformer");
    }
    if (!aggregate_names().contains(name)) return children(expression);
    has_aggregate_ = true;
    if (use_ != PredicateUse::aggregate) {
      refuse(expression, (name == "count_star" ? "count" : name) +
                             " is an aggregate of many rows, and " +
                             std::string(remedy(use_)));
    }
    children(expression);
  }

  void star(const ParsedExpression& expression) const {
    // The conditions of all columns are one in WHERE.
    const bool is_columns = duckdb::StarExpression::IsColumns(expression);
    if (is_columns && use_ == PredicateUse::filter) return;
    refuse(expression, std::string(is_columns ? "COLUMNS" : "*") +
                           " gives several values, and one is due here; name each "
                           "column, or put them into one call: "
                           "least(*COLUMNS(*)) > 0");
  }

  PredicateUse use_;
  bool has_aggregate_ = false;
  const ParsedExpression* window_ = nullptr;
  const ParsedExpression* column_ = nullptr;
};

}  // namespace

void refuse_other_shapes(const ParsedExpression& predicate, PredicateUse use) {
  if (use == PredicateUse::any) return;
  Shape shape(use);
  shape.look_at(predicate);
  shape.finish();
}

}  // namespace lakemill::engine_duckdb
