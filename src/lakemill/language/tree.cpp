#include "lakemill/language/tree.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

namespace lakemill::language {

namespace {

template <typename AnyJson>
AnyJson json_of(const Tree& tree) {
  switch (tree.kind) {
    case TreeKind::null:
      return nullptr;
    case TreeKind::boolean:
      return tree.boolean;
    case TreeKind::integer:
      return tree.integer;
    case TreeKind::number:
      // JSON has neither infinity nor NaN: their text keeps them apart from null.
      return std::isfinite(tree.number) ? AnyJson(tree.number) : AnyJson(tree.text);
    case TreeKind::string:
      return tree.text;
    case TreeKind::list: {
      AnyJson list = AnyJson::array();
      for (const Tree& item : tree.items) list.push_back(json_of<AnyJson>(item));
      return list;
    }
    case TreeKind::mapping: {
      AnyJson mapping = AnyJson::object();
      for (const TreeEntry& entry : tree.entries) {
        mapping[entry.key] = json_of<AnyJson>(entry.value);
      }
      return mapping;
    }
  }
  return nullptr;
}

// "0x1F" and "0o17", the integers of programs that YAML 1.2 has. Their text becomes
// that of the number.
bool read_program_integer(Tree& tree) {
  const int base = tree.text.starts_with("0x") ? 16 : 8;
  if (base == 8 && !tree.text.starts_with("0o")) return false;
  const char* end = tree.text.data() + tree.text.size();
  const auto integer = std::from_chars(tree.text.data() + 2, end, tree.integer, base);
  if (integer.ec != std::errc() || integer.ptr != end || tree.integer < 0 ||
      tree.text[2] == '-') {
    tree.integer = 0;
    return false;
  }
  tree.kind = TreeKind::integer;
  tree.number = static_cast<double>(tree.integer);
  tree.text = std::to_string(tree.integer);
  return true;
}

// A number as people write one: "12", "-1.5e3", ".5". Not "1_000" or "1:30".
bool looks_like_number(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  bool digits = false;
  for (const char character : text) {
    if (character >= '0' && character <= '9') {
      digits = true;
    } else if (character != '.' && character != 'e' && character != 'E' &&
               character != '-' && character != '+') {
      return false;
    }
  }
  return digits && (text[0] == '.' || (text[0] >= '0' && text[0] <= '9'));
}

bool is_infinity(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return text == ".inf" || text == ".Inf" || text == ".INF";
}

bool read_number(Tree& tree) {
  std::string_view text = tree.text;
  if (!looks_like_number(text)) return false;
  if (text[0] == '+') text.remove_prefix(1);
  const char* end = text.data() + text.size();
  const auto integer = std::from_chars(text.data(), end, tree.integer);
  if (integer.ec == std::errc() && integer.ptr == end) {
    tree.kind = TreeKind::integer;
    tree.number = static_cast<double>(tree.integer);
    return true;
  }
  tree.integer = 0;
  const auto number = std::from_chars(text.data(), end, tree.number);
  if (number.ec == std::errc() && number.ptr == end) {
    tree.kind = TreeKind::number;
    return true;
  }
  tree.number = 0;
  return false;
}

// Below these keys the order of a mapping's keys tells the order of columns.
bool keeps_order(std::string_view key) {
  constexpr std::array<std::string_view, 9> kKeys = {
      "func_args", "func_kwargs", "selects", "renames",        "data",
      "schema",    "columns",     "to",      "reader_methods",
  };
  return std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end();
}

constexpr const char* kOrder = "$order";
constexpr const char* kLiteral = "$literal";
constexpr const char* kWritten = "$written";

Json definition_of(const Tree& tree, bool ordered) {
  if (tree.is_string()) {
    return tree.literal ? Json{{kLiteral, tree.text}} : Json(tree.text);
  }
  if (tree.is_list()) {
    Json list = Json::array();
    for (const Tree& item : tree.items) list.push_back(definition_of(item, ordered));
    return list;
  }
  if (!tree.is_mapping()) {
    Json scalar = to_json(tree);
    // "1.10" is a number, and a text where a text is wanted.
    const bool is_canonical = tree.is_null() || scalar.dump() == tree.text;
    return is_canonical ? scalar : Json{{kWritten, tree.text}};
  }
  Json mapping = Json::object();
  Json order = Json::array();
  bool is_sorted = true;
  for (const TreeEntry& entry : tree.entries) {
    is_sorted = is_sorted && (order.empty() || order.back() < Json(entry.key));
    order.push_back(entry.key);
    mapping[entry.key] = definition_of(entry.value, ordered || keeps_order(entry.key));
  }
  if (ordered && !is_sorted) mapping[kOrder] = std::move(order);
  return mapping;
}

}  // namespace

const Tree* Tree::find(std::string_view key) const {
  for (const TreeEntry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

Tree* Tree::find(std::string_view key) {
  for (TreeEntry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

Tree make_null() { return {}; }

Tree make_boolean(bool value) {
  Tree tree;
  tree.kind = TreeKind::boolean;
  tree.boolean = value;
  tree.text = value ? "true" : "false";
  return tree;
}

Tree make_integer(std::int64_t value) {
  Tree tree;
  tree.kind = TreeKind::integer;
  tree.integer = value;
  tree.number = static_cast<double>(value);
  tree.text = std::to_string(value);
  return tree;
}

Tree make_number(double value) {
  Tree tree;
  tree.kind = TreeKind::number;
  tree.number = value;
  tree.text = Json(value).dump();
  return tree;
}

Tree make_string(std::string value) {
  Tree tree;
  tree.kind = TreeKind::string;
  tree.text = std::move(value);
  return tree;
}

Tree plain_scalar(std::string text, Location location) {
  Tree tree;
  tree.location = std::move(location);
  tree.text = std::move(text);
  const std::string& written = tree.text;
  if (written.empty() || written == "~" || written == "null" || written == "Null" ||
      written == "NULL") {
    return tree;
  }
  if (written == "true" || written == "True" || written == "TRUE") {
    tree.kind = TreeKind::boolean;
    tree.boolean = true;
  } else if (written == "false" || written == "False" || written == "FALSE") {
    tree.kind = TreeKind::boolean;
  } else if (is_infinity(written)) {
    tree.kind = TreeKind::number;
    tree.number =
        std::numeric_limits<double>::infinity() * (written[0] == '-' ? -1 : 1);
  } else if (written == ".nan" || written == ".NaN" || written == ".NAN") {
    tree.kind = TreeKind::number;
    tree.number = std::numeric_limits<double>::quiet_NaN();
  } else if (!read_number(tree) && !read_program_integer(tree)) {
    tree.kind = TreeKind::string;
  }
  return tree;
}

Json to_json(const Tree& tree) { return json_of<Json>(tree); }

OrderedJson to_ordered_json(const Tree& tree) { return json_of<OrderedJson>(tree); }

Json definition_json(const Tree& tree) { return definition_of(tree, false); }

Tree tree_of_definition(const Json& definition) {
  Tree tree;
  if (definition.is_string()) return make_string(definition.get<std::string>());
  if (definition.is_array()) {
    tree.kind = TreeKind::list;
    for (const Json& item : definition) tree.items.push_back(tree_of_definition(item));
    return tree;
  }
  if (!definition.is_object()) {
    return definition.is_null() ? tree : plain_scalar(definition.dump(), {});
  }
  if (definition.size() == 1 && definition.begin()->is_string()) {
    const std::string text = definition.begin()->get<std::string>();
    if (definition.begin().key() == kWritten) return plain_scalar(text, {});
    if (definition.begin().key() == kLiteral) {
      tree = make_string(text);
      tree.literal = true;
      return tree;
    }
  }
  tree.kind = TreeKind::mapping;
  const Json* order = find_member(definition, kOrder);
  if (order != nullptr && order->is_array()) {
    for (const Json& key : *order) {
      if (!key.is_string()) continue;
      const std::string name = key.get<std::string>();
      if (const Json* value = find_member(definition, name)) {
        tree.entries.push_back({name, {}, tree_of_definition(*value)});
      }
    }
    return tree;
  }
  for (const auto& [key, value] : definition.items()) {
    tree.entries.push_back({key, {}, tree_of_definition(value)});
  }
  return tree;
}

std::string_view kind_name(TreeKind kind) {
  switch (kind) {
    case TreeKind::null:
      return "nothing";
    case TreeKind::boolean:
      return "a boolean";
    case TreeKind::integer:
      return "an integer";
    case TreeKind::number:
      return "a number";
    case TreeKind::string:
      return "a string";
    case TreeKind::list:
      return "a list";
    case TreeKind::mapping:
      return "a mapping";
  }
  return "a value";
}

}  // namespace lakemill::language
