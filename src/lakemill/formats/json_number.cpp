#include "lakemill/formats/json_number.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <system_error>

namespace lakemill::formats {

namespace {

// Beyond it no type holds the number, whatever its exponent is.
constexpr std::int64_t kExponentMax = 1'000'000;

// A number as 0.DIGITS × 10^point, without zeros at either end of the digits.
struct Digits {
  bool negative = false;
  bool is_integer = true;
  bool has_exponent = false;
  std::string digits;
  std::int64_t point = 0;

  // As many as say the number: an integer's zeros at its end count, unless they come
  // from an exponent.
  std::size_t count() const {
    if (has_exponent || point <= 0) return digits.size();
    return std::max(digits.size(), static_cast<std::size_t>(point));
  }
};

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

// Takes digits off the front.
std::string_view take_digits(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  const auto count = static_cast<std::size_t>(end - text.begin());
  const std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

// The exponent that is left of a number; nothing if that is none.
std::optional<std::int64_t> exponent_of(std::string_view text) {
  if (text.empty() || (text[0] != 'e' && text[0] != 'E')) return std::nullopt;
  text.remove_prefix(1);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const std::string_view digits = take_digits(text);
  if (digits.empty() || !text.empty()) return std::nullopt;
  std::int64_t value = 0;
  const auto parsed =
      std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (parsed.ec != std::errc()) value = kExponentMax;
  value = std::min(value, kExponentMax);
  return negative ? -value : value;
}

std::optional<Digits> digits_of(std::string_view text) {
  Digits number;
  number.negative = text.starts_with('-');
  if (number.negative) text.remove_prefix(1);
  const std::string_view whole = take_digits(text);
  if (whole.empty()) return std::nullopt;
  number.digits = whole;
  number.point = static_cast<std::int64_t>(whole.size());
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    const std::string_view fraction = take_digits(text);
    if (fraction.empty()) return std::nullopt;
    number.digits += fraction;
    number.is_integer = false;
  }
  if (!text.empty()) {
    const auto exponent = exponent_of(text);
    if (!exponent) return std::nullopt;
    number.point += *exponent;
    number.is_integer = false;
    number.has_exponent = true;
  }
  const std::size_t first = number.digits.find_first_not_of('0');
  if (first == std::string::npos) {
    number.digits.clear();
    number.point = 0;
    return number;
  }
  number.digits.erase(0, first);
  number.point -= static_cast<std::int64_t>(first);
  number.digits.erase(number.digits.find_last_not_of('0') + 1);
  return number;
}

// True if `value`, written with as many digits as `number` has, is that number.
template <typename Float>
bool gives_back(Float value, const Digits& number) {
  constexpr std::size_t kDigitsMax = 800;  // that of the longest double is 767
  if (number.count() > kDigitsMax) return false;
  std::array<char, kDigitsMax + 32> buffer{};
  const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(),
                                     value, std::chars_format::scientific,
                                     static_cast<int>(number.count()) - 1);
  if (written.ec != std::errc()) return false;
  const auto back = digits_of({buffer.data(), written.ptr});
  return back && back->digits == number.digits && back->point == number.point &&
         back->negative == number.negative;
}

// True for what engines and languages write of doubles: the shortest text that gives
// the same double. Most numbers of many digits are such, and are seen here at once.
bool is_shortest(std::string_view text, double value) {
  std::array<char, 32> buffer{};
  const auto written =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return written.ec == std::errc() &&
         text == std::string_view(buffer.data(), static_cast<std::size_t>(
                                                     written.ptr - buffer.data()));
}

template <typename Float>
std::optional<Float> exact_float_of(std::string_view text, const Digits& number,
                                    std::size_t sure_digits, std::int64_t sure_point) {
  Float value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (number.digits.empty()) return number.negative ? -Float(0) : Float(0);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    return std::nullopt;
  }
  const bool sure = number.count() <= sure_digits && number.point >= -sure_point &&
                    number.point <= sure_point;
  if (sure || gives_back(value, number)) return value;
  return std::nullopt;
}

std::optional<double> exact_double_of(std::string_view text, const Digits& number) {
  return exact_float_of<double>(text, number, 15, 300);
}

bool fits_long(std::string_view text) {
  std::int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

}  // namespace

bool is_easy_number(std::string_view text) {
  constexpr std::size_t kSureDigits = 15;
  const bool has_exponent = text.find_first_of("eE") != std::string_view::npos;
  if (text.size() <= kSureDigits && !has_exponent) return true;
  if (!has_exponent && text.find('.') == std::string_view::npos) return false;
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() &&
         is_shortest(text, value);
}

std::optional<JsonNumber> describe_number(std::string_view text) {
  const auto number = digits_of(text);
  if (!number) return std::nullopt;
  JsonNumber described;
  described.is_integer = number->is_integer;
  described.fits_long = number->is_integer && fits_long(text);
  described.fits_double = exact_double_of(text, *number).has_value();
  const auto count = static_cast<std::int64_t>(number->digits.size());
  described.integer_digits = static_cast<int>(std::max<std::int64_t>(number->point, 0));
  described.scale = static_cast<int>(std::max<std::int64_t>(count - number->point, 0));
  return described;
}

std::optional<double> exact_double(std::string_view text) {
  const auto number = digits_of(text);
  return number ? exact_double_of(text, *number) : std::nullopt;
}

std::optional<float> exact_float(std::string_view text) {
  const auto number = digits_of(text);
  return number ? exact_float_of<float>(text, *number, 6, 30) : std::nullopt;
}

std::optional<std::string> plain_number(std::string_view text) {
  constexpr std::int64_t kDigitsMax = 80;
  const auto number = digits_of(text);
  if (!number) return std::nullopt;
  const auto count = static_cast<std::int64_t>(number->digits.size());
  if (std::max(count, number->point) - std::min<std::int64_t>(number->point, 0) >
      kDigitsMax) {
    return std::nullopt;
  }
  const auto zeros = [](std::int64_t how_many) {
    return std::string(static_cast<std::size_t>(std::max<std::int64_t>(how_many, 0)),
                       '0');
  };
  std::string digits = zeros(-number->point) + number->digits;
  const auto whole = static_cast<std::size_t>(std::max<std::int64_t>(number->point, 0));
  digits += zeros(number->point - count);
  std::string plain = number->negative ? "-" : "";
  plain += whole == 0 ? "0" : digits.substr(0, whole);
  if (digits.size() > whole) plain += "." + digits.substr(whole);
  return plain;
}

}  // namespace lakemill::formats
