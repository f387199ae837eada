#include "lakemill/notify/cloud_event.h"

#include <chrono>

#include "lakemill/base/check.h"
#include "lakemill/base/hash.h"

namespace lakemill::notify {

Json cloud_event(const events::FedEvent& fed, std::string_view source) {
  const events::Event& event = *fed.event;
  Json json{{"specversion", "1.0"},
            {"id", events::id_of(event)},
            {"source", source},
            {"type", "lakemill." + std::string(events::describe(event.type).name)},
            {"subject", events::subject_of(event)},
            {"time", format_instant(event.time)},
            {"datacontenttype", "application/json"},
            {"data", events::event_json(event)},
            {"sequence", events::to_text(fed.at)}};
  if (!event.run_id.empty()) json["runid"] = event.run_id;
  if (!event.caused_by.empty()) json["causedby"] = event.caused_by;
  return json;
}

std::vector<net::HttpHeader> signature_headers(std::string_view id, Instant at,
                                               std::string_view secret,
                                               std::string_view body) {
  LAKEMILL_CHECK(!secret.empty());
  const auto seconds =
      std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count();
  const std::string timestamp = std::to_string(seconds);
  std::string signed_text(id);
  signed_text.append(".").append(timestamp).append(".").append(body);
  return {{"webhook-id", std::string(id)},
          {"webhook-timestamp", timestamp},
          {"webhook-signature", "v1," + base64_text(hmac_sha256(secret, signed_text))}};
}

}  // namespace lakemill::notify
