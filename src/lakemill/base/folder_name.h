#pragma once

#include <string_view>

#include "lakemill/base/result.h"

namespace lakemill {

/// Success if `name` may name a catalog, a schema or a table, and so a folder: not
/// empty, at most 200 bytes, no '/', '\', control character or "..", and no '_' or '.'
/// at the beginning (such folders are not tables). Errors: invalid, with the name.
Status check_folder_name(std::string_view name);

}  // namespace lakemill
