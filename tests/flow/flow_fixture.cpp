#include "flow_fixture.h"

#include <algorithm>

#include "lakemill/app/catalog_tables.h"
#include "lakemill/base/text.h"
#include "lakemill/language/load.h"
#include "lakemill/storage/local_store.h"

namespace lakemill::flow {

namespace {

constexpr std::int64_t kRowsMax = 1'000'000;
constexpr const char* kState = "_lakemill/flows/";

class SilentObserver final : public RunObserver {
 public:
  bool wants_progress() const override { return false; }
  void on_node_started(const language::Node&) override {}
  void on_node_progress(const language::Node&, const engine::Progress&) override {}
  void on_node_finished(const language::Node&, const NodeReport&) override {}
};

language::Pipeline load(const std::string& yaml, const language::Project& project) {
  language::MemoryFileReader reader({{"p.yaml", yaml}});
  language::LoadOptions options;
  options.reader = &reader;
  options.project = &project;
  auto loaded = language::load_pipeline("p.yaml", options);
  if (!loaded.pipeline) {
    ADD_FAILURE() << loaded.diagnostics.to_text() << yaml;
    LAKEMILL_CHECK(loaded.pipeline.has_value());
  }
  loaded.pipeline->folder = kLake;
  return *std::move(loaded.pipeline);
}

}  // namespace

// The stores, and this machine's folder of changes on their way from PostgreSQL, whose
// reading is no store call.
class Lakehouse::StoresAndSpools final : public storage::StoreProvider {
 public:
  explicit StoresAndSpools(storage::StoreProvider& stores)
      : stores_(stores), local_(storage::make_local_provider()) {}

  Result<std::shared_ptr<storage::ObjectStore>> open(std::string_view url) override {
    const bool is_spool =
        url.starts_with(sources::PostgresFeeds::temporary_folder() + "/");
    return is_spool ? local_->open(url) : stores_.open(url);
  }

 private:
  storage::StoreProvider& stores_;
  std::unique_ptr<storage::StoreProvider> local_;
};

struct Lakehouse::Loaded {
  Loaded(language::Pipeline read, Lakehouse& house,
         std::shared_ptr<storage::ObjectStore> state)
      : pipeline(std::move(read)), workspace{house.project_,         pipeline,
                                             house.stores_,          *house.catalog_,
                                             *house.engine_,         house.clock_,
                                             house.random_,          state,
                                             kState + pipeline.name, {kLake}} {
    workspace.postgres = std::make_shared<sources::PostgresFeeds>(
        std::move(state), kPostgresFolder, sources::PostgresFeeds::temporary_folder(),
        [](const std::string& uri) { return Result<std::string>(uri); });
    workspace.postgres->confirm_each_batch();
  }

