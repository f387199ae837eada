#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/result.h"

namespace lakemill::language {

/// A place in an expression's text; both count from 1, the column in bytes.
struct Position {
  int line = 1;
  int column = 1;
};

/// Longest expression text, in bytes.
inline constexpr std::size_t kExpressionSizeMaxBytes = 64 * 1024;

/// "column 12: <message>", or "line 2, column 3: <message>" below the first line.
Error error_at(Position position, std::string_view message);

enum class TokenKind : std::uint8_t { name, integer, real, string, symbol, end };

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;  ///< a string's value; else as written, numbers without `_`
  Position position;
};

/// Splits Python source text of one expression into tokens; the last one is `end`.
/// Line ends are white space and comments run to the end of their line.
/// Errors: invalid (an open string, an unknown escape or character, too long).
Result<std::vector<Token>> lex_expression(std::string_view text);

}  // namespace lakemill::language
