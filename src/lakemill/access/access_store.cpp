#include "lakemill/access/access_store.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "lakemill/storage/find_object.h"

namespace lakemill::access {

namespace {

constexpr std::string_view kEnding = ".json";
constexpr std::size_t kDigits = 12;

}  // namespace

std::string access_path(std::string_view path) {
  return "_lakemill/access/" + std::string(path);
}

std::string numbered_path(std::string_view folder, std::int64_t number) {
  char name[32];
  std::snprintf(name, sizeof name, "/%012lld.json", static_cast<long long>(number));
  return std::string(folder) + name;
}

std::optional<std::int64_t> number_of_path(std::string_view path) {
  path.remove_prefix(path.rfind('/') + 1);
  if (path.size() != kDigits + kEnding.size() || !path.ends_with(kEnding)) {
    return std::nullopt;
  }
  std::int64_t number = 0;
  const char* end = path.data() + kDigits;
  const auto read = std::from_chars(path.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end || number <= 0) return std::nullopt;
  return number;
}

Result<std::int64_t> newest_number(storage::ObjectStore& store,
                                   std::string_view folder) {
  LAKEMILL_TRY(const auto objects, store.list(std::string(folder) + "/", ""));
  std::int64_t newest = 0;
  for (const storage::ObjectInfo& object : objects) {
    newest = std::max(newest, number_of_path(object.path).value_or(0));
  }
  return newest;
}

Status put_once(storage::ObjectStore& store, const std::string& path,
                const Json& json) {
  const std::string bytes = json_text(json) + "\n";
  auto put = store.put_if_absent(path, bytes);
  if (put) return {};
  const ErrorCode code = put.error().code();
  if (code != ErrorCode::exists && code != ErrorCode::unknown) return put;
  const auto standing = storage::find_object(store, path);
  if (standing && *standing) {
    if (**standing == bytes) return {};
    return Error(ErrorCode::exists, store.url() + "/" + path + " is there already");
  }
  return Error(ErrorCode::unknown, "it is not known whether " + store.url() + "/" +
                                       path + " was written; look again");
}

Result<std::optional<Json>> find_json(storage::ObjectStore& store,
                                      const std::string& path) {
  LAKEMILL_TRY(const auto text, storage::find_object(store, path));
  if (!text) return std::optional<Json>();
  auto json = parse_json(*text);
  // The parser's own message would show a part of the object.
  if (!json || !json->is_object()) return corrupt_object(store, path, "no JSON object");
  return std::optional(*std::move(json));
}

Error corrupt_object(const storage::ObjectStore& store, std::string_view path,
                     std::string_view why) {
  return {ErrorCode::corrupt, store.url() + "/" + std::string(path) +
                                  " is damaged: " + std::string(why)};
}

std::optional<Instant> instant_member(const Json& json, std::string_view key) {
  const auto instant = parse_instant(string_member(json, key, ""));
  return instant ? std::optional(*instant) : std::nullopt;
}

}  // namespace lakemill::access
