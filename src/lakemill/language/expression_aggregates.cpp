#include <array>

#include "lakemill/base/text.h"
#include "lakemill/language/expression_compiler.h"

// Methods of an expression that look at several rows: aggregates and window functions.

namespace lakemill::language {
namespace {

using data::TypeKind;

const data::Type kBoolean = data::make_type(TypeKind::boolean);
const data::Type kDouble = data::make_type(TypeKind::float64);
const data::Type kInteger = data::make_type(TypeKind::int64);

using Build = std::function<std::string(const Operand&)>;

// One aggregate for each column; `build` writes it with Compiler::aggregate.
Result<Value> each_aggregate(Compiler& compiler, const Call& call,
                             const std::optional<data::Type>& type,
                             const Build& build) {
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    return compiler.finish_aggregate(call, operand, build(operand), type);
  });
}

Result<Value> sum(Compiler& compiler, const Call& call) {
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    std::optional<data::Type> type;
    if (operand.is_integer() || operand.is(TypeKind::boolean)) type = kInteger;
    if (operand.is_real()) type = kDouble;
    return compiler.finish_aggregate(
        call, operand,
        "coalesce(" + compiler.aggregate("sum(" + operand.sql + ")") + ", 0)", type);
  });
}

Result<Value> extreme(Compiler& compiler, const Call& call) {
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    return compiler.finish_aggregate(
        call, operand,
        compiler.aggregate(std::string(call.name) + "(" + operand.sql + ")"),
        operand.type);
  });
}

Result<Value> mean(Compiler& compiler, const Call& call) {
  return each_aggregate(compiler, call, kDouble, [&](const Operand& operand) {
    return compiler.aggregate("avg(" + operand.sql + ")");
  });
}

Result<Value> median(Compiler& compiler, const Call& call) {
  return each_aggregate(compiler, call, std::nullopt, [&](const Operand& operand) {
    return compiler.aggregate("median(" + operand.sql + ")");
  });
}

Result<Value> count(Compiler& compiler, const Call& call) {
  return each_aggregate(compiler, call, kInteger, [&](const Operand& operand) {
    return compiler.aggregate("count(" + operand.sql + ")");
  });
}

Result<Value> len(Compiler& compiler, const Call& call) {
  return each_aggregate(compiler, call, kInteger,
                        [&](const Operand&) { return compiler.aggregate("count(*)"); });
}

Result<Value> null_count(Compiler& compiler, const Call& call) {
  return each_aggregate(compiler, call, kInteger, [&](const Operand& operand) {
    return "(" + compiler.aggregate("count(*)") + " - " +
           compiler.aggregate("count(" + operand.sql + ")") + ")";
  });
}

// Null counts as a value.
Result<Value> n_unique(Compiler& compiler, const Call& call) {
  return each_aggregate(compiler, call, kInteger, [&](const Operand& operand) {
    return "(" + compiler.aggregate("count(DISTINCT " + operand.sql + ")") +
           " + CAST(" + compiler.aggregate("count(*)") + " > " +
           compiler.aggregate("count(" + operand.sql + ")") + " AS BIGINT))";
  });
}

Result<Value> any(Compiler& compiler, const Call& call) {
  return each_aggregate(compiler, call, kBoolean, [&](const Operand& operand) {
    return "coalesce(" + compiler.aggregate("bool_or(" + operand.sql + ")") +
           ", FALSE)";
  });
}

Result<Value> all(Compiler& compiler, const Call& call) {
  return each_aggregate(compiler, call, kBoolean, [&](const Operand& operand) {
    return "coalesce(" + compiler.aggregate("bool_and(" + operand.sql + ")") +
           ", TRUE)";
  });
}

Result<Value> deviation(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(std::int64_t ddof, call.integer("ddof", 1));
  if (ddof < 0) return call.error("ddof is 0 or more");
  const bool is_std = call.name == "std";
  return each_aggregate(compiler, call, kDouble, [&](const Operand& operand) {
    const std::string& x = operand.sql;
    if (ddof <= 1) {
      const std::string name =
          std::string(is_std ? "stddev" : "var") + (ddof == 0 ? "_pop(" : "_samp(");
      return compiler.aggregate(name + x + ")");
    }
    const std::string n = compiler.aggregate("count(" + x + ")");
    const std::string variance = compiler.aggregate("var_pop(" + x + ")") + " * " + n +
                                 " / (" + n + " - " + std::to_string(ddof) + ")";
    return "(CASE WHEN " + n + " > " + std::to_string(ddof) + " THEN " +
           (is_std ? "sqrt(" + variance + ")" : variance) + " END)";
  });
}

