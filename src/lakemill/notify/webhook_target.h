#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "lakemill/base/clock.h"
#include "lakemill/net/http_client.h"
#include "lakemill/notify/inner_addresses.h"
#include "lakemill/notify/target.h"

namespace lakemill::notify {

struct WebhookOptions {
  std::string url;     ///< http or https, secrets put in
  std::string secret;  ///< the key of the signature, not empty
  std::string source;  ///< of cloud_event()
  std::chrono::milliseconds timeout{30'000};       ///< of an attempt
  std::chrono::milliseconds pause_max{3'600'000};  ///< of what Retry-After asks for
  std::size_t body_bytes_max = 1U << 20U;          ///< of a request
};

/// What the client of webhooks is to be made with: guarded, with short answers.
net::HttpOptions webhook_client_options(InnerAddresses addresses);

/// Posts cloud_event(), signed at each attempt anew. An answer of 2xx is a delivery; of
/// 4xx but 408, 425 and 429 a refusal, as is a URL or address that is not allowed;
/// everything else is tried again, no sooner than Retry-After says (up to a bound).
/// Messages name the receiver's host and no more of the URL, nor its answer.
///
/// Borrows both. Errors: invalid (no http or https URL, no secret).
Result<std::unique_ptr<Target>> make_webhook_target(WebhookOptions options,
                                                    net::HttpClient& client,
                                                    Clock& clock);

}  // namespace lakemill::notify
