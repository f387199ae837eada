#include "lakemill/events/feed_position.h"

#include <charconv>

namespace lakemill::events {

namespace {

// True if `text` is a number without sign, as to_text() writes it.
template <typename Number>
bool read_number(std::string_view text, Number& number) {
  if (text.empty() || text.front() < '0' || text.front() > '9') return false;
  const auto [end, fault] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  return fault == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string to_text(FeedPosition position) {
  return std::to_string(position.version) + "." + std::to_string(position.index);
}

Result<FeedPosition> parse_feed_position(std::string_view text) {
  const std::size_t dot = text.find('.');
  FeedPosition position;
  if (dot == std::string_view::npos ||
      !read_number(text.substr(0, dot), position.version) ||
      !read_number(text.substr(dot + 1), position.index)) {
    return Error(ErrorCode::invalid,
                 "'" + std::string(text) +
                     "' is no position among events; they look like 12.3, and 0.0 is "
                     "before all of them");
  }
  return position;
}

}  // namespace lakemill::events