// The engine's skewness is that of a sample, Polars' that of the population.
Result<Value> skew(Compiler& compiler, const Call& call) {
  return each_aggregate(compiler, call, kDouble, [&](const Operand& operand) {
    const std::string& x = operand.sql;
    const std::string n = compiler.aggregate("count(" + x + ")");
    return "(CASE WHEN " + n + " = 0 THEN NULL WHEN " + n +
           " = 1 THEN CAST('nan' AS DOUBLE) WHEN " + n + " = 2 THEN 0e0 ELSE " +
           compiler.aggregate("skewness(" + x + ")") + " * (" + n + " - 2) / sqrt(" +
           n + " * (" + n + " - 1)) END)";
  });
}

Result<Value> kurtosis(Compiler& compiler, const Call& call) {
  return each_aggregate(compiler, call, kDouble, [&](const Operand& operand) {
    return compiler.aggregate("kurtosis_pop(" + operand.sql + ")");
  });
}

Result<Value> quantile(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(double q, call.real("quantile", 0.5));
  if (!(q >= 0 && q <= 1)) return call.error("quantile is between 0 and 1");
  constexpr std::array<std::string_view, 5> kKinds = {"nearest", "linear", "lower",
                                                      "higher", "midpoint"};
  LAKEMILL_TRY(std::string kind, call.choice("interpolation", "nearest", kKinds));
  return each_aggregate(compiler, call, kDouble, [&](const Operand& operand) {
    const std::string& x = operand.sql;
    const std::string number = literal_sql(q);
    if (kind == "linear") {
      return compiler.aggregate("quantile_cont(" + x + ", " + number + ")");
    }
    const std::string sorted =
        "list_sort(" +
        compiler.aggregate("list(" + x + ") FILTER (WHERE " + x + " IS NOT NULL)") +
        ")";
    const std::string place =
        "(" + number + " * (" + compiler.aggregate("count(" + x + ")") + " - 1))";
    auto item = [&](std::string_view rounding) {
      return "CAST(list_extract(" + sorted + ", CAST(" + std::string(rounding) + place +
             " AS BIGINT) + 1) AS DOUBLE)";
    };
    if (kind == "lower") return item("floor");
    if (kind == "higher") return item("ceil");
    if (kind == "nearest") return item("round");
    return "((" + item("floor") + " + " + item("ceil") + ") / 2)";
  });
}

Result<Value> mode(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(std::string keep, call.text("keep", "all"));
  if (keep != "any") {
    return call.error("mode may give several rows; write mode(keep=\"any\")");
  }
  // The least of the most frequent values, so that the answer does not depend on order.
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    const std::string sql =
        compiler.aggregate("mode(" + operand.sql + " ORDER BY " + operand.sql + ")");
    return compiler.finish_aggregate(call, operand, sql, operand.type);
  });
}

// The order of `first` and `last`: their own order_by, or that of `over`.
Result<std::string> own_order(Compiler& compiler, const Call& call) {
  if (const SyntaxNode* node = call.find("order_by")) {
    LAKEMILL_TRY(std::vector<Operand> operands,
                 compiler.columns(*node, StringIs::column));
    std::vector<std::string> terms;
    for (const Operand& operand : operands) {
      LAKEMILL_TRY_OK(compiler.no_window_inside(call, operand));
      terms.push_back(operand.sql + " ASC NULLS FIRST");
    }
    return join(terms, ", ");
  }
  if (compiler.in_over() && !compiler.window().order.empty()) {
    return join(compiler.window().order, ", ");
  }
  return call.error("'" + std::string(call.name) +
                    "' depends on the order of rows, which a table does not have; give "
                    "order_by=\"column\"");
}

Result<Value> first_last(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(std::string order, own_order(compiler, call));
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    return compiler.finish_aggregate(
        call, operand,
        compiler.aggregate(std::string(call.name) + "(" + operand.sql + " ORDER BY " +
                           order + ")"),
        operand.type);
  });
}

