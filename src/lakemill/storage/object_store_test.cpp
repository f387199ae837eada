// The contract of ObjectStore, for every implementation there is; for S3 against the
// server at LAKEMILL_TEST_S3_ENDPOINT (tests/s3/with_server.py starts one).
#include "lakemill/storage/object_store.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "lakemill/storage/local_store.h"
#include "lakemill/storage/s3_test_server.h"
#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"
#include "lakemill/testing/temporary_folder.h"

namespace lakemill::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testkit::HasError;
using testkit::IsOk;
using testkit::IsOkAnd;

class StoreContract : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "s3" && !s3_.is_there()) GTEST_SKIP() << S3TestServer::kMissing;
    store_ = open("");
  }

  std::shared_ptr<ObjectStore> open(const std::string& below) {
    auto opened = GetParam() == "local" ? local_->open(folder_.at("root" + below))
                  : GetParam() == "s3"  ? s3_.provider().open(s3_.folder() + below)
                                        : memory_.open("memory://root" + below);
    EXPECT_THAT(opened, IsOk());
    return *std::move(opened);
  }

  testkit::TemporaryFolder folder_;
  std::unique_ptr<StoreProvider> local_ = make_local_provider();
  testkit::MemoryStoreProvider memory_;
  S3TestServer s3_;
  std::shared_ptr<ObjectStore> store_;
};

std::vector<std::string> paths_of(const Result<std::vector<ObjectInfo>>& listed) {
  EXPECT_THAT(listed, IsOk());
  std::vector<std::string> paths;
  if (listed) {
    for (const auto& object : *listed) paths.push_back(object.path);
  }
  return paths;
}

TEST_P(StoreContract, GivesBackWhatWasPut) {
  ASSERT_THAT(store_->put("a/b/c.json", "one"), IsOk());
  EXPECT_THAT(store_->get("a/b/c.json"), IsOkAnd("one"));
  ASSERT_THAT(store_->put("a/b/c.json", std::string("t\0wo", 4)), IsOk());
  EXPECT_THAT(store_->get("a/b/c.json"), IsOkAnd(std::string("t\0wo", 4)));
}

TEST_P(StoreContract, SaysThatWhatIsAbsentIsNotFound) {
  ASSERT_THAT(store_->put("file", "x"), IsOk());
  ASSERT_THAT(store_->put("folder/file", "x"), IsOk());
  for (const auto* path : {"nothing", "no/folder", "file/below", "folder"}) {
    SCOPED_TRACE(path);
    EXPECT_THAT(store_->get(path), HasError(ErrorCode::not_found, path));
    EXPECT_THAT(store_->head(path), HasError(ErrorCode::not_found, path));
    EXPECT_THAT(store_->get_range(path, 0, 1), HasError(ErrorCode::not_found, path));
    EXPECT_THAT(store_->remove(path), IsOk());
  }
  EXPECT_THAT(store_->get("folder/file"), IsOkAnd("x"));
}

TEST_P(StoreContract, ReadsRanges) {
  ASSERT_THAT(store_->put("digits", "0123456789"), IsOk());
  EXPECT_THAT(store_->get_range("digits", 2, 3), IsOkAnd("234"));
  EXPECT_THAT(store_->get_range("digits", 8, 100), IsOkAnd("89"));
  EXPECT_THAT(store_->get_range("digits", 10, 1), IsOkAnd(""));
  EXPECT_THAT(store_->get_range("digits", 100, 1), IsOkAnd(""));
  EXPECT_THAT(store_->get_range("digits", 3, 0), IsOkAnd(""));
  EXPECT_THAT(store_->get_range("digits", -1, 1), HasError(ErrorCode::invalid, ""));
}

