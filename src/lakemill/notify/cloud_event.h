#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/base/json.h"
#include "lakemill/events/event_feed.h"
#include "lakemill/net/http_client.h"

namespace lakemill::notify {

/// The media type of what cloud_event() gives.
inline constexpr std::string_view kCloudEventMediaType =
    "application/cloudevents+json; charset=utf-8";

/// The event as others take it: CloudEvents 1.0, JSON, structured. `id` is the event's
/// id, the same each time it is sent; `type` "lakemill.<type>"; `data` is
/// events::event_json(). Extensions: `runid` and `causedby` where the event has them,
/// `sequence`, the place in the order of all events (to_text(FeedPosition); two numbers,
/// to be compared as such). The same bytes for the same event and place.
///
/// `source`: a URI reference that names the project, not empty.
Json cloud_event(const events::FedEvent& fed, std::string_view source);

/// What lets a receiver see who sent a body, and that it is no repetition of an old one:
/// `webhook-id` (`id`), `webhook-timestamp` (`at`, seconds since 1970) and
/// `webhook-signature`: "v1," and the base64 of HMAC-SHA-256 under `secret`, its bytes
/// as they are, over "<id>.<timestamp>.<body>" (standardwebhooks.com). `secret` is not
/// empty.
std::vector<net::HttpHeader> signature_headers(std::string_view id, Instant at,
                                               std::string_view secret,
                                               std::string_view body);

}  // namespace lakemill::notify
