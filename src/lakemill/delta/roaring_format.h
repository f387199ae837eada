#pragma once

#include <string_view>

#include "lakemill/base/result.h"

namespace lakemill::delta {

/// Checks that `bytes` are exactly one 64-bit Roaring bitmap in the portable format and
/// keep all its rules (ascending keys and values, true cardinalities), which the
/// library takes for granted: it reads and writes out of bounds otherwise.
///
/// Errors: corrupt, with the byte where a rule is broken.
/// Source: https://github.com/RoaringBitmap/RoaringFormatSpec.
Status check_roaring_format(std::string_view bytes);

}  // namespace lakemill::delta
