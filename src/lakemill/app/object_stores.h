#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "lakemill/app/secrets.h"
#include "lakemill/base/clock.h"
#include "lakemill/base/random.h"
#include "lakemill/language/model.h"
#include "lakemill/net/http_client.h"
#include "lakemill/storage/object_store.h"
#include "lakemill/storage/s3_connection.h"

namespace lakemill::app {

using EnvironmentVariable =
    std::function<std::optional<std::string>(const std::string& name)>;

/// How `bucket` is reached: by the connection of type S3 in lakemill.yaml that names
/// it, else by the one that names no bucket; what that leaves out, and where there is
/// none, by AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_REGION, AWS_DEFAULT_REGION and
/// the variables of credentials. Errors: invalid (half of a pair of keys, no URL),
/// those of secrets.
Result<storage::S3Options> s3_options(const std::string& bucket,
                                      const language::Project& project,
                                      Secrets& secrets,
                                      const EnvironmentVariable& environment_variable);

/// An HTTP client that trusts the certificates of AWS_CA_BUNDLE, if that is set.
std::unique_ptr<net::HttpClient> make_store_client(
    const EnvironmentVariable& environment_variable);

/// What the stores of a project work with; all borrowed.
struct StoreParts {
  const language::Project& project;
  Secrets& secrets;
  net::HttpClient& http;
  Clock& clock;
  Random& random;
};

/// Local folders, and buckets (s3://, s3a://).
std::unique_ptr<storage::StoreProvider> make_stores(
    const StoreParts& parts, EnvironmentVariable environment_variable);

}  // namespace lakemill::app
