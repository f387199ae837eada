#include "lakemill/sources/postgres/visibility.h"

#include <algorithm>
#include <charconv>

#include "lakemill/base/text.h"

namespace lakemill::sources::postgres {

namespace {

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end) {
    return std::nullopt;
  }
  return value;
}

Error damaged(std::string_view text) {
  return Error(ErrorCode::corrupt,
               "\"" + std::string(text) + "\" is no snapshot of PostgreSQL");
}

}  // namespace

bool Visibility::sees(TransactionId transaction, Lsn commit_lsn) const {
  if (commit_lsn > horizon) return false;
  // The stream has the lower half of the number. What lies in question is near xmax.
  std::uint64_t full = (xmax & ~std::uint64_t{0xFFFF'FFFF}) | transaction;
  constexpr std::uint64_t kEpoch = std::uint64_t{1} << 32U;
  if (full >= xmax + kEpoch / 2 && full >= kEpoch) full -= kEpoch;
  if (full + kEpoch / 2 < xmax) full += kEpoch;
  if (full < xmin) return true;
  if (full >= xmax) return false;
  return !std::binary_search(running.begin(), running.end(), full);
}

Result<Visibility> parse_snapshot(std::string_view text) {
  const std::vector<std::string> parts = split(text, ':');
  if (parts.size() != 3) return damaged(text);
  const auto xmin = number(parts[0]);
  const auto xmax = number(parts[1]);
  if (!xmin || !xmax) return damaged(text);
  Visibility visibility;
  visibility.xmin = *xmin;
  visibility.xmax = *xmax;
  if (!parts[2].empty()) {
    for (const std::string& item : split(parts[2], ',')) {
      const auto running = number(item);
      if (!running) return damaged(text);
      visibility.running.push_back(*running);
    }
  }
  std::sort(visibility.running.begin(), visibility.running.end());
  return visibility;
}

Json to_json(const Visibility& visibility) {
  std::string text =
      std::to_string(visibility.xmin) + ":" + std::to_string(visibility.xmax) + ":";
  for (std::size_t i = 0; i < visibility.running.size(); ++i) {
    if (i > 0) text += ",";
    text += std::to_string(visibility.running[i]);
  }
  return {{"sees", text}, {"horizon", to_hex(visibility.horizon)}};
}

Result<Visibility> visibility_from_json(const Json& json) {
  LAKEMILL_TRY(Visibility visibility, parse_snapshot(string_member(json, "sees", "")));
  const auto horizon = parse_hex(string_member(json, "horizon", ""));
  if (!horizon) return damaged(json_text(json));
  visibility.horizon = *horizon;
  return visibility;
}

}  // namespace lakemill::sources::postgres
