// Goal: a change that leaves out values because they stay as they were makes the same
// table as one that sends them. Method: random histories of a few keys, cut into random
// batches in their order, once with all values and once with unchanged ones left out
// and listed in `_unchanged`; SCD 1 and SCD 2 must end alike, and as the history did.
// The seed is printed and repeats a case: LAKEMILL_SEED=n.

#include <cstdlib>
#include <map>
#include <random>

#include "sink_fixture.h"

namespace lakemill::sinks {
namespace {

using Cell = std::optional<int>;

struct Event {
  int key = 0;
  bool is_delete = false;
  Cell a;
  Cell b;
  bool keeps_a = false;
  bool keeps_b = false;
};

std::string literal(const Cell& cell) {
  return cell ? std::to_string(*cell) : "CAST(NULL AS INTEGER)";
}

// Updates of rows that are there, inserts of those that are not, and deletes.
std::vector<Event> random_history(std::mt19937_64& random) {
  std::map<int, Event> live;
  std::vector<Event> events;
  const std::size_t count = 5 + random() % 40;
  while (events.size() < count) {
    Event event;
    event.key = static_cast<int>(random() % 4);
    const auto held = live.find(event.key);
    if (held != live.end() && random() % 5 == 0) {
      event.is_delete = true;
      live.erase(held);
      events.push_back(event);
      continue;
    }
    const auto value = [&] {
      return random() % 6 == 0 ? Cell() : Cell(static_cast<int>(random() % 9));
    };
    event.a = value();
    event.b = value();
    if (held != live.end()) {
      event.keeps_a = random() % 2 == 0;
      event.keeps_b = random() % 2 == 0;
      if (event.keeps_a) event.a = held->second.a;
      if (event.keeps_b) event.b = held->second.b;
    }
    live[event.key] = event;
    events.push_back(event);
  }
  return events;
}

std::string sql_of(const std::vector<Event>& events, std::size_t begin, std::size_t end,
                   bool leaves_out) {
  std::string rows;
  for (std::size_t i = begin; i < end; ++i) {
    const Event& event = events[i];
    std::string listed;
    if (leaves_out && event.keeps_a) listed += "'A'";
    if (leaves_out && event.keeps_b) listed += listed.empty() ? "'b'" : ", 'b'";
    rows += (rows.empty() ? "(" : ", (") + std::to_string(event.key) + ", " +
            std::to_string(i) + ", " + (event.is_delete ? "true" : "false") + ", " +
            literal(leaves_out && event.keeps_a ? Cell() : event.a) + ", " +
            literal(leaves_out && event.keeps_b ? Cell() : event.b) + ", " +
            (listed.empty() ? "CAST(NULL AS VARCHAR[])" : "[" + listed + "]") + ")";
  }
  return "SELECT * FROM (VALUES " + rows +
         R"() AS t(k, seq, gone, "A", b, "_unchanged"))";
}

std::vector<std::string> merged(const std::vector<Event>& events,
                                const std::vector<std::size_t>& cuts, int scd_type,
                                bool leaves_out) {
  TableSinkSpec spec;
  spec.url = world().fresh_url();
  spec.name = "target";
  spec.mode = WriteMode::merge;
  ChangeOptions options;
  options.primary_keys = {"k"};
  options.order_by = {"seq"};
  options.scd_type = scd_type;
  options.delete_where = "gone";
  options.exclude_columns = {"gone", "_unchanged", "seq"};
  options.state_url = spec.url + "_state";
  options.rejected_url = spec.url + "_rejected";
  spec.changes = options;
  const std::string url = spec.url;
  const auto sink = make_table_sink(std::move(spec), world().services());
  std::size_t begin = 0;
  std::int64_t number = 0;
  for (const std::size_t end : cuts) {
    const auto put = world().put(*sink, sql_of(events, begin, end, leaves_out),
                                 world().batch(++number));
    EXPECT_TRUE(put.has_value()) << put.error().message();
    begin = end;
  }
  const std::string interval = scd_type == 2 ? ", __start_at, __end_at" : "";
  return world().rows(url,
                      "SELECT k, \"A\", b" + interval + " FROM target ORDER BY ALL");
}

TEST(UnchangedValues, AreKeptByMerges) {
  const char* given = std::getenv("LAKEMILL_SEED");
  const std::uint64_t first = given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
  const std::uint64_t count = given != nullptr ? 1 : 20;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE("LAKEMILL_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    const std::vector<Event> events = random_history(random);
    std::vector<std::size_t> cuts;
    for (std::size_t at = 0; at < events.size();) {
      at = std::min<std::size_t>(events.size(), at + 1 + random() % 12);
      cuts.push_back(at);
    }
    for (const int scd_type : {1, 2}) {
      const auto whole = merged(events, {events.size()}, scd_type, false);
      ASSERT_EQ(merged(events, cuts, scd_type, true), whole) << "scd_type " << scd_type;
    }
  }
}

}  // namespace
}  // namespace lakemill::sinks
