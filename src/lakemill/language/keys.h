#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/json.h"

// The one table of the language's keys. The loader checks files against it, and the
// JSON Schema for editors and the reference are printed from it.

namespace lakemill::language {

/// What a key's value may be. Everywhere a variable may stand for the whole value.
enum class ValueType : std::uint8_t {
  any,
  text,  ///< a string or number
  sql,   ///< text: SQL
  path,  ///< text: a path
  boolean,
  integer,
  number,
  duration,     ///< "5m", "1h 30m", a number of seconds
  size,         ///< "512MB", a number of bytes
  cron,         ///< a cron expression
  schedule,     ///< a duration or a cron expression
  choice,       ///< one of KeySpec::choices, case ignored
  choice_list,  ///< such, or a single one
  text_list,    ///< texts, or a single one
  any_list,
  text_map,  ///< names to scalars
  any_map,
  object,        ///< a mapping described by KeySpec::object
  object_list,   ///< a list of such, or a single one
  object_map,    ///< names to such
  columns,       ///< names to types or to KeySpec::object, or a list of such
  selection,     ///< a list of names, or names to names
  flag_or_list,  ///< true, false, or a list of names
  text_or_object,
  text_or_object_list,  ///< a list of either, or a single one
  duration_or_object,
  choice_or_object
};

enum class Support : std::uint8_t {
  full,
  later,   ///< known, and refused by name
  ignored  ///< known, and ignored with a notice
};

struct KeySpec {
  std::string_view key;
  ValueType type = ValueType::any;
  std::string_view doc;  ///< one sentence
  std::string_view default_text = "";
  std::string_view choices = "";  ///< "A|B|C"
  std::string_view refused = "";  ///< choices that are known and not supported yet
  std::string_view object = "";
  std::string_view kinds = "";  ///< "FILE|TABLE": which kinds of the object have it
  bool ours = false;            ///< Laktory lacks it
  bool required = false;
  Support support = Support::full;
};

/// One kind of mapping in a file.
struct ObjectSpec {
  std::string_view name;  ///< "node"
  std::string_view doc;
  std::span<const KeySpec> keys;
  bool ignores_case = false;  ///< of its keys
};

/// All objects; the first is the project, the second the pipeline.
std::span<const ObjectSpec> language_objects();

/// The object called `name`, which must exist.
const ObjectSpec& object_spec(std::string_view name);

/// The key of `object`; null if it has none of this name.
const KeySpec* find_key(const ObjectSpec& object, std::string_view key);

/// The parts of "A|B|C".
std::vector<std::string> choices_of(std::string_view text);

/// The choice that `text` is, whatever its case: as the table writes it.
std::optional<std::string> find_choice(std::string_view choices, std::string_view text);

/// JSON Schema (draft 7) of pipeline and project files.
Json json_schema();

/// The reference of all keys, as Markdown.
std::string reference_markdown();

}  // namespace lakemill::language
