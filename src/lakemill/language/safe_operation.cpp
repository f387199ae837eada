#include "lakemill/language/safe_operation.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "lakemill/base/text.h"

namespace lakemill::language {

namespace {

constexpr std::size_t kSizeMax = 65'536;
constexpr double kIntegerMax = 9.2e18;

Error invalid(const std::string& message) { return Error(ErrorCode::invalid, message); }

bool is_integer(const Tree& tree) {
  return tree.kind == TreeKind::integer || tree.kind == TreeKind::boolean;
}
bool is_number(const Tree& tree) {
  return is_integer(tree) || tree.kind == TreeKind::number;
}
std::int64_t integer_of(const Tree& tree) {
  return tree.kind == TreeKind::boolean ? static_cast<std::int64_t>(tree.boolean)
                                        : tree.integer;
}
double number_of(const Tree& tree) {
  return is_integer(tree) ? static_cast<double>(integer_of(tree)) : tree.number;
}

Error wrong_types(std::string_view operation, const Tree& left, const Tree& right) {
  return invalid("'" + std::string(operation) + "' does not go with " +
                 std::string(kind_name(left.kind)) + " and " +
                 std::string(kind_name(right.kind)));
}

std::int64_t floor_division(std::int64_t left, std::int64_t right) {
  const std::int64_t quotient = left / right;
  return left % right != 0 && (left < 0) != (right < 0) ? quotient - 1 : quotient;
}

Result<Tree> of_integers(std::string_view operation, std::int64_t left,
                         std::int64_t right) {
  const auto x = static_cast<double>(left);
  const auto y = static_cast<double>(right);
  const double estimate = operation == "+"    ? x + y
                          : operation == "-"  ? x - y
                          : operation == "*"  ? x * y
                          : operation == "**" ? std::pow(x, y)
                                              : x;
  if (!(std::abs(estimate) < kIntegerMax)) return invalid("the number is too large");
  if (operation == "+") return make_integer(left + right);
  if (operation == "-") return make_integer(left - right);
  if (operation == "*") return make_integer(left * right);
  if (operation == "**") {
    if (right < 0) return make_number(estimate);
    std::int64_t result = 1;
    for (std::int64_t i = 0; i < right && left != 0 && left != 1; ++i) {
      if (left == -1) return make_integer(right % 2 == 0 ? 1 : -1);
      result *= left;
    }
    return make_integer(left == 0 && right > 0 ? 0 : result);
  }
  if (right == 0) return invalid("division by zero");
  if (operation == "/") return make_number(x / y);
  const std::int64_t quotient = floor_division(left, right);
  return make_integer(operation == "//" ? quotient : left - quotient * right);
}

Result<Tree> of_numbers(std::string_view operation, double left, double right) {
  if (operation == "+") return make_number(left + right);
  if (operation == "-") return make_number(left - right);
  if (operation == "*") return make_number(left * right);
  if (operation == "**") return make_number(std::pow(left, right));
  if (right == 0) return invalid("division by zero");
  if (operation == "/") return make_number(left / right);
  const double quotient = std::floor(left / right);
  return make_number(operation == "//" ? quotient : left - quotient * right);
}

bool equal(const Tree& left, const Tree& right) {
  if (is_number(left) && is_number(right)) {
    if (is_integer(left) && is_integer(right)) {
      return integer_of(left) == integer_of(right);
    }
    return number_of(left) == number_of(right);
  }
  if (left.kind != right.kind) return false;
  if (left.is_string()) return left.text == right.text;
  return to_json(left) == to_json(right);
}

Result<bool> contains(const Tree& container, const Tree& item) {
  if (container.is_list()) {
    return std::any_of(container.items.begin(), container.items.end(),
                       [&](const Tree& other) { return equal(other, item); });
  }
  if (container.is_mapping()) return container.find(item.text) != nullptr;
  if (container.is_string() && item.is_string()) {
    return container.text.find(item.text) != std::string::npos;
  }
  return wrong_types("in", item, container);
}

std::string stripped(const std::string& text, const std::string& characters, bool left,
                     bool right) {
  const std::size_t first = left ? text.find_first_not_of(characters) : 0;
  if (first == std::string::npos) return {};
  const std::size_t last = right ? text.find_last_not_of(characters) : text.size() - 1;
  return last == std::string::npos ? "" : text.substr(first, last + 1 - first);
}

Tree list_of(const std::vector<std::string>& texts) {
  Tree list;
  list.kind = TreeKind::list;
  for (const std::string& text : texts) list.items.push_back(make_string(text));
  return list;
}

Tree split_at(const std::string& text, const std::string& separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t end = text.find(separator); end != std::string::npos;
       end = text.find(separator, begin)) {
    parts.push_back(text.substr(begin, end - begin));
    begin = end + separator.size();
  }
  parts.push_back(text.substr(begin));
  return list_of(parts);
}

Result<Tree> joined(const std::string& separator, const Tree& list) {
  if (!list.is_list()) return invalid("join() needs a list");
  std::string text;
  for (const Tree& item : list.items) {
    if (!item.is_string()) return invalid("join() needs a list of strings");
    if (&item != &list.items.front()) text += separator;
    text += item.text;
    if (text.size() > kSizeMax) return invalid("the text is too large");
  }
  return make_string(std::move(text));
}

Result<Tree> without_argument(const std::string& text, std::string_view method) {
  const std::string blank = " \t\r\n";
  if (method == "lower") return make_string(to_lower(text));
  if (method == "upper") return make_string(to_upper(text));
  if (method == "strip") return make_string(stripped(text, blank, true, true));
  if (method == "lstrip") return make_string(stripped(text, blank, true, false));
  if (method == "rstrip") return make_string(stripped(text, blank, false, true));
  if (method == "capitalize") {
    std::string result = to_lower(text);
    if (!result.empty()) result[0] = to_upper(result.substr(0, 1))[0];
    return make_string(std::move(result));
  }
  return invalid("a string has no method " + std::string(method) + "()");
}

Result<Tree> with_argument(const std::string& text, std::string_view method,
                           const Tree& argument) {
  if (method == "join") return joined(text, argument);
  if (!argument.is_string()) {
    return invalid(std::string(method) + "() needs a string, not " +
                   std::string(kind_name(argument.kind)));
  }
  const std::string& other = argument.text;
  if (method == "startswith") return make_boolean(text.starts_with(other));
  if (method == "endswith") return make_boolean(text.ends_with(other));
  if (method == "removeprefix") {
    return make_string(text.starts_with(other) ? text.substr(other.size()) : text);
  }
  if (method == "removesuffix") {
    return make_string(
        text.ends_with(other) ? text.substr(0, text.size() - other.size()) : text);
  }
  if (method == "strip") return make_string(stripped(text, other, true, true));
  if (method == "lstrip") return make_string(stripped(text, other, true, false));
  if (method == "rstrip") return make_string(stripped(text, other, false, true));
  if (method == "find") {
    const std::size_t found = text.find(other);
    return make_integer(found == std::string::npos ? -1
                                                   : static_cast<std::int64_t>(found));
  }
  if ((method == "split" || method == "count") && other.empty()) {
    return invalid(std::string(method) + "() needs a text that is not empty");
  }
  if (method == "split") return split_at(text, other);
  if (method == "count") {
    return make_integer(static_cast<std::int64_t>(split_at(text, other).items.size()) -
                        1);
  }
  return invalid("a string has no method " + std::string(method) +
                 "() with one argument");
}

}  // namespace

