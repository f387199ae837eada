#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/result.h"
#include "lakemill/language/tree.h"

namespace lakemill::language {

/// A word of a `${{ }}` expression.
struct SafeToken {
  enum class Kind { literal, name, symbol, end };
  Kind kind = Kind::end;
  std::string text;        ///< of a name or symbol; keywords are symbols
  Tree value;              ///< of a literal
  std::size_t column = 1;  ///< from 1
};

/// The words of `expression`, the last of kind end. Errors: invalid (an unclosed
/// string, a character that no expression has, more than 4,096 characters).
Result<std::vector<SafeToken>> safe_tokens(std::string_view expression);

}  // namespace lakemill::language