TEST_P(StoreContract, DescribesAnObjectAlikeInHeadAndList) {
  ASSERT_THAT(store_->put("a/x", "12345"), IsOk());
  auto head = store_->head("a/x");
  ASSERT_THAT(head, IsOk());
  EXPECT_EQ(head->path, "a/x");
  EXPECT_EQ(head->size_bytes, 5);
  EXPECT_GT(head->modified_ms, 1'600'000'000'000);
  auto listed = store_->list("a/", "");
  ASSERT_THAT(listed, IsOk());
  ASSERT_EQ(listed->size(), 1U);
  EXPECT_EQ(listed->front().etag, head->etag);
  EXPECT_EQ(listed->front().modified_ms, head->modified_ms);
  EXPECT_EQ(listed->front().size_bytes, 5);
}

TEST_P(StoreContract, ChangesTheEtagWithTheContent) {
  ASSERT_THAT(store_->put("x", "12345"), IsOk());
  auto before = store_->head("x");
  ASSERT_THAT(store_->put("x", "54321"), IsOk());
  auto after = store_->head("x");
  ASSERT_THAT(before, IsOk());
  ASSERT_THAT(after, IsOk());
  EXPECT_NE(before->etag, after->etag);
}

TEST_P(StoreContract, PutIfAbsentKeepsTheFirst) {
  EXPECT_THAT(store_->put_if_absent("log/0", "first"), IsOk());
  EXPECT_THAT(store_->put_if_absent("log/0", "second"),
              HasError(ErrorCode::exists, "log/0"));
  EXPECT_THAT(store_->get("log/0"), IsOkAnd("first"));
}

// Goal: of racing writers exactly one wins each name, and what is there is its bytes.
TEST_P(StoreContract, PutIfAbsentHasOneWinnerForEachOf500Names) {
  constexpr int kNames = 500;
  constexpr int kWriters = 2;
  std::vector<std::atomic<int>> winners(kNames);
  std::vector<std::atomic<int>> wins(kNames);
  {
    std::vector<std::jthread> writers;
    for (int writer = 0; writer < kWriters; ++writer) {
      writers.emplace_back([&, writer] {
        for (std::size_t name = 0; name < kNames; ++name) {
          auto put = store_->put_if_absent("log/" + std::to_string(name),
                                           "by " + std::to_string(writer));
          if (put) {
            winners[name] = writer;
            ++wins[name];
          } else {
            EXPECT_THAT(put, HasError(ErrorCode::exists, ""));
          }
        }
      });
    }
  }
  for (std::size_t name = 0; name < kNames; ++name) {
    ASSERT_EQ(wins[name], 1) << name;
    ASSERT_THAT(store_->get("log/" + std::to_string(name)),
                IsOkAnd("by " + std::to_string(winners[name])));
  }
  EXPECT_EQ(paths_of(store_->list("log/", "")).size(), std::size_t{kNames});
}

