#include "lakemill/language/unit_conversion.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "lakemill/base/text.h"

namespace lakemill::language {
namespace {

// si = value * factor + offset.
struct Unit {
  std::string_view quantity;
  std::string_view name;
  double factor;
  double offset;
};

constexpr double kPi = 3.14159265358979323846;

constexpr std::array kUnits = {
    Unit{"length", "m", 1, 0},
    Unit{"length", "meter", 1, 0},
    Unit{"length", "km", 1000, 0},
    Unit{"length", "cm", 0.01, 0},
    Unit{"length", "mm", 0.001, 0},
    Unit{"length", "um", 1e-6, 0},
    Unit{"length", "nm", 1e-9, 0},
    Unit{"length", "ft", 0.3048, 0},
    Unit{"length", "in", 0.0254, 0},
    Unit{"length", "inch", 0.0254, 0},
    Unit{"length", "yd", 0.9144, 0},
    Unit{"length", "mi", 1609.344, 0},
    Unit{"length", "nmi", 1852, 0},
    Unit{"area", "m2", 1, 0},
    Unit{"area", "km2", 1e6, 0},
    Unit{"area", "cm2", 1e-4, 0},
    Unit{"area", "ft2", 0.09290304, 0},
    Unit{"area", "in2", 0.00064516, 0},
    Unit{"area", "ha", 1e4, 0},
    Unit{"area", "acre", 4046.8564224, 0},
    Unit{"volume", "m3", 1, 0},
    Unit{"volume", "l", 0.001, 0},
    Unit{"volume", "liter", 0.001, 0},
    Unit{"volume", "ml", 1e-6, 0},
    Unit{"volume", "ft3", 0.028316846592, 0},
    Unit{"volume", "gal", 0.003785411784, 0},
    Unit{"mass", "kg", 1, 0},
    Unit{"mass", "g", 0.001, 0},
    Unit{"mass", "mg", 1e-6, 0},
    Unit{"mass", "t", 1000, 0},
    Unit{"mass", "lb", 0.45359237, 0},
    Unit{"mass", "lbm", 0.45359237, 0},
    Unit{"mass", "oz", 0.028349523125, 0},
    Unit{"mass", "slug", 14.593902937206, 0},
    Unit{"time", "s", 1, 0},
    Unit{"time", "ms", 0.001, 0},
    Unit{"time", "us", 1e-6, 0},
    Unit{"time", "min", 60, 0},
    Unit{"time", "h", 3600, 0},
    Unit{"time", "hr", 3600, 0},
    Unit{"time", "day", 86400, 0},
    Unit{"time", "d", 86400, 0},
    Unit{"time", "week", 604800, 0},
    Unit{"speed", "m/s", 1, 0},
    Unit{"speed", "km/h", 1 / 3.6, 0},
    Unit{"speed", "kph", 1 / 3.6, 0},
    Unit{"speed", "mph", 0.44704, 0},
    Unit{"speed", "ft/s", 0.3048, 0},
    Unit{"speed", "ft/min", 0.00508, 0},
    Unit{"speed", "kt", 1852.0 / 3600, 0},
    Unit{"speed", "knot", 1852.0 / 3600, 0},
    Unit{"pressure", "Pa", 1, 0},
    Unit{"pressure", "hPa", 100, 0},
    Unit{"pressure", "kPa", 1000, 0},
    Unit{"pressure", "MPa", 1e6, 0},
    Unit{"pressure", "bar", 1e5, 0},
    Unit{"pressure", "mbar", 100, 0},
    Unit{"pressure", "atm", 101325, 0},
    Unit{"pressure", "psi", 6894.757293168361, 0},
    Unit{"pressure", "inHg", 3386.389, 0},
    Unit{"pressure", "mmHg", 133.322387415, 0},
    Unit{"energy", "J", 1, 0},
    Unit{"energy", "kJ", 1000, 0},
    Unit{"energy", "MJ", 1e6, 0},
    Unit{"energy", "Wh", 3600, 0},
    Unit{"energy", "kWh", 3.6e6, 0},
    Unit{"energy", "MWh", 3.6e9, 0},
    Unit{"energy", "cal", 4.184, 0},
    Unit{"energy", "kcal", 4184, 0},
    Unit{"energy", "BTU", 1055.05585262, 0},
    Unit{"power", "W", 1, 0},
    Unit{"power", "kW", 1000, 0},
    Unit{"power", "MW", 1e6, 0},
    Unit{"power", "hp", 745.6998715822702, 0},
    Unit{"force", "N", 1, 0},
    Unit{"force", "kN", 1000, 0},
    Unit{"force", "lbf", 4.4482216152605, 0},
    Unit{"temperature", "K", 1, 0},
    Unit{"temperature", "kelvin", 1, 0},
    Unit{"temperature", "degC", 1, 273.15},
    Unit{"temperature", "C", 1, 273.15},
    Unit{"temperature", "celsius", 1, 273.15},
    Unit{"temperature", "degF", 5.0 / 9, 459.67 * 5 / 9},
    Unit{"temperature", "F", 5.0 / 9, 459.67 * 5 / 9},
    Unit{"temperature", "fahrenheit", 5.0 / 9, 459.67 * 5 / 9},
    Unit{"temperature", "degR", 5.0 / 9, 0},
    Unit{"temperature", "R", 5.0 / 9, 0},
    Unit{"angle", "rad", 1, 0},
    Unit{"angle", "deg", kPi / 180, 0},
    Unit{"data", "B", 1, 0},
    Unit{"data", "byte", 1, 0},
    Unit{"data", "bit", 0.125, 0},
    Unit{"data", "kB", 1e3, 0},
    Unit{"data", "MB", 1e6, 0},
    Unit{"data", "GB", 1e9, 0},
    Unit{"data", "KiB", 1024, 0},
    Unit{"data", "MiB", 1048576, 0},
    Unit{"data", "GiB", 1073741824, 0},
};

Result<Unit> find_unit(std::string_view name) {
  std::vector<std::string> known;
  for (const Unit& unit : kUnits) {
    if (unit.name == name) return unit;
    known.emplace_back(unit.name);
  }
  std::string message = "the unit '" + std::string(name) + "' is not known";
  if (auto meant = nearest(name, known)) message += "; did you mean '" + *meant + "'?";
  return Error(ErrorCode::invalid, message);
}

// Without the noise of binary fractions: 1.8, not 1.7999999999999998.
double tidy(double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.14g", value);
  return std::strtod(text.data(), nullptr);
}

}  // namespace

Result<UnitConversion> convert_units(std::string_view from, std::string_view to) {
  LAKEMILL_TRY(Unit input, find_unit(from));
  LAKEMILL_TRY(Unit output, find_unit(to));
  if (input.quantity != output.quantity) {
    return Error(ErrorCode::invalid, "'" + std::string(from) + "' is a unit of " +
                                         std::string(input.quantity) + ", but '" +
                                         std::string(to) + "' of " +
                                         std::string(output.quantity));
  }
  return UnitConversion{tidy(input.factor / output.factor),
                        tidy((input.offset - output.offset) / output.factor)};
}

}  // namespace lakemill::language
