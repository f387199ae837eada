#include "lakemill/sources/postgres/change_writer.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "lakemill/formats/text_rows.h"
#include "lakemill/sources/postgres/message_builder.h"
#include "lakemill/sources/postgres/spooled_bytes.h"

namespace lakemill::sources::postgres {
namespace {

class FakeLookup final : public TableLookup {
 public:
  Result<std::optional<TypeFacts>> type_facts(Oid) override {
    return std::optional<TypeFacts>();
  }
  Result<std::vector<std::string>> primary_key(const RelationMessage&) override {
    return std::vector<std::string>{"id"};
  }
  Result<std::optional<std::vector<std::optional<std::string>>>> row_now(
      const RelationMessage&,
      const std::vector<std::pair<std::string, std::string>>& keys,
      const std::vector<std::string>& columns) override {
    EXPECT_EQ(columns, std::vector<std::string>{"note"});
    return std::optional(
        std::vector<std::optional<std::string>>{"of " + keys.at(0).second});
  }
};

class ChangeWriting : public testing::Test {
 protected:
  ChangeWriting()
      : folder_(testing::TempDir() + "/change_writing_" +
                testing::UnitTest::GetInstance()->current_test_info()->name()),
        writer_(folder_, lookup_) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    spool_ = std::make_unique<ChangeSpool>(folder_ + "/spool", true);
    reader_.schema = "public";
    reader_.table = "items";
    reader_.spool = spool_.get();
    writer_.set_readers({&reader_});
  }

  void give(const std::vector<std::string>& messages) {
    for (const std::string& message : messages) {
      auto decoded = decoder_.decode(message);
      ASSERT_TRUE(decoded.has_value()) << decoded.error().message();
      const Status taken = writer_.take(**decoded);
      ASSERT_TRUE(taken.has_value()) << taken.error().message();
    }
  }

  // "OP id note" of each row, with '-' for null and the unchanged columns in brackets.
  std::vector<std::string> rows(Lsn from, Lsn to) {
    std::vector<std::string> found;
    auto parts = spool_->between(from, to);
    EXPECT_TRUE(parts.has_value());
    for (const SpoolPart& part : *parts) {
      for (const auto& block : part.blocks) {
        const std::string bytes = bytes_of(block);
        std::string_view rest = bytes;
        std::vector<std::optional<std::string_view>> row(6);
        while (!rest.empty()) {
          EXPECT_TRUE(formats::take_text_row(rest, row));
          const std::string offset(*row[0]);
          const Lsn commit = *parse_hex(offset.substr(0, 16));
          if (commit <= from || commit > to) continue;
          std::string text(*row[1]);
          for (std::size_t i = 4; i < 6; ++i) {
            text += " " + (row[i] ? std::string(*row[i]) : "-");
          }
          if (row[2]) text += " [" + std::string(*row[2]) + "]";
          if (row[3]) text += " " + std::string(*row[3]);
          found.push_back(text);
          offsets_.push_back(offset);
        }
      }
    }
    return found;
  }

