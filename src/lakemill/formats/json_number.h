#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lakemill::formats {

// Numbers as JSON writes them: any number of digits, and an exponent of any size.
//
// A binary fraction (double, float) holds such a number if it gives the same number
// back when it is written with as many digits. So 0.1 and 0.10000000000000001 are held;
// 9007199254740993, 0.12345678901234567891 and 1e400 are not.

/// What a number needs of the type that is to hold it.
struct JsonNumber {
  bool is_integer = true;   ///< written without a point and an exponent
  bool fits_long = true;    ///< an integer of 64 bits
  bool fits_double = true;  ///< held by a double
  int integer_digits = 0;   ///< before the point, with the exponent reckoned in
  int scale = 0;            ///< behind it; neither counts zeros at the ends
};

/// A quick look at a JSON number: true only if doubles hold it and, where it is written
/// as an integer, longs too; false says nothing.
bool is_easy_number(std::string_view text);

/// Nothing if `text` is no JSON number.
std::optional<JsonNumber> describe_number(std::string_view text);

/// The double (float) that holds the number; nothing if none does.
std::optional<double> exact_double(std::string_view text);
std::optional<float> exact_float(std::string_view text);

/// The same number without an exponent: "1.5e1" → "15". Nothing if `text` is no JSON
/// number, or one of more digits than any decimal has.
std::optional<std::string> plain_number(std::string_view text);

}  // namespace lakemill::formats
