#include "lakemill/language/safe_expression.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "lakemill/base/text.h"
#include "lakemill/language/safe_operation.h"
#include "lakemill/language/safe_token.h"

namespace lakemill::language {

namespace {

constexpr int kDepthMax = 60;

/// One operation with its operands; `text` is the operator, name or attribute.
struct Operation {
  enum class Kind {
    literal,
    name,
    attribute,
    index,
    call,
    list,
    negate,
    identity,
    invert,
    binary,
    compare,
    logical_and,
    logical_or,
    condition
  };
  Kind kind = Kind::literal;
  std::string text;
  std::size_t column = 1;
  Tree value;
  std::vector<std::unique_ptr<Operation>> operands;
  std::vector<std::string> comparisons;
};

using Made = Result<std::unique_ptr<Operation>>;
using Kind = Operation::Kind;

Error fault(std::size_t column, const std::string& message) {
  return Error(ErrorCode::invalid, "column " + std::to_string(column) + ": " + message);
}

class Parser {
 public:
  explicit Parser(std::vector<SafeToken> tokens) : tokens_(std::move(tokens)) {}

  Made parse() {
    LAKEMILL_TRY(auto operation, condition());
    if (!at_end()) return unexpected();
    return operation;
  }

 private:
  const SafeToken& token() const { return tokens_[position_]; }
  bool at_end() const { return token().kind == SafeToken::Kind::end; }
  bool is(std::string_view text) const {
    return token().kind == SafeToken::Kind::symbol && token().text == text;
  }
  bool accept(std::string_view text) {
    if (!is(text)) return false;
    ++position_;
    return true;
  }
  Error unexpected() const {
    return fault(token().column, at_end() ? "the expression ends too early"
                                          : "'" + token().text + "' is unexpected");
  }
  std::unique_ptr<Operation> make(Kind kind, std::string text) const {
    auto operation = std::make_unique<Operation>();
    operation->kind = kind;
    operation->text = std::move(text);
    operation->column = token().column;
    return operation;
  }

  Made condition() {
    if (++depth_ > kDepthMax) return fault(token().column, "nested too deeply");
    LAKEMILL_TRY(auto value, disjunction());
    if (is("if")) {
      auto chosen = make(Kind::condition, "if");
      ++position_;
      LAKEMILL_TRY(auto test, disjunction());
      if (!accept("else")) return fault(token().column, "'else' is missing");
      LAKEMILL_TRY(auto other, condition());
      chosen->operands.push_back(std::move(test));
      chosen->operands.push_back(std::move(value));
      chosen->operands.push_back(std::move(other));
      value = std::move(chosen);
    }
    --depth_;
    return value;
  }

  Made disjunction() {
    LAKEMILL_TRY(auto left, conjunction());
    while (is("or")) {
      auto both = make(Kind::logical_or, "or");
      ++position_;
      LAKEMILL_TRY(auto right, conjunction());
      both->operands.push_back(std::move(left));
      both->operands.push_back(std::move(right));
      left = std::move(both);
    }
    return left;
  }

  Made conjunction() {
    LAKEMILL_TRY(auto left, inversion());
    while (is("and")) {
      auto both = make(Kind::logical_and, "and");
      ++position_;
      LAKEMILL_TRY(auto right, inversion());
      both->operands.push_back(std::move(left));
      both->operands.push_back(std::move(right));
      left = std::move(both);
    }
    return left;
  }

  Made inversion() {
    if (!is("not")) return comparison();
    if (++depth_ > kDepthMax) return fault(token().column, "nested too deeply");
    auto inverted = make(Kind::invert, "not");
    ++position_;
    LAKEMILL_TRY(auto operand, inversion());
    inverted->operands.push_back(std::move(operand));
    --depth_;
    return inverted;
  }

  std::string comparison_operator() {
    for (const char* text : {"==", "!=", "<=", ">=", "<", ">", "in"}) {
      if (accept(text)) return text;
    }
    if (is("not") && tokens_[position_ + 1].text == "in") {
      position_ += 2;
      return "not in";
    }
    if (is("is")) {
      ++position_;
      return accept("not") ? "is not" : "is";
    }
    return {};
  }

  Made comparison() {
    LAKEMILL_TRY(auto first, sum());
    auto chain = make(Kind::compare, "");
    while (true) {
      std::string text = comparison_operator();
      if (text.empty()) break;
      LAKEMILL_TRY(auto next, sum());
      if (chain->operands.empty()) chain->operands.push_back(std::move(first));
      chain->operands.push_back(std::move(next));
      chain->comparisons.push_back(std::move(text));
    }
    if (chain->operands.empty()) return first;
    return chain;
  }

