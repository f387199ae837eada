#pragma once

#include <string>

namespace lakemill::language {

/// A place in a file of the user: lines and columns count from 1; 0 means unknown.
/// Columns count bytes.
struct Location {
  std::string file;  ///< as it was named on the way to it
  int line = 0;
  int column = 0;

  auto operator<=>(const Location&) const = default;
};

/// "file:line:column", without what is unknown.
std::string to_text(const Location& location);

/// The place that `message` begins with ("file:line:column: …"), taken off it;
/// `otherwise` if it begins with none.
Location take_place(std::string& message, const Location& otherwise);

}  // namespace lakemill::language
