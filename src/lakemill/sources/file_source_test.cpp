#include "lakemill/sources/file_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::sources {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testkit::HasError;
using testkit::IsOk;

class FileSources : public testing::Test {
 protected:
  void put(const std::string& path, const std::string& text) {
    ASSERT_THAT(store_->put(path, text), IsOk());
  }
  void remove(const std::string& path) { ASSERT_THAT(store_->remove(path), IsOk()); }

  FileSourceSpec spec() const {
    FileSourceSpec spec;
    spec.url = "memory://lake/in";
    spec.incremental = true;
    return spec;
  }

  std::unique_ptr<Source> open(FileSourceSpec spec) {
    return make_file_source(
        std::move(spec), stores_,
        std::make_shared<ArrivalLog>(store_, "state/arrivals/feed", FileBase{}));
  }

  // The names of the files between two offsets, or what is wrong.
  static std::vector<std::string> names(Source& source, const Offset& from,
                                        const Offset& to) {
    const auto slice = source.read(from, to);
    if (!slice) return {slice.error().message()};
    std::vector<std::string> names;
    for (const auto& file : std::get<engine::FilesRelation>(slice->relation).files) {
      names.push_back(file.url.substr(file.url.rfind('/') + 1));
    }
    EXPECT_EQ(slice->empty, names.empty());
    return names;
  }

  static Offset latest(Source& source, const Offset& from) {
    const auto offset = source.latest(from);
    EXPECT_THAT(offset, IsOk());
    return offset ? *offset : Offset();
  }

  testkit::MemoryStoreProvider stores_;
  std::shared_ptr<storage::ObjectStore> store_ = *stores_.open("memory://lake");
};

TEST_F(FileSources, GiveNewFilesInTheOrderOfTheirArrival) {
  put("in/b.csv", "b");
  put("in/a.csv", "a");
  put("in/_hidden.csv", "h");
  auto source = open(spec());
  EXPECT_TRUE(source->incremental());
  const Offset first = latest(*source, Offset());
  EXPECT_THAT(names(*source, Offset(), first), ElementsAre("b.csv", "a.csv"));
  EXPECT_EQ(latest(*source, first), first);
  EXPECT_THAT(names(*source, first, first), IsEmpty());
  put("in/sub/c.csv", "c");
  auto later = open(spec());
  const Offset second = latest(*later, first);
  EXPECT_THAT(names(*later, first, second), ElementsAre("c.csv"));
  EXPECT_THAT(names(*later, Offset(), second), ElementsAre("b.csv", "a.csv", "c.csv"));
}

TEST_F(FileSources, StayWithinTheirBoundsButReadALargerFileWhole) {
  for (const char* name : {"a", "b", "c", "d"}) put("in/" + std::string(name), "12345");
  FileSourceSpec by_count = spec();
  by_count.files_max = 3;
  auto counted = open(by_count);
  Offset from;
  Offset to = latest(*counted, from);
  EXPECT_THAT(names(*counted, from, to), ElementsAre("a", "b", "c"));
  EXPECT_THAT(names(*counted, to, latest(*counted, to)), ElementsAre("d"));
  FileSourceSpec by_size = spec();
  by_size.bytes_max = 11;
  auto sized = open(by_size);
  EXPECT_THAT(names(*sized, from, latest(*sized, from)), ElementsAre("a", "b"));
  by_size.bytes_max = 1;
  auto small = open(by_size);
  EXPECT_THAT(names(*small, from, latest(*small, from)), ElementsAre("a"));
}

TEST_F(FileSources, TellOfAChangedFileAndIgnoreIt) {
  put("in/a.csv", "old");
  auto source = open(spec());
  const Offset first = latest(*source, Offset());
  put("in/a.csv", "new!");
  auto again = open(spec());
  EXPECT_EQ(latest(*again, first), first);
  const auto notices = again->take_notices();
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_THAT(notices[0].message, HasSubstr("in/a.csv has changed"));
  EXPECT_THAT(again->take_notices(), IsEmpty());
  auto later = open(spec());
  EXPECT_EQ(latest(*later, first), first);
  EXPECT_THAT(later->take_notices(), IsEmpty()) << "it was told";
  put("in/a.csv", "newer!");
  auto last = open(spec());
  EXPECT_EQ(latest(*last, first), first);
  EXPECT_EQ(last->take_notices().size(), 1U) << "of each change once";
}

