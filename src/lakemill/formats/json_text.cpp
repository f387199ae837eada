#include "lakemill/formats/json_text.h"

#include <algorithm>
#include <vector>

#include "lakemill/base/json.h"

namespace lakemill::formats {

namespace {

// Values nested deeper are handed on as they are.
constexpr int kDepthMax = 400;

// The bytes of a JSON text, from one token to the next.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ >= text_.size(); }
  std::size_t at() const { return at_; }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  void advance() { ++at_; }

  void skip_blanks() {
    while (!at_end() && (peek() == ' ' || peek() == '\n' || peek() == '\r' ||
                         peek() == '\t' || static_cast<unsigned char>(peek()) == 0xEF ||
                         static_cast<unsigned char>(peek()) == 0xBB ||
                         static_cast<unsigned char>(peek()) == 0xBF)) {
      ++at_;
    }
  }

  // True, and past it, if that letter is next.
  bool take(char letter) {
    skip_blanks();
    if (peek() != letter || at_end()) return false;
    ++at_;
    return true;
  }

  // A string with its quotes.
  std::string_view take_string() {
    const std::size_t start = at_++;
    while (!at_end() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    at_ = std::min(at_ + 1, text_.size());
    return text_.substr(start, at_ - start);
  }

  // A number or a word.
  std::string_view take_word() {
    constexpr std::string_view kEnds = ",]}: \t\r\n\"[{";
    const std::size_t start = at_;
    at_ = std::min(text_.find_first_of(kEnds, at_ + 1), text_.size());
    return text_.substr(start, at_ - start);
  }

  // Any value as it is written.
  std::string_view take_value() {
    skip_blanks();
    const std::size_t start = at_;
    int depth = 0;
    do {
      skip_blanks();
      const char letter = peek();
      if (letter == '"') {
        take_string();
      } else if (letter == '{' || letter == '[') {
        ++depth;
        ++at_;
      } else if (letter == '}' || letter == ']') {
        --depth;
        ++at_;
      } else if (letter == ',' || letter == ':') {
        ++at_;
      } else if (!at_end()) {
        take_word();
      }
    } while (depth > 0 && !at_end());
    return text_.substr(start, at_ - start);
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

// What a string says, without its quotes.
std::string string_value(std::string_view quoted) {
  if (quoted.find('\\') != std::string_view::npos) {
    const auto parsed = parse_json(quoted);
    if (parsed && parsed->is_string()) return parsed->get<std::string>();
  }
  return std::string(quoted.substr(1, std::max<std::size_t>(quoted.size(), 2) - 2));
}

// Without the blanks between tokens.
std::string minified(std::string_view json) {
  std::string text;
  Cursor cursor(json);
  for (cursor.skip_blanks(); !cursor.at_end(); cursor.skip_blanks()) {
    const char letter = cursor.peek();
    if (letter == '"') {
      text += cursor.take_string();
    } else if (std::string_view("{}[],:").find(letter) != std::string_view::npos) {
      text += letter;
      cursor.advance();
    } else {
      text += cursor.take_word();
    }
  }
  return text;
}

std::string json_string(std::string_view text) {
  std::string string = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') string += '\\';
    string += letter;
  }
  return string + "\"";
}

// Goes through a value, and tells of what it meets.
class Walk {
 public:
  virtual ~Walk() = default;

  void value(Cursor& cursor) {
    cursor.skip_blanks();
    const char letter = cursor.peek();
    if (letter == '"') return word(cursor.take_string());
    if (letter != '{' && letter != '[') return word(cursor.take_word());
    if (++depth_ > kDepthMax || takes_whole()) {
      word(cursor.take_value());
    } else {
      cursor.advance();
      nested(cursor, letter == '{');
    }
    --depth_;
  }

 protected:
  /// The path to the value that is told of.
  const std::string& path() const { return path_; }

  /// True if the list or object here is to be told as one word.
  virtual bool takes_whole() { return false; }
  virtual void word(std::string_view text) = 0;
  virtual void open(bool /*is_object*/) {}
  virtual void separate() {}
  virtual void name(std::string_view /*quoted*/) {}
  virtual void close(bool /*is_object*/) {}

 private:
  void nested(Cursor& cursor, bool is_object) {
    const char end = is_object ? '}' : ']';
    const std::size_t length = path_.size();
    open(is_object);
    bool first = true;
    while (!cursor.take(end) && !cursor.at_end()) {
      if (!first) separate();
      first = false;
      if (is_object) {
        cursor.skip_blanks();
        if (cursor.peek() != '"') break;  // no JSON
        const std::string_view key = cursor.take_string();
        name(key);
        path_ += member_step(string_value(key));
        cursor.take(':');
      } else {
        path_ += kElementStep;
      }
      value(cursor);
      path_.resize(length);
      cursor.take(',');
    }
    close(is_object);
  }

  std::string path_;
  int depth_ = 0;
};

class FindNumbers final : public Walk {
 public:
  explicit FindNumbers(bool all) : all_(all) {}

  NumbersByPath take() { return std::move(found_); }

 protected:
  void word(std::string_view text) override {
    if (text.empty() || (text[0] != '-' && (text[0] < '0' || text[0] > '9'))) return;
    if (!all_ && is_easy_number(text)) return;
    const auto number = describe_number(text);
    if (!number) return;
    const bool easy = number->fits_double && (!number->is_integer || number->fits_long);
    if (easy && !all_) return;
    found_[path()].add({number->is_integer, number->is_integer, number->fits_long,
                        number->fits_double, number->integer_digits, number->scale});
  }

 private:
  bool all_;
  NumbersByPath found_;
};

class WriteExactly final : public Walk {
 public:
  explicit WriteExactly(const std::set<std::string>& text_paths)
      : text_paths_(text_paths) {}

  ExactJson take() { return {std::move(text_), std::move(repeated_)}; }

 protected:
  bool takes_whole() override { return text_paths_.contains(path()); }

  void word(std::string_view text) override {
    if (text.starts_with('{') || text.starts_with('[')) {
      const std::string whole = minified(text);
      text_ += text_paths_.contains(path()) ? json_string(whole) : whole;
      return;
    }
    const auto number = text.size() > 2 ? describe_number(text) : std::nullopt;
    const bool easy =
        !number || (number->fits_double && (!number->is_integer || number->fits_long));
    const bool stays = easy && (!number || !text_paths_.contains(path()));
    text_ += stays ? std::string(text) : json_string(text);
  }

  void open(bool is_object) override {
    text_ += is_object ? '{' : '[';
    names_.emplace_back();
  }

  void separate() override { text_ += ','; }

  void name(std::string_view key) override {
    text_.append(key) += ':';
    names_.back().push_back(key);
  }

  void close(bool is_object) override {
    text_ += is_object ? '}' : ']';
    std::vector<std::string_view>& names = names_.back();
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end()) repeated_ = string_value(*twice);
    names_.pop_back();
  }

 private:
  const std::set<std::string>& text_paths_;
  std::string text_;
  std::string repeated_;
  std::vector<std::vector<std::string_view>> names_;  // of the objects around
};

// True if there is a number of so many digits, or with an exponent, that it is worth
// looking at. Sees digits in strings too.
bool may_have_hard_numbers(std::string_view json) {
  constexpr int kLengthMin = 16;
  int length = 0;
  for (const char letter : json) {
    const bool is_part = (letter >= '0' && letter <= '9') || letter == '.';
    if (is_part) {
      if (++length >= kLengthMin) return true;
      continue;
    }
    if (length > 0 && (letter == 'e' || letter == 'E')) return true;
    length = 0;
  }
  return false;
}

std::int64_t line_at(std::string_view document, std::size_t at) {
  return std::count(document.begin(),
                    document.begin() + static_cast<std::ptrdiff_t>(at), '\n') +
         1;
}

bool same_value(std::string_view raw, std::string_view value) {
  if (raw.starts_with('"')) return string_value(raw) == value;
  if (raw.starts_with('{') || raw.starts_with('[')) return minified(raw) == value;
  if (raw == value) return true;
  const auto left = exact_double(raw);  // an engine may write 1.50 as 1.5
  const auto right = exact_double(value);
  return left && right && *left == *right;
}

// Where the member begins; nothing if the record lacks it. Goes past the record.
std::optional<std::size_t> find_value(Cursor& cursor, std::string_view name,
                                      std::string_view value) {
  std::optional<std::size_t> found;
  if (!cursor.take('{')) {
    cursor.take_value();
    return found;
  }
  while (!cursor.take('}') && !cursor.at_end()) {
    cursor.skip_blanks();
    if (cursor.peek() != '"') {
      cursor.advance();
      continue;
    }
    const std::size_t at = cursor.at();
    const bool wanted = string_value(cursor.take_string()) == name;
    cursor.take(':');
    const std::string_view raw = cursor.take_value();
    if (wanted && !found && same_value(raw, value)) found = at;
    cursor.take(',');
  }
  return found;
}

}  // namespace

std::string member_step(std::string_view name) {
  std::string step = "/";
  for (const char letter : name) {
    if (letter == '~') {
      step += "~0";
    } else if (letter == '/') {
      step += "~1";
    } else {
      step += letter;
    }
  }
  return step;
}

std::string step_name(std::string_view step) {
  std::string name;
  for (std::size_t i = 1; i < step.size(); ++i) {
    const bool escaped = step[i] == '~' && i + 1 < step.size();
    if (!escaped) {
      name += step[i];
    } else {
      name += step[++i] == '0' ? '~' : '/';
    }
  }
  return name;
}

void NumbersAt::add(const NumbersAt& other) {
  any_integer = any_integer || other.any_integer;
  all_integer = all_integer && other.all_integer;
  fit_long = fit_long && other.fit_long;
  fit_double = fit_double && other.fit_double;
  integer_digits = std::max(integer_digits, other.integer_digits);
  scale = std::max(scale, other.scale);
}

NumbersByPath numbers_of(std::string_view json, bool all) {
  if (!all && !may_have_hard_numbers(json)) return {};
  FindNumbers find(all);
  Cursor cursor(json);
  find.value(cursor);
  return find.take();
}

ExactJson exact_json(std::string_view json, const std::set<std::string>& text_paths) {
  WriteExactly write(text_paths);
  Cursor cursor(json);
  write.value(cursor);
  return write.take();
}

std::optional<std::int64_t> line_of_value(std::string_view document,
                                          std::string_view name,
                                          std::string_view value) {
  Cursor cursor(document);
  cursor.take('[');
  while (!cursor.at_end()) {
    const std::size_t before = cursor.at();
    if (const auto at = find_value(cursor, name, value)) return line_at(document, *at);
    cursor.take(',');
    cursor.skip_blanks();
    if (cursor.at() == before) cursor.advance();
  }
  return std::nullopt;
}

std::optional<std::int64_t> line_of_name(std::string_view document,
                                         std::string_view name) {
  Cursor cursor(document);
  for (cursor.skip_blanks(); !cursor.at_end(); cursor.skip_blanks()) {
    const std::size_t at = cursor.at();
    if (cursor.peek() != '"') {
      cursor.advance();
      continue;
    }
    const bool wanted = string_value(cursor.take_string()) == name;
    if (cursor.take(':') && wanted) return line_at(document, at);
  }
  return std::nullopt;
}

}  // namespace lakemill::formats
