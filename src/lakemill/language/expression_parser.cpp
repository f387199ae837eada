#include "lakemill/language/expression_parser.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <utility>

namespace lakemill::language {
namespace {

// How tightly a binary operator binds, as in Python; 0 is "none".
int binding_power(const Token& token) {
  if (token.kind != TokenKind::symbol) return 0;
  constexpr std::array<std::pair<std::string_view, int>, 16> kPowers = {{{"==", 1},
                                                                         {"!=", 1},
                                                                         {"<", 1},
                                                                         {"<=", 1},
                                                                         {">", 1},
                                                                         {">=", 1},
                                                                         {"|", 2},
                                                                         {"^", 3},
                                                                         {"&", 4},
                                                                         {"+", 6},
                                                                         {"-", 6},
                                                                         {"*", 7},
                                                                         {"/", 7},
                                                                         {"//", 7},
                                                                         {"%", 7},
                                                                         {"**", 9}}};
  for (const auto& [text, power] : kPowers) {
    if (token.text == text) return power;
  }
  return 0;
}

constexpr int kComparisonPower = 1;
constexpr int kUnaryPower = 8;
constexpr int kPowerPower = 9;

std::optional<std::string_view> word_hint(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kHints = {{
      {"and", "'and' does not work on columns; write (a) & (b)"},
      {"or", "'or' does not work on columns; write (a) | (b)"},
      {"not", "'not' does not work on columns; write ~(a)"},
      {"in", "'in' does not work on columns; write a.is_in([...])"},
      {"is", "'is' does not work on columns; write a.is_null()"},
      {"if",
       "'if' does not work on columns; write nw.when(...).then(...).otherwise(...)"},
      {"else",
       "'else' does not work on columns; write nw.when(...).then(...).otherwise(...)"},
      {"lambda", "functions cannot be defined in an expression"},
      {"for", "loops are not known here; name the columns one by one"},
      {"await", "'await' is not known here"},
  }};
  for (const auto& [name, hint] : kHints) {
    if (name == word) return hint;
  }
  return std::nullopt;
}

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  Result<SyntaxNodePtr> run() {
    if (here().kind == TokenKind::end) {
      return error_at(here().position, "the expression is empty");
    }
    LAKEMILL_TRY(SyntaxNodePtr root, expression(0));
    if (here().kind != TokenKind::end) return unexpected("an operator or the end");
    return root;
  }

 private:
  const Token& here() const { return tokens_[index_]; }
  bool at(std::string_view symbol) const {
    return here().kind == TokenKind::symbol && here().text == symbol;
  }
  Token take() {
    Token token = tokens_[index_];
    if (index_ + 1 < tokens_.size()) ++index_;
    return token;
  }

  Error unexpected(std::string_view wanted) const {
    const Token& token = here();
    if (token.kind == TokenKind::end) {
      return error_at(token.position,
                      "the expression ends where " + std::string(wanted) + " is due");
    }
    if (token.kind == TokenKind::name) {
      if (auto hint = word_hint(token.text)) return error_at(token.position, *hint);
    }
    if (token.kind == TokenKind::symbol) {
      if (token.text == "&&" || token.text == "||") {
        return error_at(
            token.position,
            "'" + token.text + "' is not Python; write (a) " + token.text[0] + " (b)");
      }
      if (token.text == "=") {
        return error_at(token.position, "'=' does not compare; write '=='");
      }
    }
    const std::string what =
        token.kind == TokenKind::string ? "a string" : "'" + token.text + "'";
    return error_at(token.position,
                    what + " stands where " + std::string(wanted) + " is due");
  }

  static SyntaxNodePtr make(NodeKind kind, const Token& token) {
    auto node = std::make_unique<SyntaxNode>();
    node->kind = kind;
    node->position = token.position;
    node->text = token.text;
    return node;
  }

  static Status adopt(SyntaxNode& parent, SyntaxNodePtr child) {
    parent.depth = std::max(parent.depth, child->depth + 1);
    if (parent.depth > kSyntaxDepthMax) {
      return error_at(parent.position, "the expression is nested more than " +
                                           std::to_string(kSyntaxDepthMax) +
                                           " levels; split it into steps");
    }
    parent.children.push_back(std::move(child));
    return {};
  }