  Made sum() {
    LAKEMILL_TRY(auto left, product());
    while (is("+") || is("-")) {
      LAKEMILL_TRY(left, binary(std::move(left), &Parser::product));
    }
    return left;
  }

  Made product() {
    LAKEMILL_TRY(auto left, unary());
    while (is("*") || is("/") || is("//") || is("%")) {
      LAKEMILL_TRY(left, binary(std::move(left), &Parser::unary));
    }
    return left;
  }

  Made binary(std::unique_ptr<Operation> left, Made (Parser::*next)()) {
    auto operation = make(Kind::binary, token().text);
    ++position_;
    LAKEMILL_TRY(auto right, (this->*next)());
    operation->operands.push_back(std::move(left));
    operation->operands.push_back(std::move(right));
    return operation;
  }

  Made unary() {
    if (is("-") || is("+")) {
      if (++depth_ > kDepthMax) return fault(token().column, "nested too deeply");
      auto operation = make(is("-") ? Kind::negate : Kind::identity, token().text);
      ++position_;
      LAKEMILL_TRY(auto operand, unary());
      operation->operands.push_back(std::move(operand));
      --depth_;
      return operation;
    }
    return power();
  }

  Made power() {
    LAKEMILL_TRY(auto base, postfix());
    if (is("**")) return binary(std::move(base), &Parser::unary);
    return base;
  }

  Made postfix() {
    LAKEMILL_TRY(auto value, atom());
    while (true) {
      if (accept(".")) {
        if (token().kind != SafeToken::Kind::name) return unexpected();
        auto attribute = make(Kind::attribute, token().text);
        ++position_;
        attribute->operands.push_back(std::move(value));
        value = std::move(attribute);
      } else if (is("[")) {
        auto index = make(Kind::index, "[");
        ++position_;
        LAKEMILL_TRY(auto key, condition());
        if (!accept("]")) return fault(token().column, "']' is missing");
        index->operands.push_back(std::move(value));
        index->operands.push_back(std::move(key));
        value = std::move(index);
      } else if (is("(")) {
        LAKEMILL_TRY(value, call(std::move(value)));
      } else {
        return value;
      }
    }
  }

  Made call(std::unique_ptr<Operation> method) {
    if (method->kind != Kind::attribute) {
      return fault(token().column, "only methods of strings can be called");
    }
    auto call = make(Kind::call, method->text);
    ++position_;
    call->operands.push_back(std::move(method->operands[0]));
    while (!accept(")")) {
      if (call->operands.size() > 1 && !accept(",")) return unexpected();
      LAKEMILL_TRY(auto argument, condition());
      call->operands.push_back(std::move(argument));
    }
    return call;
  }

  Made atom() {
    const SafeToken& current = token();
    if (current.kind == SafeToken::Kind::literal) {
      auto literal = make(Kind::literal, "");
      literal->value = current.value;
      ++position_;
      return literal;
    }
    if (current.kind == SafeToken::Kind::name) {
      auto name = make(Kind::name, current.text);
      ++position_;
      return name;
    }
    if (accept("(")) {
      LAKEMILL_TRY(auto inner, condition());
      if (!accept(")")) return fault(token().column, "')' is missing");
      return inner;
    }
    if (is("[")) {
      auto list = make(Kind::list, "[");
      ++position_;
      while (!accept("]")) {
        if (!list->operands.empty() && !accept(",")) return unexpected();
        if (accept("]")) break;
        LAKEMILL_TRY(auto item, condition());
        list->operands.push_back(std::move(item));
      }
      return list;
    }
    return unexpected();
  }

  std::vector<SafeToken> tokens_;
  std::size_t position_ = 0;
  int depth_ = 0;
};

class Evaluator {
 public:
  explicit Evaluator(const NameLookup& lookup) : lookup_(lookup) {}

