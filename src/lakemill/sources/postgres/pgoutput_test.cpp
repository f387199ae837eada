#include "lakemill/sources/postgres/pgoutput.h"

#include <random>

#include <gtest/gtest.h>

#include "lakemill/sources/postgres/message_builder.h"

namespace lakemill::sources::postgres {
namespace {

std::vector<std::string> recorded() {
  return {begin_message(0x100, 9),
          items_message('d'),
          insert_message("1", "one"),
          MessageBuilder('U')
              .number(7, 4)
              .letter('K')
              .tuple({"1", std::nullopt})
              .letter('N')
              .tuple({"2", "<unchanged>"})
              .done(),
          MessageBuilder('D').number(7, 4).letter('O').tuple({"2", "x"}).done(),
          MessageBuilder('T').number(1, 4).number(0, 1).number(7, 4).done(),
          commit_message(0x100, 0x130),
          MessageBuilder('S').number(11, 4).number(1, 1).done(),
          MessageBuilder('I')
              .number(12, 4)
              .number(7, 4)
              .letter('N')
              .tuple({"3", ""})
              .done(),
          MessageBuilder('E').done(),
          MessageBuilder('A').number(11, 4).number(12, 4).done(),
          MessageBuilder('c')
              .number(11, 4)
              .number(0, 1)
              .number(0x200, 8)
              .number(0x230, 8)
              .number(0, 8)
              .done()};
}

TEST(Pgoutput, ReadsATransaction) {
  PgoutputDecoder decoder;
  const auto messages = recorded();
  auto begin = decoder.decode(messages[0]);
  ASSERT_TRUE(begin.has_value());
  EXPECT_EQ(std::get<BeginMessage>(**begin).commit_lsn, 0x100U);
  auto table = decoder.decode(messages[1]);
  ASSERT_TRUE(table.has_value());
  const auto& relation = std::get<RelationMessage>(**table);
  EXPECT_EQ(relation.table, "items");
  EXPECT_TRUE(relation.columns.at(0).is_key);
  EXPECT_FALSE(relation.columns.at(1).is_key);
  auto insert = decoder.decode(messages[2]);
  ASSERT_TRUE(insert.has_value());
  EXPECT_EQ(std::get<RowChange>(**insert).new_tuple.at(1).text, "one");
  auto update = decoder.decode(messages[3]);
  ASSERT_TRUE(update.has_value());
  const auto& change = std::get<RowChange>(**update);
  EXPECT_EQ(change.has_old, OldTuple::key);
  EXPECT_EQ(change.old_tuple.at(1).kind, FieldKind::null);
  EXPECT_EQ(change.new_tuple.at(1).kind, FieldKind::unchanged);
  auto end = decoder.decode(messages[6]);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(std::get<CommitMessage>(**end).end_lsn, 0x130U);
}

TEST(Pgoutput, InAStreamedBlockChangesNameTheirSubtransaction) {
  PgoutputDecoder decoder;
  const auto messages = recorded();
  ASSERT_TRUE(decoder.decode(messages[7]).has_value());
  auto insert = decoder.decode(messages[8]);
  ASSERT_TRUE(insert.has_value());
  EXPECT_EQ(std::get<RowChange>(**insert).transaction, 12U);
  EXPECT_EQ(std::get<RowChange>(**insert).new_tuple.at(1).text, "");
  ASSERT_TRUE(decoder.decode(messages[9]).has_value());
  auto abort = decoder.decode(messages[10]);
  ASSERT_TRUE(abort.has_value());
  EXPECT_EQ(std::get<StreamAbortMessage>(**abort).subtransaction, 12U);
}

TEST(Pgoutput, AMessageThatIsCutOffIsAnError) {
  for (const std::string& message : recorded()) {
    for (std::size_t size = 0; size < message.size(); ++size) {
      PgoutputDecoder decoder;
      if (message.front() == 'E') continue;
      const auto decoded = decoder.decode(std::string_view(message).substr(0, size));
      ASSERT_FALSE(decoded.has_value()) << message.front() << " " << size;
      EXPECT_EQ(decoded.error().code(), ErrorCode::corrupt);
    }
  }
}

// Goal: no bytes from outside do harm. Method: recorded messages with bytes changed,
// taken out and put in; run under the sanitizers too.
TEST(Pgoutput, SurvivesAnyBytes) {
  std::mt19937 random(20240917);
  const auto messages = recorded();
  int understood = 0;
  for (int round = 0; round < 200'000; ++round) {
    PgoutputDecoder decoder;
    if (random() % 2 == 0) {
      ASSERT_TRUE(decoder.decode(messages[7]).has_value());  // inside a block
    }
    std::string message = messages[random() % messages.size()];
    for (unsigned faults = random() % 4; faults > 0 && !message.empty(); --faults) {
      const std::size_t at = random() % message.size();
      switch (random() % 3) {
        case 0:
          message[at] = static_cast<char>(random());
          break;
        case 1:
          message.resize(at);
          break;
        default:
          message.insert(at, 1, static_cast<char>(random()));
      }
    }
    understood += decoder.decode(message).has_value() ? 1 : 0;
  }
  EXPECT_GT(understood, 1000);
}

}  // namespace
}  // namespace lakemill::sources::postgres
