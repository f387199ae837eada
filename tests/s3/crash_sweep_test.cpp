// As tests/flow/crash_sweep_test.cpp, with everything in a bucket of a real S3 server:
// dies at the store calls of a run that adds to tables, before and after they act, and
// loses their answers; then starts again. The tables come to what an undisturbed run
// makes of them, and a further run changes nothing.
//
// All calls with LAKEMILL_SOAK=1; else a sample, whose seed is printed and can be given
// as LAKEMILL_SEED. The server: see storage/s3_test_server.h.
#include "crash_sweep.h"

#include <algorithm>

#include "lakemill/storage/s3_test_server.h"
#include "lakemill/testing/forwarding_store.h"

namespace lakemill::flow {
namespace {

using storage::ObjectInfo;
using storage::ObjectStore;
using testkit::CrashingStoreProvider;
using testkit::HasError;
using testkit::IsOk;

constexpr std::int64_t kSampled = 8;  // calls of each fault in a sample

constexpr const char* kPipeline = R"(
name: p
nodes:
- name: landed
  layer: BRONZE
  sources: [{name: feed, path: ./in, format: CSV}]
  sinks: [{path: ./landed, format: DELTA}]
- name: totals
  layer: GOLD
  sources: [{node_name: landed}]
  transformer: {nodes: [{expr: "SELECT id, count(*) AS n, sum(v::INT) AS total FROM {df} GROUP BY id"}]}
  sinks: [{path: ./totals, format: DELTA, mode: OVERWRITE}]
- name: current
  layer: SILVER
  primary_keys: [id]
  sources: [{node_name: landed, as_stream: true}]
  transformer: {nodes: [{expr: "SELECT id, v, seq::INT AS seq, op FROM {df}"}]}
  sinks:
  - path: ./current
    format: DELTA
    mode: MERGE
    merge_cdc_options: {order_by: seq, delete_where: "op = 'D'", exclude_columns: [op]}
)";

constexpr const char* kTables[] = {"landed", "totals", "current"};

/// A store in the bucket that goes by the name it has in the fixture.
class NamedStore final : public testkit::ForwardingStore {
 public:
  NamedStore(std::shared_ptr<ObjectStore> inner, std::string url)
      : ForwardingStore(std::move(inner)), url_(std::move(url)) {}

  const std::string& url() const override { return url_; }

 private:
  const std::string url_;
};

/// kLake is a folder of the bucket.
class LakeInBucket final : public storage::StoreProvider {
 public:
  LakeInBucket(storage::StoreProvider& inner, std::string folder)
      : inner_(inner), folder_(std::move(folder)) {}

  Result<std::shared_ptr<ObjectStore>> open(std::string_view url) override {
    LAKEMILL_CHECK(url.starts_with(kLake));
    const std::string below(url.substr(std::string_view(kLake).size()));
    LAKEMILL_TRY(auto store, inner_.open(folder_ + below));
    return std::shared_ptr<ObjectStore>(
        std::make_shared<NamedStore>(std::move(store), std::string(url)));
  }

 private:
  storage::StoreProvider& inner_;
  const std::string folder_;
};

class CrashSweepOverS3 : public testing::Test {
 protected:
  void SetUp() override {
    if (!server_.is_there()) GTEST_SKIP() << storage::S3TestServer::kMissing;
    LakeInBucket stores(server_.provider(), base());
    put_file(stores, "in/a.csv", "id,v,seq,op\nx,10,1,U\ny,-5,1,U\nz,7,1,U\n");
    Lakehouse lake(stores);
    ASSERT_TRUE(all_well(lake.run(kPipeline)));
    put_file(stores, "in/b.csv", "id,v,seq,op\nx,11,3,U\nz,7,3,D\nw,,1,U\n");
    put_file(stores, "in/c.csv", "id,v,seq,op\nx,9,2,U\ny,6,2,U\nv,1,1,U\n");
  }

  std::string base() const { return server_.folder() + "/base"; }
  std::shared_ptr<ObjectStore> open(const std::string& folder) {
    auto opened = server_.provider().open(folder);
    LAKEMILL_CHECK(opened.has_value());
    return *opened;
  }

  // The objects of the beginning, in a folder of its own.
  std::string copy() {
    const std::string folder = server_.folder() + "/case" + std::to_string(++copies_);
    const auto from = open(base());
    const auto to = open(folder);
    auto objects = from->list("", "");
    LAKEMILL_CHECK(objects.has_value());
    for (const ObjectInfo& object : *objects) {
      LAKEMILL_CHECK(to->put(object.path, *from->get(object.path)).has_value());
    }
    return folder;
  }
  void drop(const std::string& folder) {
    const auto store = open(folder);
    std::vector<std::string> paths;
    const auto listed = store->list("", "");
    ASSERT_THAT(listed, IsOk());
    for (const ObjectInfo& object : listed.value()) {
      paths.push_back(object.path);
    }
    EXPECT_THAT(store->remove_all(paths), IsOk());
  }
  std::vector<std::string> objects_of(const std::string& folder) {
    std::vector<std::string> objects;
    const auto listed = open(folder)->list("", "");
    EXPECT_THAT(listed, IsOk());
    if (!listed) return objects;
    for (const ObjectInfo& object : listed.value()) {
      objects.push_back(object.path + " " + object.etag);
    }
    return objects;
  }

  void expect_recovery(testkit::FaultPlan plan, const Tables& expected) {
    const std::string folder = copy();
    LakeInBucket stores(server_.provider(), folder);
    std::string fault;
    {
      CrashingStoreProvider failing(stores, plan);
      {
        Lakehouse lake(failing);
        (void)lake.run(kPipeline);
      }
      fault = text_of(plan, failing);
    }
    SCOPED_TRACE(fault);
    {
      Lakehouse lake(stores, 43);
      ASSERT_TRUE(all_well(lake.run(kPipeline)));
    }
    ASSERT_EQ(tables_of(stores, kTables), expected);
    const auto objects = objects_of(folder);
    Lakehouse lake(stores, 44);
    ASSERT_TRUE(all_well(lake.run(kPipeline)));
    ASSERT_EQ(objects_of(folder), objects) << "a further run changed something";
    drop(folder);
  }

  storage::S3TestServer server_;
  int copies_ = 0;
};

TEST_F(CrashSweepOverS3, EndsWithTheTablesOfAnUndisturbedRun) {
  std::int64_t calls = 0;
  Tables expected;
  {
    LakeInBucket stores(server_.provider(), copy());
    CrashingStoreProvider counted(stores, {});
    {
      Lakehouse lake(counted);
      ASSERT_TRUE(all_well(lake.run(kPipeline)));
    }
    calls = counted.calls();
    expected = tables_of(stores, kTables);
  }
  ASSERT_EQ(expected.at("current").size(), 5U) << "a header and four rows";
  const std::int64_t stride =
      all_calls() ? 1 : std::max<std::int64_t>(1, calls / kSampled);
  try_faults(kFaults, calls, stride, [&](testkit::FaultPlan plan) {
    expect_recovery(plan, expected);
    return !HasFatalFailure();
  });
}

}  // namespace
}  // namespace lakemill::flow
