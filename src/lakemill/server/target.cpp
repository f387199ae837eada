#include "lakemill/server/target.h"

#include <algorithm>
#include <optional>

#include "lakemill/base/text.h"
#include "lakemill/base/utf8.h"

namespace lakemill::server {

namespace {

constexpr std::size_t kParametersMax = 64;

Error refused(std::string_view why) {
  return Error(ErrorCode::invalid, "The target " + std::string(why) + ".");
}

// What stands for itself in a path and in a query (RFC 3986, "unreserved").
bool is_unreserved(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') ||
         std::string_view("-._~").find(letter) != std::string_view::npos;
}

int digit_of(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  return -1;
}

// The byte that "%XX" at `at` stands for; nothing if that is no escape.
std::optional<char> escaped_at(std::string_view text, std::size_t at) {
  if (at + 2 >= text.size()) return std::nullopt;
  const int high = digit_of(text[at + 1]);
  const int low = digit_of(text[at + 2]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<char>(high * 16 + low);
}

bool is_canonical_escape(std::string_view escape, char byte) {
  return !is_unreserved(byte) && to_upper(escape) == escape;
}

bool is_control(char letter) {
  return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7F;
}

Result<std::string> read_segment(std::string_view raw) {
  constexpr std::string_view kMarks = "!$&'()*+,=:@";
  std::string segment;
  for (std::size_t at = 0; at < raw.size(); ++at) {
    if (raw[at] != '%') {
      if (!is_unreserved(raw[at]) && kMarks.find(raw[at]) == std::string_view::npos) {
        return refused(
            "has a byte in its path that must be escaped, or is ';' or '\\'");
      }
      segment.push_back(raw[at]);
      continue;
    }
    const auto byte = escaped_at(raw, at);
    if (!byte || !is_canonical_escape(raw.substr(at, 3), *byte)) {
      return refused("has an escape in its path that is not in its canonical form");
    }
    if (*byte == '/' || *byte == '\\' || is_control(*byte)) {
      return refused("has an escaped slash or control character in its path");
    }
    segment.push_back(*byte);
    at += 2;
  }
  if (segment.empty()) return refused("has an empty segment in its path");
  if (segment == "." || segment == "..")
    return refused("has a dot segment in its path");
  if (!is_utf8(segment)) return refused("is no UTF-8");
  return segment;
}

Result<std::string> read_query_text(std::string_view raw) {
  std::string text;
  for (std::size_t at = 0; at < raw.size(); ++at) {
    if (raw[at] != '%') {
      text.push_back(raw[at] == '+' ? ' ' : raw[at]);
      continue;
    }
    const auto byte = escaped_at(raw, at);
    if (!byte || *byte == '\0')
      return refused("has an escape in its query that is none");
    text.push_back(*byte);
    at += 2;
  }
  if (!is_utf8(text)) return refused("is no UTF-8");
  return text;
}

Result<std::vector<QueryParameter>> read_query(std::string_view raw) {
  std::vector<QueryParameter> query;
  if (raw.empty()) return query;
  const bool printable = std::all_of(raw.begin(), raw.end(), [](char letter) {
    constexpr std::string_view kRefused = "\"#<>\\";
    return letter > 0x20 && letter < 0x7F &&
           kRefused.find(letter) == std::string_view::npos;
  });
  if (!printable) return refused("has a byte in its query that must be escaped");
  for (const std::string& part : split(raw, '&')) {
    const std::size_t equals = part.find('=');
    const std::string_view value = equals == std::string::npos
                                       ? std::string_view()
                                       : std::string_view(part).substr(equals + 1);
    QueryParameter parameter;
    LAKEMILL_TRY(parameter.name, read_query_text(part.substr(0, equals)));
    LAKEMILL_TRY(parameter.value, read_query_text(value));
    if (parameter.name.empty()) return refused("has a query parameter without a name");
    if (query.size() >= kParametersMax) {
      return refused("has more than " + std::to_string(kParametersMax) +
                     " query parameters");
    }
    query.push_back(std::move(parameter));
  }
  return query;
}

}  // namespace

const std::string* Target::parameter(std::string_view name) const {
  const auto found = std::find_if(query.begin(), query.end(),
                                  [&](const auto& p) { return p.name == name; });
  return found == query.end() ? nullptr : &found->value;
}

Result<Target> parse_target(std::string_view raw) {
  Target target;
  if (!raw.starts_with('/')) return refused("does not begin with '/'");
  const std::size_t mark = raw.find('?');
  const std::string_view path = raw.substr(0, mark);
  if (path != "/") {
    for (const std::string& part : split(path.substr(1), '/')) {
      LAKEMILL_TRY(std::string segment, read_segment(part));
      target.segments.push_back(std::move(segment));
    }
  }
  if (mark != std::string_view::npos) {
    LAKEMILL_TRY(target.query, read_query(raw.substr(mark + 1)));
  }
  return target;
}

}  // namespace lakemill::server
