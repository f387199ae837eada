#include "lakemill/access/login_throttle.h"

#include <algorithm>

#include "lakemill/access/secret_text.h"
#include "lakemill/base/hash.h"
#include "lakemill/base/network_address.h"

namespace lakemill::access {

namespace {

using std::chrono::microseconds;

// Whose failures count together: an address of IPv4, a network of IPv6.
std::string client_of(std::string_view address) {
  auto parsed = parse_ip_address(address);
  if (!parsed) return std::string(address);
  const AddressRange ipv4{*parse_ip_address("0.0.0.0"), 96};
  if (!ipv4.contains(*parsed)) std::fill(parsed->begin() + 8, parsed->end(), 0);
  return std::string(parsed->begin(), parsed->end());
}

}  // namespace

LoginThrottle::LoginThrottle(Clock& clock, Random& random)
    : clock_(clock),
      key_(make_secret(random).reveal()),
      names_(kPlaces),
      addresses_(kPlaces) {}

std::optional<std::chrono::seconds> LoginThrottle::begin(std::string_view name,
                                                         std::string_view address) {
  const std::size_t of_name = index_of('n', name);
  const std::size_t of_address = index_of('a', client_of(address));
  const std::lock_guard lock(mutex_);
  const microseconds now = clock_.elapsed();
  Place none;
  Place& first = name.empty() ? none : names_[of_name];
  Place& second = addresses_[of_address];
  for (Place* place : {&first, &second}) {
    refresh(*place, now);
    close_if_full(*place, now);
  }
  const microseconds until = std::max(first.closed_until, second.closed_until);
  if (until > now) return std::chrono::ceil<std::chrono::seconds>(until - now);
  for (Place* place : {&first, &second}) {
    ++place->failures;
    place->last = now;
  }
  return std::nullopt;
}

void LoginThrottle::succeeded(std::string_view name, std::string_view address) {
  const std::size_t of_name = index_of('n', name);
  const std::size_t of_address = index_of('a', client_of(address));
  const std::lock_guard lock(mutex_);
  Place none;
  for (Place* place :
       {name.empty() ? &none : &names_[of_name], &addresses_[of_address]}) {
    place->failures = std::max(0, place->failures - 1);
  }
}

std::size_t LoginThrottle::index_of(char kind, std::string_view text) const {
  const std::string hash = hmac_sha256(key_, kind + std::string(text));
  std::size_t index = 0;
  for (std::size_t i = 0; i < sizeof index; ++i) {
    index = (index << 8) | static_cast<unsigned char>(hash[i]);
  }
  return index % kPlaces;
}

// Begins another minute, and forgets what is long ago.
void LoginThrottle::refresh(Place& place, microseconds now) const {
  if (now - std::max(place.last, place.closed_until) >= kForgottenAfter) {
    place.closings = 0;
  }
  if (now - place.window_began >= kWindow) {
    place.window_began = now;
    place.failures = 0;
  }
}

void LoginThrottle::close_if_full(Place& place, microseconds now) const {
  if (place.failures < kAttemptsMax || place.closed_until > now) return;
  constexpr int kDoublingsMax = 4;  // 16 minutes: more than kClosedMax
  const microseconds closed = kWindow * (1 << std::min(place.closings, kDoublingsMax));
  place.closed_until = now + std::min<microseconds>(closed, kClosedMax);
  // What comes after counts anew.
  place.window_began = place.closed_until;
  place.failures = 0;
  ++place.closings;
}

}  // namespace lakemill::access
