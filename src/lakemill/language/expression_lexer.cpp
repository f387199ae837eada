#include "lakemill/language/expression_lexer.h"

#include <array>
#include <cctype>
#include <optional>

namespace lakemill::language {
namespace {

constexpr std::array<std::string_view, 12> kLongSymbols = {
    "**", "//", "==", "!=", "<=", ">=", "<<", ">>", ":=", "->", "&&", "||"};
constexpr std::string_view kShortSymbols = "()[]{}.,:+-*/%<>=&|~^!@?;";

bool is_name_start(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_name_part(char c) { return is_name_start(c) || is_digit(c); }

void append_utf8(std::string& out, std::uint32_t code) {
  auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0U | (code >> 6U));
    put(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    put(0xE0U | (code >> 12U));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  } else {
    put(0xF0U | (code >> 18U));
    put(0x80U | ((code >> 12U) & 0x3FU));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  }
}

std::optional<char> simple_escape(char c) {
  switch (c) {
    case '\\':
    case '\'':
    case '"':
      return c;
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'v':
      return '\v';
    default:
      return std::nullopt;
  }
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> run() {
    if (text_.size() > kExpressionSizeMaxBytes) {
      return Error(ErrorCode::invalid, "the expression is longer than " +
                                           std::to_string(kExpressionSizeMaxBytes) +
                                           " bytes");
    }
    while (true) {
      LAKEMILL_TRY_OK(skip_space());
      if (done()) break;
      LAKEMILL_TRY(Token token, next());
      tokens_.push_back(std::move(token));
    }
    tokens_.push_back(Token{TokenKind::end, "", position_});
    return std::move(tokens_);
  }

 private:
  bool done() const { return offset_ >= text_.size(); }
  char peek(std::size_t ahead) const {
    return offset_ + ahead < text_.size() ? text_[offset_ + ahead] : '\0';
  }
  char take() {
    const char c = text_[offset_++];
    if (c == '\n') {
      ++position_.line;
      position_.column = 1;
    } else {
      ++position_.column;
    }
    return c;
  }

  Status skip_space() {
    while (!done()) {
      const char c = peek(0);
      if (c == '#') {
        while (!done() && peek(0) != '\n') take();
      } else if (c == '\\') {
        if (peek(1) != '\n' && !(peek(1) == '\r' && peek(2) == '\n')) {
          return error_at(position_, "a backslash joins lines only at their end");
        }
        take();
      } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
        take();
      } else {
        break;
      }
    }
    return {};
  }

  Result<Token> next() {
    const char c = peek(0);
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
    if (c == '"' || c == '\'') return string("");
    if (is_name_start(c)) return name();
    return symbol();
  }

