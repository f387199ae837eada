#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/json.h"
#include "lakemill/language/location.h"

namespace lakemill::language {

enum class TreeKind : std::uint8_t {
  null,
  boolean,
  integer,
  number,
  string,
  list,
  mapping
};

struct TreeEntry;

/// A value of a pipeline file with its place: what YAML says, without YAML. Scalars
/// keep their source text, so that a variable is put into a string as it was written.
struct Tree {
  TreeKind kind = TreeKind::null;
  Location location;
  std::string text;  ///< of a scalar: a string's value, else as written
  bool boolean = false;
  std::int64_t integer = 0;
  double number = 0;   ///< also set for integers
  bool block = false;  ///< a string that begins on the line after `location` (`|`, `>`)
  /// A string that a run's parameter was put into: never an expression and never a
  /// frame reference, whatever it looks like.
  bool literal = false;
  bool has_unknown_keys = false;  ///< a mapping in which a key was not understood
  bool broken = false;      ///< unreadable, and already told: say nothing more about it
  std::string tag;          ///< "!use", "!extend" or "!update" until the file is loaded
  std::vector<Tree> items;  ///< of a list
  std::vector<TreeEntry> entries;  ///< of a mapping, in document order, keys unique

  bool is_null() const { return kind == TreeKind::null; }
  bool is_string() const { return kind == TreeKind::string; }
  bool is_list() const { return kind == TreeKind::list; }
  bool is_mapping() const { return kind == TreeKind::mapping; }
  bool is_scalar() const { return !is_list() && !is_mapping(); }

  /// The value under `key` of a mapping; null pointer if there is none.
  const Tree* find(std::string_view key) const;
  Tree* find(std::string_view key);
};

struct TreeEntry {
  std::string key;
  Location key_location;
  Tree value;
};

/// Builders, for tests and for values that are not written anywhere.
Tree make_null();
Tree make_boolean(bool value);
Tree make_integer(std::int64_t value);
Tree make_number(double value);
Tree make_string(std::string value);

/// What a scalar without quotes means: null, a boolean (`true`, `True`, `TRUE`, …), an
/// integer, a number, else a string. YAML 1.2's core schema, as PyYAML's users expect:
/// `yes`, `no`, `on` and `off` stay strings.
Tree plain_scalar(std::string text, Location location);

/// The same as JSON, without places. Keys in alphabetical order: equal trees give
/// equal text.
Json to_json(const Tree& tree);

/// The same with the keys in the order in which they are written: for rows, whose
/// columns have an order.
OrderedJson to_ordered_json(const Tree& tree);

/// JSON from which tree_of_definition() makes an equal tree again, places aside. The
/// order of keys is kept below the keys where it counts (arguments, columns, rows), and
/// no other order changes the text.
Json definition_json(const Tree& tree);
Tree tree_of_definition(const Json& definition);

/// "a string", "a list", …: for messages.
std::string_view kind_name(TreeKind kind);

}  // namespace lakemill::language
