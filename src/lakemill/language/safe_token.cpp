#include "lakemill/language/safe_token.h"

#include <algorithm>
#include <array>
#include <utility>

namespace lakemill::language {

namespace {

constexpr std::size_t kLengthMax = 4096;

bool is_digit(char character) { return character >= '0' && character <= '9'; }
bool begins_name(char character) {
  return (character >= 'a' && character <= 'z') ||
         (character >= 'A' && character <= 'Z') || character == '_';
}

Error fault(std::size_t offset, const std::string& message) {
  return Error(ErrorCode::invalid,
               "column " + std::to_string(offset + 1) + ": " + message);
}

SafeToken word_token(std::string_view word, std::size_t offset) {
  constexpr std::array<std::string_view, 7> kKeywords = {"and",  "or", "not", "if",
                                                         "else", "in", "is"};
  SafeToken token;
  token.column = offset + 1;
  token.text = word;
  token.kind = SafeToken::Kind::name;
  if (std::find(kKeywords.begin(), kKeywords.end(), word) != kKeywords.end()) {
    token.kind = SafeToken::Kind::symbol;
  } else if (word == "True" || word == "true" || word == "False" || word == "false") {
    token.kind = SafeToken::Kind::literal;
    token.value = make_boolean(word[0] == 'T' || word[0] == 't');
  } else if (word == "None" || word == "null") {
    token.kind = SafeToken::Kind::literal;
    token.value = make_null();
  }
  return token;
}

// Reads the string that begins at `offset`, which moves behind it.
Result<SafeToken> string_token(std::string_view text, std::size_t& offset) {
  const std::size_t begin = offset;
  const char quote = text[offset++];
  std::string value;
  while (offset < text.size() && text[offset] != quote) {
    char character = text[offset++];
    if (character == '\\' && offset < text.size()) {
      character = text[offset++];
      if (character == 'n') character = '\n';
      if (character == 't') character = '\t';
    }
    value.push_back(character);
  }
  if (offset >= text.size()) return fault(begin, "the string is not closed");
  ++offset;
  SafeToken token;
  token.kind = SafeToken::Kind::literal;
  token.column = begin + 1;
  token.value = make_string(std::move(value));
  return token;
}

Result<SafeToken> number_token(std::string_view text, std::size_t& offset) {
  const std::size_t begin = offset;
  while (offset < text.size() && (is_digit(text[offset]) || text[offset] == '.')) {
    ++offset;
  }
  SafeToken token;
  token.kind = SafeToken::Kind::literal;
  token.column = begin + 1;
  token.value = plain_scalar(std::string(text.substr(begin, offset - begin)), {});
  if (token.value.kind == TreeKind::string) {
    return fault(begin, "'" + token.value.text + "' is not a number");
  }
  return token;
}

std::string_view symbol_at(std::string_view text) {
  for (const std::string_view symbol :
       {"**", "//", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "(", ")",
        "[", "]", ".", ","}) {
    if (text.starts_with(symbol)) return symbol;
  }
  return {};
}

}  // namespace

Result<std::vector<SafeToken>> safe_tokens(std::string_view expression) {
  if (expression.size() > kLengthMax) {
    return Error(ErrorCode::invalid, "the expression is longer than 4096 characters");
  }
  std::vector<SafeToken> tokens;
  std::size_t offset = 0;
  while (offset < expression.size()) {
    const char character = expression[offset];
    if (character == ' ' || character == '\t' || character == '\n') {
      ++offset;
    } else if (character == '\'' || character == '"') {
      LAKEMILL_TRY(auto token, string_token(expression, offset));
      tokens.push_back(std::move(token));
    } else if (is_digit(character)) {
      LAKEMILL_TRY(auto token, number_token(expression, offset));
      tokens.push_back(std::move(token));
    } else if (begins_name(character)) {
      std::size_t end = offset;
      while (end < expression.size() &&
             (begins_name(expression[end]) || is_digit(expression[end]))) {
        ++end;
      }
      tokens.push_back(word_token(expression.substr(offset, end - offset), offset));
      offset = end;
    } else {
      const std::string_view symbol = symbol_at(expression.substr(offset));
      if (symbol.empty()) {
        return fault(offset, std::string("'") + character + "' is unexpected");
      }
      SafeToken token;
      token.kind = SafeToken::Kind::symbol;
      token.text = symbol;
      token.column = offset + 1;
      tokens.push_back(std::move(token));
      offset += symbol.size();
    }
  }
  SafeToken end;
  end.column = expression.size() + 1;
  tokens.push_back(std::move(end));
  return tokens;
}

}  // namespace lakemill::language
