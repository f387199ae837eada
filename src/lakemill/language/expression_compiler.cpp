#include "lakemill/language/expression_compiler.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "lakemill/base/text.h"

namespace lakemill::language {
namespace {

const data::Schema kNoColumns;

constexpr std::array<std::string_view, 7> kNamespaces = {
    "str", "dt", "list", "struct", "cat", "name", "laktory"};

// The scope that a dotted name stands for: "nw" for nw and pl, "F" for PySpark's
// functions, "types" for modules of types; empty if it is no module.
std::string_view module_scope(const SyntaxNode& node) {
  if (node.kind == NodeKind::name) {
    if (node.text == "nw" || node.text == "pl" || node.text == "narwhals" ||
        node.text == "polars") {
      return "nw";
    }
    if (node.text == "F") return "F";
    if (node.text == "T") return "T";
    return "";
  }
  if (node.kind == NodeKind::attribute) {
    const std::string_view scope = module_scope(*node.children[0]);
    if (scope == "nw" && node.text == "laktory") return "nw.laktory";
    if (scope == "nw" && (node.text == "dtypes" || node.text == "datatypes")) {
      return "types";
    }
  }
  return "";
}

std::string scope_title(std::string_view scope) {
  if (scope == "expr") return "method of an expression";
  if (scope == "nw") return "function of nw";
  if (scope == "F") return "function of F";
  if (scope == "nw.laktory") return "function of nw.laktory";
  return "method of ." + std::string(scope);
}

Error unknown_function(Position position, std::string_view scope,
                       std::string_view name) {
  std::vector<std::string> known;
  for (const ExpressionFunction& function : expression_functions()) {
    if (function.scope == scope) known.emplace_back(function.name);
    // A method of a namespace, written without it, or the other way around.
    if (function.name == name && function.scope != scope && scope != "nw" &&
        function.scope != "nw" && function.scope != "F" && scope != "F" &&
        function.scope != "nw.laktory" && function.scope != "name") {
      const std::string where =
          function.scope == "expr" ? "" : "." + std::string(function.scope);
      return error_at(position, "'" + std::string(name) + "' is not a " +
                                    scope_title(scope) + "; write " + where + "." +
                                    std::string(name) + "(...)");
    }
  }
  std::string message = "'" + std::string(name) + "' is not a " + scope_title(scope) +
                        " that is known here";
  if (auto meant = nearest(name, known)) message += "; did you mean '" + *meant + "'?";
  return error_at(position, message);
}

}  // namespace

// --------------------------------------------------------------------------- Compiler

Compiler::Compiler(AggregateForm form, std::vector<std::string>& faults)
    : Compiler(kNoColumns, Dialect::duckdb, form) {
  faults_ = &faults;
}

Operand Compiler::unknown_column(std::string name) {
  Operand operand;
  operand.sql = quote_identifier(name);
  operand.name = std::move(name);
  operand.columns = true;
  return operand;
}

Result<Value> Compiler::compile(const SyntaxNode& node) {
  if (!only_checks()) return compile_node(node);
  const std::size_t known = faults_->size();
  auto value = compile_node(node);
  if (value) return value;
  // What fails because of a part that failed is no fault of its own.
  if (faults_->size() == known) faults_->push_back(value.error().message());
  return column_value(unknown_column("?" + std::to_string(faults_->size())));
}

Result<Value> Compiler::compile_node(const SyntaxNode& node) {
  Result<Value> value = [&]() -> Result<Value> {
    switch (node.kind) {
      case NodeKind::call:
        return compile_call(node);
      case NodeKind::attribute:
        return compile_attribute(node);
      case NodeKind::binary:
        return compile_binary(node);
      case NodeKind::unary:
        return compile_unary(node);
      case NodeKind::subscript:
        return compile_subscript(node);
      case NodeKind::name:
        if (auto type = plain_type(node.text)) {
          Value result;
          result.kind = Value::Kind::type;
          result.type_name = std::move(*type);
          return result;
        }
        return error_at(node.position, "the name '" + node.text +
                                           "' is not known here; a column is written "
                                           "nw.col(\"" +
                                           node.text + "\")");
      default:
        return compile_literal(node);
    }
  }();
  if (!value) return value;
  std::size_t size = 0;
  for (const Operand& operand : value->operands) size += operand.sql.size();
  for (const Operand& operand : value->results) size += operand.sql.size();
  if (size > kExpressionSqlSizeMaxBytes) {
    return error_at(node.position, "the expression grows beyond " +
                                       std::to_string(kExpressionSqlSizeMaxBytes) +
                                       " bytes of SQL; split it into steps");
  }
  return value;
}

Result<Operand> Compiler::column(std::string_view name, Position position) const {
  if (only_checks()) return unknown_column(std::string(name));
  const data::Field* field = schema_.find(name);
  if (field == nullptr) {
    std::vector<std::string> known;
    for (const data::Field& candidate : schema_.fields) known.push_back(candidate.name);
    std::string message = "there is no column '" + std::string(name) + "'";
    if (auto meant = nearest(name, known)) {
      message += "; did you mean '" + *meant + "'?";
    } else {
      if (known.size() > 12) {
        known.resize(12);
        known.emplace_back("…");
      }
      message += "; there are: " + join(known, ", ");
    }
    return error_at(position, message);
  }
  Operand operand;
  operand.sql = quote_identifier(field->name);
  operand.name = field->name;
  operand.type = field->type;
  operand.columns = true;
  return operand;
}

Result<std::vector<Operand>> Compiler::columns(const SyntaxNode& node,
                                               StringIs strings) {
  if (node.kind == NodeKind::list) {
    std::vector<const SyntaxNode*> items;
    for (const SyntaxNodePtr& item : node.children) items.push_back(item.get());
    return columns(items, strings);
  }
  if (node.kind == NodeKind::string && strings == StringIs::column) {
    LAKEMILL_TRY(Operand found, column(node.text, node.position));
    return std::vector<Operand>{std::move(found)};
  }
  LAKEMILL_TRY(Value value, compile(node));
  switch (value.kind) {
    case Value::Kind::columns:
      return std::move(value.operands);
    case Value::Kind::then:
      return std::vector<Operand>{when_operand(value, nullptr)};
    case Value::Kind::when:
      return error_at(node.position, "when(...) needs .then(...)");
    case Value::Kind::type:
      break;
  }
  return error_at(node.position, "a type stands where a column is due");
}

Result<std::vector<Operand>> Compiler::columns(
    const std::vector<const SyntaxNode*>& nodes, StringIs strings) {
  std::vector<Operand> all;
  for (const SyntaxNode* node : nodes) {
    LAKEMILL_TRY(std::vector<Operand> some, columns(*node, strings));
    for (Operand& operand : some) all.push_back(std::move(operand));
  }
  return all;
}

Result<Operand> Compiler::operand(const SyntaxNode& node, StringIs strings) {
  if (node.kind == NodeKind::list) {
    LAKEMILL_TRY(Value value, compile_literal(node));
    return std::move(value.operands.front());
  }
  LAKEMILL_TRY(std::vector<Operand> found, columns(node, strings));
  if (found.size() != 1) {
    return error_at(node.position,
                    "one column is due here, not " + std::to_string(found.size()));
  }
  return std::move(found.front());
}

Result<Value> Compiler::compile_call(const SyntaxNode& node) {
  const SyntaxNode& function = *node.children[0];
  if (function.kind == NodeKind::name) {
    if (find_function("nw", function.text) != nullptr &&
        (function.text == "col" || function.text == "lit" ||
         function.text == "sql_expr" || function.text == "when")) {
      return call_function(node, "nw", function.text, Value{});
    }
    if (function.text == "expr") return call_function(node, "F", "expr", Value{});
    return error_at(function.position, "'" + function.text +
                                           "' is not a function that is known here; " +
                                           "write nw." + function.text +
                                           "(...) or one of col, lit, sql_expr");
  }
  if (function.kind != NodeKind::attribute) {
    return error_at(node.position, "only functions and methods can be called");
  }
  const SyntaxNode& base = *function.children[0];
  const std::string_view module = module_scope(base);
  if (!module.empty()) {
    const bool is_type =
        module == "types" || module == "T" ||
        (module == "nw" &&
         std::isupper(static_cast<unsigned char>(function.text[0])) != 0);
    if (is_type) {
      Value value;
      value.kind = Value::Kind::type;
      LAKEMILL_TRY(value.type_name, type_name(node));
      return value;
    }
    return call_function(node, module, function.text, Value{});
  }
  if (base.kind == NodeKind::attribute &&
      std::find(kNamespaces.begin(), kNamespaces.end(), base.text) !=
          kNamespaces.end()) {
    LAKEMILL_TRY(Value subject, compile(*base.children[0]));
    return call_function(node, base.text, function.text, std::move(subject));
  }
  if (function.text == "over") return over(node, base);
  LAKEMILL_TRY(Value subject, compile(base));
  return call_function(node, "expr", function.text, std::move(subject));
}

Result<Value> Compiler::call_function(const SyntaxNode& node, std::string_view scope,
                                      std::string_view name, Value subject) {
  const Position position = node.children[0]->position;
  const FunctionEntry* entry = find_function(scope, name);
  if (entry == nullptr) return unknown_function(position, scope, name);
  const bool goes_on_with_when =
      scope == "expr" && (name == "then" || name == "when" || name == "otherwise");
  if (!goes_on_with_when) {
    if (subject.kind == Value::Kind::then) {
      subject = column_value(when_operand(subject, nullptr));
    } else if (subject.kind != Value::Kind::columns) {
      return error_at(position, subject.kind == Value::Kind::when
                                    ? "when(...) needs .then(...)"
                                    : "a type has no methods");
    }
  }
  std::vector<const SyntaxNode*> positional;
  for (std::size_t i = 1; i < node.children.size(); ++i) {
    positional.push_back(node.children[i].get());
  }
  std::vector<std::pair<std::string, const SyntaxNode*>> named;
  for (const KeywordArgument& keyword : node.keywords) {
    named.emplace_back(keyword.name, keyword.value.get());
  }
  auto bound = bind_arguments(name, entry->signature, positional, named);
  if (const auto* fault = std::get_if<BindFault<SyntaxNode>>(&bound)) {
    Position place = position;
    for (const KeywordArgument& keyword : node.keywords) {
      if (keyword.value.get() == fault->at) place = keyword.position;
    }
    for (const SyntaxNode* argument : positional) {
      if (argument == fault->at) place = argument->position;
    }
    return error_at(place, fault->message);
  }
  Call call{node, entry->name, position, std::move(subject),
            std::get<BoundArguments<SyntaxNode>>(std::move(bound))};
  return entry->handler(*this, call);
}

Result<Value> Compiler::compile_attribute(const SyntaxNode& node) {
  const std::string_view module = module_scope(*node.children[0]);
  if (!module.empty()) {
    Value value;
    value.kind = Value::Kind::type;
    if (find_function(module, node.text) != nullptr) {
      return error_at(node.position, "'" + node.text + "' is a function; call it");
    }
    LAKEMILL_TRY(value.type_name, type_name(node));
    return value;
  }
  if (find_function("expr", node.text) != nullptr) {
    return error_at(node.position, "'" + node.text + "' is a method; call it");
  }
  return error_at(
      node.position,
      "'." + node.text + "' gives no column; is a method missing after it?");
}

Result<Value> Compiler::compile_subscript(const SyntaxNode& node) {
  LAKEMILL_TRY(Operand subject, operand(*node.children[0], StringIs::literal));
  const SyntaxNode& index = *node.children[1];
  if (index.kind == NodeKind::integer) {
    const std::int64_t place = index.integer < 0 ? index.integer : index.integer + 1;
    std::optional<data::Type> type;
    if (subject.is(data::TypeKind::array)) type = subject.type->children[0].type;
    return column_value(with_sql(
        subject, "list_extract(" + subject.sql + ", " + std::to_string(place) + ")",
        type));
  }
  if (index.kind != NodeKind::string) {
    return error_at(index.position,
                    "[...] takes the name of a struct's field or the place in a list");
  }
  std::optional<data::Type> type;
  if (subject.is(data::TypeKind::structure)) {
    for (const data::Field& field : subject.type->children) {
      if (equals_ignoring_case(field.name, index.text)) type = field.type;
    }
    if (!type) {
      return error_at(index.position, "the struct has no field '" + index.text + "'");
    }
  }
  return column_value(with_sql(
      subject, "struct_extract(" + subject.sql + ", " + quote_literal(index.text) + ")",
      type));
}

Result<Value> Compiler::compile_literal(const SyntaxNode& node) {
  Operand operand;
  operand.name = "literal";
  switch (node.kind) {
    case NodeKind::none:
      operand.sql = "NULL";
      operand.type = data::make_type(data::TypeKind::void_type);
      break;
    case NodeKind::boolean:
      operand.sql = node.boolean ? "TRUE" : "FALSE";
      operand.type = data::make_type(data::TypeKind::boolean);
      break;
    case NodeKind::integer:
      operand.sql = literal_sql(node.integer);
      operand.type = data::make_type(data::TypeKind::int32);
      break;
    case NodeKind::real:
      operand.sql =
          node.text.find('e') == std::string::npos ? node.text + "e0" : node.text;
      operand.type = data::make_type(data::TypeKind::float64);
      break;
    case NodeKind::string:
      operand.sql = quote_literal(node.text);
      operand.type = data::make_type(data::TypeKind::string);
      break;
    case NodeKind::list: {
      std::vector<std::string> items;
      std::optional<data::Type> element;
      for (const SyntaxNodePtr& item : node.children) {
        LAKEMILL_TRY(Operand value, this->operand(*item, StringIs::literal));
        if (items.empty()) element = value.type;
        absorb(operand, value);
        items.push_back(std::move(value.sql));
      }
      operand.sql = "[" + join(items, ", ") + "]";
      if (element) operand.type = data::make_array(*element, true);
      break;
    }
    case NodeKind::dictionary: {
      std::vector<std::string> items;
      for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
        if (node.children[i]->kind != NodeKind::string) {
          return error_at(node.children[i]->position,
                          "a struct's field name is a string");
        }
        LAKEMILL_TRY(Operand value,
                     this->operand(*node.children[i + 1], StringIs::literal));
        absorb(operand, value);
        items.push_back(quote_identifier(node.children[i]->text) + " := " + value.sql);
      }
      if (items.empty()) return error_at(node.position, "an empty struct has no type");
      operand.sql = "struct_pack(" + join(items, ", ") + ")";
      break;
    }
    default:
      return error_at(node.position, "a value is due here");
  }
  return column_value(std::move(operand));
}

}  // namespace lakemill::language
