#include "lakemill/events/event_chain.h"

#include "lakemill/base/quoted_list.h"

namespace lakemill::events {

Status ChainCheck::go_on(const data::Rows& rows) {
  for (const auto& row : rows.rows) {
    Json columns = columns_of_row(rows.schema, row);
    const std::string chain = string_member(columns, "chain", "");
    columns.erase("chain");
    LAKEMILL_TRY_OK(check(columns, chain));
  }
  return {};
}

Status ChainCheck::check(const Json& columns, const std::string& chain) {
  const std::string writer = string_member(columns, "writer", "");
  const std::int64_t sequence = integer_member(columns, "sequence", -1);
  const auto broken = [&](const std::string& what) {
    return Error(ErrorCode::corrupt, "the event log was tampered with: event " +
                                         std::to_string(sequence) + " of writer " +
                                         writer + " " + what);
  };
  if (writer != writer_) {
    writer_ = writer;
    sequence_ = -1;
    chain_ = kChainBegin;
  }
  if (sequence == sequence_) return broken("is there twice");
  const bool follows = sequence == sequence_ + 1;
  if (chain != chain_after(chain_, columns)) {
    if (follows) {
      return broken(
          "was altered or put in, or one before it was (its hash is not that "
          "of its content behind event " +
          std::to_string(sequence_) + ")");
    }
    return broken("does not follow on event " + std::to_string(sequence_) +
                  ": events between them were taken out, or it was altered or put in");
  }
  // A gap with a whole chain: events that the writer itself left out, which it says in
  // an event notices_dropped.
  sequence_ = sequence;
  chain_ = chain;
  ++events_;
  return {};
}

std::string select_chain(std::string_view relation, std::int64_t skipped,
                         std::int64_t count_max) {
  std::vector<std::string> columns;
  for (const data::Field& field : event_schema().fields) {
    columns.push_back(field.name);
  }
  return "SELECT " + quoted_list(columns) + " FROM " + std::string(relation) +
         " ORDER BY \"writer\", \"sequence\", \"chain\" LIMIT " +
         std::to_string(count_max) + " OFFSET " + std::to_string(skipped);
}

}  // namespace lakemill::events
