#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/result.h"
#include "lakemill/language/expression_lexer.h"

namespace lakemill::language {

enum class NodeKind : std::uint8_t {
  name,        ///< `text`
  none,        ///< None
  boolean,     ///< `boolean`
  integer,     ///< `integer`
  real,        ///< `real`; `text` as written
  string,      ///< `text`
  list,        ///< `children`; tuples are lists too
  dictionary,  ///< `children`: key, value, key, value, …
  attribute,   ///< `children[0]` . `text`
  call,        ///< `children[0]` ( the other children, `keywords` )
  subscript,   ///< `children[0]` [ `children[1]` ]
  unary,       ///< `text` children[0]: - + ~
  binary,      ///< children[0] `text` children[1]: arithmetic, comparison, & | ^
};

struct SyntaxNode;
using SyntaxNodePtr = std::unique_ptr<SyntaxNode>;

struct KeywordArgument {
  std::string name;
  Position position;
  SyntaxNodePtr value;
};

/// A node of an expression's syntax tree. A call's and an attribute's position is that
/// of the name called or taken, a binary operation's that of its operator.
struct SyntaxNode {
  NodeKind kind = NodeKind::none;
  Position position;
  std::string text;
  bool boolean = false;
  std::int64_t integer = 0;
  double real = 0;
  std::vector<SyntaxNodePtr> children;
  std::vector<KeywordArgument> keywords;
  int depth = 1;  ///< levels of the tree below and with this node
};

/// Most levels of a syntax tree, and of brackets in the text.
inline constexpr int kSyntaxDepthMax = 400;
inline constexpr int kBracketDepthMax = 100;

/// Parses Python source text of one expression, in the subset that dataframe
/// expressions use. Errors: invalid, with the column and what to write instead.
Result<SyntaxNodePtr> parse_expression(std::string_view text);

}  // namespace lakemill::language
