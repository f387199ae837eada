#include "lakemill/delta/file_path.h"

#include "lakemill/base/text.h"

namespace lakemill::delta {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// "s3:/…" has a scheme; "time=12:/…" has none, for '=' cannot be in one.
bool has_scheme(std::string_view path) {
  const std::size_t colon = path.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  if (colon + 1 >= path.size() || path[colon + 1] != '/') return false;
  for (const char c : path.substr(0, colon)) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool other = (c >= '0' && c <= '9') || c == '+' || c == '.' || c == '-';
    if (!letter && !other) return false;
  }
  return true;
}

}  // namespace

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() &&
                        hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0;
    if (!escape) {
      decoded.push_back(text[i]);
      continue;
    }
    decoded.push_back(
        static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])));
    i += 2;
  }
  return decoded;
}

std::string decoded_path(std::string_view log_path) {
  constexpr std::string_view kScheme = "file:/";
  constexpr std::string_view kLocalHost = "/localhost/";
  if (!equals_ignoring_case(log_path.substr(0, kScheme.size()), kScheme)) {
    return percent_decoded(log_path);
  }
  std::string_view path = log_path.substr(kScheme.size() - 1);
  const bool has_host = path.starts_with("//") && !path.starts_with("///");
  while (path.starts_with("//")) path.remove_prefix(1);
  if (has_host) {
    const std::string_view host = path.substr(0, kLocalHost.size());
    if (!equals_ignoring_case(host, kLocalHost)) return percent_decoded(log_path);
    path.remove_prefix(kLocalHost.size() - 1);
  }
  return percent_decoded(path);
}

std::string file_url(std::string_view table_url, std::string_view decoded) {
  if (decoded.starts_with('/') || has_scheme(decoded)) return std::string(decoded);
  return std::string(table_url).append("/").append(decoded);
}

}  // namespace lakemill::delta