Result<Value> any_value(Compiler& compiler, const Call& call) {
  // Any will do, and the least is the same one every time.
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    return compiler.finish_aggregate(
        call, operand, compiler.aggregate("min(" + operand.sql + ")"), operand.type);
  });
}

Result<Value> collect(Compiler& compiler, const Call& call) {
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    std::optional<data::Type> type;
    if (operand.type) type = data::make_array(*operand.type, true);
    const std::string all = compiler.aggregate("list(" + operand.sql + ")");
    return compiler.finish_aggregate(call, operand, "list_sort(" + all + ")", type);
  });
}

// ------------------------------------------------------------------------- windows

struct Frame {
  bool ordered = true;
  bool reversed = false;
  std::string rows;  ///< "ROWS BETWEEN …", or empty
};

std::string window_sql(const Compiler& compiler, const std::string& function,
                       const std::vector<std::string>& more_partition,
                       const Frame& frame) {
  const WindowSpec& window = compiler.window();
  std::vector<std::string> partition = window.partition;
  partition.insert(partition.end(), more_partition.begin(), more_partition.end());
  std::vector<std::string> parts;
  if (!partition.empty()) parts.push_back("PARTITION BY " + join(partition, ", "));
  const std::vector<std::string>& order =
      frame.reversed ? window.order_reversed : window.order;
  if (frame.ordered && !order.empty()) parts.push_back("ORDER BY " + join(order, ", "));
  if (!frame.rows.empty()) parts.push_back(frame.rows);
  return function + " OVER (" + join(parts, " ") + ")";
}

Operand window_operand(Operand operand, std::string sql,
                       std::optional<data::Type> type) {
  operand = with_sql(std::move(operand), std::move(sql), std::move(type));
  operand.windows = true;
  operand.columns = true;
  return operand;
}

using WindowBuild = std::function<Operand(const Operand&)>;

Result<Value> each_ordered(Compiler& compiler, const Call& call,
                           const WindowBuild& build) {
  LAKEMILL_TRY_OK(compiler.need_order(call));
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    LAKEMILL_TRY_OK(compiler.no_window_inside(call, operand));
    return build(operand);
  });
}

Result<Value> shift(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(std::int64_t n, call.integer("n", 1));
  return each_ordered(compiler, call, [&](const Operand& operand) {
    const std::string function =
        n >= 0 ? "lag(" + operand.sql + ", " + std::to_string(n) + ")"
               : "lead(" + operand.sql + ", " + std::to_string(-n) + ")";
    return window_operand(operand, window_sql(compiler, function, {}, {}),
                          operand.type);
  });
}

Result<Value> diff(Compiler& compiler, const Call& call) {
  return each_ordered(compiler, call, [&](const Operand& operand) {
    Operand before = operand;
    before.sql = window_sql(compiler, "lag(" + operand.sql + ")", {}, {});
    Operand result = binary_operand("-", operand, before);
    result.windows = true;
    return result;
  });
}

Result<Value> cumulate(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(bool reverse, call.boolean("reverse", false));
  const std::string_view function =
      call.name == "cum_prod" ? std::string_view("product") : call.name.substr(4);
  Frame frame;
  frame.reversed = reverse;
  frame.rows = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW";
  return each_ordered(compiler, call, [&](const Operand& operand) {
    const std::string sql = window_sql(
        compiler, std::string(function) + "(" + operand.sql + ")", {}, frame);
    if (function == "count") return window_operand(operand, sql, kInteger);
    std::optional<data::Type> type = operand.type;
    if (function == "sum" && operand.is_integer()) type = kInteger;
    if (function == "product") type = kDouble;
    return window_operand(
        operand, "(CASE WHEN " + operand.sql + " IS NOT NULL THEN " + sql + " END)",
        type);
  });
}