TEST_F(FileSources, ReadAChangedFileAgainWhereThatIsAskedFor) {
  put("in/a.csv", "old");
  FileSourceSpec reading = spec();
  reading.changed_are_new = true;
  auto source = open(reading);
  const Offset first = latest(*source, Offset());
  put("in/a.csv", "new!");
  auto again = open(reading);
  const Offset second = latest(*again, first);
  EXPECT_THAT(names(*again, first, second), ElementsAre("a.csv"));
}

TEST_F(FileSources, FailWhereAPlannedFileChangedOrIsGone) {
  put("in/a.csv", "old");
  auto source = open(spec());
  const Offset to = latest(*source, Offset());
  put("in/a.csv", "new!");
  EXPECT_THAT(source->read(Offset(), to),
              HasError(ErrorCode::invalid, "in/a.csv has changed"));
  remove("in/a.csv");
  EXPECT_THAT(source->read(Offset(), to), HasError(ErrorCode::invalid, "is gone"));
}

TEST_F(FileSources, PlanAFileThatChangedBeforeABatchReadItAsItIsNow) {
  put("in/a.csv", "1");
  const Offset read = latest(*open(spec()), Offset());
  put("in/b.csv", "2");
  put("in/c.csv", "3");
  const Offset planned = latest(*open(spec()), read);
  put("in/b.csv", "22");
  auto source = open(spec());
  EXPECT_THAT(source->check(read, planned),
              HasError(ErrorCode::invalid, "in/b.csv has changed"));
  const Offset anew = latest(*source, read);
  EXPECT_THAT(source->check(read, anew), IsOk());
  EXPECT_THAT(names(*source, read, anew), ElementsAre("c.csv", "b.csv"));
  const auto notices = source->take_notices();
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_EQ(notices[0].kind, Notice::Kind::file_changed);
  EXPECT_EQ(latest(*open(spec()), anew), anew) << "nothing is new behind it";
  // By the first plan after all: what the file became since is a change.
  auto later = open(spec());
  EXPECT_THAT(names(*later, planned, latest(*later, planned)), IsEmpty());
}

TEST_F(FileSources, LeaveOutAFileThatWentBeforeABatchReadItUntilItComesBack) {
  put("in/a.csv", "1");
  const Offset read = latest(*open(spec()), Offset());
  put("in/b.csv", "2");
  (void)latest(*open(spec()), read);
  remove("in/b.csv");
  auto source = open(spec());
  EXPECT_EQ(latest(*source, read), read) << "nothing is there to be read";
  const auto notices = source->take_notices();
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_EQ(notices[0].kind, Notice::Kind::file_vanished);
  auto next = open(spec());
  EXPECT_EQ(latest(*next, read), read);
  EXPECT_THAT(next->take_notices(), IsEmpty()) << "it was told";
  put("in/c.csv", "3");
  const Offset without = latest(*open(spec()), read);
  EXPECT_THAT(names(*open(spec()), read, without), ElementsAre("c.csv"));
  put("in/b.csv", "2");
  const Offset with = latest(*open(spec()), without);
  EXPECT_THAT(names(*open(spec()), without, with), ElementsAre("b.csv"));
  EXPECT_EQ(latest(*open(spec()), with), with);
}

TEST_F(FileSources, CountOnlyFilesThatABatchReadsTowardsItsBound) {
  FileSourceSpec bounded = spec();
  bounded.files_max = 1;
  put("in/a.csv", "1");
  put("in/b.csv", "2");
  const Offset planned = latest(*open(bounded), Offset());
  remove("in/a.csv");
  auto source = open(bounded);
  const Offset anew = latest(*source, Offset());
  EXPECT_NE(anew, planned);
  EXPECT_THAT(names(*source, Offset(), anew), ElementsAre("b.csv"));
}

TEST_F(FileSources, FindOutThatTheirLogWasLost) {
  put("in/z.csv", "1");
  auto source = open(spec());
  (void)latest(*source, Offset());
  put("in/a.csv", "2");
  auto second = open(spec());
  const Offset cursor = latest(*second, Offset());
  put("in/z.csv", "1");  // now the newest file, and the first to have arrived
  const auto objects = store_->list("state/", "");
  ASSERT_THAT(objects, IsOk());
  for (const auto& object : *objects) remove(object.path);
  auto anew = open(spec());
  EXPECT_THAT(anew->latest(cursor),
              HasError(ErrorCode::corrupt, "was lost or altered"));
  EXPECT_THAT(anew->read(Offset(), cursor), HasError(ErrorCode::corrupt, ""));
}