bool is_truthy(const Tree& value) {
  switch (value.kind) {
    case TreeKind::null:
      return false;
    case TreeKind::boolean:
      return value.boolean;
    case TreeKind::integer:
    case TreeKind::number:
      return value.number != 0;
    case TreeKind::string:
      return !value.text.empty();
    case TreeKind::list:
      return !value.items.empty();
    case TreeKind::mapping:
      return !value.entries.empty();
  }
  return false;
}

Result<Tree> safe_binary(std::string_view operation, const Tree& left,
                         const Tree& right) {
  if (is_integer(left) && is_integer(right)) {
    return of_integers(operation, integer_of(left), integer_of(right));
  }
  if (is_number(left) && is_number(right)) {
    return of_numbers(operation, number_of(left), number_of(right));
  }
  if (operation == "+" && left.is_string() && right.is_string()) {
    if (left.text.size() + right.text.size() > kSizeMax) {
      return invalid("the text is too large");
    }
    return make_string(left.text + right.text);
  }
  if (operation == "+" && left.is_list() && right.is_list()) {
    if (left.items.size() + right.items.size() > kSizeMax) {
      return invalid("the list is too large");
    }
    Tree list = left;
    list.items.insert(list.items.end(), right.items.begin(), right.items.end());
    return list;
  }
  if (operation == "*" && left.is_string() && is_integer(right)) {
    const std::int64_t times = std::max<std::int64_t>(0, integer_of(right));
    if (static_cast<double>(times) * static_cast<double>(left.text.size()) >
        static_cast<double>(kSizeMax)) {
      return invalid("the text is too large");
    }
    std::string text;
    if (!left.text.empty()) {
      for (std::int64_t i = 0; i < times; ++i) text += left.text;
    }
    return make_string(std::move(text));
  }
  return wrong_types(operation, left, right);
}