TEST_P(StoreContract, ShowsReadersAllOfAnObjectOrNoneWhileItIsReplaced) {
  const std::string one(100'000, '1');
  const std::string two(200'000, '2');
  ASSERT_THAT(store_->put("x", one), IsOk());
  std::atomic<bool> done = false;
  std::jthread writer([&] {
    for (int round = 0; round < 20; ++round) {
      EXPECT_THAT(store_->put("x", round % 2 == 0 ? two : one), IsOk());
    }
    done = true;
  });
  while (!done) {
    auto got = store_->get("x");
    ASSERT_THAT(got, IsOk());
    ASSERT_TRUE(*got == one || *got == two) << got->size();
  }
}

TEST_P(StoreContract, ListsBytewiseByTheWholePath) {
  for (const auto* path : {"a/b/1", "a-b", "a/B", "a.b", "a/b.x", "b", "a/b/0", "A"}) {
    ASSERT_THAT(store_->put(path, path), IsOk());
  }
  EXPECT_THAT(paths_of(store_->list("", "")),
              ElementsAre("A", "a-b", "a.b", "a/B", "a/b.x", "a/b/0", "a/b/1", "b"));
  EXPECT_THAT(paths_of(store_->list("a/b", "")),
              ElementsAre("a/b.x", "a/b/0", "a/b/1"));
  EXPECT_THAT(paths_of(store_->list("a/b/", "")), ElementsAre("a/b/0", "a/b/1"));
  EXPECT_THAT(paths_of(store_->list("a", "a/b/0")), ElementsAre("a/b/1"));
  EXPECT_THAT(paths_of(store_->list("", "a.b")),
              ElementsAre("a/B", "a/b.x", "a/b/0", "a/b/1", "b"));
  EXPECT_THAT(paths_of(store_->list("a/b/", "a/b/1")), IsEmpty());
  EXPECT_THAT(paths_of(store_->list("a/b/", "z")), IsEmpty());
  EXPECT_THAT(paths_of(store_->list("nothing/here", "")), IsEmpty());
  EXPECT_THAT(paths_of(open("/nowhere")->list("", "")), IsEmpty());
}

TEST_P(StoreContract, ListsFoldersDirectlyUnderOne) {
  for (const auto* path : {"t/x/1", "t/b/deep/2", "t/file", "u/3"}) {
    ASSERT_THAT(store_->put(path, ""), IsOk());
  }
  EXPECT_THAT(store_->list_folders(""), IsOkAnd(ElementsAre("t", "u")));
  EXPECT_THAT(store_->list_folders("t"), IsOkAnd(ElementsAre("b", "x")));
  EXPECT_THAT(store_->list_folders("t/file"), IsOkAnd(IsEmpty()));
  EXPECT_THAT(store_->list_folders("none"), IsOkAnd(IsEmpty()));
}

TEST_P(StoreContract, ForgetsAFolderWithItsLastObject) {
  ASSERT_THAT(store_->put("t/a/1", ""), IsOk());
  ASSERT_THAT(store_->put("t/b/2", ""), IsOk());
  ASSERT_THAT(store_->remove("t/a/1"), IsOk());
  EXPECT_THAT(store_->list_folders("t"), IsOkAnd(ElementsAre("b")));
  ASSERT_THAT(store_->remove("t/b/2"), IsOk());
  EXPECT_THAT(store_->list_folders(""), IsOkAnd(IsEmpty()));
  EXPECT_THAT(store_->put("t/a/1", ""), IsOk());
}

TEST_P(StoreContract, ShowsWhatAWriterWroteOnlyOnceItIsFinished) {
  ASSERT_THAT(store_->put("big", "old"), IsOk());
  auto writer = store_->create("big");
  ASSERT_THAT(writer, IsOk());
  ASSERT_THAT((*writer)->append("new "), IsOk());
  ASSERT_THAT((*writer)->append("bytes"), IsOk());
  EXPECT_THAT(store_->get("big"), IsOkAnd("old"));
  EXPECT_THAT(paths_of(store_->list("", "")), ElementsAre("big"));
  ASSERT_THAT((*writer)->finish(), IsOk());
  EXPECT_THAT(store_->get("big"), IsOkAnd("new bytes"));
}

TEST_P(StoreContract, LeavesNothingOfAnAbandonedWriter) {
  {
    auto writer = store_->create("folder/big");
    ASSERT_THAT(writer, IsOk());
    ASSERT_THAT((*writer)->append("bytes"), IsOk());
  }
  EXPECT_THAT(store_->get("folder/big"), HasError(ErrorCode::not_found, ""));
  EXPECT_THAT(paths_of(store_->list("", "")), IsEmpty());
}

TEST_P(StoreContract, SharesObjectsBetweenStoresOfOneTree) {
  ASSERT_THAT(open("/t/x")->put("_delta_log/0", "zero"), IsOk());
  EXPECT_THAT(store_->get("t/x/_delta_log/0"), IsOkAnd("zero"));
  EXPECT_THAT(paths_of(open("/t")->list("x/", "")), ElementsAre("x/_delta_log/0"));
}

TEST_P(StoreContract, RefusesPathsThatLeaveTheRoot) {
  for (const auto* path :
       {"", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", "./a"}) {
    SCOPED_TRACE(path);
    EXPECT_THAT(store_->get(path), HasError(ErrorCode::invalid, path));
    EXPECT_THAT(store_->put(path, "x"), HasError(ErrorCode::invalid, path));
    EXPECT_THAT(store_->put_if_absent(path, "x"), HasError(ErrorCode::invalid, path));
    EXPECT_THAT(store_->create(path), HasError(ErrorCode::invalid, path));
    EXPECT_THAT(store_->remove(path), HasError(ErrorCode::invalid, path));
  }
  EXPECT_THAT(store_->list("../", ""), HasError(ErrorCode::invalid, ".."));
  EXPECT_THAT(store_->list("/", ""), HasError(ErrorCode::invalid, "/"));
  EXPECT_THAT(store_->list_folders(".."), HasError(ErrorCode::invalid, ".."));
}

TEST_P(StoreContract, ReadsTheEndOfAnObject) {
  ASSERT_THAT(store_->put("digits", "0123456789"), IsOk());
  auto tail = store_->tail("digits", 3);
  ASSERT_THAT(tail, IsOk());
  EXPECT_EQ(tail->bytes, "789");
  EXPECT_EQ(tail->info.size_bytes, 10);
  EXPECT_EQ(tail->info.path, "digits");
  auto head = store_->head("digits");
  ASSERT_THAT(head, IsOk());
  EXPECT_EQ(tail->info.etag, head->etag);
  EXPECT_EQ(tail->info.modified_ms, head->modified_ms);
  tail = store_->tail("digits", 100);
  ASSERT_THAT(tail, IsOk());
  EXPECT_EQ(tail->bytes, "0123456789");
  ASSERT_THAT(store_->put("empty", ""), IsOk());
  tail = store_->tail("empty", 100);
  ASSERT_THAT(tail, IsOk());
  EXPECT_EQ(tail->bytes, "");
  EXPECT_EQ(tail->info.size_bytes, 0);
  EXPECT_THAT(store_->tail("none", 1), HasError(ErrorCode::not_found, "none"));
}

TEST_P(StoreContract, RemovesManyAtOnce) {
  std::vector<std::string> paths = {"odd <&> \"name'", "absent"};
  for (int i = 0; i < 30; ++i) paths.push_back("many/" + std::to_string(i));
  for (const auto& path : paths) {
    if (path == "absent") continue;
    ASSERT_THAT(store_->put(path, "x"), IsOk());
  }
  ASSERT_THAT(store_->put("kept", "x"), IsOk());
  EXPECT_THAT(store_->remove_all(paths), IsOk());
  EXPECT_THAT(store_->remove_all({}), IsOk());
  EXPECT_THAT(paths_of(store_->list("", "")), ElementsAre("kept"));
}

// Goal: no letter of a path is lost or means anything on the way.
TEST_P(StoreContract, KeepsOddNames) {
  const std::vector<std::string> names = {
      "a b+c",        "p=x%20y/q=100%", "\xC3\xA4\xE2\x82\xAC", "quote\"'<&>",
      "a?b=c#d",      "~!@$^*(),;:",    "back\\slash",          "...",
      "time=12:00/x", "a b/c d/e"};
  for (const auto& name : names) {
    SCOPED_TRACE(name);
    EXPECT_THAT(store_->put_if_absent("odd/" + name, name), IsOk());
    EXPECT_THAT(store_->get("odd/" + name), IsOkAnd(name));
    auto head = store_->head("odd/" + name);
    ASSERT_THAT(head, IsOk());
    EXPECT_EQ(head->size_bytes, std::ssize(name));
  }
  auto sorted = names;
  for (auto& name : sorted) name = "odd/" + name;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(paths_of(store_->list("odd/", "")), sorted);
  EXPECT_EQ(paths_of(store_->list("odd/a b", "")),
            (std::vector<std::string>{"odd/a b+c", "odd/a b/c d/e"}));
  EXPECT_THAT(store_->list_folders("odd"),
              IsOkAnd(ElementsAre("a b", "p=x%20y", "time=12:00")));
  for (const auto& name : names) {
    EXPECT_THAT(store_->remove("odd/" + name), IsOk());
  }
  EXPECT_THAT(paths_of(store_->list("", "")), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Of, StoreContract, ::testing::Values("local", "memory", "s3"),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace lakemill::storage
