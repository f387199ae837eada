#include "lakemill/flow/workspace.h"

#include "lakemill/base/folder_name.h"
#include "lakemill/base/text.h"
#include "lakemill/storage/path.h"
#include "lakemill/storage/path_guard.h"

namespace lakemill::flow {

namespace {

using language::FileFormat;

Error at(const language::Location& location, const Error& error) {
  return {error.code(), to_text(location) + ": " + error.message()};
}

std::string layer_schema(const Workspace& workspace, language::Layer layer) {
  const auto found = workspace.project.layers.find(layer);
  if (found != workspace.project.layers.end() && !found->second.schema.empty()) {
    return found->second.schema;
  }
  switch (layer) {
    case language::Layer::bronze:
      return "bronze";
    case language::Layer::silver:
      return "silver";
    case language::Layer::gold:
      return "gold";
    case language::Layer::none:
      break;
  }
  return "default";
}

}  // namespace

engine::SessionOptions session_options(
    const Workspace& workspace, const BatchPlan& plan, std::stop_token stop,
    std::function<void(const engine::Progress&)> on_progress) {
  return {plan.now,           plan.seed,
          std::move(stop),    std::move(on_progress),
          plan.pinned_tables, workspace.pipeline.folder,
          /*confined=*/true};
}

std::string flow_id(const Workspace& workspace, const std::string& node) {
  if (node.find('/') != std::string::npos) return "lakemill:" + node;
  std::string pipeline = workspace.pipeline.name;
  if (workspace.side != nullptr && workspace.side->has(node)) {
    pipeline += "@" + workspace.side->schema;
  }
  return "lakemill:" + pipeline + "/" + node;
}

FlowState flow_state(const Workspace& workspace, const std::string& node) {
  std::string folder = workspace.state_folder;
  if (node.find('/') != std::string::npos) folder.resize(folder.rfind('/'));
  if (workspace.side != nullptr && workspace.side->has(node)) {
    folder += "/_side/" + workspace.side->schema;
  }
  return {workspace.state_store, folder + "/" + node};
}

Result<std::string> absolute_path(const Workspace& workspace, const std::string& path) {
  return storage::confine(
      storage::normalize_path(storage::join_path(workspace.pipeline.folder, path)),
      workspace.roots);
}

std::string identity_of(const Place& place) {
  return place.in_catalog ? place.name : place.url;
}

Result<Place> place_of(const Workspace& workspace, const language::Node& node,
                       const language::TableName& name) {
  const catalog::TableName full{
      name.catalog.empty() ? workspace.project.catalog : name.catalog,
      name.schema.empty() ? layer_schema(workspace, node.layer) : name.schema,
      name.table};
  for (const std::string& part : {full.catalog, full.schema, full.table}) {
    const auto checked = check_folder_name(part);
    if (!checked) return at(name.location, checked.error());
  }
  Place place;
  place.url = workspace.catalog.url_of(full);
  place.name = catalog::to_text(full);
  place.is_delta = true;
  place.in_catalog = true;
  return place;
}

Result<Place> place_of(const Workspace& workspace, const language::Node& node,
                       const language::Sink& sink) {
  if (sink.kind == language::SinkKind::table)
    return place_of(workspace, node, sink.table);
  auto url = absolute_path(workspace, sink.path);
  if (!url) return at(sink.location, url.error());
  Place place;
  place.url = *std::move(url);
  place.name = sink.path;
  place.format = sink.format;
  place.is_delta = place.format == FileFormat::delta;
  return place;
}

Result<Place> place_of(const Workspace& workspace, const language::Node& node,
                       const language::Source& source) {
  if (source.kind == language::SourceKind::table) {
    return place_of(workspace, node, source.table);
  }
  auto url = absolute_path(workspace, source.path);
  if (!url) return at(source.location, url.error());
  Place place;
  place.url = *std::move(url);
  place.name = source.path;
  place.format = source.format;
  place.is_delta = place.format == FileFormat::delta;
  return place;
}

namespace {

Workspace over(const Workspace& workspace, const language::Pipeline& pipeline,
               engine::Engine& engine, bool engine_commits) {
  return {workspace.project,
          pipeline,
          workspace.stores,
          workspace.catalog,
          engine,
          workspace.clock,
          workspace.random,
          workspace.state_store,
          workspace.state_folder,
          workspace.roots,
          nullptr,  // views of others are of their own pipeline and engine
          workspace.postgres,
          workspace.side,
          workspace.spark,
          engine_commits};
}

}  // namespace

Workspace with_pipeline(const Workspace& workspace,
                        const language::Pipeline& pipeline) {
  return over(workspace, pipeline, workspace.engine, workspace.engine_commits);
}

Workspace with_engine(const Workspace& workspace, engine::Engine& engine,
                      bool engine_commits) {
  return over(workspace, workspace.pipeline, engine, engine_commits);
}

Result<std::shared_ptr<const delta::Snapshot>> newest_snapshot(
    const Workspace& workspace, const Place& place) {
  LAKEMILL_TRY(const auto table, open_table(workspace, place));
  auto snapshot = table->latest();
  if (!snapshot && snapshot.error().code() == ErrorCode::not_found) {
    return std::shared_ptr<const delta::Snapshot>();
  }
  return snapshot;
}

Result<std::shared_ptr<delta::Table>> open_table(const Workspace& workspace,
                                                 const Place& place) {
  return workspace.catalog.open_url(place.url);
}

}  // namespace lakemill::flow