  language::Pipeline pipeline;
  Workspace workspace;
};

Lakehouse::Lakehouse(storage::StoreProvider& stores) : Lakehouse(stores, 42) {}

Lakehouse::Lakehouse(storage::StoreProvider& stores, std::uint64_t seed)
    : stores_(stores),
      engine_stores_(std::make_unique<StoresAndSpools>(stores)),
      random_(seed),
      checkpoints_(engine_duckdb::make_checkpoint_format(stores)) {
  project_.folder = kLake;
  project_.root = ".";
  catalog::CatalogPlaces places;
  places.root = kLake;
  catalog_ =
      std::make_unique<catalog::Catalog>(std::move(places), stores, *checkpoints_);
  engine_duckdb::DuckdbOptions options;
  options.memory_limit_bytes = std::int64_t{1} << 30;
  options.threads = 1;  // small statements: starting tasks costs more
  options.roots = {kLake};
  options.base_folder = kLake;
  auto engine = engine_duckdb::make_duckdb_engine(options, *engine_stores_,
                                                  app::make_catalog_tables(*catalog_));
  LAKEMILL_CHECK(engine.has_value());
  engine_ = *std::move(engine);
}

Lakehouse::~Lakehouse() = default;

const Workspace& Lakehouse::workspace(const std::string& yaml) {
  auto state = stores_.open(kLake);
  LAKEMILL_CHECK(state.has_value());
  loaded_.push_back(
      std::make_unique<Loaded>(load(yaml, project_), *this, *std::move(state)));
  return loaded_.back()->workspace;
}

RunReport Lakehouse::run(const std::string& yaml, const Start& start) {
  clock_.advance(std::chrono::seconds(1));
  const Workspace& workspace = this->workspace(yaml);
  RunOptions options;
  options.run_id = "run " + std::to_string(++runs_);
  options.nodes = start.nodes;
  if (start.nodes.empty()) {
    for (const language::Node& node : workspace.pipeline.nodes) {
      options.nodes.push_back(node.name);
    }
  }
  if (start.named) options.named_nodes = options.nodes;
  options.full_refresh = start.full_refresh;
  options.adopt_node = start.adopt_node;
  options.parallel_nodes_max = start.parallel_nodes_max;
  SilentObserver observer;
  auto report = run_pipeline(workspace, options, observer);
  if (!report) {
    ADD_FAILURE() << report.error().message();
    return {};
  }
  return *std::move(report);
}

Result<Decision> Lakehouse::decide_next(const std::string& yaml,
                                        const std::string& name) {
  const Workspace& workspace = this->workspace(yaml);
  const language::Node* node = workspace.pipeline.find_node(name);
  LAKEMILL_CHECK(node != nullptr);
  FlowState state = flow_state(workspace, *node);
  return decide(workspace, *node, state, {}, {});
}

std::unique_ptr<engine::Session> Lakehouse::session() {
  engine::SessionOptions options;
  options.now = clock_.now();
  auto session = engine_->open_session(std::move(options));
  LAKEMILL_CHECK(session.has_value());
  return *std::move(session);
}

std::shared_ptr<const delta::Snapshot> Lakehouse::snapshot(const std::string& path) {
  auto store = stores_.open(std::string(kLake) + "/" + path);
  LAKEMILL_CHECK(store.has_value());
  delta::Table table(*store, *checkpoints_);
  auto snapshot = table.latest();
  return snapshot ? *snapshot : nullptr;
}

delta::Version Lakehouse::version(const std::string& path) {
  const auto held = snapshot(path);
  return held == nullptr ? -1 : held->version();
}

namespace {

RowTexts texts_of(engine::Session& session, const std::string& sql) {
  const auto answer = session.query(sql, engine::Origin::lakemill, kRowsMax);
  if (!answer) return {answer.error().message()};
  RowTexts texts;
  for (const auto& row : answer->rows) {
    std::string text;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) text += '|';
      text += data::to_text(row[i]);
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

}  // namespace

RowTexts Lakehouse::answer(const std::string& sql) {
  const auto reader = session();
  return texts_of(*reader, sql);
}

RowTexts Lakehouse::rows(const std::string& path, const std::string& sql) {
  const auto held = snapshot(path);
  if (held == nullptr) return {"no table"};
  auto scan = held->scan();
  if (!scan) return {scan.error().message()};
  const auto reader = session();
  if (auto bound = reader->bind("target", engine::TableRelation{*scan}); !bound) {
    return {bound.error().message()};
  }
  return texts_of(*reader, sql);
}

RowTexts Lakehouse::bag(const std::string& path) {
  const auto held = snapshot(path);
  if (held == nullptr) return {"no table"};
  std::vector<std::string> columns;
  for (const data::Field& field : held->metadata().schema.fields) {
    if (field.name == "_ingested_at" || field.name == "_run_id") continue;
    columns.push_back(quote_identifier(field.name));
  }
  RowTexts bag = rows(path, "SELECT " + join(columns, ", ") + " FROM target");
  std::sort(bag.begin(), bag.end());
  bag.insert(bag.begin(), join(columns, ", "));
  return bag;
}

void put_file(storage::StoreProvider& stores, const std::string& path,
              const std::string& text) {
  auto store = stores.open(kLake);
  LAKEMILL_CHECK(store.has_value());
  LAKEMILL_CHECK((*store)->put(path, text).has_value());
}

void remove_file(storage::StoreProvider& stores, const std::string& path) {
  auto store = stores.open(kLake);
  LAKEMILL_CHECK(store.has_value());
  LAKEMILL_CHECK((*store)->remove(path).has_value());
}

std::vector<std::string> paths_below(const testkit::MemoryStoreProvider& stores,
                                     const std::string& folder) {
  const std::string root = std::string(kLake) + "/";
  std::vector<std::string> paths;
  for (const auto& [url, bytes] : stores.objects()) {
    if (url.starts_with(root + folder + "/")) paths.push_back(url.substr(root.size()));
  }
  return paths;
}

void remove_folder(testkit::MemoryStoreProvider& stores, const std::string& folder) {
  for (const std::string& path : paths_below(stores, folder)) remove_file(stores, path);
}

const NodeReport& report_of(const RunReport& report, const std::string& node) {
  for (const NodeReport& item : report.nodes) {
    if (item.node == node) return item;
  }
  LAKEMILL_CHECK(false);
  return report.nodes.front();
}

testing::AssertionResult all_well(const RunReport& report) {
  if (report.succeeded() && !report.nodes.empty()) return testing::AssertionSuccess();
  auto result = testing::AssertionFailure();
  for (const NodeReport& node : report.nodes) {
    result << node.node << ": " << to_text(node.status);
    if (node.error) result << ": " << node.error->message();
    for (const ExpectationResult& expectation : node.expectations) {
      result << "; " << expectation.name << " " << to_text(expectation.status);
    }
    result << "\n";
  }
  return result;
}

std::string error_of(const RunReport& report, const std::string& node) {
  const NodeReport& item = report_of(report, node);
  return item.error ? item.error->message() : "";
}

}  // namespace lakemill::flow