Result<Value> rolling(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(std::int64_t size, call.integer("window_size", 1));
  LAKEMILL_TRY(std::int64_t samples_min, call.integer("min_samples", size));
  LAKEMILL_TRY(bool center, call.boolean("center", false));
  LAKEMILL_TRY(std::int64_t ddof, call.integer("ddof", 1));
  if (size < 1 || samples_min < 1 || samples_min > size) {
    return call.error("window_size is at least min_samples, and both are at least 1");
  }
  if (ddof != 0 && ddof != 1) return call.error("ddof is 0 or 1 here");
  const std::int64_t after = center ? (size - 1) / 2 : 0;
  const std::int64_t before = size - 1 - after;
  Frame frame;
  frame.rows = "ROWS BETWEEN " + std::to_string(before) + " PRECEDING AND " +
               (after == 0 ? "CURRENT ROW" : std::to_string(after) + " FOLLOWING");
  const std::string_view what = call.name.substr(8);
  std::string function(what);
  if (what == "mean") function = "avg";
  if (what == "std") function = ddof == 0 ? "stddev_pop" : "stddev_samp";
  if (what == "var") function = ddof == 0 ? "var_pop" : "var_samp";
  return each_ordered(compiler, call, [&](const Operand& operand) {
    const std::string enough =
        window_sql(compiler, "count(" + operand.sql + ")", {}, frame);
    const std::string value =
        window_sql(compiler, function + "(" + operand.sql + ")", {}, frame);
    return window_operand(operand,
                          "(CASE WHEN " + enough + " >= " +
                              std::to_string(samples_min) + " THEN " + value + " END)",
                          what == "sum" ? std::nullopt : std::optional(kDouble));
  });
}

Result<Value> rank(Compiler& compiler, const Call& call) {
  constexpr std::array<std::string_view, 5> kMethods = {"average", "min", "max",
                                                        "dense", "ordinal"};
  LAKEMILL_TRY(std::string method, call.choice("method", "average", kMethods));
  LAKEMILL_TRY(bool descending, call.boolean("descending", false));
  if (method == "ordinal") LAKEMILL_TRY_OK(compiler.need_order(call));
  const WindowSpec& window = compiler.window();
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    LAKEMILL_TRY_OK(compiler.no_window_inside(call, operand));
    std::vector<std::string> order = {operand.sql + (descending ? " DESC" : " ASC") +
                                      " NULLS LAST"};
    std::string function = "rank()";
    if (method == "dense") function = "dense_rank()";
    if (method == "ordinal") {
      function = "row_number()";
      order.insert(order.end(), window.order.begin(), window.order.end());
    }
    std::string over = " OVER (";
    if (!window.partition.empty()) {
      over += "PARTITION BY " + join(window.partition, ", ") + " ";
    }
    std::string value = function + over + "ORDER BY " + join(order, ", ") + ")";
    Frame unordered;
    unordered.ordered = false;
    const std::string equals =
        window_sql(compiler, "count(*)", {operand.sql}, unordered);
    if (method == "max") value = "(" + value + " + " + equals + " - 1)";
    if (method == "average") value = "(" + value + " + (" + equals + " - 1) / 2e0)";
    return window_operand(
        operand, "(CASE WHEN " + operand.sql + " IS NOT NULL THEN " + value + " END)",
        method == "average" ? kDouble : kInteger);
  });
}

Result<Value> is_unique(Compiler& compiler, const Call& call) {
  Frame unordered;
  unordered.ordered = false;
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    LAKEMILL_TRY_OK(compiler.no_window_inside(call, operand));
    const std::string count =
        window_sql(compiler, "count(*)", {operand.sql}, unordered);
    return window_operand(operand,
                          "(" + count + (call.name == "is_unique" ? " = 1)" : " > 1)"),
                          kBoolean);
  });
}

Result<Value> is_distinct(Compiler& compiler, const Call& call) {
  Frame frame;
  frame.reversed = call.name == "is_last_distinct";
  return each_ordered(compiler, call, [&](const Operand& operand) {
    const std::string number =
        window_sql(compiler, "row_number()", {operand.sql}, frame);
    return window_operand(operand, "(" + number + " = 1)", kBoolean);
  });
}

Result<Value> refuse_length(Compiler&, const Call& call) {
  return call.error("'" + std::string(call.name) +
                    "' would give a column of another length; use the dataframe method "
                    "(filter, unique, drop_nulls) or an aggregate");
}

