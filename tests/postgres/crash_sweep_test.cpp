// Changes of a real PostgreSQL server on their way into bronze and from there into
// every kind of sink: dies at the store calls of a run, those around each telling of
// the server included, and starts again. Whatever happened, the tables come to what an
// undisturbed run makes, and a further run changes nothing.
//
// A slot that was moved cannot be moved back, so each case gets a copy of the slot of
// the beginning: the server's log behind it stays as it is.
//
// All calls with LAKEMILL_SOAK=1; else a sample, whose seed is printed and can be given
// as LAKEMILL_SEED. The server: LAKEMILL_TEST_POSTGRES is the URI of a database for
// tests (tests/postgres/with_server.py starts one).
#include "crash_sweep.h"

#include <chrono>
#include <cstdlib>
#include <thread>

#include "lakemill/sources/postgres/connection.h"

namespace lakemill::flow {
namespace {

using sources::postgres::Connection;
using sources::postgres::ConnectionInfo;
using sources::postgres::ConnectionPurpose;
using testkit::MemoryStoreProvider;

constexpr std::int64_t kStride = 70;  // every so many calls are tried in a sample
constexpr const char* kSlot = "swept";
constexpr const char* kSlotOfBeginning = "swept_begin";

constexpr const char* kFirstRows =
    "DROP TABLE IF EXISTS items; CREATE TABLE items (id int PRIMARY KEY, v text); "
    "INSERT INTO items VALUES (1, 'one'), (2, 'two'), (3, NULL), (4, 'four')";

// Transactions, one of them rolled back in part.
constexpr const char* kChanges[] = {
    "INSERT INTO items VALUES (5, 'five'), (6, 'six')",
    "UPDATE items SET v = 'TWO' WHERE id = 2",
    "BEGIN; DELETE FROM items WHERE id = 3; SAVEPOINT s; "
    "UPDATE items SET v = 'never'; ROLLBACK TO s; "
    "UPDATE items SET id = 9 WHERE id = 1; COMMIT",
    "UPDATE items SET v = v || '!' WHERE id > 3",
};

const std::string kOurs =
    "_op, _unchanged, _rescued, _source_offset, _source_file, _source, _ingested_at, "
    "_run_id, _batch_id";

struct Behind {
  std::string name;
  std::string node;  // behind bronze
  bool is_table = true;
};

const Behind kBehind[] = {
    {"Nothing", ""},
    {"Overwrites",
     "- name: n\n  sources: [{node_name: landed}]\n  transformer: {nodes: [{expr: "
     "\"SELECT id, count(*) AS n FROM {df} GROUP BY id\"}]}\n"
     "  sinks: [{path: ./t, format: DELTA, mode: OVERWRITE}]\n"},
    {"Merges",
     "- name: n\n  primary_keys: [id]\n"
     "  sources: [{node_name: landed, as_stream: true}]\n"
     "  sinks: [{path: ./t, format: DELTA, mode: MERGE, merge_cdc_options: "
     "{delete_where: \"_op = 'DELETE'\", exclude_columns: [" +
         kOurs + "]}}]\n"},
    {"Histories",
     "- name: n\n  primary_keys: [id]\n"
     "  sources: [{node_name: landed, as_stream: true}]\n"
     "  sinks: [{path: ./t, format: DELTA, mode: MERGE, merge_cdc_options: {scd_type: "
     "2, order_by: _source_offset, delete_where: \"_op = 'DELETE'\", "
     "exclude_columns: [" +
         kOurs + "]}}]\n"},
    {"AFile",
     "- name: n\n  sources: [{node_name: landed}]\n  transformer: {nodes: [{expr: "
     "\"SELECT id, count(*) AS n FROM {df} GROUP BY id ORDER BY id\"}]}\n"
     "  sinks: [{path: ./t/now.csv, format: CSV, mode: OVERWRITE}]\n",
     false},
    {"AFolder",
     "- name: n\n  sources: [{node_name: landed, as_stream: true}]\n  transformer: "
     "{nodes: [{expr: \"SELECT id, v, _op FROM {df}\"}]}\n"
     "  sinks: [{path: ./t, format: JSONL, mode: APPEND}]\n",
     false},
};

struct Case {
  Behind behind;
  bool begins = false;  // there is no slot yet, and a snapshot is taken
};

std::string name_of(const Case& item) {
  return item.behind.name + (item.begins ? "Begins" : "Adds");
}

void PrintTo(const Case& item, std::ostream* stream) { *stream << name_of(item); }

std::vector<Case> cases() {
  std::vector<Case> cases;
  for (const Behind& behind : kBehind) {
    cases.push_back({behind, false});
    // Where the stream begins is the server's to say, and in bronze and histories.
    if (!behind.node.empty() && behind.name != "Histories") {
      cases.push_back({behind, true});
    }
  }
  return cases;
}

class CrashSweepOfPostgres : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const char* uri = std::getenv("LAKEMILL_TEST_POSTGRES");
    if (uri == nullptr) {
      GTEST_SKIP() << "LAKEMILL_TEST_POSTGRES names no server; "
                      "tests/postgres/with_server.py starts one";
    }
    uri_ = uri;
    auto opened = Connection::open(*ConnectionInfo::parse(uri_, uri_),
                                   ConnectionPurpose::queries, {});
    ASSERT_THAT(opened, testkit::IsOk());
    server_ = *std::move(opened);
    forget(kSlot);
    forget(kSlotOfBeginning);
    sql("DROP PUBLICATION IF EXISTS swept");
    sql(kFirstRows);
  }

