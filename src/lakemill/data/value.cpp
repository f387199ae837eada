#include "lakemill/data/value.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>

#include "lakemill/base/clock.h"

namespace lakemill::data {

namespace {

struct ToText {
  std::string operator()(std::monostate) const { return "NULL"; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const {
    std::array<char, 40> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
    return {text.data(), end.ptr};
  }
  std::string operator()(const std::string& value) const { return value; }
  std::string operator()(Date value) const {
    const Instant instant{std::chrono::sys_days(std::chrono::days(value.days))};
    return format_instant(instant).substr(0, 10);
  }
  std::string operator()(Timestamp value) const {
    std::string text = format_instant(Instant(std::chrono::microseconds(value.micros)));
    text[10] = ' ';
    text.pop_back();
    if (text.ends_with(".000000")) text.resize(text.size() - 7);
    return text;
  }
  std::string operator()(const Decimal& value) const { return value.digits; }
  std::string operator()(const Binary& value) const {
    std::string text;
    for (const char byte : value.bytes) {
      std::array<char, 8> hex{};
      std::snprintf(hex.data(), hex.size(), "\\x%02X",
                    static_cast<unsigned>(static_cast<unsigned char>(byte)));
      text += hex.data();
    }
    return text;
  }
};

}  // namespace

std::string to_text(const Value& value) { return std::visit(ToText{}, value); }

}  // namespace lakemill::data
