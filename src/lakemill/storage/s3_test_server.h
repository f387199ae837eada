#pragma once

// For tests: the S3 server that LAKEMILL_TEST_S3_ENDPOINT names, with the credentials
// of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, in a folder of its own of the bucket
// LAKEMILL_TEST_S3_BUCKET.

#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

#include "lakemill/storage/s3_store.h"

namespace lakemill::storage {

class S3TestServer {
 public:
  static constexpr const char* kMissing =
      "SKIPPED, NOT TESTED: no S3 server is named in LAKEMILL_TEST_S3_ENDPOINT; run "
      "this "
      "by tests/s3/with_server.py";

  bool is_there() const { return !variable("LAKEMILL_TEST_S3_ENDPOINT").empty(); }

  /// "s3://bucket/<a name that no other test has>".
  const std::string& folder() const { return folder_; }
  std::string bucket() const { return variable("LAKEMILL_TEST_S3_BUCKET"); }

  /// As a test wants them before the provider is made.
  S3Options options() const {
    S3Options options;
    options.endpoint = variable("LAKEMILL_TEST_S3_ENDPOINT");
    options.credentials = {variable("AWS_ACCESS_KEY_ID"),
                           variable("AWS_SECRET_ACCESS_KEY"), ""};
    options.retries.delay_min = std::chrono::milliseconds(1);
    options.retries.delay_max = std::chrono::milliseconds(20);
    return options;
  }

  /// Stores over the real client.
  StoreProvider& provider() {
    if (!provider_) provider_ = make_provider(options(), *http_);
    return *provider_;
  }
  /// Stores over `http` (borrowed).
  std::unique_ptr<StoreProvider> make_provider(S3Options options,
                                               net::HttpClient& http) {
    return make_s3_provider(
        [options](const std::string&) -> Result<S3Options> { return options; },
        {http, clock_, random_,
         [](std::chrono::milliseconds pause) { std::this_thread::sleep_for(pause); }});
  }
  net::HttpClient& http() { return *http_; }
  Clock& clock() { return clock_; }
  Random& random() { return random_; }

 private:
  static std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  }

  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<net::HttpClient> http_ = net::make_http_client({});
  std::unique_ptr<StoreProvider> provider_;
  const std::string folder_ = "s3://" + bucket() + "/" + make_uuid(random_);
};

}  // namespace lakemill::storage
