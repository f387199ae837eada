#include "lakemill/app/secrets.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "lakemill/base/text.h"
#include "lakemill/language/sql_text.h"
#include "lakemill/storage/path.h"

namespace lakemill::app {

namespace {

constexpr std::string_view kOpening = "${secret.";

Error not_found(const std::string& name, const language::SecretSources& sources) {
  std::string places;
  if (sources.environment) places = "set LAKEMILL_SECRET_" + name;
  if (!sources.file.empty()) {
    places += std::string(places.empty() ? "" : ", or ") + "add it to " + sources.file;
  }
  if (places.empty()) places = "name a place for secrets in lakemill.yaml";
  return {ErrorCode::not_found, "secret '" + name + "' is not there; " + places};
}

std::string unquoted(std::string value) {
  const bool quoted = value.size() >= 2 && value.front() == value.back() &&
                      (value.front() == '"' || value.front() == '\'');
  return quoted ? value.substr(1, value.size() - 2) : value;
}

// What a command prints, without its last line break.
Result<std::string> output_of(const std::string& command, const std::string& name) {
  FILE* pipe = ::popen((command + " '" + name + "'").c_str(), "r");
  if (pipe == nullptr) {
    return Error(ErrorCode::unavailable, "the command for secrets cannot be started");
  }
  std::string output;
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0;
       (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    output.append(buffer.data(), n);
  }
  if (const int code = ::pclose(pipe); code != 0) {
    return Error(ErrorCode::not_found,
                 "the command for secrets failed for '" + name + "'");
  }
  while (output.ends_with('\n') || output.ends_with('\r')) output.pop_back();
  return output;
}

}  // namespace

Result<std::string> Secrets::find(const std::string& name) {
  {
    const std::lock_guard lock(mutex_);
    const auto known = given_.find(name);
    if (known != given_.end()) return known->second;
  }
  LAKEMILL_TRY(const std::string value, look_up(name));
  const std::lock_guard lock(mutex_);
  return given_.emplace(name, value).first->second;
}

Result<std::string> Secrets::look_up(const std::string& name) const {
  if (sources_.environment) {
    const char* value = std::getenv(("LAKEMILL_SECRET_" + name).c_str());
    if (value != nullptr) return std::string(value);
  }
  if (!sources_.file.empty()) {
    auto value = in_file(name);
    if (value || value.error().code() != ErrorCode::not_found) return value;
  }
  if (!sources_.command.empty()) return output_of(sources_.command, name);
  return not_found(name, sources_);
}

Result<std::string> Secrets::in_file(const std::string& name) const {
  const std::string path =
      storage::normalize_path(storage::join_path(folder_, sources_.file));
  std::ifstream file(path);
  if (!file) {
    return Error(ErrorCode::denied, "the file of secrets " + path + " cannot be read");
  }
  for (std::string line; std::getline(file, line);) {
    const std::size_t end = line.find_first_of("=:");
    if (end == std::string::npos || trim(line.substr(0, end)) != name) continue;
    return unquoted(std::string(trim(line.substr(end + 1))));
  }
  return not_found(name, sources_);
}

// Each reference in `text` replaced by what `put` makes of its value.
Result<std::string> Secrets::replace(std::string_view text, const Put& put) {
  std::string result;
  std::size_t position = 0;
  for (std::size_t begin = text.find(kOpening); begin != std::string_view::npos;
       begin = text.find(kOpening, position)) {
    const std::size_t end = text.find('}', begin);
    if (end == std::string_view::npos) break;
    const std::string name(
        text.substr(begin + kOpening.size(), end - begin - kOpening.size()));
    const bool is_name =
        !name.empty() && name.find_first_not_of(
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                             "0123456789_-.") == std::string::npos;
    if (!is_name) {
      return Error(ErrorCode::invalid, "'" + name + "' is no name of a secret");
    }
    LAKEMILL_TRY(const std::string value, find(name));
    auto literal = put(value, begin);
    if (!literal) {
      return hide(Error(
          ErrorCode::invalid,
          "secret '" + name + "' cannot stand here: " + literal.error().message()));
    }
    result += text.substr(position, begin - position);
    result += *literal;
    position = end + 1;
  }
  return result + std::string(text.substr(position));
}

Result<std::string> Secrets::in_sql(std::string_view sql) {
  if (sql.find(kOpening) == std::string_view::npos) return std::string(sql);
  const auto spans = language::sql_regions(sql);
  std::size_t span = 0;
  return replace(sql, [&](const std::string& value, std::size_t offset) {
    while (span + 1 < spans.size() && spans[span].end <= offset) ++span;
    return language::value_in_sql(value, spans[span]);
  });
}

Result<std::string> Secrets::in_text(std::string_view text) {
  return replace(text,
                 [](const std::string& value, std::size_t) -> Result<std::string> {
                   return value;
                 });
}

std::string Secrets::hide(std::string text) {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, value] : given_) {
    if (value.empty()) continue;
    // SQL engines tell names in lower case.
    const std::string wanted = to_lower(value);
    std::string lower = to_lower(text);
    for (std::size_t at = lower.find(wanted); at != std::string::npos;
         at = lower.find(wanted, at + 3)) {
      text.replace(at, value.size(), "***");
      lower.replace(at, value.size(), "***");
    }
  }
  return text;
}

bool Secrets::tells(std::string_view column) {
  constexpr std::size_t kChanceSize = 4;  // shorter ones are in names by chance
  const std::string lower = to_lower(column);
  const bool is_expression = lower.find('\'') != std::string::npos;
  const std::lock_guard lock(mutex_);
  for (const auto& [name, value] : given_) {
    if (value.empty() || (value.size() < kChanceSize && !is_expression)) continue;
    if (lower.find(to_lower(value)) != std::string::npos) return true;
  }
  return false;
}

}  // namespace lakemill::app