  void TearDown() override {
    if (server_ == nullptr) return;
    forget(kSlot);
    forget(kSlotOfBeginning);
  }

  void sql(const std::string& text) {
    const auto done = server_->execute(text);
    ASSERT_TRUE(done.has_value()) << text << ": " << done.error().message();
  }

  // Drops a slot, which a process that died may hold for a moment.
  void forget(const std::string& slot) {
    const std::string drop =
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE "
        "slot_name = '" +
        slot + "'";
    for (int i = 0; i < 500; ++i) {
      if (server_->query(drop)) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    FAIL() << "slot " << slot << " stays in use";
  }

  void copy_slot(const std::string& from, const std::string& to) {
    sql("SELECT pg_copy_logical_replication_slot('" + from + "', '" + to + "')");
  }

  std::string pipeline() const {
    return "name: p\nnodes:\n- name: landed\n  layer: BRONZE\n  sources: [{table: "
           "public.items, max_rows: 3, connection: {uri: \"" +
           uri_ + "\", slot: " + kSlot + ", publication: swept}}]\n" +
           "  sinks: [{path: ./landed, format: DELTA}]\n" + GetParam().behind.node;
  }

  std::string uri_;
  std::unique_ptr<Connection> server_;
};

TEST_P(CrashSweepOfPostgres, EndsWithTheTablesOfAnUndisturbedRun) {
  const auto& [behind, begins] = GetParam();
  MemoryStoreProvider stores;
  if (!begins) {
    {
      Lakehouse lake(stores);
      ASSERT_TRUE(all_well(lake.run(pipeline())));
    }
    copy_slot(kSlot, kSlotOfBeginning);
    for (const char* change : kChanges) sql(change);
  }
  Disturbed run{.beginning = stores, .yaml = pipeline()};
  if (!begins) run.tables = {"landed"};
  if (!behind.node.empty() && behind.is_table) run.tables.push_back("t");
  if (!behind.node.empty() && !behind.is_table) run.folders = {"t"};
  run.rewind = [this, from_nothing = begins] {
    forget(kSlot);
    if (!from_nothing) copy_slot(kSlotOfBeginning, kSlot);
  };
  sweep(run, all_calls() ? 1 : kStride);
}

INSTANTIATE_TEST_SUITE_P(Pairs, CrashSweepOfPostgres, testing::ValuesIn(cases()),
                         [](const auto& given) { return name_of(given.param); });

}  // namespace
}  // namespace lakemill::flow
