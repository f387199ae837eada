// Dead letters: each is told once, of the plan that the table came to hold, wherever a
// runner dies; and what cannot be read does not stand in the way of what can.
#include "flow_fixture.h"

namespace lakemill::flow {
namespace {

using testing::ElementsAre;

std::string pipeline(const std::string& source) {
  return "name: p\nnodes:\n- name: n\n  layer: BRONZE\n"
         "  sources: [{path: ./in, format: JSONL, on_error: DEAD_LETTER" +
         source + "}]\n  sinks: [{path: ./t, format: DELTA}]\n";
}

std::string declared() { return pipeline(", schema: {id: bigint}"); }

constexpr const char* kIds = "SELECT id FROM target ORDER BY id";
constexpr const char* kLetters =
    "SELECT regexp_extract(_source_file, '[^/]*$') FROM target ORDER BY ALL";

class DeadLetters : public testing::Test {
 protected:
  void put(int number, const std::string& text) {
    put_file(stores_, "in/" + std::to_string(number) + ".jsonl", text + "\n");
  }

  void die_before(const std::string& yaml, const std::string& path_end) {
    std::int64_t call = -1;
    {
      const auto copy = stores_.copy();
      testkit::CrashingStoreProvider counted(*copy, {});
      Lakehouse lake(counted);
      ASSERT_TRUE(all_well(lake.run(yaml)));
      const auto trace = counted.trace();
      for (std::size_t i = 0; i < trace.size(); ++i) {
        if (trace[i].starts_with("put_if_absent ") && trace[i].ends_with(path_end)) {
          call = static_cast<std::int64_t>(i);
        }
      }
    }
    ASSERT_GE(call, 0);
    testkit::CrashingStoreProvider dying(stores_, {testkit::Fault::die_before, call});
    Lakehouse lake(dying);
    EXPECT_FALSE(lake.run(yaml).succeeded());
  }

  RowTexts rows(const std::string& table, const std::string& sql) {
    Lakehouse lake(stores_, 9);
    return lake.rows(table, sql);
  }

  testkit::MemoryStoreProvider stores_;
};

TEST_F(DeadLetters, AreThoseOfThePlanThatTheTableHolds) {
  put(1, "{\"id\": 1}");
  put(2, "poison");
  put(3, "{\"id\": 3}");
  die_before(declared(), "/t/_delta_log/00000000000000000000.json");
  put(2, "{\"id\": 2}");
  put(3, "poison now");
  Lakehouse lake(stores_);
  ASSERT_TRUE(all_well(lake.run(declared())));
  EXPECT_THAT(rows("t", kIds), ElementsAre("1", "2"));
  EXPECT_THAT(rows("t_dead_letter", kLetters), ElementsAre("3.jsonl"));
}

TEST_F(DeadLetters, AreToldByTheNextRunWhereARunnerDiesBeforeItTellsThem) {
  put(1, "{\"id\": 1}");
  put(2, "poison");
  die_before(declared(), "/t_dead_letter/_delta_log/00000000000000000000.json");
  EXPECT_THAT(rows("t", kIds), ElementsAre("1"));
  Lakehouse lake(stores_);
  ASSERT_TRUE(all_well(lake.run(declared())));
  EXPECT_THAT(rows("t_dead_letter", kLetters), ElementsAre("2.jsonl"));
  const auto objects = stores_.objects();
  ASSERT_TRUE(all_well(lake.run(declared())));
  EXPECT_TRUE(stores_.objects() == objects) << "each is told once";
}

// Nothing tells the columns until a file can be read, and no bound is in the way of it.
TEST_F(DeadLetters, AtTheHeadOfABoundedSourceDoNotBlockIt) {
  const std::string bounded = pipeline(", max_files: 1");
  put(1, "poison");
  put(2, "more poison");
  Lakehouse lake(stores_);
  EXPECT_FALSE(lake.run(bounded).succeeded()) << "nothing can be read at all";
  put(3, "{\"id\": 3}");
  put(4, "{\"id\": 4}");
  ASSERT_TRUE(all_well(lake.run(bounded)));
  EXPECT_THAT(rows("t", kIds), ElementsAre("3", "4"));
  EXPECT_THAT(rows("t_dead_letter", kLetters), ElementsAre("1.jsonl", "2.jsonl"));
  put(1, "{\"id\": 1}");
  ASSERT_TRUE(all_well(lake.run(bounded)));
  EXPECT_THAT(rows("t", kIds), ElementsAre("1", "3", "4"));
}

}  // namespace
}  // namespace lakemill::flow
