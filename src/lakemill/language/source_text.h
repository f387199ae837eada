#pragma once

#include <string>

#include "lakemill/language/location.h"
#include "lakemill/language/tree.h"

// Pieces of the model that keep what the user wrote, with its place.

namespace lakemill::language {

/// SQL or an expression as the user wrote it, variables put in.
struct SourceText {
  std::string text;
  Location location;   ///< of the value; with `block` the text begins on a later line
  bool block = false;  ///< written as `|` or `>`

  bool empty() const { return text.empty(); }
};

/// A name given by the user, with its place.
struct Name {
  std::string text;
  Location location;
};

/// What a table is called. `catalog` and `schema` are empty where the user named none
/// (the project's default catalog and the layer's schema then hold).
struct TableName {
  std::string catalog;
  std::string schema;
  std::string table;
  Location location;

  /// With dots, without the parts that are empty.
  std::string to_text() const;
};

/// A named argument or option in document order.
struct NamedArgument {
  std::string name;
  Location location;
  Tree value;
};

}  // namespace lakemill::language
