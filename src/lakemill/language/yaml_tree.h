#pragma once

#include <functional>
#include <optional>
#include <string>

#include "lakemill/language/diagnostic.h"
#include "lakemill/language/file_reader.h"
#include "lakemill/language/tree.h"

namespace lakemill::language {

/// The value of `${vars.name}` that may stand in the path of an include, beside the
/// `variables:` of the enclosing mappings: `before` wins over those, `after` is asked
/// when they have none. Both may be empty functions.
struct IncludeVariables {
  std::function<std::optional<std::string>(const std::string& name)> before;
  std::function<std::optional<std::string>(const std::string& name)> after;
};

/// Reads a YAML file with everything that it includes by `!use`, `!extend`, `!update`
/// and merge keys. Places are those of the file that each value came from. A missing
/// file or a circle is told with the chain of files; the value is then broken.
Tree load_tree(const std::string& path, FileReader& reader,
               const IncludeVariables& variables, Diagnostics& diagnostics);

}  // namespace lakemill::language
