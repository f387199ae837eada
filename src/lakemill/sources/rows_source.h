#pragma once

#include <memory>
#include <string>

#include "lakemill/sources/source.h"

namespace lakemill::sources {

/// Rows written in the pipeline itself (a JSON array of objects), read as a whole.
std::unique_ptr<Source> make_rows_source(std::string json_rows);

}  // namespace lakemill::sources