  using Rows = std::vector<std::string>;
  std::string folder_;
  FakeLookup lookup_;
  ChangeWriter writer_;
  std::unique_ptr<ChangeSpool> spool_;
  SpoolReader reader_;
  PgoutputDecoder decoder_;
  std::vector<std::string> offsets_;
};

TEST_F(ChangeWriting, KeepsTheOrderOfCommitsAndNumbersChanges) {
  give({begin_message(0x10, 1), items_message('d'), insert_message("1", "a"),
        insert_message("2", "b"), commit_message(0x10, 0x18), begin_message(0x20, 2),
        insert_message("3", "c"), commit_message(0x20, 0x28)});
  EXPECT_EQ(rows(0, 0x20), (Rows{"INSERT 1 a", "INSERT 2 b", "INSERT 3 c"}));
  EXPECT_EQ(offsets_, (Rows{"0000000000000010/00000000", "0000000000000010/00000001",
                            "0000000000000020/00000000"}));
  EXPECT_EQ(rows(0x10, 0x20), Rows{"INSERT 3 c"});
  EXPECT_EQ(writer_.end_lsn(), 0x28U);
}

TEST_F(ChangeWriting, FollowsItsTableUnderAnyNameAndNoOtherOneUnderItsName) {
  reader_.relation = 7;
  reader_.table = "goods";
  give({begin_message(0x10, 1), items_message('d'), insert_message("1", "a"),
        commit_message(0x10, 0x18)});
  EXPECT_EQ(rows(0, 0x10), Rows{"INSERT 1 a"});
  EXPECT_FALSE(reader_.has_met_other);
  reader_.relation = 8;
  reader_.table = "items";
  writer_.set_readers({&reader_});
  give({begin_message(0x20, 2), items_message('d'), insert_message("2", "b"),
        commit_message(0x20, 0x28)});
  EXPECT_EQ(rows(0x10, 0x20), Rows{});
  EXPECT_TRUE(reader_.has_met_other);
}

TEST_F(ChangeWriting, AnUpdateOfAKeyIsADeleteAndAnInsertWithAllItsValues) {
  give({begin_message(0x10, 1), items_message('d'),
        MessageBuilder('U')
            .number(7, 4)
            .letter('K')
            .tuple({"1", std::nullopt})
            .letter('N')
            .tuple({"2", "<unchanged>"})
            .done(),
        commit_message(0x10, 0x18)});
  EXPECT_EQ(rows(0, 0x10), (Rows{"DELETE 1 -", "INSERT 2 of 2"}));
}

TEST_F(ChangeWriting, ValuesThatWereNotSentAreNamedOrTakenFromTheFullOldRow) {
  const std::string update =
      MessageBuilder('U').number(7, 4).letter('N').tuple({"1", "<unchanged>"}).done();
  const std::string full = MessageBuilder('U')
                               .number(7, 4)
                               .letter('O')
                               .tuple({"1", "long"})
                               .letter('N')
                               .tuple({"1", "<unchanged>"})
                               .done();
  give({begin_message(0x10, 1), items_message('d'), update, items_message('f'), full,
        commit_message(0x10, 0x18)});
  EXPECT_EQ(rows(0, 0x10), (Rows{"UPDATE 1 - [note]", "UPDATE 1 long"}));
}

TEST_F(ChangeWriting, WhatIsNoUtf8IsKeptBesideTheRow) {
  give({begin_message(0x10, 1), items_message('d'), insert_message("1", "caf\xE9"),
        commit_message(0x10, 0x18)});
  EXPECT_EQ(rows(0, 0x10), Rows{R"(INSERT 1 - {"note":"caf\\xe9"})"});
}

TEST_F(ChangeWriting, ATransactionThatWasCutOffIsTakenBack) {
  give({begin_message(0x10, 1), items_message('d'), insert_message("1", "a"),
        commit_message(0x10, 0x18), begin_message(0x20, 2), insert_message("2", "b")});
  ASSERT_TRUE(writer_.take_back().has_value());
  EXPECT_EQ(rows(0, 0x20), Rows{"INSERT 1 a"});
  give({begin_message(0x20, 2), insert_message("2", "b"), commit_message(0x20, 0x28)});
  EXPECT_EQ(rows(0, 0x20), (Rows{"INSERT 1 a", "INSERT 2 b"}));
}

std::string streamed_insert(std::uint32_t part, const std::string& id) {
  return MessageBuilder('I')
      .number(part, 4)
      .number(7, 4)
      .letter('N')
      .tuple({id, "s"})
      .done();
}

TEST_F(ChangeWriting, OfAStreamedTransactionOnlyWhatIsCommittedIsLeft) {
  const std::string start = MessageBuilder('S').number(5, 4).number(1, 1).done();
  const std::string stop = MessageBuilder('E').done();
  std::string items = items_message('d');
  items.insert(1, std::string("\0\0\0\x05", 4));
  give({start, items, streamed_insert(5, "1"), streamed_insert(6, "2"),
        streamed_insert(5, "3"), stop, begin_message(0x10, 1), items_message('d'),
        insert_message("9", "between"), commit_message(0x10, 0x18),
        MessageBuilder('A').number(5, 4).number(6, 4).done(),
        MessageBuilder('S').number(5, 4).number(0, 1).done(), streamed_insert(5, "4"),
        stop, MessageBuilder('S').number(8, 4).number(1, 1).done()});
  std::string other = items_message('d');
  other.insert(1, std::string("\0\0\0\x08", 4));
  give({other, streamed_insert(8, "7"), stop,
        MessageBuilder('A').number(8, 4).number(8, 4).done(),
        MessageBuilder('c')
            .number(5, 4)
            .number(0, 1)
            .number(0x30, 8)
            .number(0x38, 8)
            .number(0, 8)
            .done()});
  // What came after the subtransaction's first row goes with it, as PostgreSQL's own
  // receiver does: there is nothing else by then.
  EXPECT_EQ(rows(0, 0x30), (Rows{"INSERT 9 between", "INSERT 1 s", "INSERT 4 s"}));
  EXPECT_EQ(offsets_.back(), "0000000000000030/00000001");
}

TEST_F(ChangeWriting, WhatASnapshotSeesDoesNotComeAgain) {
  reader_.seen = Visibility{100, 110, {104}, 0x30};
  give({begin_message(0x10, 99), items_message('d'), insert_message("1", "seen"),
        commit_message(0x10, 0x18), begin_message(0x20, 104),
        insert_message("2", "was running"), commit_message(0x20, 0x28),
        begin_message(0x28, 105), insert_message("3", "seen"),
        commit_message(0x28, 0x30), begin_message(0x40, 100),
        insert_message("4", "later"), commit_message(0x40, 0x48)});
  EXPECT_EQ(rows(0, 0x40), (Rows{"INSERT 2 was running", "INSERT 4 later"}));
}

TEST_F(ChangeWriting, ABatchEndsWithinItsBoundsButHoldsATransaction) {
  give({begin_message(0x10, 1), items_message('d'), insert_message("1", "a"),
        insert_message("2", "b"), commit_message(0x10, 0x18), begin_message(0x20, 2),
        insert_message("3", "c"), commit_message(0x20, 0x28), begin_message(0x30, 3),
        insert_message("4", "d"), commit_message(0x30, 0x38)});
  EXPECT_EQ(spool_->end_of(0, {1, 0}), 0x10U);
  EXPECT_EQ(spool_->end_of(0, {3, 0}), 0x20U);
  EXPECT_EQ(spool_->end_of(0x10, {0, 0}), 0x30U);
  EXPECT_EQ(spool_->end_of(0x30, {1, 0}), 0x30U);
  EXPECT_FALSE(spool_->first_after(0x30).has_value());
}

TEST(Visibility, CountsTransactionNumbersPastTheirTurn) {
  Visibility seen{
      (std::uint64_t{1} << 32U) - 5, (std::uint64_t{1} << 32U) + 10, {}, 100};
  EXPECT_TRUE(seen.sees(0xFFFFFFF0U, 50));
  EXPECT_TRUE(seen.sees(5, 50));
  EXPECT_FALSE(seen.sees(10, 50));
  EXPECT_FALSE(seen.sees(5, 101));
}

TEST(Lsn, ReadsAndWritesBothForms) {
  EXPECT_EQ(to_text(0x16B374D848), "16/B374D848");
  EXPECT_EQ(parse_lsn("16/B374D848"), 0x16B374D848U);
  EXPECT_EQ(parse_lsn("0/0"), 0U);
  EXPECT_FALSE(parse_lsn("16-1").has_value());
  EXPECT_EQ(parse_hex(to_hex(0x16B374D848)), 0x16B374D848U);
  EXPECT_EQ(change_offset(0x16B374D848, 255), "00000016B374D848/000000FF");
}

}  // namespace
}  // namespace lakemill::sources::postgres