  Result<Token> name() {
    const Position start = position_;
    std::string text;
    while (!done() && is_name_part(peek(0))) text.push_back(take());
    if ((peek(0) == '"' || peek(0) == '\'') && text.size() <= 2) {
      std::string prefix;
      for (const char c : text) {
        prefix.push_back(
            static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
      }
      if (prefix == "r" || prefix == "u") {
        LAKEMILL_TRY(Token token, string(prefix));
        token.position = start;
        return token;
      }
      if (prefix == "f" || prefix == "fr" || prefix == "rf") {
        return error_at(start,
                        "f-strings are not known here; write the text, or use "
                        "nw.concat_str(...)");
      }
      if (prefix == "b" || prefix == "br" || prefix == "rb") {
        return error_at(start, "byte strings are not known here");
      }
    }
    return Token{TokenKind::name, std::move(text), start};
  }

  // Takes digits and single underscores between them.
  Status digits(std::string& out) {
    while (is_digit(peek(0)) || peek(0) == '_') {
      if (peek(0) == '_') {
        if (out.empty() || !is_digit(out.back()) || !is_digit(peek(1))) {
          return error_at(position_, "a number has '_' only between digits");
        }
        take();
      } else {
        out.push_back(take());
      }
    }
    return {};
  }

  Result<Token> number() {
    const Position start = position_;
    Token token{TokenKind::integer, "", start};
    if (peek(0) == '0' && std::isalpha(static_cast<unsigned char>(peek(1))) != 0 &&
        peek(1) != 'e' && peek(1) != 'E') {
      return error_at(start, "only decimal numbers are known here");
    }
    LAKEMILL_TRY_OK(digits(token.text));
    if (peek(0) == '.') {
      token.kind = TokenKind::real;
      if (token.text.empty()) token.text = "0";
      token.text.push_back(take());
      LAKEMILL_TRY_OK(digits(token.text));
      if (token.text.back() == '.') token.text.push_back('0');
    }
    const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
    if ((peek(0) == 'e' || peek(0) == 'E') && is_digit(peek(1 + sign))) {
      token.kind = TokenKind::real;
      take();
      token.text.push_back('e');
      if (sign == 1) token.text.push_back(take());
      LAKEMILL_TRY_OK(digits(token.text));
    }
    if (is_name_part(peek(0))) {
      return error_at(start, "a number goes over into a name; is an operator missing?");
    }
    return token;
  }

  Result<Token> string(std::string_view prefix) {
    const Position start = position_;
    const char quote = peek(0);
    const bool triple = peek(1) == quote && peek(2) == quote;
    for (int i = 0; i < (triple ? 3 : 1); ++i) take();
    Token token{TokenKind::string, "", start};
    while (true) {
      if (done() || (!triple && peek(0) == '\n')) {
        return error_at(start, "this string is not closed");
      }
      if (peek(0) == quote && (!triple || (peek(1) == quote && peek(2) == quote))) {
        for (int i = 0; i < (triple ? 3 : 1); ++i) take();
        break;
      }
      if (peek(0) == '\\') {
        LAKEMILL_TRY_OK(escape(token.text, prefix == "r"));
      } else {
        token.text.push_back(take());
      }
    }
    if (token.text.find('\0') != std::string::npos) {
      return error_at(start, "a string cannot hold the character 0");
    }
    return token;
  }

  Status escape(std::string& out, bool raw) {
    const Position start = position_;
    take();
    if (done()) return error_at(start, "this string is not closed");
    if (raw) {
      out.push_back('\\');
      out.push_back(take());
      return {};
    }
    const char c = take();
    if (c == '\n') return {};
    if (auto plain = simple_escape(c)) {
      out.push_back(*plain);
      return {};
    }
    if (c == 'x') return code_point(out, 2, start);
    if (c == 'u') return code_point(out, 4, start);
    if (c == 'U') return code_point(out, 8, start);
    if (is_digit(c) || c == 'N') {
      return error_at(start, "this escape is not known here; write \\xhh or \\uhhhh");
    }
    out.push_back('\\');  // as Python: an unknown escape stays as it is
    out.push_back(c);
    return {};
  }

  Status code_point(std::string& out, int digit_count, Position start) {
    std::uint32_t code = 0;
    for (int i = 0; i < digit_count; ++i) {
      const char c = peek(0);
      if (std::isxdigit(static_cast<unsigned char>(c)) == 0) {
        return error_at(start, "this escape needs " + std::to_string(digit_count) +
                                   " hexadecimal digits");
      }
      take();
      const int digit = is_digit(c)
                            ? c - '0'
                            : std::tolower(static_cast<unsigned char>(c)) - 'a' + 10;
      code = code * 16 + static_cast<std::uint32_t>(digit);
    }
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
      return error_at(start, "this escape is not a character");
    }
    append_utf8(out, code);
    return {};
  }

  Result<Token> symbol() {
    const Position start = position_;
    for (const std::string_view candidate : kLongSymbols) {
      if (text_.substr(offset_, candidate.size()) == candidate) {
        for (std::size_t i = 0; i < candidate.size(); ++i) take();
        return Token{TokenKind::symbol, std::string(candidate), start};
      }
    }
    const char c = peek(0);
    if (kShortSymbols.find(c) == std::string_view::npos) {
      return error_at(start,
                      std::string("the character '") + c + "' is not known here");
    }
    take();
    return Token{TokenKind::symbol, std::string(1, c), start};
  }

  std::string_view text_;
  std::size_t offset_ = 0;
  Position position_;
  std::vector<Token> tokens_;
};

}  // namespace

Error error_at(Position position, std::string_view message) {
  std::string text;
  if (position.line > 1) text = "line " + std::to_string(position.line) + ", ";
  text += "column " + std::to_string(position.column) + ": ";
  return Error(ErrorCode::invalid, text.append(message));
}

Result<std::vector<Token>> lex_expression(std::string_view text) {
  return Lexer(text).run();
}

}  // namespace lakemill::language
