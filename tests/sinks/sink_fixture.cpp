#include "sink_fixture.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <unistd.h>

namespace lakemill::sinks {

namespace {

// Thousands of small commits: in memory where the machine has a folder for that.
std::string base_folder() {
  std::error_code ignored;
  const std::string base = std::filesystem::is_directory("/dev/shm", ignored)
                               ? "/dev/shm/"
                               : testing::TempDir();
  return base + "lakemill_sinks_" + std::to_string(::getpid());
}

}  // namespace

SinkWorld::~SinkWorld() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string SinkWorld::fresh_url() {
  return folder_ + "/" + std::to_string(++folders_);
}

SinkWorld::SinkWorld()
    : folder_(base_folder()),
      checkpoints_(engine_duckdb::make_checkpoint_format(*stores_)) {
  std::filesystem::remove_all(folder_);  // of a process of that number that was killed
  std::filesystem::create_directories(folder_);
  engine_duckdb::DuckdbOptions options;
  options.memory_limit_bytes = std::int64_t{1} << 30;
  options.threads = 1;  // small statements: starting tasks costs more
  options.roots = {folder_};
  auto engine = engine_duckdb::make_duckdb_engine(options, *stores_, nullptr);
  LAKEMILL_CHECK(engine.has_value());
  engine_ = std::move(*engine);
}

std::unique_ptr<engine::Session> SinkWorld::session() {
  engine::SessionOptions options;
  options.now = clock_.now();
  auto session = engine_->open_session(std::move(options));
  LAKEMILL_CHECK(session.has_value());
  return std::move(*session);
}

Batch SinkWorld::batch(std::int64_t number) const {
  Batch batch;
  batch.app_id = "lakemill:test/flow";
  batch.number = number;
  batch.transaction_version = number;
  batch.now = Instant(std::chrono::microseconds(1'767'225'600'000'000));
  batch.run_id = "run";
  return batch;
}

Result<SinkResult> SinkWorld::put(Sink& sink, const std::string& sql,
                                  const Batch& batch) {
  const auto session_of_batch = session();
  return put(*session_of_batch, sink, sql, batch);
}

Result<SinkResult> SinkWorld::put(engine::Session& session, Sink& sink,
                                  const std::string& sql, const Batch& batch) {
  LAKEMILL_TRY(const auto last, sink.last_batch(batch.app_id));
  if (last && *last >= batch.transaction_version) {
    SinkResult held;
    held.already_held = true;
    return held;
  }
  LAKEMILL_TRY(const engine::QueryShape shape,
               session.describe(sql, engine::Origin::lakemill));
  engine::WriteSpec spec;
  spec.sql = sql;
  LAKEMILL_TRY(spec.target, sink.stage(shape.schema, batch));
  LAKEMILL_TRY(const engine::WriteResult written, session.write(spec));
  return sink.commit(session, written, batch);
}

std::shared_ptr<const delta::Snapshot> SinkWorld::snapshot(const std::string& url) {
  auto store = stores_->open(url);
  LAKEMILL_CHECK(store.has_value());
  delta::Table table(*store, *checkpoints_);
  auto snapshot = table.latest();
  return snapshot ? *snapshot : nullptr;
}

namespace {

std::vector<std::string> texts_of(engine::Session& session, const std::string& sql) {
  const auto answer = session.query(sql, engine::Origin::lakemill, 100000);
  if (!answer) return {answer.error().message()};
  std::vector<std::string> texts;
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

Result<SinkResult> SinkWorld::put_previewed(Sink& sink, const std::string& sql,
                                            const Batch& batch,
                                            const std::string& select,
                                            std::vector<std::string>& previewed) {
  const auto of_batch = session();
  LAKEMILL_TRY(const engine::QueryShape shape,
               of_batch->describe(sql, engine::Origin::lakemill));
  engine::WriteSpec spec;
  spec.sql = sql;
  LAKEMILL_TRY(spec.target, sink.stage(shape.schema, batch));
  LAKEMILL_TRY(const engine::WriteResult written, of_batch->write(spec));
  LAKEMILL_TRY(const auto preview, sink.preview(*of_batch, batch));
  previewed.clear();
  if (preview) {
    LAKEMILL_TRY_OK(of_batch->bind_query("target",
                                         "SELECT * FROM " + quote_identifier(*preview),
                                         engine::Origin::lakemill));
    previewed = texts_of(*of_batch, select);
  }
  return sink.commit(*of_batch, written, batch);
}

std::vector<std::string> SinkWorld::rows(const std::string& url,
                                         const std::string& sql) {
  const auto held = snapshot(url);
  if (held == nullptr) return {"no table"};
  auto scan = held->scan();
  if (!scan) return {scan.error().message()};
  const auto reader = session();
  if (auto bound = reader->bind("target", engine::TableRelation{*scan}); !bound) {
    return {bound.error().message()};
  }
  return texts_of(*reader, sql);
}

std::vector<std::string> files_below(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) {
      names.push_back(entry.path().string().substr(folder.size() + 1));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string content_of(const std::string& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

SinkWorld& world() {
  static SinkWorld instance;
  return instance;
}

}  // namespace lakemill::sinks
