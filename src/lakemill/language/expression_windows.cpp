#include "lakemill/base/text.h"
#include "lakemill/language/expression_compiler.h"

// Aggregates where they stand: plain, repeated on every row, or over a window.

namespace lakemill::language {

namespace {

Result<std::vector<std::string>> order_terms(Compiler& compiler, const SyntaxNode& node,
                                             const std::vector<std::string>& suffixes) {
  LAKEMILL_TRY(std::vector<Operand> operands, compiler.columns(node, StringIs::column));
  std::vector<std::string> terms;
  for (const Operand& operand : operands) {
    if (operand.aggregates || operand.windows) {
      return error_at(node.position, "a window is partitioned and ordered by columns");
    }
    for (const std::string& suffix : suffixes) terms.push_back(operand.sql + suffix);
  }
  return terms;
}

}  // namespace

const WindowSpec& Compiler::window() const {
  static const WindowSpec kNone;
  return window_ == nullptr ? kNone : *window_;
}

std::string Compiler::aggregate(const std::string& function) const {
  if (window_ != nullptr) {
    if (window_->partition.empty()) return function + " OVER ()";
    return function + " OVER (PARTITION BY " + join(window_->partition, ", ") + ")";
  }
  return form_ == AggregateForm::broadcast ? function + " OVER ()" : function;
}

Status Compiler::no_window_inside(const Call& call, const Operand& operand) const {
  if (operand.windows || operand.aggregates) {
    return call.error("'" + std::string(call.name) +
                      "' cannot work on an aggregate or a window in the same step; " +
                      "compute that with with_columns first");
  }
  return {};
}

Result<Operand> Compiler::finish_aggregate(const Call& call, Operand operand,
                                           std::string sql,
                                           std::optional<data::Type> type) const {
  LAKEMILL_TRY_OK(no_window_inside(call, operand));
  Operand result = with_sql(std::move(operand), std::move(sql), std::move(type));
  result.is_sql = false;
  if (window_ != nullptr || form_ == AggregateForm::broadcast) {
    result.windows = true;
    result.columns = true;
  } else {
    result.aggregates = true;
    result.columns = false;
  }
  return result;
}

Status Compiler::need_order(const Call& call) const {
  if (window_ != nullptr && !window_->order.empty()) return {};
  return call.error("'" + std::string(call.name) +
                    "' depends on the order of rows, which a table does not have; add "
                    ".over(order_by=\"column\")");
}

Result<Value> Compiler::over(const SyntaxNode& node, const SyntaxNode& subject) {
  const Position position = node.children[0]->position;
  if (window_ != nullptr) {
    return error_at(position, "'over' cannot stand inside of another 'over'");
  }
  std::vector<const SyntaxNode*> positional;
  for (std::size_t i = 1; i < node.children.size(); ++i) {
    positional.push_back(node.children[i].get());
  }
  WindowSpec spec;
  const SyntaxNode* order_by = nullptr;
  bool descending = false;
  bool nulls_last = false;
  for (const KeywordArgument& keyword : node.keywords) {
    if (keyword.name == "partition_by") {
      positional.push_back(keyword.value.get());
    } else if (keyword.name == "order_by") {
      order_by = keyword.value.get();
    } else if ((keyword.name == "descending" || keyword.name == "nulls_last") &&
               keyword.value->kind == NodeKind::boolean) {
      (keyword.name == "descending" ? descending : nulls_last) = keyword.value->boolean;
    } else {
      return error_at(keyword.position,
                      "unknown argument '" + keyword.name +
                          "' of over(*partition_by, order_by=None, descending=False, "
                          "nulls_last=False)");
    }
  }
  for (const SyntaxNode* part : positional) {
    if (part->kind == NodeKind::none) continue;
    LAKEMILL_TRY(std::vector<std::string> terms, order_terms(*this, *part, {""}));
    spec.partition.insert(spec.partition.end(), terms.begin(), terms.end());
  }
  if (order_by != nullptr && order_by->kind != NodeKind::none) {
    auto direction = [](bool down, bool last) {
      return std::string(down ? " DESC" : " ASC") +
             (last ? " NULLS LAST" : " NULLS FIRST");
    };
    LAKEMILL_TRY(spec.order,
                 order_terms(*this, *order_by, {direction(descending, nulls_last)}));
    LAKEMILL_TRY(spec.order_reversed,
                 order_terms(*this, *order_by, {direction(!descending, !nulls_last)}));
  }
  if (spec.partition.empty() && spec.order.empty()) {
    return error_at(position, "'over' needs columns to partition by, or order_by");
  }
  window_ = &spec;
  Result<Value> value = compile(subject);
  window_ = nullptr;
  if (!value) return value;
  if (value->kind == Value::Kind::then) {
    value = column_value(when_operand(*value, nullptr));
  }
  for (const Operand& operand : value->operands) {
    if (!operand.windows) {
      return error_at(position,
                      "'over' needs an aggregate or a window function before it");
    }
  }
  return value;
}

}  // namespace lakemill::language
