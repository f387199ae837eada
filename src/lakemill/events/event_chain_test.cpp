#include "lakemill/events/event_chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/testing/matchers.h"

namespace lakemill::events {
namespace {

using testkit::HasError;
using testkit::IsOk;

// The log's rows of `count` events of a writer, with sequences from 0.
data::Rows written(const std::string& writer, std::int64_t count) {
  data::Rows rows{event_schema(), {}};
  std::string chain(kChainBegin);
  for (std::int64_t sequence = 0; sequence < count; ++sequence) {
    Event event;
    event.type = EventType::notice;
    event.message = "message \"" + std::to_string(sequence) + "\"\n";
    event.pipeline = "p";
    event.batch = sequence;
    event.details = Json{{"n", sequence}};
    event.writer = writer;
    event.sequence = sequence;
    event.time = Instant(std::chrono::microseconds(1'700'000'000'123'456 + sequence));
    chain = chain_of(chain, event);
    const auto json = parse_json(row_of(event, chain));
    EXPECT_THAT(json, IsOk());
    std::vector<data::Value> row;
    for (const data::Field& field : rows.schema.fields) {
      const Json& value = json->at(field.name);
      if (field.name == "time") {
        row.emplace_back(data::Timestamp{event.time.time_since_epoch().count()});
      } else if (value.is_null()) {
        row.emplace_back();
      } else if (value.is_number()) {
        row.emplace_back(value.get<std::int64_t>());
      } else {
        row.emplace_back(value.get<std::string>());
      }
    }
    rows.rows.push_back(std::move(row));
  }
  return rows;
}

std::size_t column(const data::Rows& rows, const std::string& name) {
  return static_cast<std::size_t>(rows.schema.find(name) - rows.schema.fields.data());
}

TEST(ChainCheck, PassesWhatWritersWroteInHoweverManyParts) {
  data::Rows rows = written("a", 3);
  const data::Rows more = written("b", 2);
  rows.rows.insert(rows.rows.end(), more.rows.begin(), more.rows.end());
  ChainCheck whole;
  EXPECT_THAT(whole.go_on(rows), IsOk());
  EXPECT_EQ(whole.events(), 5);
  ChainCheck parts;
  for (const auto& row : rows.rows) {
    EXPECT_THAT(parts.go_on({rows.schema, {row}}), IsOk());
  }
  EXPECT_EQ(parts.events(), 5);
}

TEST(ChainCheck, FindsAnEventThatWasAltered) {
  for (const char* name : {"message", "time", "level", "node", "batch", "details"}) {
    data::Rows rows = written("a", 3);
    const std::size_t at = column(rows, name);
    if (std::string(name) == "batch") {
      rows.rows[1][at] = std::int64_t{7};
    } else if (std::string(name) == "time") {
      rows.rows[1][at] = data::Timestamp{0};
    } else {
      rows.rows[1][at] = std::string("other");
    }
    EXPECT_THAT(ChainCheck().go_on(rows),
                HasError(ErrorCode::corrupt, "event 1 of writer a was altered"))
        << name;
  }
}

TEST(ChainCheck, FindsAnEventThatWasTakenOut) {
  for (const std::size_t gone : {0U, 1U}) {
    data::Rows rows = written("a", 3);
    rows.rows.erase(rows.rows.begin() + static_cast<std::ptrdiff_t>(gone));
    EXPECT_THAT(ChainCheck().go_on(rows), HasError(ErrorCode::corrupt, "taken out"));
  }
}

TEST(ChainCheck, FindsAnEventThatWasPutIn) {
  data::Rows rows = written("a", 3);
  auto copy = rows.rows[1];
  rows.rows.insert(rows.rows.begin() + 2, copy);
  EXPECT_THAT(ChainCheck().go_on(rows),
              HasError(ErrorCode::corrupt, "event 1 of writer a is there twice"));
  rows = written("a", 3);
  copy = rows.rows[2];
  copy[column(rows, "sequence")] = std::int64_t{3};
  copy[column(rows, "id")] = std::string("a-3");
  rows.rows.push_back(copy);
  EXPECT_THAT(ChainCheck().go_on(rows), HasError(ErrorCode::corrupt, "event 3"));
}

TEST(ChainCheck, LetsAWriterLeaveEventsOut) {
  data::Rows rows = written("a", 1);
  Event event;
  event.type = EventType::notices_dropped;
  event.writer = "a";
  event.sequence = 5;  // four were left out: the chain goes on from the first
  const std::string before = data::to_text(rows.rows[0][column(rows, "chain")]);
  const auto json = parse_json(row_of(event, chain_of(before, event)));
  ASSERT_THAT(json, IsOk());
  std::vector<data::Value> row;
  for (const data::Field& field : rows.schema.fields) {
    const Json& value = json->at(field.name);
    if (field.name == "time") {
      row.emplace_back(data::Timestamp{0});
    } else if (value.is_null()) {
      row.emplace_back();
    } else if (value.is_number()) {
      row.emplace_back(value.get<std::int64_t>());
    } else {
      row.emplace_back(value.get<std::string>());
    }
  }
  rows.rows.push_back(row);
  EXPECT_THAT(ChainCheck().go_on(rows), IsOk());
}

}  // namespace
}  // namespace lakemill::events
