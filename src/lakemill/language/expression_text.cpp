#include "lakemill/language/expression_text.h"

#include <array>
#include <cctype>
#include <charconv>
#include <utility>

namespace lakemill::language {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kUnits = {
    {{"us", "microsecond"},
     {"ms", "millisecond"},
     {"s", "second"},
     {"m", "minute"},
     {"h", "hour"},
     {"d", "day"},
     {"w", "week"},
     {"mo", "month"},
     {"q", "quarter"},
     {"y", "year"}}};

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool is_digits(std::string_view text) {
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
  }
  return !text.empty();
}

}  // namespace

std::string escape_pattern(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\^$.|?*+()[]{}").find(c) != std::string_view::npos) {
      out.push_back('\\');
    }
    out.push_back(c);
  }
  return out;
}

std::string escape_replacement(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

Result<std::string> convert_replacement(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '$' || i + 1 == text.size()) {
      out += escape_replacement(text.substr(i, 1));
      continue;
    }
    if (text[i + 1] == '$') {
      out.push_back('$');
      ++i;
      continue;
    }
    const bool braces = text[i + 1] == '{';
    std::size_t end = i + (braces ? 2 : 1);
    const std::size_t begin = end;
    while (end < text.size() && is_word(text[end])) ++end;
    const std::string_view group = text.substr(begin, end - begin);
    if (group.empty() || (braces && (end == text.size() || text[end] != '}'))) {
      out.push_back('$');
      continue;
    }
    if (!is_digits(group) || group.size() > 1) {
      return Error(ErrorCode::invalid, "'$" + std::string(group) +
                                           "' names no group; groups are $0 to $9, and "
                                           "${1}x keeps a text apart");
    }
    out += "\\" + std::string(group);
    i = braces ? end : end - 1;
  }
  return out;
}

Result<std::string> convert_time_format(std::string_view format, TimeFormatUse use) {
  constexpr std::string_view kSame = "YmdHMSyjbBaAIpzZUW%";
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kLong = {
      {{".3f", ".%g"},
       {".6f", ".%f"},
       {".f", ".%f"},
       {"3f", "%g"},
       {"6f", "%f"},
       {":z", "%z"}}};
  std::string out;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      out.push_back(format[i]);
      continue;
    }
    const std::string_view rest = format.substr(i + 1);
    bool found = false;
    for (const auto& [theirs, ours] : kLong) {
      // "%.f" prints as many digits as there are, which the engine does not.
      if (!rest.starts_with(theirs) ||
          (theirs == ".f" && use == TimeFormatUse::print)) {
        continue;
      }
      out += use == TimeFormatUse::parse && ours.ends_with("%g")
                 ? (ours.front() == '.' ? ".%f" : "%f")
                 : std::string(ours);
      i += theirs.size();
      found = true;
      break;
    }
    if (found) continue;
    const char c = rest.empty() ? '\0' : rest.front();
    if (c == 'F' || c == 'D') {
      out += c == 'F' ? "%Y-%m-%d" : "%m/%d/%y";
    } else if (c == 'T' || c == 'R') {
      out += c == 'T' ? "%H:%M:%S" : "%H:%M";
    } else if (c == 'f') {
      // Nanoseconds, of which a table keeps microseconds.
      out += use == TimeFormatUse::print ? "%f000" : "%f";
    } else if (c == 'h') {
      out += "%b";
    } else if (c == '-' && rest.size() > 1 &&
               std::string_view("dmHIMSj").find(rest[1]) != std::string_view::npos) {
      out += "%-" + std::string(1, rest[1]);
      ++i;
    } else if (c != '\0' && kSame.find(c) != std::string_view::npos) {
      out += "%" + std::string(1, c);
    } else {
      return Error(
          ErrorCode::invalid,
          "the time format '%" + std::string(rest.substr(0, 1)) +
              "' is not known here; there are %Y %m %d %H %M %S %.3f %.6f %f %y "
              "%j %b %B %a %A %I %p %z %F %T %-d");
    }
    ++i;
  }
  return out;
}

Result<Every> parse_every(std::string_view text) {
  Every every;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, every.count);
  every.unit = std::string(parsed.ptr, end);
  if (parsed.ec != std::errc() || unit_word(every.unit).empty()) {
    return Error(ErrorCode::invalid,
                 "'" + std::string(text) +
                     "' is not a duration; write a count and a unit: "
                     "us ms s m h d w mo q y, as \"15m\"");
  }
  return every;
}

std::string_view unit_word(std::string_view unit) {
  for (const auto& [name, word] : kUnits) {
    if (name == unit) return word;
  }
  return "";
}

}  // namespace lakemill::language
