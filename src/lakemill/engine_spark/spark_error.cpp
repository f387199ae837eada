#include "lakemill/engine_spark/spark_error.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "lakemill/base/text.h"

namespace lakemill::engine_spark {

namespace {

constexpr std::size_t kMessageBytesMax = 1000;

// Numbers of google.rpc.Code.
enum class GrpcStatus : std::uint8_t {
  cancelled = 1,
  deadline_exceeded = 4,
  permission_denied = 7,
  resource_exhausted = 8,
  unimplemented = 12,
  unavailable = 14,
  unauthenticated = 16,
};

bool is_class_letter(char letter) {
  const auto byte = static_cast<unsigned char>(letter);
  return std::isupper(byte) != 0 || std::isdigit(byte) != 0 || letter == '_' ||
         letter == '.';
}

// "CAST_INVALID_INPUT" of "… [CAST_INVALID_INPUT] The value …", where it begins.
struct ErrorClass {
  std::size_t begin = std::string_view::npos;
  std::string_view name;
};

ErrorClass error_class(std::string_view message) {
  for (std::size_t open = message.find('['); open != std::string_view::npos;
       open = message.find('[', open + 1)) {
    const std::size_t close = message.find(']', open);
    if (close == std::string_view::npos) break;
    const std::string_view name = message.substr(open + 1, close - open - 1);
    if (name.size() > 3 && std::all_of(name.begin(), name.end(), is_class_letter)) {
      return {open, name};
    }
  }
  return {};
}

std::string shown(std::string_view message) {
  static constexpr std::array<std::string_view, 5> kEnds = {
      "\n\nJVM stacktrace", "\n== SQL", " SQLSTATE:", "\n\tat ", "\n'"};
  for (const std::string_view end : kEnds) {
    message = message.substr(0, message.find(end));
  }
  std::string text(trim(message.substr(0, kMessageBytesMax)));
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

// Another writer was faster: the same batch may be tried again.
bool is_race(std::string_view name) {
  return name.starts_with("DELTA_CONCURRENT") ||
         name.starts_with("DELTA_METADATA_CHANGED") ||
         name.starts_with("DELTA_PROTOCOL_CHANGED") ||
         name == "TABLE_OR_VIEW_ALREADY_EXISTS" ||
         name.starts_with("DELTA_TABLE_ALREADY_EXISTS");
}

ErrorCode code_of(int status, std::string_view name) {
  switch (static_cast<GrpcStatus>(status)) {
    case GrpcStatus::cancelled:
      return ErrorCode::cancelled;
    case GrpcStatus::deadline_exceeded:
      return ErrorCode::unknown;
    case GrpcStatus::permission_denied:
    case GrpcStatus::unauthenticated:
      return ErrorCode::denied;
    case GrpcStatus::unimplemented:
      return ErrorCode::unsupported;
    case GrpcStatus::unavailable:
    case GrpcStatus::resource_exhausted:
      return ErrorCode::unavailable;
  }
  return is_race(name) ? ErrorCode::unavailable : ErrorCode::invalid;
}

}  // namespace

Error spark_error(int status, std::string_view message) {
  const ErrorClass found = error_class(message);
  if (found.begin != std::string_view::npos) message = message.substr(found.begin);
  std::string text = shown(message);
  if (text.empty()) text = "gRPC status " + std::to_string(status);
  return {code_of(status, found.name), std::move(text)};
}

}  // namespace lakemill::engine_spark
