#include "lakemill/language/transform_check.h"

#include <algorithm>

#include "lakemill/language/expression_sql.h"
#include "lakemill/language/method_sql.h"

namespace lakemill::language {

namespace {

void check_step(const MethodCall& method, const std::string& path,
                Diagnostics& diagnostics) {
  if (!is_known_method(method.name)) return;  // told already
  for (MethodFault& fault : check_method(method)) {
    diagnostics.error(std::move(fault.location), path, std::move(fault.message), "");
  }
}

bool is_dataframe(const Expectation& expectation) {
  if (expectation.expression.empty()) return false;
  if (expectation.expression_language != ExpressionLanguage::detect) {
    return expectation.expression_language == ExpressionLanguage::dataframe;
  }
  return is_expression(expectation.expression.text, TextContext::expectation);
}

void check_expectation(const Expectation& expectation, const std::string& path,
                       Diagnostics& diagnostics) {
  const SourceText& expression = expectation.expression;
  // A value that only a run has may stand in it.
  if (!is_dataframe(expectation) || expression.text.find("${") != std::string::npos) {
    return;
  }
  const auto checked = check_expressions(expression.text, AggregateForm::plain);
  const std::string name = "expectation '" + expectation.name + "'";
  for (const std::string& fault : checked.faults) {
    diagnostics.error(expression.location, path, name + ": " + fault, "");
  }
  const bool aggregates =
      std::any_of(checked.columns.begin(), checked.columns.end(),
                  [](const CompiledExpression& column) { return column.aggregates; });
  if (expectation.type == ExpectationType::row && aggregates) {
    diagnostics.error(expression.location, path, name + " has an aggregate",
                      "give it type: AGGREGATE");
  }
  const bool guessed =
      std::any_of(checked.columns.begin(), checked.columns.end(),
                  [](const CompiledExpression& column) { return column.is_sql; });
  if (expectation.type == ExpectationType::aggregate && !aggregates && !guessed &&
      checked.faults.empty()) {
    diagnostics.error(expression.location, path, name + " has no aggregate",
                      "leave type out to check each row");
  }
}

}  // namespace

void check_transforms(const Node& node, const std::string& path,
                      Diagnostics& diagnostics) {
  for (std::size_t i = 0; i < node.steps.size(); ++i) {
    if (node.steps[i].is_sql()) continue;
    MethodCall method = node.steps[i].method();
    std::string step_path = path + ".transformer.nodes[" + std::to_string(i) + "]";
    bool is_told = diagnostics.has_error_in(step_path);
    const bool continued = i + 1 < node.steps.size() && !node.steps[i + 1].is_sql() &&
                           continues_method(method, node.steps[i + 1].method());
    if (continued) {
      method = fuse_methods(method, node.steps[++i].method());
      is_told = is_told || diagnostics.has_error_in(path + ".transformer.nodes[" +
                                                    std::to_string(i) + "]");
    }
    // What is wrong with the step's keys would be told once more.
    if (!is_told) check_step(method, step_path, diagnostics);
  }
  for (std::size_t i = 0; i < node.expectations.size(); ++i) {
    const std::string below = path + ".expectations[" + std::to_string(i) + "]";
    if (diagnostics.has_error_in(below)) continue;
    check_expectation(node.expectations[i], below, diagnostics);
  }
}

}  // namespace lakemill::language
