#include "lakemill/flow/postgres_opening.h"

#include "lakemill/base/text.h"
#include "lakemill/flow/source_identity.h"
#include "lakemill/language/fields.h"

namespace lakemill::flow {

namespace {

Error at(const language::Location& location, const std::string& message) {
  return {ErrorCode::invalid, to_text(location) + ": " + message};
}

// What PostgreSQL takes as the name of a slot.
std::string default_name(const std::string& pipeline) {
  constexpr std::size_t kNameMax = 63;
  std::string name = "lakemill_";
  for (const char letter : to_lower(pipeline)) {
    const bool plain =
        (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9');
    name += plain ? letter : '_';
  }
  return name.substr(0, kNameMax);
}

// The connection as the project or the source has it, with its defaults.
Result<sources::PostgresConnection> place_of_source(const Workspace& workspace,
                                                    const language::Source& source) {
  sources::PostgresConnection connection;
  language::PostgresPlace place = source.postgres;
  connection.name = place.connection;
  if (place.uri.empty()) {
    const language::Tree* found = workspace.project.connections.find(place.connection);
    if (found == nullptr || !found->is_mapping()) {
      std::vector<std::string> names;
      for (const auto& entry : workspace.project.connections.entries) {
        names.push_back(entry.key);
      }
      const auto near = nearest(place.connection, names);
      return at(place.location,
                "there is no connection '" + place.connection +
                    "' in the project file (connections: of lakemill.yaml)" +
                    (near ? "; did you mean '" + *near + "'?" : ""));
    }
    const language::Fields fields(*found);
    if (fields.choice("type") != "POSTGRES") {
      return at(place.location,
                "connection '" + place.connection + "' is not of type POSTGRES");
    }
    place.uri = fields.text("uri", "");
    place.publication = fields.text("publication", "");
    place.slot = fields.text("slot", "");
    place.create = fields.flag("create", true);
    if (place.uri.empty()) {
      return at(found->location,
                "connection '" + place.connection +
                    "' needs a uri: postgresql://user@host:port/database");
    }
  }
  connection.uri = place.uri;
  const std::string name = default_name(workspace.pipeline.name);
  connection.slot = place.slot.empty() ? name : place.slot;
  connection.publication = place.publication.empty() ? name : place.publication;
  connection.create = place.create;
  if (connection.name.empty()) connection.name = "slot-" + connection.slot;
  return connection;
}

sources::PostgresSnapshot snapshot_of(const language::Source& source) {
  switch (source.snapshot) {
    case language::SnapshotMode::never:
      return sources::PostgresSnapshot::never;
    case language::SnapshotMode::only:
      return sources::PostgresSnapshot::only;
    case language::SnapshotMode::initial:
      break;
  }
  return sources::PostgresSnapshot::initial;
}

sources::PostgresTable table_of(const language::Node& node,
                                const language::Source& source, const std::string& id) {
  return {node.name + "/" + id, source.table.schema, source.table.table,
          snapshot_of(source), source.limits.max_rows || source.limits.max_bytes};
}

bool same_place(const language::PostgresPlace& a, const language::PostgresPlace& b) {
  return a.connection == b.connection && a.uri == b.uri && a.slot == b.slot;
}

}  // namespace

Result<std::unique_ptr<sources::Source>> open_postgres(const Workspace& workspace,
                                                       const language::Node& node,
                                                       const language::Source& source,
                                                       FlowState& state,
                                                       const std::string& id) {
  if (workspace.postgres == nullptr) {
    return at(source.location, "PostgreSQL cannot be read here");
  }
  sources::PostgresSourceSpec spec;
  LAKEMILL_TRY(spec.connection, place_of_source(workspace, source));
  bool listed = false;
  for (const language::Node& other : workspace.pipeline.nodes) {
    for (std::size_t i = 0; i < other.sources.size(); ++i) {
      const language::Source& item = other.sources[i];
      if (item.kind != language::SourceKind::postgres ||
          !same_place(item.postgres, source.postgres)) {
        continue;
      }
      spec.connection.tables.push_back(table_of(other, item, name_of_source(item, i)));
      listed = listed || spec.connection.tables.back().reader == node.name + "/" + id;
    }
  }
  if (!listed) spec.connection.tables.push_back(table_of(node, source, id));
  spec.reader = node.name + "/" + id;
  spec.snapshot_parallelism = static_cast<int>(source.snapshot_parallelism);
  spec.rows_max = source.limits.max_rows.value_or(0);
  spec.bytes_max = source.limits.max_bytes.value_or(0);
  spec.state = state.store();
  spec.state_folder = state.folder() + "/snapshots/" + id;
  auto opened = workspace.postgres->open(std::move(spec));
  if (!opened) {
    return Error(opened.error().code(),
                 to_text(source.location) + ": " + opened.error().message());
  }
  return opened;
}

}  // namespace lakemill::flow
