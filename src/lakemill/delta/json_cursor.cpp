#include "lakemill/delta/json_cursor.h"

#include <charconv>

namespace lakemill::delta {

namespace {

void append_utf8(std::string& text, std::uint32_t point) {
  const auto byte = [&](std::uint32_t value) {
    text.push_back(static_cast<char>(static_cast<unsigned char>(value)));
  };
  if (point < 0x80) {
    byte(point);
  } else if (point < 0x800) {
    byte(0xC0 | (point >> 6));
    byte(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    byte(0xE0 | (point >> 12));
    byte(0x80 | ((point >> 6) & 0x3F));
    byte(0x80 | (point & 0x3F));
  } else {
    byte(0xF0 | (point >> 18));
    byte(0x80 | ((point >> 12) & 0x3F));
    byte(0x80 | ((point >> 6) & 0x3F));
    byte(0x80 | (point & 0x3F));
  }
}

bool is_scalar_end(char c) {
  return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\t' || c == '\n' ||
         c == '\r';
}

}  // namespace

bool JsonCursor::fail(std::string_view what) {
  if (fault_.empty()) {
    fault_ = std::string(what) + " at byte " + std::to_string(position_);
  }
  return false;
}

void JsonCursor::skip_space() {
  while (position_ < text_.size()) {
    const char c = text_[position_];
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r') return;
    ++position_;
  }
}

char JsonCursor::peek() {
  skip_space();
  return failed() || position_ >= text_.size() ? '\0' : text_[position_];
}

bool JsonCursor::at_end() { return !failed() && peek() == '\0'; }

bool JsonCursor::expect(char wanted) {
  if (failed()) return false;
  if (peek() != wanted) return fail(std::string("expected '") + wanted + "'");
  ++position_;
  return true;
}

bool JsonCursor::enter_object() {
  if (!expect('{')) return false;
  first_ = true;
  return true;
}

bool JsonCursor::next_member(std::string& key) {
  if (failed()) return false;
  if (peek() == '}') {
    ++position_;
    first_ = false;
    return false;
  }
  if (!first_ && !expect(',')) return false;
  first_ = false;
  return read_string(key) && expect(':');
}

bool JsonCursor::enter_array() {
  if (!expect('[')) return false;
  first_ = true;
  return true;
}

bool JsonCursor::next_element() {
  if (failed()) return false;
  if (peek() == ']') {
    ++position_;
    first_ = false;
    return false;
  }
  if (!first_ && !expect(',')) return false;
  first_ = false;
  return true;
}

bool JsonCursor::consume_null() {
  if (peek() != 'n' || text_.substr(position_, 4) != "null") return false;
  position_ += 4;
  return true;
}

bool JsonCursor::read_bool(bool& value) {
  const char c = peek();
  if (c == 't' && text_.substr(position_, 4) == "true") {
    position_ += 4;
    value = true;
    return true;
  }
  if (c == 'f' && text_.substr(position_, 5) == "false") {
    position_ += 5;
    value = false;
    return true;
  }
  return fail("expected true or false");
}

bool JsonCursor::read_integer(std::int64_t& value) {
  peek();
  if (failed()) return false;
  const char* begin = text_.data() + position_;
  const char* end = text_.data() + text_.size();
  const auto parsed = std::from_chars(begin, end, value);
  if (parsed.ec != std::errc() || (parsed.ptr != end && !is_scalar_end(*parsed.ptr))) {
    return fail("expected an integer");
  }
  position_ += static_cast<std::size_t>(parsed.ptr - begin);
  return true;
}

bool JsonCursor::read_string(std::string& value) {
  if (peek() != '"') return fail("expected a string");
  ++position_;
  value.clear();
  while (true) {
    const std::size_t start = position_;
    while (position_ < text_.size() && text_[position_] != '"' &&
           text_[position_] != '\\') {
      ++position_;
    }
    value.append(text_.substr(start, position_ - start));
    if (position_ >= text_.size()) return fail("a string does not end");
    if (text_[position_++] == '"') return true;
    if (!read_escape(value)) return false;
  }
}

bool JsonCursor::read_escape(std::string& value) {
  if (position_ >= text_.size()) return fail("a string does not end");
  const char c = text_[position_++];
  switch (c) {
    case '"':
    case '\\':
    case '/':
      value.push_back(c);
      return true;
    case 'b':
      value.push_back('\b');
      return true;
    case 'f':
      value.push_back('\f');
      return true;
    case 'n':
      value.push_back('\n');
      return true;
    case 'r':
      value.push_back('\r');
      return true;
    case 't':
      value.push_back('\t');
      return true;
    case 'u':
      break;
    default:
      return fail("an unknown escape in a string");
  }
  std::uint32_t point = 0;
  if (!read_code_unit(point)) return false;
  if (point >= 0xD800 && point < 0xDC00 && text_.substr(position_, 2) == "\\u") {
    const std::size_t before = position_;
    position_ += 2;
    std::uint32_t low = 0;
    if (!read_code_unit(low)) return false;
    if (low >= 0xDC00 && low < 0xE000) {
      point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
    } else {
      position_ = before;
    }
  }
  if (point >= 0xD800 && point < 0xE000) point = 0xFFFD;  // half of a pair
  append_utf8(value, point);
  return true;
}

bool JsonCursor::read_code_unit(std::uint32_t& unit) {
  const std::string_view digits = text_.substr(position_, 4);
  const auto parsed =
      std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
  if (digits.size() != 4 || parsed.ec != std::errc() ||
      parsed.ptr != digits.data() + 4) {
    return fail("an escape \\u without four hex digits");
  }
  position_ += 4;
  return true;
}

bool JsonCursor::skip_string() {
  ++position_;
  while (position_ < text_.size()) {
    const char c = text_[position_++];
    if (c == '"') return true;
    if (c == '\\') ++position_;
  }
  position_ = text_.size();
  return fail("a string does not end");
}

bool JsonCursor::skip_nested() {
  std::size_t depth = 0;
  while (position_ < text_.size()) {
    const char c = text_[position_];
    if (c == '"') {
      if (!skip_string()) return false;
      continue;
    }
    ++position_;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return true;
  }
  return fail("an object or array does not end");
}

bool JsonCursor::skip_value() {
  const char c = peek();
  if (failed()) return false;
  if (c == '"') return skip_string();
  if (c == '{' || c == '[') return skip_nested();
  const std::size_t start = position_;
  while (position_ < text_.size() && !is_scalar_end(text_[position_])) ++position_;
  return position_ > start || fail("expected a value");
}

std::string_view JsonCursor::raw_value() {
  peek();
  const std::size_t start = position_;
  if (!skip_value()) return {};
  return text_.substr(start, position_ - start);
}

}  // namespace lakemill::delta
