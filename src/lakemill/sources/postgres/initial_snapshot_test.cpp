// Staged snapshots as they are found in the state, and what plans say of them.
#include "lakemill/sources/postgres/initial_snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/sources/postgres/postgres_source.h"
#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::sources::postgres {
namespace {

using testing::HasSubstr;
using testkit::IsOk;

class StagedSnapshots : public testing::Test {
 protected:
  void stage(const std::string& name, int files) {
    Json list = Json::array();
    for (int i = 0; i < files; ++i) {
      list.push_back(
          {{"path", "rows-" + std::to_string(i)}, {"rows", 1}, {"blocks", {7}}});
    }
    const Json manifest{{"from", to_hex(5)},
                        {"system", "1"},
                        {"timeline", 1},
                        {"snapshot", to_json(Visibility{})},
                        {"columns", data::to_delta_json(data::Schema{})},
                        {"files", std::move(list)}};
    ASSERT_THAT(store_->put("staged/" + name, json_text(manifest)), IsOk());
  }

  // Nothing of what is asked here needs the server.
  Result<std::unique_ptr<Source>> source() {
    PostgresSourceSpec spec;
    spec.connection.name = "shop";
    spec.connection.uri = "postgresql://nobody@127.0.0.1:1/nowhere";
    spec.connection.tables = {{"node/0", "public", "t"}};
    spec.reader = "node/0";
    spec.state = store_;
    spec.state_folder = "staged";
    return feeds_.open(std::move(spec));
  }

  const std::shared_ptr<storage::ObjectStore> store_ = testkit::make_memory_store();
  PostgresFeeds feeds_{store_, "feeds", testing::TempDir() + "/staged_snapshots",
                       [](const std::string& text) { return Result(text); }};
};

Offset offset(std::int64_t files, std::int64_t files_all) {
  return {{"lsn", to_hex(5)}, {"snapshot", 1}, {"files", files}, {"of", files_all}};
}

TEST_F(StagedSnapshots, AreFoundAmongObjectsOfOthers) {
  for (const char* name : {"notes-of-may.json", "000000000003.json.bak", "9.json",
                           "99999999999x.json", "-00000000009.json", "read me"}) {
    ASSERT_THAT(store_->put(std::string("staged/") + name, "{}"), IsOk());
  }
  auto found = find_snapshot(*store_, "staged");
  ASSERT_THAT(found, IsOk());
  EXPECT_FALSE(found->has_value());
  stage("000000000002.json", 3);
  found = find_snapshot(*store_, "staged");
  ASSERT_THAT(found, IsOk());
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ((*found)->number, 2);
  EXPECT_EQ((*found)->files.size(), 3U);
}

TEST_F(StagedSnapshots, LeaveNoRowsBehindWhereRemovingThemWasCutShort) {
  stage("000000000001.json", 1);
  stage("000000000002.json", 1);
  for (const char* name : {"000000000001.taken", "000000000001/rows-0-1",
                           "000000000001/rows-1-1", "000000000002/rows-0-1"}) {
    ASSERT_THAT(store_->put(std::string("staged/") + name, "rows"), IsOk());
  }
  const auto paths = [&] {
    std::vector<std::string> found;
    const auto objects = store_->list("staged/", "");
    for (const auto& object : *objects) {
      found.push_back(object.path.substr(std::string("staged/").size()));
    }
    return found;
  };
  ASSERT_THAT(forget_rows(*store_, "staged", 1), IsOk());
  EXPECT_THAT(paths(), testing::UnorderedElementsAre(
                           "000000000001.json", "000000000001.taken",
                           "000000000002.json", "000000000002/rows-0-1"));
  ASSERT_THAT(forget_rows(*store_, "staged", 2), IsOk());
  EXPECT_THAT(paths(),
              testing::UnorderedElementsAre("000000000001.json", "000000000001.taken",
                                            "000000000002.json", "000000000002.taken"));
}

TEST_F(StagedSnapshots, APlanThatNamesFilesThatAreNotThereIsRefused) {
  stage("000000000001.json", 2);
  const auto opened = source();
  if (!opened && opened.error().code() == ErrorCode::unsupported) {
    GTEST_SKIP() << opened.error().message();
  }
  ASSERT_THAT(opened, IsOk());
  Source& source = **opened;
  const auto next = source.latest(offset(1, 2));
  ASSERT_THAT(next, IsOk());
  EXPECT_EQ(integer_member(*next, "files", 0), 2);
  EXPECT_THAT(source.read(offset(0, 2), offset(2, 2)), IsOk());

  const auto longer = source.latest(offset(2, 5));
  ASSERT_FALSE(longer.has_value());
  EXPECT_EQ(longer.error().code(), ErrorCode::corrupt);
  EXPECT_THAT(longer.error().message(),
              testing::AllOf(HasSubstr("staged/000000000001.json lists 2 files"),
                             HasSubstr("planned of 5")));
  const auto read = source.read(offset(1, 5), offset(5, 5));
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code(), ErrorCode::corrupt);
  for (const auto& [files, files_all] :
       std::vector<std::pair<std::int64_t, std::int64_t>>{{-1, 2}, {3, 2}, {-5, -3}}) {
    const auto bad = source.latest(offset(files, files_all));
    ASSERT_FALSE(bad.has_value());
    EXPECT_EQ(bad.error().code(), ErrorCode::corrupt);
    EXPECT_THAT(bad.error().message(), HasSubstr(json_text(offset(files, files_all))));
  }
}

}  // namespace
}  // namespace lakemill::sources::postgres
