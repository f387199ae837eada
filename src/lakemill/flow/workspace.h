#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/base/random.h"
#include "lakemill/catalog/catalog.h"
#include "lakemill/engine/engine.h"
#include "lakemill/flow/flow_state.h"
#include "lakemill/flow/side_flows.h"
#include "lakemill/language/model.h"
#include "lakemill/sources/postgres/postgres_source.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::flow {

class SharedViews;

/// What every flow of a pipeline borrows. All must outlive it.
///
/// Thread-safety: its members allow concurrent calls.
struct Workspace {
  const language::Project& project;
  const language::Pipeline& pipeline;
  storage::StoreProvider& stores;
  catalog::Catalog& catalog;
  engine::Engine& engine;
  Clock& clock;
  Random& random;
  /// Where flows keep their state: a store and a folder in it.
  std::shared_ptr<storage::ObjectStore> state_store;
  std::string state_folder;  ///< "_lakemill/flows/<pipeline>"
  /// Folders (absolute) that the pipeline may read and write.
  std::vector<std::string> roots;
  /// Of the run, or null: then a view is computed where it is used.
  SharedViews* views = nullptr;
  /// The replication slots that the run reads; told up to where all is safe when the
  /// last copy of this goes.
  std::shared_ptr<sources::PostgresFeeds> postgres = nullptr;
  /// Of a replay into a side schema, or null; outlives it.
  const SideFlows* side = nullptr;
  /// Where nodes with `dataframe_backend: SPARK` run; null: no Spark remote is named.
  engine::Engine* spark = nullptr;
  /// Whether `engine` commits to tables by itself.
  bool engine_commits = false;
};

/// The same over another pipeline, or engine, which must outlive it; views are computed
/// where they are used.
Workspace with_pipeline(const Workspace& workspace, const language::Pipeline& pipeline);
Workspace with_engine(const Workspace& workspace, engine::Engine& engine,
                      bool engine_commits);

/// How a session that runs by `plan` is opened: its instant, seed and pinned tables.
engine::SessionOptions session_options(
    const Workspace& workspace, const BatchPlan& plan, std::stop_token stop,
    std::function<void(const engine::Progress&)> on_progress);

/// The flow of a node: its id (Delta's appId) and its state folder. The node of another
/// pipeline of the project is "<pipeline>/<node>".
std::string flow_id(const Workspace& workspace, const std::string& node);
FlowState flow_state(const Workspace& workspace, const std::string& node);
inline std::string flow_id(const Workspace& workspace, const language::Node& node) {
  return flow_id(workspace, node.name);
}
inline FlowState flow_state(const Workspace& workspace, const language::Node& node) {
  return flow_state(workspace, node.name);
}

/// Where rows are, or will be.
struct Place {
  std::string url;
  std::string name;  ///< for people: catalog.schema.table, or the path as written
  bool is_delta = false;
  language::FileFormat format = language::FileFormat::delta;
  bool in_catalog = false;
};

/// What the place is called by whoever follows it: the catalog's name, or the url of one
/// in no catalog.
std::string identity_of(const Place& place);

/// Where a sink writes. Errors: denied (outside the roots), invalid.
Result<Place> place_of(const Workspace& workspace, const language::Node& node,
                       const language::Sink& sink);

/// What a FILE or TABLE source reads. Errors: likewise.
Result<Place> place_of(const Workspace& workspace, const language::Node& node,
                       const language::Source& source);

/// The table of a name with the pipeline's and the node's defaults.
Result<Place> place_of(const Workspace& workspace, const language::Node& node,
                       const language::TableName& name);

/// `path` of the pipeline as an absolute path inside the roots. Errors: denied.
Result<std::string> absolute_path(const Workspace& workspace, const std::string& path);

/// The table at its newest version; null where there is none yet.
Result<std::shared_ptr<const delta::Snapshot>> newest_snapshot(
    const Workspace& workspace, const Place& place);

/// Opens the Delta table there; one object for all who use it.
Result<std::shared_ptr<delta::Table>> open_table(const Workspace& workspace,
                                                 const Place& place);

}  // namespace lakemill::flow
