#include "lakemill/net/uri.h"

namespace lakemill::net {

namespace {

bool is_unreserved(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == '-' || letter == '.' ||
         letter == '_' || letter == '~';
}

std::string escape(std::string_view text, bool keep_slash) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string escaped;
  escaped.reserve(text.size());
  for (const char letter : text) {
    if (is_unreserved(letter) || (keep_slash && letter == '/')) {
      escaped.push_back(letter);
      continue;
    }
    const auto byte = static_cast<unsigned char>(letter);
    escaped.push_back('%');
    escaped.push_back(kDigits[byte >> 4]);
    escaped.push_back(kDigits[byte & 15]);
  }
  return escaped;
}

int digit_of(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
  return -1;
}

}  // namespace

std::string escape_path(std::string_view text) { return escape(text, true); }

std::string escape_query(std::string_view text) { return escape(text, false); }

std::string unescape(std::string_view text, bool plus_is_space) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool whole = text[at] == '%' && at + 2 < text.size();
    const int high = whole ? digit_of(text[at + 1]) : -1;
    const int low = whole ? digit_of(text[at + 2]) : -1;
    if (high >= 0 && low >= 0) {
      plain.push_back(static_cast<char>(high * 16 + low));
      at += 2;
    } else {
      plain.push_back(plus_is_space && text[at] == '+' ? ' ' : text[at]);
    }
  }
  return plain;
}

std::string host_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  const std::size_t user = url.rfind('@');
  if (user != std::string_view::npos) url.remove_prefix(user + 1);
  return std::string(url);
}

}  // namespace lakemill::net
