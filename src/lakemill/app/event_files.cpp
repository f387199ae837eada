#include "lakemill/app/event_files.h"

namespace lakemill::app {

namespace {

class EngineEventFiles final : public events::EventFiles {
 public:
  EngineEventFiles(engine::Engine& engine, storage::StoreProvider& stores, Clock& clock)
      : engine_(engine), stores_(stores), clock_(clock) {}

  Result<events::EventFile> write(std::string_view folder_url,
                                  std::string_view file_name,
                                  const data::Schema& schema,
                                  std::string_view rows) override {
    std::string array = "[";
    for (const char character : rows) {
      array.push_back(character == '\n' ? ',' : character);
    }
    if (array.back() == ',') array.pop_back();
    array += "]";
    LAKEMILL_TRY(const auto session,
                 engine_.open_session({clock_.now(), 0, {}, {}, {}, {}}));
    LAKEMILL_TRY_OK(session->bind("events", engine::RowsRelation{array, schema}));
    engine::WriteSpec spec;
    spec.sql = "SELECT * FROM events";
    const std::string url = std::string(folder_url) + "/" + std::string(file_name);
    spec.target = engine::FileTarget{url, engine::FileFormat::parquet, {}};
    LAKEMILL_TRY(const auto written, session->write(spec));
    LAKEMILL_TRY(const auto store, stores_.open(folder_url));
    LAKEMILL_TRY(const auto info, store->head(file_name));
    return events::EventFile{std::string(file_name), info.size_bytes,
                             written.written_rows};
  }

 private:
  engine::Engine& engine_;
  storage::StoreProvider& stores_;
  Clock& clock_;
};

}  // namespace

std::unique_ptr<events::EventFiles> make_event_files(engine::Engine& engine,
                                                     storage::StoreProvider& stores,
                                                     Clock& clock) {
  return std::make_unique<EngineEventFiles>(engine, stores, clock);
}

}  // namespace lakemill::app
