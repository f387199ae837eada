#include <algorithm>

#include "lakemill/base/text.h"
#include "lakemill/language/expression_compiler.h"

// The arguments of a call as constants, and what columns are made of.

namespace lakemill::language {

Error Call::error(std::string_view message) const {
  return error_at(position, message);
}

const SyntaxNode* Call::find(std::string_view argument) const {
  const SyntaxNode* found = arguments.find(argument);
  return found != nullptr && found->kind == NodeKind::none ? nullptr : found;
}

Result<std::string> Call::text(std::string_view argument,
                               std::string_view otherwise) const {
  const SyntaxNode* found = find(argument);
  if (found == nullptr) return std::string(otherwise);
  if (found->kind != NodeKind::string) {
    return error_at(found->position,
                    "'" + std::string(argument) + "' must be a string");
  }
  return found->text;
}

Result<std::int64_t> Call::integer(std::string_view argument,
                                   std::int64_t otherwise) const {
  const SyntaxNode* found = find(argument);
  if (found == nullptr) return otherwise;
  if (found->kind != NodeKind::integer) {
    return error_at(found->position,
                    "'" + std::string(argument) + "' must be a whole number");
  }
  return found->integer;
}

Result<double> Call::real(std::string_view argument, double otherwise) const {
  const SyntaxNode* found = find(argument);
  if (found == nullptr) return otherwise;
  if (found->kind == NodeKind::integer) return static_cast<double>(found->integer);
  if (found->kind != NodeKind::real) {
    return error_at(found->position,
                    "'" + std::string(argument) + "' must be a number");
  }
  return found->real;
}

Result<bool> Call::boolean(std::string_view argument, bool otherwise) const {
  const SyntaxNode* found = find(argument);
  if (found == nullptr) return otherwise;
  if (found->kind != NodeKind::boolean) {
    return error_at(found->position,
                    "'" + std::string(argument) + "' must be True or False");
  }
  return found->boolean;
}

Result<std::string> Call::choice(std::string_view argument, std::string_view otherwise,
                                 std::span<const std::string_view> choices) const {
  LAKEMILL_TRY(std::string chosen, text(argument, otherwise));
  if (std::find(choices.begin(), choices.end(), chosen) != choices.end()) return chosen;
  const SyntaxNode* found = find(argument);
  std::vector<std::string> known(choices.begin(), choices.end());
  return error_at(found == nullptr ? position : found->position,
                  "'" + std::string(argument) + "' must be one of " +
                      join(known, ", ") + ", not '" + chosen + "'");
}

// ---------------------------------------------------------------------------- Operand

bool Operand::is_integer() const {
  return is(data::TypeKind::int8) || is(data::TypeKind::int16) ||
         is(data::TypeKind::int32) || is(data::TypeKind::int64);
}
bool Operand::is_real() const {
  return is(data::TypeKind::float32) || is(data::TypeKind::float64);
}
bool Operand::is_numeric() const {
  return is_integer() || is_real() || is(data::TypeKind::decimal);
}
bool Operand::is_timestamp() const {
  return is(data::TypeKind::timestamp) || is(data::TypeKind::timestamp_ntz);
}

Value columns_value(std::vector<Operand> operands) {
  Value value;
  value.operands = std::move(operands);
  return value;
}

Value column_value(Operand operand) {
  Value value;
  value.operands.push_back(std::move(operand));
  return value;
}

Operand with_sql(Operand operand, std::string sql, std::optional<data::Type> type) {
  operand.sql = std::move(sql);
  operand.type = std::move(type);
  operand.duration = false;
  return operand;
}

void absorb(Operand& operand, const Operand& other) {
  operand.aggregates = operand.aggregates || other.aggregates;
  operand.windows = operand.windows || other.windows;
  operand.columns = operand.columns || other.columns;
  operand.is_sql = operand.is_sql || other.is_sql;
}

Result<Value> for_each_column(const Value& value,
                              const std::function<Result<Operand>(Operand)>& change) {
  std::vector<Operand> changed;
  for (const Operand& operand : value.operands) {
    LAKEMILL_TRY(Operand result, change(operand));
    changed.push_back(std::move(result));
  }
  return columns_value(std::move(changed));
}

}  // namespace lakemill::language