Result<bool> safe_compare(std::string_view operation, const Tree& left,
                          const Tree& right) {
  if (operation == "==" || operation == "is") return equal(left, right);
  if (operation == "!=" || operation == "is not") return !equal(left, right);
  if (operation == "in") return contains(right, left);
  if (operation == "not in") {
    LAKEMILL_TRY(const bool inside, contains(right, left));
    return !inside;
  }
  int order = 0;
  if (is_number(left) && is_number(right)) {
    const double x = number_of(left);
    const double y = number_of(right);
    order = x < y ? -1 : x > y ? 1 : 0;
  } else if (left.is_string() && right.is_string()) {
    order = left.text.compare(right.text);
  } else {
    return wrong_types(operation, left, right);
  }
  if (operation == "<") return order < 0;
  if (operation == "<=") return order <= 0;
  if (operation == ">") return order > 0;
  return order >= 0;
}

Result<Tree> safe_index(const Tree& value, const Tree& key) {
  if (value.is_mapping()) {
    if (const Tree* found = value.find(key.text)) return *found;
    return invalid("there is no key '" + key.text + "'");
  }
  if (!is_integer(key) || (!value.is_list() && !value.is_string())) {
    return wrong_types("[]", value, key);
  }
  const std::size_t size = value.is_list() ? value.items.size() : value.text.size();
  std::int64_t position = integer_of(key);
  if (position < 0) position += static_cast<std::int64_t>(size);
  if (position < 0 || position >= static_cast<std::int64_t>(size)) {
    return invalid("index " + std::to_string(integer_of(key)) + " is out of range");
  }
  const auto offset = static_cast<std::size_t>(position);
  if (value.is_list()) return value.items[offset];
  return make_string(value.text.substr(offset, 1));
}

Result<Tree> safe_method(const Tree& value, std::string_view method,
                         const std::vector<Tree>& arguments) {
  if (!value.is_string()) {
    return invalid(std::string(kind_name(value.kind)) + " has no method " +
                   std::string(method) + "()");
  }
  if (arguments.empty()) {
    if (method == "split") {
      std::vector<std::string> words;
      for (const std::string& word : split(value.text, ' ')) {
        if (!word.empty()) words.push_back(word);
      }
      return list_of(words);
    }
    return without_argument(value.text, method);
  }
  if (arguments.size() == 1) return with_argument(value.text, method, arguments[0]);
  return invalid(std::string(method) + "() takes one argument at most here");
}

}  // namespace lakemill::language
