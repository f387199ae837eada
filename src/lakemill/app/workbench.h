#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lakemill/app/secrets.h"
#include "lakemill/catalog/catalog.h"
#include "lakemill/engine/engine.h"
#include "lakemill/events/event_writer.h"
#include "lakemill/flow/workspace.h"
#include "lakemill/language/load.h"
#include "lakemill/net/http_client.h"

namespace lakemill::app {

/// What to open, as a command line names it.
struct OpenRequest {
  std::string
      pipeline;  ///< a pipeline file, the name of one, a project folder, or empty
  std::string
      working_folder;       ///< absolute; relative paths of the request are from here
  std::string environment;  ///< --env
  std::vector<std::pair<std::string, std::string>> variables;   ///< --var
  std::vector<std::string> variable_files;                      ///< --var-file
  std::vector<std::pair<std::string, std::string>> parameters;  ///< --param
  bool allow_missing_parameters = false;
  bool with_test_files = false;   ///< also the tests beside the pipeline file
  bool check_project = false;     ///< also what only all pipelines of the project show
  bool confine_user_sql = false;  ///< --confined
  /// An event waits at most so long for others to be written with.
  std::chrono::milliseconds event_delay{1'000};
};

/// A project with its pipelines loaded and its storage, catalog and engine at hand:
/// what every command and server request works with. Engine and event log start when
/// first used.
///
/// Thread-safety: once opened, concurrent calls are allowed.
class Workbench {
 public:
  /// Finds the project (lakemill.yaml in the working folder or above; else the
  /// pipeline's own folder) and loads the pipelines that `request` names. Faults of
  /// files go to `diagnostics`; then the answer is an error. Errors: not_found,
  /// invalid.
  static Result<std::unique_ptr<Workbench>> open(const OpenRequest& request,
                                                 language::Diagnostics& diagnostics);
  /// A workbench without pipelines: for queries and tables.
  static Result<std::unique_ptr<Workbench>> open_project(
      const OpenRequest& request, language::Diagnostics& diagnostics);
  ~Workbench();

  const language::Project& project() const { return project_; }
  const std::vector<language::Pipeline>& pipelines() const { return pipelines_; }
  /// The folder that holds tables and state.
  const std::string& root() const { return root_; }
  const std::string& working_folder() const { return working_folder_; }

  storage::StoreProvider& stores() { return *stores_; }
  delta::CheckpointFormat& checkpoints() { return *checkpoints_; }
  catalog::Catalog& catalog() { return *catalog_; }
  /// The engine of `query` and of Lakemill itself. With one pipeline opened, that of
  /// its settings.
  engine::Engine& engine();
  Clock& clock() { return clock_; }
  Random& random() { return random_; }
  /// Errors: those of the store.
  Result<events::EventWriter*> event_writer();
  Result<events::EventLog*> event_log();

  /// What the flows of one of pipelines() work with. Errors: those of the store.
  Result<flow::Workspace> workspace(const language::Pipeline& pipeline);

  /// The files that the project names as pipelines, in the order of their patterns.
  /// Errors: those of the stores.
  Result<std::vector<std::string>> pipeline_files() const;

  /// A pipeline file as it is now, beside pipelines(). Puts the files that it was made
  /// of into `files`, after an error too; what is wrong goes to `diagnostics`. An engine
  /// of its settings is there from then on. Errors: invalid, those of the engine.
  Result<language::Pipeline> read(const std::string& file,
                                  std::set<std::string>& files,
                                  language::Diagnostics& diagnostics);

  /// `pipeline`, loaded again from its file with `parameters`. Errors: invalid, with
  /// what is wrong then.
  Result<language::Pipeline> with_parameters(
      const language::Pipeline& pipeline,
      const std::map<std::string, std::string>& parameters) const;

  /// One of pipelines(), loaded again with `variables`, which come before all others.
  /// Errors: invalid, with what is wrong then.
  Result<language::Pipeline> with_variables(
      const language::Pipeline& pipeline,
      const std::map<std::string, std::string>& variables) const;

  /// The root of a table by path (against the working folder) or by name.
  /// Errors: not_found (neither is there), invalid.
  Result<std::string> table_url(const std::string& path_or_name);

 private:
  // An engine for each group of pipelines with equal settings.
  struct EngineOfSettings {
    language::EngineOptions settings;
    std::unique_ptr<engine::Engine> plain;
    std::unique_ptr<engine::Engine> with_secrets;  // puts them into pipelines' SQL
    std::unique_ptr<engine::Engine> spark;         // null: no remote is named
    std::unique_ptr<engine::Engine> spark_with_secrets;
  };

  explicit Workbench(language::Project project);
  static Result<std::unique_ptr<Workbench>> open_without_engines(
      const OpenRequest& request, language::Diagnostics& diagnostics);
  Status load_pipelines(const OpenRequest& request, language::Diagnostics& diagnostics);
  Status check_names() const;
  Status load_pipeline(const std::string& path, const OpenRequest& request,
                       language::Diagnostics& diagnostics);
  Result<language::Pipeline> read_pipeline(const std::string& path,
                                           const OpenRequest& request,
                                           language::FileReader& reader,
                                           language::Diagnostics& diagnostics) const;
  Result<language::Pipeline> load_again(const language::Pipeline& pipeline,
                                        language::LoadOptions options) const;
  Status start_engine_of(const language::Pipeline& pipeline);
  Status check_project(const OpenRequest& request, language::Diagnostics& diagnostics);
  /// The pipelines of the project that are not opened; false if one could not be read.
  bool read_others(const OpenRequest& request,
                   std::vector<language::Pipeline>& others) const;
  /// True where it cannot be told.
  bool may_exist(const language::TableReference& table,
                 const std::string& folder) const;
  void start_storage(const OpenRequest& request);
  Status start_engines();
  Status add_engine(language::EngineOptions settings);  // with engines_mutex_ held
  Status add_spark(EngineOfSettings& started);
  /// What holds for a pipeline: its own settings, else the project's; the temporary
  /// folder as an absolute path.
  language::EngineOptions settings_of(const language::Pipeline& pipeline) const;
  language::EngineOptions project_settings() const;
  const EngineOfSettings& engine_of(const language::Pipeline& pipeline) const;
  std::vector<std::string> allowed_roots() const;

  language::Project project_;
  OpenRequest request_;
  std::vector<language::Pipeline> pipelines_;
  std::string root_;
  std::string working_folder_;
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<Secrets> secrets_;
  std::unique_ptr<net::HttpClient> store_client_;
  std::unique_ptr<net::HttpClient> spark_client_;
  std::unique_ptr<storage::StoreProvider> stores_;
  std::unique_ptr<delta::CheckpointFormat> checkpoints_;
  std::unique_ptr<catalog::Catalog> catalog_;
  mutable std::mutex engines_mutex_;
  /// Not empty once opened; none goes before the workbench. DuckDB starts when it is
  /// first used. Guarded by engines_mutex_, its items are not.
  std::deque<EngineOfSettings> engines_;
  std::unique_ptr<events::EventFiles> event_files_;
  std::mutex events_mutex_;
  std::unique_ptr<events::EventLog> event_log_;        // guarded by events_mutex_
  std::unique_ptr<events::EventWriter> event_writer_;  // guarded by events_mutex_
};

}  // namespace lakemill::app
