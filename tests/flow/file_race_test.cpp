// Two runners of one batch whose target is a file, or a folder of files, which cannot
// tell by which plan it came to be. The moment at which the other one acts is chosen: a
// store calls it in between.
#include <algorithm>

#include "flow_fixture.h"

#include "lakemill/testing/interrupting_store.h"

namespace lakemill::flow {
namespace {

std::string pipeline(const std::string& source, const std::string& sink,
                     const std::string& columns) {
  return "name: p\nnodes:\n- name: n\n  sources: [{path: ./in, format: CSV" + source +
         "}]\n  transformer: {nodes: [{expr: \"SELECT " + columns +
         " FROM {df}\"}]}\n  sinks: [{path: " + sink + "}]\n";
}

const std::string kWhole = pipeline("", "./out/t.csv, format: CSV", "id");
const std::string kStream =
    pipeline(", as_stream: true", "./out, format: CSV, mode: APPEND", "id");
const std::string kEdited =
    pipeline(", as_stream: true", "./out, format: CSV, mode: APPEND", "id, 1 AS one");
constexpr const char* kFirstFile = "out/p.n-g0-0000000001.csv";

// The values of `id` in all files of the folder, sorted; what is hidden as names.
RowTexts ids(const testkit::MemoryStoreProvider& stores) {
  RowTexts found;
  for (const std::string& path : paths_below(stores, "out")) {
    if (path.find("/.") != std::string::npos) {
      found.push_back(path);
      continue;
    }
    const std::string text = stores.objects().at("memory://lake/" + path);
    std::size_t line = text.find('\n') + 1;
    while (line < text.size()) {
      const std::size_t end = text.find('\n', line);
      found.push_back(text.substr(line, text.find_first_of(",\r\n", line) - line));
      line = end + 1;
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

void expect_settled(testkit::MemoryStoreProvider& stores, const std::string& yaml,
                    const RowTexts& rows) {
  Lakehouse lake(stores, 9);
  ASSERT_TRUE(all_well(lake.run(yaml)));
  EXPECT_EQ(ids(stores), rows) << testing::PrintToString(paths_below(stores, "out"));
  const auto objects = stores.objects();
  ASSERT_TRUE(all_well(lake.run(yaml)));
  EXPECT_TRUE(stores.objects() == objects);
}

TEST(FileRaces, ARunnerOfTheSamePlanThatComesFirstIsNoFault) {
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/a.csv", "id\n1\n2\n");
  const auto other = [&] {
    Lakehouse lake(stores, 5);
    ASSERT_TRUE(all_well(lake.run(kWhole)));
  };
  testkit::InterruptingProvider interrupted(stores, {"lake/out/t.csv", other});
  Lakehouse lake(interrupted, 6);
  ASSERT_TRUE(all_well(lake.run(kWhole)));
  EXPECT_TRUE(interrupted.interrupted());
  expect_settled(stores, kWhole, {"1", "2"});
}

TEST(FileRaces, AFileIsNotOverwrittenByARunnerThatPlannedFewerRows) {
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/a.csv", "id\n1\n2\n");
  const auto other = [&] {
    put_file(stores, "in/b.csv", "id\n3\n");
    Lakehouse lake(stores, 5);
    ASSERT_TRUE(all_well(lake.run(kWhole)));
    EXPECT_EQ(ids(stores).size(), 3U);
  };
  testkit::InterruptingProvider interrupted(stores, {"lake/out/t.csv", other});
  Lakehouse lake(interrupted, 6);
  ASSERT_TRUE(all_well(lake.run(kWhole)));
  EXPECT_TRUE(interrupted.interrupted());
  expect_settled(stores, kWhole, {"1", "2", "3"});
}

TEST(FileRaces, AFolderKeepsTheBatchOfTheRunnerThatCameFirst) {
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/a.csv", "id\n1\n2\n");
  const auto other = [&] {
    put_file(stores, "in/b.csv", "id\n3\n");
    Lakehouse lake(stores, 5);
    ASSERT_TRUE(all_well(lake.run(kEdited)));
  };
  testkit::InterruptingProvider interrupted(stores,
                                            {std::string("lake/") + kFirstFile, other});
  Lakehouse lake(interrupted, 6);
  ASSERT_TRUE(all_well(lake.run(kStream)));
  EXPECT_TRUE(interrupted.interrupted());
  expect_settled(stores, kEdited, {"1", "2", "3"});
}

// The one that comes first planned less, before this one revised its plan: what it left
// out comes with the next batch.
TEST(FileRaces, RowsThatTheFirstRunnerOfAFolderLeftOutComeWithTheNextBatch) {
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/a.csv", "id\n1\n2\n");
  {
    const auto plans = stores.copy();
    Lakehouse lake(*plans, 4);
    ASSERT_TRUE(all_well(lake.run(kStream)));
    for (const auto& [url, text] : plans->objects()) {  // it was planned, no more
      if (url.find("/claimed/") == std::string::npos &&
          url.find("/done/") == std::string::npos &&
          url.find("/out/") == std::string::npos) {
        stores.tamper(url, &text);
      }
    }
  }
  put_file(stores, "in/b.csv", "id\n3\n");
  const auto first = [&] {
    const auto before = stores.copy();  // as the first one sees it: without a revision
    for (const auto& [url, text] : before->objects()) {
      if (url.find("-r0001.json") != std::string::npos) before->tamper(url, nullptr);
    }
    Lakehouse lake(*before, 5);
    ASSERT_TRUE(all_well(lake.run(kStream)));
    for (const auto& [url, text] : before->objects()) {
      if (url.ends_with(kFirstFile) || url.ends_with("/claimed/0000000001.json")) {
        stores.tamper(url, &text);
      }
    }
  };
  testkit::InterruptingProvider interrupted(stores,
                                            {std::string("lake/") + kFirstFile, first});
  Lakehouse lake(interrupted, 6);
  ASSERT_TRUE(all_well(lake.run(kEdited)));
  EXPECT_TRUE(interrupted.interrupted());
  expect_settled(stores, kEdited, {"1", "2", "3"});
}

}  // namespace
}  // namespace lakemill::flow
