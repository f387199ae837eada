#include "lakemill/data/type_text.h"

#include <array>
#include <charconv>
#include <string>

#include "lakemill/base/text.h"

namespace lakemill::data {

namespace {

struct Alias {
  std::string_view name;
  TypeKind kind;
};

constexpr std::array kAliases = {
    Alias{"boolean", TypeKind::boolean},
    Alias{"bool", TypeKind::boolean},
    Alias{"byte", TypeKind::int8},
    Alias{"tinyint", TypeKind::int8},
    Alias{"int8", TypeKind::int8},
    Alias{"short", TypeKind::int16},
    Alias{"smallint", TypeKind::int16},
    Alias{"int16", TypeKind::int16},
    Alias{"uint8", TypeKind::int16},
    Alias{"integer", TypeKind::int32},
    Alias{"int", TypeKind::int32},
    Alias{"int32", TypeKind::int32},
    Alias{"uint16", TypeKind::int32},
    Alias{"long", TypeKind::int64},
    Alias{"bigint", TypeKind::int64},
    Alias{"int64", TypeKind::int64},
    Alias{"uint32", TypeKind::int64},
    Alias{"float", TypeKind::float32},
    Alias{"real", TypeKind::float32},
    Alias{"float32", TypeKind::float32},
    Alias{"double", TypeKind::float64},
    Alias{"float64", TypeKind::float64},
    Alias{"string", TypeKind::string},
    Alias{"varchar", TypeKind::string},
    Alias{"text", TypeKind::string},
    Alias{"char", TypeKind::string},
    Alias{"utf8", TypeKind::string},
    Alias{"binary", TypeKind::binary},
    Alias{"blob", TypeKind::binary},
    Alias{"bytea", TypeKind::binary},
    Alias{"date", TypeKind::date},
    Alias{"timestamp", TypeKind::timestamp},
    Alias{"timestamptz", TypeKind::timestamp},
    Alias{"timestamp_ltz", TypeKind::timestamp},
    Alias{"timestamp_ntz", TypeKind::timestamp_ntz},
    Alias{"datetime", TypeKind::timestamp_ntz},
};

constexpr int kDepthMax = 64;

// A cursor over the text. Each read skips blanks first.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text), rest_(text) {}

  Result<Type> read_all() {
    LAKEMILL_TRY(Type type, read_type(0));
    skip_blanks();
    if (!rest_.empty()) return wrong("unexpected '" + std::string(rest_) + "'");
    return type;
  }

 private:
  Result<Type> read_type(int depth) {
    if (depth > kDepthMax) return wrong("nested too deeply");
    skip_prefix();
    const std::string word = to_lower(read_word());
    if (word == "decimal" || word == "numeric") return read_decimal();
    if (word == "array" || word == "list") {
      LAKEMILL_TRY(const char close, open_bracket());
      LAKEMILL_TRY(Type element, read_type(depth + 1));
      LAKEMILL_TRY_OK(expect(close));
      return make_array(std::move(element), true);
    }
    if (word == "map") {
      LAKEMILL_TRY(const char close, open_bracket());
      LAKEMILL_TRY(Type key, read_type(depth + 1));
      LAKEMILL_TRY_OK(expect(','));
      LAKEMILL_TRY(Type value, read_type(depth + 1));
      LAKEMILL_TRY_OK(expect(close));
      return make_map(std::move(key), std::move(value), true);
    }
    if (word == "struct" || word == "row") return read_struct(depth);
    return read_simple(word);
  }

  Result<Type> read_simple(const std::string& word) {
    for (const Alias& alias : kAliases) {
      if (alias.name != word) continue;
      if (accept('(')) {  // "varchar(20)", "nw.String()", "Datetime('us')"
        while (!rest_.empty() && rest_.front() != ')') rest_.remove_prefix(1);
        LAKEMILL_TRY_OK(expect(')'));
      }
      return make_type(alias.kind);
    }
    std::vector<std::string> names = {"decimal(10,2)", "array", "map", "struct"};
    for (const Alias& alias : kAliases) names.emplace_back(alias.name);
    const auto guess = nearest(word, names);
    return wrong("unknown type '" + word + "'" +
                 (guess ? "; did you mean '" + *guess + "'?" : ""));
  }

  Result<Type> read_decimal() {
    if (!accept('(')) return make_decimal(10, 0);
    LAKEMILL_TRY(const int precision, read_number());
    int scale = 0;
    if (accept(',')) {
      LAKEMILL_TRY(scale, read_number());
    }
    LAKEMILL_TRY_OK(expect(')'));
    if (precision < 1 || precision > 38 || scale > precision) {
      return wrong(
          "a decimal has 1 to 38 digits, and no more of them behind the point");
    }
    return make_decimal(precision, scale);
  }

  Result<Type> read_struct(int depth) {
    LAKEMILL_TRY(const char close, open_bracket());
    std::vector<Field> fields;
    do {
      skip_blanks();
      std::string name = read_word();
      if (name.empty()) return wrong("a struct's field has no name");
      accept(':');
      LAKEMILL_TRY(Type type, read_type(depth + 1));
      fields.push_back({std::move(name), std::move(type)});
    } while (accept(','));
    LAKEMILL_TRY_OK(expect(close));
    return make_struct(std::move(fields));
  }

  // "nw.", "pl.", "nw.dtypes.", "T." in front of a dataframe's type.
  void skip_prefix() {
    skip_blanks();
    for (std::size_t dot = rest_.find_first_of(".<(, ");
         dot < rest_.size() && rest_[dot] == '.'; dot = rest_.find_first_of(".<(, ")) {
      rest_.remove_prefix(dot + 1);
    }
  }

  std::string read_word() {
    skip_blanks();
    std::size_t size = 0;
    while (size < rest_.size() &&
           (std::isalnum(static_cast<unsigned char>(rest_[size])) != 0 ||
            rest_[size] == '_')) {
      ++size;
    }
    std::string word(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return word;
  }

  Result<int> read_number() {
    skip_blanks();
    int number = 0;
    const auto parsed =
        std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    if (parsed.ec != std::errc() || number < 0) return wrong("a number is missing");
    rest_.remove_prefix(static_cast<std::size_t>(parsed.ptr - rest_.data()));
    return number;
  }

  Result<char> open_bracket() {
    if (accept('<')) return '>';
    if (accept('(')) return ')';
    return wrong("'<' is missing");
  }

  bool accept(char character) {
    skip_blanks();
    if (rest_.empty() || rest_.front() != character) return false;
    rest_.remove_prefix(1);
    return true;
  }

  Status expect(char character) {
    if (accept(character)) return {};
    return wrong(std::string("'") + character + "' is missing");
  }

  void skip_blanks() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) {
      rest_.remove_prefix(1);
    }
  }

  Error wrong(const std::string& why) const {
    return {ErrorCode::invalid, "not a type: '" + std::string(text_) + "': " + why};
  }

  std::string_view text_;
  std::string_view rest_;
};

}  // namespace

Result<Type> type_from_text(std::string_view text) { return Reader(text).read_all(); }

}  // namespace lakemill::data
