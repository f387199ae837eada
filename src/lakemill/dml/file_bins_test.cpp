#include "lakemill/dml/file_bins.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/delta/log_folder.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::dml {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Sized {
  std::int64_t bytes;
  std::string part = "a";
  std::int64_t deleted_of_100 = 0;
};

/// A snapshot with those files, in this order.
std::shared_ptr<const delta::Snapshot> snapshot_of(const std::vector<Sized>& files) {
  delta::LogFolder log(testkit::make_memory_store());
  delta::Metadata metadata = delta::LogFolder::metadata();
  metadata.partition_columns = {"part"};
  std::vector<delta::Action> actions = {delta::Protocol{3, 7, {"deletionVectors"}, {}},
                                        metadata};
  for (std::size_t i = 0; i < files.size(); ++i) {
    std::string name = std::to_string(i);
    name.insert(0, 4 - name.size(), '0');
    delta::AddFile file = delta::LogFolder::add(name);
    file.size_bytes = files[i].bytes;
    file.partition_values["part"] = files[i].part;
    file.stats = "{\"numRecords\":100}";
    if (files[i].deleted_of_100 > 0) {
      file.deletion_vector = delta::DeletionVectorDescriptor{
          "i", "x" + name, std::nullopt, 1, files[i].deleted_of_100};
    }
    actions.emplace_back(file);
  }
  log.commit(0, actions);
  delta::Table table = log.table();
  auto snapshot = table.latest();
  LAKEMILL_CHECK(snapshot.has_value());
  return *snapshot;
}

std::vector<std::vector<std::size_t>> bins_of(const std::vector<Sized>& files,
                                              const BinRules& rules) {
  std::vector<std::vector<std::size_t>> bins;
  for (const FileBin& bin : plan_bins(*snapshot_of(files), rules)) {
    bins.push_back(bin.files);
  }
  return bins;
}

BinRules target(std::int64_t bytes) {
  BinRules rules;
  rules.target_bytes = bytes;
  return rules;
}

TEST(FileBins, PackSmallFilesOfAPartitionUpToTheTarget) {
  EXPECT_THAT(bins_of({{10}, {20, "b"}, {30}, {40}, {25, "b"}}, target(100)),
              ElementsAre(ElementsAre(0, 2, 3), ElementsAre(1, 4)));
  EXPECT_THAT(bins_of({{60}, {50}, {40}, {30}}, target(100)),
              ElementsAre(ElementsAre(2, 3)));
}

TEST(FileBins, LeaveLargeAndLonelyFilesAlone) {
  EXPECT_THAT(bins_of({{100}, {500}, {99}}, target(100)), IsEmpty());
  EXPECT_THAT(bins_of({{10, "a"}, {10, "b"}}, target(100)), IsEmpty());
  EXPECT_THAT(bins_of({}, target(100)), IsEmpty());
}

TEST(FileBins, WriteFilesAnewOfWhichMuchIsDeleted) {
  EXPECT_THAT(bins_of({{500, "a", 6}, {500, "a", 5}}, target(100)),
              ElementsAre(ElementsAre(0)));
  BinRules rules = target(100);
  rules.deleted_bytes_min = 40;
  EXPECT_THAT(bins_of({{500, "a", 6}, {500, "a", 9}}, rules),
              ElementsAre(ElementsAre(1)));
  // What is left of a file counts.
  EXPECT_THAT(bins_of({{150, "a", 50}, {20, "a", 0}}, target(100)),
              ElementsAre(ElementsAre(0, 1)));
}

TEST(FileBins, InTiersTakeALargeFileOnlyOnceSmallOnesOutweighIt) {
  BinRules rules = target(1'000'000);
  rules.files_min = 4;
  rules.tiered = true;
  std::vector<Sized> files(5, Sized{10});
  EXPECT_THAT(bins_of(files, rules), ElementsAre(ElementsAre(0, 1, 2, 3, 4)));
  files.push_back({51});
  EXPECT_THAT(bins_of(files, rules), ElementsAre(ElementsAre(0, 1, 2, 3, 4)));
  files.back().bytes = 50;
  EXPECT_THAT(bins_of(files, rules), ElementsAre(ElementsAre(0, 1, 2, 3, 4, 5)));
  EXPECT_THAT(bins_of({{10}, {10}, {10}}, rules), IsEmpty());
}

TEST(FileBins, RewriteEachRowAboutAsOftenAsTheTableDoubles) {
  constexpr int kBatches = 4096;
  BinRules rules = target(1'000'000'000);
  rules.files_min = 32;
  rules.tiered = true;
  std::vector<Sized> files;
  std::int64_t written = 0;
  std::size_t files_max = 0;
  for (int batch = 0; batch < kBatches; ++batch) {
    files.push_back({10});
    files_max = std::max(files_max, files.size());
    if (files.size() <= 64) continue;
    for (const auto& bin : bins_of(files, rules)) {
      std::int64_t bytes = 0;
      for (const std::size_t index : bin) bytes += files[index].bytes;
      for (auto index = bin.rbegin(); index != bin.rend(); ++index) {
        files.erase(files.begin() + std::ptrdiff_t(*index));
      }
      files.push_back({bytes});
      written += bytes;
    }
  }
  EXPECT_LE(files_max, 80U);
  EXPECT_LE(written, std::int64_t{kBatches} * 10 * 10);
}

}  // namespace
}  // namespace lakemill::dml
