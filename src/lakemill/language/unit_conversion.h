#pragma once

#include <string_view>

#include "lakemill/base/result.h"

namespace lakemill::language {

/// output = input * factor + offset.
struct UnitConversion {
  double factor = 1;
  double offset = 0;
};

/// How to go from one unit to another of the same quantity: length, area, volume, mass,
/// time, speed, pressure, energy, power, force, temperature, angle, data. Errors:
/// invalid for an unknown unit, or for two quantities.
Result<UnitConversion> convert_units(std::string_view from, std::string_view to);

}  // namespace lakemill::language