  Result<Tree> evaluate(const Operation& operation) {
    switch (operation.kind) {
      case Kind::literal:
        return operation.value;
      case Kind::name:
      case Kind::attribute:
        return named(operation);
      case Kind::index:
        return index(operation);
      case Kind::call:
        return call(operation);
      case Kind::list: {
        Tree list;
        list.kind = TreeKind::list;
        for (const auto& operand : operation.operands) {
          LAKEMILL_TRY(auto item, evaluate(*operand));
          list.items.push_back(std::move(item));
        }
        return list;
      }
      case Kind::negate:
      case Kind::identity: {
        LAKEMILL_TRY(const auto operand, evaluate(*operation.operands[0]));
        return at(operation, safe_binary(operation.text, make_integer(0), operand));
      }
      case Kind::invert: {
        LAKEMILL_TRY(const auto operand, evaluate(*operation.operands[0]));
        return make_boolean(!is_truthy(operand));
      }
      case Kind::binary: {
        LAKEMILL_TRY(const auto left, evaluate(*operation.operands[0]));
        LAKEMILL_TRY(const auto right, evaluate(*operation.operands[1]));
        return at(operation, safe_binary(operation.text, left, right));
      }
      case Kind::compare:
        return compare(operation);
      case Kind::logical_and:
      case Kind::logical_or: {
        LAKEMILL_TRY(auto left, evaluate(*operation.operands[0]));
        const bool decided = is_truthy(left) == (operation.kind == Kind::logical_or);
        if (decided) return left;
        return evaluate(*operation.operands[1]);
      }
      case Kind::condition: {
        LAKEMILL_TRY(const auto test, evaluate(*operation.operands[0]));
        return evaluate(*operation.operands[is_truthy(test) ? 1 : 2]);
      }
    }
    return make_null();
  }

 private:
  static Result<Tree> at(const Operation& operation, Result<Tree> result) {
    if (result) return result;
    return fault(operation.column, result.error().message());
  }

  // The dotted path of names that `operation` is; empty if it is something else.
  static std::vector<std::string> path_of(const Operation& operation) {
    if (operation.kind == Kind::name) return {operation.text};
    const bool text_index = operation.kind == Kind::index &&
                            operation.operands[1]->kind == Kind::literal &&
                            operation.operands[1]->value.is_string();
    if (operation.kind != Kind::attribute && !text_index) return {};
    std::vector<std::string> path = path_of(*operation.operands[0]);
    if (path.empty()) return {};
    path.push_back(text_index ? operation.operands[1]->value.text : operation.text);
    return path;
  }

  Result<Tree> named(const Operation& operation) {
    const std::vector<std::string> path = path_of(operation);
    if (!path.empty()) {
      auto found = lookup_(path);
      if (!found) return fault(operation.column, found.error().message());
      if (*found) return **std::move(found);
      return fault(operation.column, "unknown name '" + join(path, ".") + "'");
    }
    LAKEMILL_TRY(const auto value, evaluate(*operation.operands[0]));
    if (const Tree* member = value.find(operation.text)) return *member;
    return fault(operation.column, "there is no '" + operation.text + "' in " +
                                       std::string(kind_name(value.kind)));
  }

  Result<Tree> index(const Operation& operation) {
    if (!path_of(operation).empty()) return named(operation);
    LAKEMILL_TRY(const auto value, evaluate(*operation.operands[0]));
    LAKEMILL_TRY(const auto key, evaluate(*operation.operands[1]));
    return at(operation, safe_index(value, key));
  }

  Result<Tree> call(const Operation& operation) {
    LAKEMILL_TRY(const auto value, evaluate(*operation.operands[0]));
    std::vector<Tree> arguments;
    for (std::size_t i = 1; i < operation.operands.size(); ++i) {
      LAKEMILL_TRY(auto argument, evaluate(*operation.operands[i]));
      arguments.push_back(std::move(argument));
    }
    return at(operation, safe_method(value, operation.text, arguments));
  }

  Result<Tree> compare(const Operation& operation) {
    LAKEMILL_TRY(auto left, evaluate(*operation.operands[0]));
    for (std::size_t i = 0; i < operation.comparisons.size(); ++i) {
      LAKEMILL_TRY(auto right, evaluate(*operation.operands[i + 1]));
      const auto holds = safe_compare(operation.comparisons[i], left, right);
      if (!holds) return fault(operation.column, holds.error().message());
      if (!*holds) return make_boolean(false);
      left = std::move(right);
    }
    return make_boolean(true);
  }

  const NameLookup& lookup_;
};

}  // namespace

Result<Tree> evaluate_expression(std::string_view expression,
                                 const NameLookup& lookup) {
  LAKEMILL_TRY(auto tokens, safe_tokens(expression));
  LAKEMILL_TRY(const auto operation, Parser(std::move(tokens)).parse());
  return Evaluator(lookup).evaluate(*operation);
}

}  // namespace lakemill::language
