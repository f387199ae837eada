#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/language/model.h"
#include "lakemill/language/tree.h"

namespace lakemill::language {

/// Reads the values of a mapping whose shape was checked. A key that is absent, null or
/// broken gives the default. Borrows the mapping.
class Fields {
 public:
  explicit Fields(const Tree& mapping) : mapping_(mapping) {}

  const Location& location() const { return mapping_.location; }
  /// The value; null pointer if absent, null or broken.
  const Tree* find(std::string_view key) const;
  bool has(std::string_view key) const { return find(key) != nullptr; }
  /// True if the key stands there with something that was already told to be wrong.
  bool is_broken(std::string_view key) const;
  /// True if a key of the mapping was not understood: then do not miss another.
  bool has_unknown_keys() const { return mapping_.has_unknown_keys; }
  /// Where the value is, else where the mapping is.
  const Location& place(std::string_view key) const;

  std::string text(std::string_view key, std::string_view fallback) const;
  bool flag(std::string_view key, bool fallback) const;
  std::optional<std::int64_t> integer(std::string_view key) const;
  std::optional<std::int64_t> size(std::string_view key) const;
  std::optional<std::chrono::microseconds> duration(std::string_view key) const;
  /// The choice in upper case; "" if absent.
  std::string choice(std::string_view key) const;
  std::vector<std::string> texts(std::string_view key) const;
  std::vector<Name> names(std::string_view key) const;
  std::map<std::string, std::string> text_map(std::string_view key) const;
  SourceText source_text(std::string_view key) const;
  std::vector<NamedArgument> arguments(std::string_view key) const;
  /// The items of a list; of anything else, itself.
  std::vector<const Tree*> items(std::string_view key) const;
  std::vector<ColumnSpec> columns(std::string_view key) const;
  /// The value as it is; null if absent.
  Tree raw(std::string_view key) const;

 private:
  const Tree& mapping_;
};

}  // namespace lakemill::language
