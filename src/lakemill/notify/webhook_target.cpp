#include "lakemill/notify/webhook_target.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "lakemill/base/text.h"
#include "lakemill/net/http_date.h"
#include "lakemill/net/uri.h"
#include "lakemill/notify/cloud_event.h"

namespace lakemill::notify {

namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kAnswerBytesMax = 16 << 10;  // nobody reads it

bool begins_with(std::string_view text, std::string_view beginning) {
  return equals_ignoring_case(text.substr(0, beginning.size()), beginning);
}

// Visible ASCII: nothing that ends a header.
bool can_be_header(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char letter) { return letter > ' ' && letter < '\x7F'; });
}

class WebhookTarget final : public Target {
 public:
  WebhookTarget(WebhookOptions options, net::HttpClient& client, Clock& clock)
      : options_(std::move(options)),
        host_(net::host_of(options_.url)),
        client_(client),
        clock_(clock) {}

  DeliveryOutcome deliver(const Delivery& delivery, std::stop_token stop) override;

 private:
  DeliveryOutcome judge(const net::HttpResponse& answer) const;
  std::optional<milliseconds> pause_in(const net::HttpResponse& answer) const;

  const WebhookOptions options_;
  const std::string host_;
  net::HttpClient& client_;
  Clock& clock_;
};

DeliveryOutcome WebhookTarget::deliver(const Delivery& delivery, std::stop_token stop) {
  const std::string id = events::id_of(*delivery.event.event);
  const std::string body = json_text(cloud_event(delivery.event, options_.source));
  if (body.size() > options_.body_bytes_max) {
    return {Verdict::refused, "the event has " + std::to_string(body.size()) +
                                  " bytes, more than a webhook may send (" +
                                  std::to_string(options_.body_bytes_max) + ")"};
  }
  if (!can_be_header(id)) {
    return {Verdict::refused, "the event's id cannot stand in a header"};
  }
  auto headers = signature_headers(id, clock_.now(), options_.secret, body);
  headers.push_back({"Content-Type", std::string(kCloudEventMediaType)});
  const auto answer = client_.send({.method = "POST",
                                    .url = options_.url,
                                    .headers = std::move(headers),
                                    .body = body,
                                    .timeout = options_.timeout,
                                    .stop = std::move(stop)});
  if (answer) return judge(answer.value());
  const bool never = answer.error().code() == ErrorCode::invalid;
  return {never ? Verdict::refused : Verdict::again, answer.error().message()};
}

DeliveryOutcome WebhookTarget::judge(const net::HttpResponse& answer) const {
  const int status = answer.status;
  if (status >= 200 && status < 300) return {};
  std::string error = host_ + " answers with status " + std::to_string(status);
  if (status >= 300 && status < 400) error += ", a redirect, which is not followed";
  const bool may_pass = status == 408 || status == 425 || status == 429;
  if (status >= 400 && status < 500 && !may_pass) {
    return {Verdict::refused, std::move(error)};
  }
  return {Verdict::again, std::move(error), pause_in(answer)};
}

// Seconds, or a date.
std::optional<milliseconds> WebhookTarget::pause_in(
    const net::HttpResponse& answer) const {
  const std::string_view text = trim(answer.header("retry-after"));
  if (text.empty()) return std::nullopt;
  std::int64_t seconds = 0;
  const auto [end, fault] = std::from_chars(text.begin(), text.end(), seconds);
  if (fault == std::errc::result_out_of_range) return options_.pause_max;
  if (fault != std::errc() || end != text.end()) {
    const auto date = net::parse_http_date(text);
    if (!date) return std::nullopt;
    seconds = std::chrono::ceil<std::chrono::seconds>(*date - clock_.now()).count();
  }
  const std::int64_t seconds_max =
      std::chrono::ceil<std::chrono::seconds>(options_.pause_max).count();
  return std::min(options_.pause_max,
                  milliseconds(1'000 * std::clamp<std::int64_t>(seconds, 0,
                                                                seconds_max)));
}

}  // namespace

net::HttpOptions webhook_client_options(InnerAddresses addresses) {
  net::HttpOptions options;
  options.body_size_max = kAnswerBytesMax;
  options.cuts_body = true;
  options.address_guard = [addresses = std::move(addresses)](
                              std::string_view host, const IpAddress& address) {
    return addresses.check(host, address);
  };
  return options;
}

Result<std::unique_ptr<Target>> make_webhook_target(WebhookOptions options,
                                                    net::HttpClient& client,
                                                    Clock& clock) {
  if (!begins_with(options.url, "http://") && !begins_with(options.url, "https://")) {
    return Error(ErrorCode::invalid, "a webhook's URL begins with http:// or https://");
  }
  if (options.secret.empty()) {
    return Error(ErrorCode::invalid, "webhook of " + net::host_of(options.url) +
                                         ": its secret is empty, and nothing is sent "
                                         "unsigned");
  }
  return std::unique_ptr<Target>(
      std::make_unique<WebhookTarget>(std::move(options), client, clock));
}

}  // namespace lakemill::notify