  // Guards the recursion that brackets and prefix operators cause.
  Status enter() {
    if (++bracket_depth_ > kBracketDepthMax) {
      return error_at(here().position, "brackets are nested more than " +
                                           std::to_string(kBracketDepthMax) +
                                           " levels; split the expression into steps");
    }
    return {};
  }
  void leave() { --bracket_depth_; }

  Result<SyntaxNodePtr> expression(int power_min) {
    LAKEMILL_TRY_OK(enter());
    LAKEMILL_TRY(SyntaxNodePtr left, prefix());
    while (true) {
      const int power = binding_power(here());
      if (power == 0 || power < power_min) break;
      const Token symbol = take();
      // Only ** groups to the right.
      LAKEMILL_TRY(SyntaxNodePtr right,
                   expression(power == kPowerPower ? kUnaryPower : power + 1));
      if (power == kComparisonPower && binding_power(here()) == kComparisonPower) {
        return error_at(
            here().position,
            "comparisons cannot be chained on columns; write (a < b) & (b < c)");
      }
      SyntaxNodePtr node = make(NodeKind::binary, symbol);
      LAKEMILL_TRY_OK(adopt(*node, std::move(left)));
      LAKEMILL_TRY_OK(adopt(*node, std::move(right)));
      left = std::move(node);
    }
    leave();
    return left;
  }

  Result<SyntaxNodePtr> prefix() {
    if (at("-") || at("+") || at("~")) {
      SyntaxNodePtr node = make(NodeKind::unary, take());
      LAKEMILL_TRY(SyntaxNodePtr child, expression(kUnaryPower));
      if (node->text == "-" && child->kind == NodeKind::integer &&
          child->integer != 0) {
        child->integer = -child->integer;
        child->position = node->position;
        return child;
      }
      LAKEMILL_TRY_OK(adopt(*node, std::move(child)));
      return node;
    }
    LAKEMILL_TRY(SyntaxNodePtr node, atom());
    return postfix(std::move(node));
  }

  Result<SyntaxNodePtr> postfix(SyntaxNodePtr left) {
    while (true) {
      if (at(".")) {
        take();
        if (here().kind != TokenKind::name) return unexpected("a name");
        SyntaxNodePtr node = make(NodeKind::attribute, take());
        LAKEMILL_TRY_OK(adopt(*node, std::move(left)));
        left = std::move(node);
      } else if (at("(")) {
        SyntaxNodePtr node = make(NodeKind::call, take());
        node->position = left->position;
        LAKEMILL_TRY_OK(adopt(*node, std::move(left)));
        LAKEMILL_TRY_OK(arguments(*node));
        left = std::move(node);
      } else if (at("[")) {
        SyntaxNodePtr node = make(NodeKind::subscript, take());
        LAKEMILL_TRY_OK(adopt(*node, std::move(left)));
        LAKEMILL_TRY(SyntaxNodePtr index, expression(0));
        if (!at("]")) return unexpected("']'");
        take();
        LAKEMILL_TRY_OK(adopt(*node, std::move(index)));
        left = std::move(node);
      } else {
        return left;
      }
    }
  }

  Status arguments(SyntaxNode& call) {
    while (!at(")")) {
      if (at("*") || at("**")) {
        return error_at(
            here().position,
            "'*' before an argument is not known here; give the list itself");
      }
      const bool named = here().kind == TokenKind::name &&
                         tokens_[index_ + 1].kind == TokenKind::symbol &&
                         tokens_[index_ + 1].text == "=";
      if (named) {
        LAKEMILL_TRY_OK(keyword(call));
      } else {
        if (!call.keywords.empty()) {
          return error_at(here().position,
                          "an argument without a name cannot follow a named one");
        }
        LAKEMILL_TRY(SyntaxNodePtr value, expression(0));
        LAKEMILL_TRY_OK(adopt(call, std::move(value)));
      }
      if (at(")")) break;
      if (!at(",")) return unexpected("',' or ')'");
      take();
    }
    take();
    return {};
  }

  Status keyword(SyntaxNode& call) {
    const Token name = take();
    take();
    for (const KeywordArgument& other : call.keywords) {
      if (other.name == name.text) {
        return error_at(name.position,
                        "the argument '" + name.text + "' is given twice");
      }
    }
    LAKEMILL_TRY(SyntaxNodePtr value, expression(0));
    call.depth = std::max(call.depth, value->depth + 1);
    if (call.depth > kSyntaxDepthMax) {
      return error_at(name.position, "the expression is nested too deeply");
    }
    call.keywords.push_back(
        KeywordArgument{name.text, name.position, std::move(value)});
    return {};
  }

