#include "lakemill/storage/path.h"

#include <span>
#include <vector>

#include "lakemill/base/text.h"

namespace lakemill::storage {

namespace {

constexpr std::string_view kSchemeEnd = "://";

int hex_digit(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
  return -1;
}

std::string decode_escapes(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const int high =
        text[at] == '%' && at + 2 < text.size() ? hex_digit(text[at + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[at + 2]) : -1;
    if (low >= 0) {
      decoded.push_back(static_cast<char>(high * 16 + low));
      at += 2;
    } else {
      decoded.push_back(text[at]);
    }
  }
  return decoded;
}

}  // namespace

bool has_scheme(std::string_view url) {
  const auto end = url.find(kSchemeEnd);
  return end != std::string_view::npos && end > 0 &&
         url.substr(0, end).find('/') == std::string_view::npos;
}

std::string normalize_path(std::string_view path) {
  std::string head;
  if (has_scheme(path)) {
    const auto name_begin = path.find(kSchemeEnd) + kSchemeEnd.size();
    const auto name_end = path.find('/', name_begin);
    head = path.substr(0, name_end);
    path =
        name_end == std::string_view::npos ? std::string_view() : path.substr(name_end);
  }
  const bool absolute = !head.empty() || path.starts_with('/');
  std::vector<std::string> kept;
  for (auto& part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      kept.push_back(std::move(part));
    } else if (!kept.empty() && kept.back() != "..") {
      kept.pop_back();
    } else if (!absolute) {
      kept.push_back(std::move(part));
    }
  }
  auto body = join(kept, "/");
  if (!head.empty()) return body.empty() ? head : head + "/" + body;
  if (absolute) return "/" + body;
  return body.empty() ? "." : body;
}

std::string join_path(std::string_view outer, std::string_view inner) {
  if (inner.empty()) return std::string(outer);
  if (outer.empty() || inner.starts_with('/') || has_scheme(inner)) {
    return std::string(inner);
  }
  std::string joined(outer);
  if (!joined.ends_with('/')) joined.push_back('/');
  return joined.append(inner);
}

Result<std::string> local_path(std::string_view url) {
  if (url.find('\0') != std::string_view::npos) {
    return Error(ErrorCode::invalid, "a path holds a zero byte");
  }
  if (!has_scheme(url)) {
    if (url.starts_with('/')) return normalize_path(url);
    return Error(ErrorCode::invalid, "path \"" + std::string(url) +
                                         "\" is not absolute; begin it with '/'");
  }
  const auto scheme = url.substr(0, url.find(kSchemeEnd));
  if (!equals_ignoring_case(scheme, "file")) {
    return Error(ErrorCode::unsupported,
                 "\"" + std::string(url) + "\": storage scheme \"" +
                     std::string(scheme) +
                     "://\" is not supported; use a local folder (/… or file:///…)");
  }
  const auto rest = url.substr(scheme.size() + kSchemeEnd.size());
  if (!rest.starts_with('/')) {
    return Error(ErrorCode::invalid, "\"" + std::string(url) +
                                         "\" names a host; write file:///folder for a "
                                         "folder of this machine");
  }
  auto decoded = decode_escapes(rest);
  if (decoded.find('\0') != std::string::npos) {
    return Error(ErrorCode::invalid, "a path holds a zero byte");
  }
  return normalize_path(decoded);
}

Status check_object_path(std::string_view path) {
  const auto fault = [path](std::string_view what) {
    return Error(ErrorCode::invalid,
                 "object path \"" + std::string(path) + "\" " + std::string(what));
  };
  if (path.empty()) return fault("is empty");
  if (path.find('\0') != std::string_view::npos) return fault("holds a zero byte");
  for (const auto& part : split(path, '/')) {
    if (part.empty()) return fault("begins or ends with '/', or holds \"//\"");
    if (part == ".." || part == ".") return fault("holds a part \"" + part + "\"");
  }
  return {};
}

}  // namespace lakemill::storage