// The names are those of before, the content is not: it is not the log of the cursor.
TEST_F(FileSources, FindOutThatALogWasLostAndItsFilesChanged) {
  put("in/a.csv", "1");
  put("in/b.csv", "2");
  const Offset cursor = latest(*open(spec()), Offset());
  const auto objects = store_->list("state/", "");
  ASSERT_THAT(objects, IsOk());
  for (const auto& object : *objects) remove(object.path);
  put("in/a.csv", "another");
  put("in/b.csv", "2");
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(open(spec())->latest(cursor),
                HasError(ErrorCode::corrupt, "was lost or altered"));
  }
  const auto after = store_->list("state/", "");
  ASSERT_THAT(after, IsOk());
  EXPECT_TRUE(after->empty()) << "nothing was numbered in its place";
}

TEST_F(FileSources, WaitWithAFileThatWasSetAsideAndIsMended) {
  put("in/a.csv", "1");
  put("in/b.csv", "poison");
  auto source = open(spec());
  const Offset to = latest(*source, Offset());
  const auto pieces = source->pieces(Offset(), to);
  ASSERT_THAT(pieces, IsOk());
  ASSERT_EQ(pieces->size(), 2U);
  const Offset without = source->without(to, {pieces->back()});
  const auto none = open(spec())->lag(without);
  ASSERT_THAT(none, IsOk());
  EXPECT_EQ(none->entries, 0);
  put("in/b.csv", "mended");
  const auto mended = open(spec())->lag(without);
  ASSERT_THAT(mended, IsOk());
  EXPECT_EQ(mended->entries, 1);
  EXPECT_EQ(mended->bytes, 6);
}

TEST_F(FileSources, HaveASampleAsLongAsAFileIsWhatItWas) {
  put("in/a.csv", "1");
  put("in/b.csv", "2");
  auto source = open(spec());
  const Offset to = latest(*source, Offset());
  const auto newest = source->sample(to);
  ASSERT_THAT(newest, IsOk());
  ASSERT_TRUE(newest->has_value());
  ASSERT_EQ((*newest)->files.size(), 1U);
  EXPECT_THAT((*newest)->files[0].url, HasSubstr("b.csv"));
  remove("in/b.csv");
  const auto older = source->sample(to);
  ASSERT_TRUE(older.has_value() && older->has_value());
  EXPECT_THAT((*older)->files[0].url, HasSubstr("a.csv"));
  remove("in/a.csv");
  const auto none = source->sample(to);
  ASSERT_THAT(none, IsOk());
  EXPECT_FALSE(none->has_value());
}

TEST_F(FileSources, SayWhereThereIsNoFile) {
  EXPECT_THAT(open(spec())->latest(Offset()),
              HasError(ErrorCode::not_found, "memory://lake/in"));
  FileSourceSpec whole = spec();
  whole.incremental = false;
  EXPECT_THAT(open(whole)->latest(Offset()),
              HasError(ErrorCode::not_found, "memory://lake/in"));
  whole.relation.schema = data::Schema{};
  EXPECT_THAT(open(whole)->latest(Offset()), IsOk()) << "its columns are known";
}

TEST_F(FileSources, ThatAreReadWholePinEachFile) {
  put("in/a.csv", "1");
  put("in/b.csv", "2");
  FileSourceSpec whole = spec();
  whole.incremental = false;
  auto source = open(whole);
  EXPECT_FALSE(source->incremental());
  const Offset to = latest(*source, Offset());
  EXPECT_THAT(names(*source, Offset(), to), ElementsAre("a.csv", "b.csv"));
  put("in/c.csv", "3");
  EXPECT_THAT(names(*source, Offset(), to), ElementsAre("a.csv", "b.csv"));
  EXPECT_NE(latest(*source, Offset()), to);
  put("in/a.csv", "one");
  EXPECT_THAT(source->read(Offset(), to), HasError(ErrorCode::invalid, "has changed"));
  EXPECT_THAT(source->read(Offset(), Json::object()),
              HasError(ErrorCode::corrupt, "lists no files"));
}

}  // namespace
}  // namespace lakemill::sources
