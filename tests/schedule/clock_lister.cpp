// Answers questions about clocks, one a line of standard input, words between tabs;
// times are seconds since 1970:
//
//   cron <zone> <expression> <from> <to>   the instants from <from> on, before <to>
//   offsets <zone> <instant> …             how far clocks are ahead of UTC at each
//
// Each answer is a line: numbers between spaces, or "error: …".
#include <charconv>
#include <iostream>
#include <string>
#include <vector>

#include "lakemill/base/cron_in_zone.h"
#include "lakemill/base/text.h"

namespace {

using lakemill::Error, lakemill::ErrorCode, lakemill::Instant, lakemill::Result;
using std::chrono::seconds;

Result<Instant> read_instant(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, fault] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || end != text.data() + text.size()) {
    return Error(ErrorCode::invalid, "no number of seconds: " + text);
  }
  return Instant(seconds(number));
}

void append(std::string& line, std::int64_t number) {
  if (!line.empty()) line += ' ';
  line += std::to_string(number);
}

Result<std::string> list_instants(const std::vector<std::string>& words) {
  LAKEMILL_TRY(auto zone, lakemill::TimeZone::find(words[1]));
  LAKEMILL_TRY(const lakemill::Cron cron, lakemill::Cron::parse(words[2]));
  LAKEMILL_TRY(const Instant from, read_instant(words[3]));
  LAKEMILL_TRY(const Instant to, read_instant(words[4]));
  const lakemill::CronInZone clock(cron, zone);
  std::string line;
  LAKEMILL_TRY(Instant next, clock.next_after(from - std::chrono::microseconds(1)));
  while (next < to) {
    append(line, std::chrono::floor<seconds>(next).time_since_epoch().count());
    LAKEMILL_TRY(next, clock.next_after(next));
  }
  return line;
}

Result<std::string> list_offsets(const std::vector<std::string>& words) {
  LAKEMILL_TRY(const auto zone, lakemill::TimeZone::find(words[1]));
  std::string line;
  for (std::size_t i = 2; i < words.size(); ++i) {
    LAKEMILL_TRY(const Instant instant, read_instant(words[i]));
    append(line, zone->offset_at(instant).count());
  }
  return line;
}

Result<std::string> answer(const std::vector<std::string>& words) {
  if (words.size() == 5 && words[0] == "cron") return list_instants(words);
  if (words.size() >= 2 && words[0] == "offsets") return list_offsets(words);
  return Error(ErrorCode::invalid, "no such question");
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    const auto answered = answer(lakemill::split(line, '\t'));
    std::cout << (answered ? *answered : "error: " + answered.error().message())
              << '\n';
  }
  return 0;
}