  Result<SyntaxNodePtr> atom() {
    const Token& token = here();
    switch (token.kind) {
      case TokenKind::integer:
        return integer();
      case TokenKind::real:
        return real();
      case TokenKind::string:
        return string();
      case TokenKind::name:
        return name();
      case TokenKind::symbol:
        if (token.text == "(") return parenthesized();
        if (token.text == "[") return sequence("]");
        if (token.text == "{") return dictionary();
        break;
      case TokenKind::end:
        break;
    }
    return unexpected("a value");
  }

  Result<SyntaxNodePtr> integer() {
    const Token token = take();
    SyntaxNodePtr node = make(NodeKind::integer, token);
    const char* end = token.text.data() + token.text.size();
    const auto parsed = std::from_chars(token.text.data(), end, node->integer);
    if (parsed.ec != std::errc() || parsed.ptr != end) {
      return error_at(token.position,
                      "the number " + token.text + " does not fit 64 bits");
    }
    return node;
  }

  Result<SyntaxNodePtr> real() {
    const Token token = take();
    SyntaxNodePtr node = make(NodeKind::real, token);
    const char* end = token.text.data() + token.text.size();
    const auto parsed = std::from_chars(token.text.data(), end, node->real);
    if (parsed.ec != std::errc() || !std::isfinite(node->real)) {
      return error_at(token.position, "the number " + token.text + " is out of range");
    }
    return node;
  }

  Result<SyntaxNodePtr> string() {
    SyntaxNodePtr node = make(NodeKind::string, take());
    while (here().kind == TokenKind::string) node->text += take().text;
    return node;
  }

  Result<SyntaxNodePtr> name() {
    const Token& token = here();
    if (word_hint(token.text)) return unexpected("a value");
    SyntaxNodePtr node = make(NodeKind::name, take());
    if (node->text == "None") node->kind = NodeKind::none;
    if (node->text == "True" || node->text == "False") {
      node->kind = NodeKind::boolean;
      node->boolean = node->text == "True";
    }
    return node;
  }

  // (a), or the tuples () (a,) (a, b).
  Result<SyntaxNodePtr> parenthesized() {
    const Token open = take();
    SyntaxNodePtr tuple = make(NodeKind::list, open);
    bool is_tuple = at(")");
    while (!at(")")) {
      LAKEMILL_TRY(SyntaxNodePtr value, expression(0));
      LAKEMILL_TRY_OK(adopt(*tuple, std::move(value)));
      if (at(")")) break;
      if (!at(",")) return unexpected("',' or ')'");
      take();
      is_tuple = true;
    }
    take();
    if (is_tuple) return tuple;
    return std::move(tuple->children.front());
  }

  Result<SyntaxNodePtr> sequence(std::string_view close) {
    SyntaxNodePtr list = make(NodeKind::list, take());
    while (!at(close)) {
      LAKEMILL_TRY(SyntaxNodePtr value, expression(0));
      LAKEMILL_TRY_OK(adopt(*list, std::move(value)));
      if (at(close)) break;
      if (!at(",")) return unexpected("',' or ']'");
      take();
    }
    take();
    return list;
  }

  Result<SyntaxNodePtr> dictionary() {
    SyntaxNodePtr node = make(NodeKind::dictionary, take());
    while (!at("}")) {
      LAKEMILL_TRY(SyntaxNodePtr key, expression(0));
      if (!at(":")) return unexpected("':'");
      take();
      LAKEMILL_TRY(SyntaxNodePtr value, expression(0));
      LAKEMILL_TRY_OK(adopt(*node, std::move(key)));
      LAKEMILL_TRY_OK(adopt(*node, std::move(value)));
      if (at("}")) break;
      if (!at(",")) return unexpected("',' or '}'");
      take();
    }
    take();
    return node;
  }

  std::vector<Token> tokens_;
  std::size_t index_ = 0;
  int bracket_depth_ = 0;
};

}  // namespace

Result<SyntaxNodePtr> parse_expression(std::string_view text) {
  LAKEMILL_TRY(std::vector<Token> tokens, lex_expression(text));
  return Parser(std::move(tokens)).run();
}

}  // namespace lakemill::language
