#include "lakemill/app/object_stores.h"

#include <thread>

#include "lakemill/base/text.h"
#include "lakemill/language/fields.h"
#include "lakemill/language/variables.h"
#include "lakemill/storage/local_store.h"
#include "lakemill/storage/routing_provider.h"
#include "lakemill/storage/s3_store.h"

namespace lakemill::app {

namespace {

struct Connection {
  std::string name;
  const language::Tree* values = nullptr;  // null: there is none
};

// The connection for the bucket: the one that names it goes first.
Connection connection_of(const language::Project& project, const std::string& bucket) {
  Connection general;
  for (const language::TreeEntry& entry : project.connections.entries) {
    if (!entry.value.is_mapping()) continue;
    const language::Fields fields(entry.value);
    if (fields.choice("type") != "S3") continue;
    const std::string named = fields.text("bucket", "");
    if (named == bucket) return {entry.key, &entry.value};
    if (named.empty() && general.values == nullptr) general = {entry.key, &entry.value};
  }
  return general;
}

/// Values of a connection, else of the environment.
class Settings {
 public:
  Settings(Connection connection, Secrets& secrets, const EnvironmentVariable& variable)
      : connection_(std::move(connection)), secrets_(secrets), variable_(variable) {}

  bool in_connection(std::string_view key) const {
    return connection_.values != nullptr &&
           language::Fields(*connection_.values).has(key);
  }
  // "" if it is nowhere.
  Result<std::string> find(std::string_view key,
                           std::initializer_list<const char*> variables) {
    if (in_connection(key)) {
      return language::resolve_secrets(
          language::Fields(*connection_.values).text(key, ""),
          [this](const std::string& name) { return secrets_.find(name); });
    }
    for (const char* variable : variables) {
      auto value = variable_(variable);
      if (value && !value->empty()) return *std::move(value);
    }
    return std::string();
  }
  std::optional<bool> flag(std::string_view key) const {
    if (!in_connection(key)) return std::nullopt;
    return language::Fields(*connection_.values).flag(key, true);
  }
  std::string place() const {
    return connection_.values == nullptr ? std::string("the environment")
                                         : "the connection " + connection_.name;
  }

 private:
  Connection connection_;
  Secrets& secrets_;
  const EnvironmentVariable& variable_;
};

Result<storage::S3Credentials> credentials(Settings& settings) {
  storage::S3Credentials found;
  if (settings.in_connection("access_key_id") !=
      settings.in_connection("secret_access_key")) {
    return Error(ErrorCode::invalid,
                 settings.place() +
                     " gives one of access_key_id and secret_access_key; give both, or "
                     "none of them");
  }
  LAKEMILL_TRY(found.access_key_id,
               settings.find("access_key_id", {"AWS_ACCESS_KEY_ID"}));
  LAKEMILL_TRY(found.secret_access_key,
               settings.find("secret_access_key", {"AWS_SECRET_ACCESS_KEY"}));
  // A token belongs to its keys: that of the environment not to keys of a connection.
  if (settings.in_connection("access_key_id")) {
    LAKEMILL_TRY(found.session_token, settings.find("session_token", {}));
  } else {
    LAKEMILL_TRY(found.session_token,
                 settings.find("session_token", {"AWS_SESSION_TOKEN"}));
  }
  if (found.access_key_id.empty() != found.secret_access_key.empty()) {
    return Error(ErrorCode::invalid,
                 "of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY only one is set");
  }
  return found;
}

}  // namespace

Result<storage::S3Options> s3_options(const std::string& bucket,
                                      const language::Project& project,
                                      Secrets& secrets,
                                      const EnvironmentVariable& environment_variable) {
  Settings settings(connection_of(project, bucket), secrets, environment_variable);
  storage::S3Options options;
  LAKEMILL_TRY(options.endpoint,
               settings.find("endpoint", {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"}));
  if (!options.endpoint.empty() && !options.endpoint.starts_with("http://") &&
      !options.endpoint.starts_with("https://")) {
    return Error(ErrorCode::invalid,
                 "the endpoint \"" + options.endpoint + "\" of " + settings.place() +
                     " is no URL; begin it with https:// (or http://)");
  }
  LAKEMILL_TRY(const std::string region,
               settings.find("region", {"AWS_REGION", "AWS_DEFAULT_REGION"}));
  if (!region.empty()) options.region = region;
  LAKEMILL_TRY(options.credentials, credentials(settings));
  options.path_style = settings.flag("path_style");
  return options;
}

std::unique_ptr<net::HttpClient> make_store_client(
    const EnvironmentVariable& environment_variable) {
  net::HttpOptions options;
  options.ca_file = environment_variable("AWS_CA_BUNDLE").value_or("");
  return net::make_http_client(std::move(options));
}

std::unique_ptr<storage::StoreProvider> make_stores(
    const StoreParts& parts, EnvironmentVariable environment_variable) {
  const storage::S3Services services{
      parts.http, parts.clock, parts.random,
      [](std::chrono::milliseconds pause) { std::this_thread::sleep_for(pause); }};
  std::shared_ptr<storage::StoreProvider> buckets = storage::make_s3_provider(
      [&project = parts.project, &secrets = parts.secrets,
       variable = std::move(environment_variable)](const std::string& bucket) {
        auto options = s3_options(bucket, project, secrets, variable);
        if (!options) {
          return Result<storage::S3Options>(
              std::move(options).error().while_doing("bucket " + bucket));
        }
        return options;
      },
      services);
  return storage::make_routing_provider(storage::make_local_provider(),
                                        {{"s3", buckets}, {"s3a", buckets}});
}

}  // namespace lakemill::app