constexpr std::array kEntries = {
    FunctionEntry{"expr", "sum", "", "The sum without nulls; 0 of nothing.", sum},
    FunctionEntry{"expr", "min", "", "The least value.", extreme},
    FunctionEntry{"expr", "max", "", "The greatest value.", extreme},
    FunctionEntry{"expr", "mean", "", "The mean without nulls.", mean},
    FunctionEntry{"expr", "median", "", "The median without nulls.", median},
    FunctionEntry{"expr", "count", "", "How many are not null.", count},
    FunctionEntry{"expr", "len", "", "How many rows, nulls too.", len},
    FunctionEntry{"expr", "null_count", "", "How many are null.", null_count},
    FunctionEntry{"expr", "n_unique", "", "How many different values; null is one.",
                  n_unique},
    FunctionEntry{"expr", "any", "", "True if any is; nulls are left out.", any},
    FunctionEntry{"expr", "all", "", "True if all are; nulls are left out.", all},
    FunctionEntry{"expr", "std", "*, ddof=1", "The standard deviation.", deviation},
    FunctionEntry{"expr", "var", "*, ddof=1", "The variance.", deviation},
    FunctionEntry{"expr", "skew", "", "The skewness of the population.", skew},
    FunctionEntry{"expr", "kurtosis", "", "The excess kurtosis of the population.",
                  kurtosis},
    FunctionEntry{"expr", "quantile", "quantile, interpolation='nearest'",
                  "The value below which that part lies.", quantile},
    FunctionEntry{"expr", "mode", "*, keep='all'",
                  "The most frequent value, with keep='any'.", mode},
    FunctionEntry{"expr", "first", "order_by=None",
                  "The first value in an order, null or not.", first_last},
    FunctionEntry{"expr", "last", "order_by=None",
                  "The last value in an order, null or not.", first_last},
    FunctionEntry{"expr", "any_value", "*, ignore_nulls=True",
                  "One value that is not null; always the least.", any_value},
    FunctionEntry{"expr", "implode", "", "All values as a sorted list.", collect},
    FunctionEntry{"expr", "shift", "n",
                  "The value n rows before, in the order of over.", shift},
    FunctionEntry{"expr", "diff", "", "The difference to the row before.", diff},
    FunctionEntry{"expr", "cum_sum", "*, reverse=False", "The sum up to the row.",
                  cumulate},
    FunctionEntry{"expr", "cum_count", "*, reverse=False",
                  "How many up to the row are not null.", cumulate},
    FunctionEntry{"expr", "cum_min", "*, reverse=False", "The least up to the row.",
                  cumulate},
    FunctionEntry{"expr", "cum_max", "*, reverse=False", "The greatest up to the row.",
                  cumulate},
    FunctionEntry{"expr", "cum_prod", "*, reverse=False", "The product up to the row.",
                  cumulate},
    FunctionEntry{"expr", "rolling_sum",
                  "window_size, *, min_samples=None, center=False",
                  "The sum of the last rows.", rolling},
    FunctionEntry{"expr", "rolling_mean",
                  "window_size, *, min_samples=None, center=False",
                  "The mean of the last rows.", rolling},
    FunctionEntry{"expr", "rolling_std",
                  "window_size, *, min_samples=None, center=False, ddof=1",
                  "The standard deviation of the last rows.", rolling},
    FunctionEntry{"expr", "rolling_var",
                  "window_size, *, min_samples=None, center=False, ddof=1",
                  "The variance of the last rows.", rolling},
    FunctionEntry{"expr", "rank", "method='average', *, descending=False",
                  "The place in order; method: average, min, max, dense, ordinal.",
                  rank},
    FunctionEntry{"expr", "is_unique", "", "True if no other row has the value.",
                  is_unique},
    FunctionEntry{"expr", "is_duplicated", "", "True if another row has the value.",
                  is_unique},
    FunctionEntry{"expr", "is_first_distinct", "",
                  "True at the first row with the value, in the order of over.",
                  is_distinct},
    FunctionEntry{"expr", "is_last_distinct", "",
                  "True at the last row with the value, in the order of over.",
                  is_distinct},
    FunctionEntry{"expr", "unique", "", "Refused: gives another number of rows.",
                  refuse_length},
    FunctionEntry{"expr", "drop_nulls", "", "Refused: gives another number of rows.",
                  refuse_length},
    FunctionEntry{"expr", "filter", "*predicates",
                  "Refused: gives another number of rows.", refuse_length},
    FunctionEntry{"expr", "head", "n=10", "Refused: gives another number of rows.",
                  refuse_length},
    FunctionEntry{"expr", "sort", "*, descending=False",
                  "Refused: rows have no order; sort the frame.", refuse_length},
};

}  // namespace

std::span<const FunctionEntry> aggregate_functions() { return kEntries; }

}  // namespace lakemill::language
