#include "lakemill/engine_spark/spark_remote.h"

#include <array>
#include <charconv>

#include "lakemill/base/text.h"
#include "lakemill/net/uri.h"

namespace lakemill::engine_spark {

namespace {

constexpr std::string_view kScheme = "sc://";
constexpr int kPortMax = 65535;

Error wrong(const std::string& what) {
  return {ErrorCode::invalid,
          "spark_remote " + what + "; it is written sc://host:port/;name=value"};
}

Status read_place(std::string_view place, SparkRemote& remote) {
  std::string_view host = place;
  std::string_view port;
  const std::size_t bracket = place.rfind(']');  // of an IPv6 address
  const std::size_t colon = place.rfind(':');
  if (colon != std::string_view::npos &&
      (bracket == std::string_view::npos || colon > bracket)) {
    host = place.substr(0, colon);
    port = place.substr(colon + 1);
    const auto [end, error] =
        std::from_chars(port.data(), port.data() + port.size(), remote.port);
    if (error != std::errc() || end != port.data() + port.size() || remote.port < 1 ||
        remote.port > kPortMax) {
      return wrong("has the port '" + std::string(port) + "'");
    }
  }
  if (host.empty() || host.find_first_of("@?# ") != std::string_view::npos) {
    return wrong("names no host");
  }
  remote.host = host;
  return {};
}

Result<bool> read_flag(const std::string& name, const std::string& value) {
  if (equals_ignoring_case(value, "true")) return true;
  if (equals_ignoring_case(value, "false")) return false;
  return wrong("parameter " + name + " must be true or false");
}

Status read_parameter(const std::string& name, const std::string& value,
                      SparkRemote& remote) {
  static const std::array<std::string, 4> kKnown = {"use_ssl", "token", "user_id",
                                                    "x-…"};
  if (value.find_first_of("\r\n") != std::string::npos) {
    return wrong("parameter " + name + " has a line end");
  }
  if (name == "use_ssl") {
    LAKEMILL_TRY(remote.tls, read_flag(name, value));
  } else if (name == "token") {
    remote.token = value;
  } else if (name == "user_id") {
    remote.user_id = value;
  } else if (name.starts_with("x-")) {
    remote.headers.push_back({name, value});
  } else {
    return wrong("has an unknown parameter '" + name + "' (known are " +
                 join(kKnown, ", ") + ")");
  }
  return {};
}

bool is_this_machine(const std::string& host) {
  return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

}  // namespace

Result<SparkRemote> parse_remote(std::string_view text) {
  const std::string_view trimmed = trim(text);
  if (!trimmed.starts_with(kScheme)) return wrong("does not begin with sc://");
  const std::string_view rest = trimmed.substr(kScheme.size());
  const std::size_t slash = rest.find('/');
  SparkRemote remote;
  LAKEMILL_TRY_OK(read_place(rest.substr(0, slash), remote));
  if (slash == std::string_view::npos) return remote;
  const std::string_view parameters = rest.substr(slash + 1);
  if (!parameters.empty() && parameters.front() != ';') {
    return wrong("has a path, where only ;name=value may stand");
  }
  bool tls_given = false;
  for (const std::string& part : split(parameters, ';')) {
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos) {
      return wrong("has a parameter without a value");
    }
    const std::string name = part.substr(0, equals);
    tls_given = tls_given || name == "use_ssl";
    LAKEMILL_TRY_OK(
        read_parameter(name, net::unescape(part.substr(equals + 1), false), remote));
  }
  if (!remote.token.empty() && !tls_given) remote.tls = !is_this_machine(remote.host);
  if (!remote.token.empty() && !remote.tls && !is_this_machine(remote.host)) {
    return wrong("has a token, which would be sent unencrypted to " + remote.place() +
                 ": leave use_ssl out or true");
  }
  return remote;
}

}  // namespace lakemill::engine_spark
