#include "lakemill/flow/view_sink.h"

#include <set>

#include "lakemill/base/text.h"
#include "lakemill/flow/node_query.h"

namespace lakemill::flow {

namespace {

// Binds as the session behind it does, and writes down the SQL of what is bound.
class RecordingSession final : public engine::Session {
 public:
  // `pinned`: the names of those that are read at their version for good.
  RecordingSession(engine::Session& inner, std::set<std::string, std::less<>> pinned)
      : inner_(inner), pinned_(std::move(pinned)) {}

  Status bind(std::string_view name, engine::Relation relation) override {
    const auto* table = std::get_if<engine::TableRelation>(&relation);
    if (table == nullptr) {
      return Error(ErrorCode::invalid,
                   "a view can read tables only, and this one reads a file or rows "
                   "that are written in place (" +
                       std::string(name) +
                       "); land them in a table by a node of its own first");
    }
    const std::string version =
        pinned_.contains(name)
            ? ", version => " + std::to_string(table->scan->version())
            : "";
    add(name, "SELECT * FROM delta_scan(" + quote_literal(table->scan->table_url()) +
                  version + ")");
    return inner_.bind(name, std::move(relation));
  }

  Status bind_query(std::string_view name, std::string_view sql,
                    engine::Origin origin) override {
    add(name, sql);
    return inner_.bind_query(name, sql, origin);
  }

  Result<engine::QueryShape> describe(std::string_view sql,
                                      engine::Origin origin) override {
    return inner_.describe(sql, origin);
  }

  Result<data::Rows> query(std::string_view sql, engine::Origin origin,
                           std::int64_t rows_max) override {
    return inner_.query(sql, origin, rows_max);
  }

  Result<std::vector<engine::FileRows>> query_positions(std::string_view sql) override {
    return inner_.query_positions(sql);
  }

  Result<engine::WriteResult> write(const engine::WriteSpec& spec) override {
    return inner_.write(spec);
  }

  // All that was bound, as one query that gives `last`.
  std::string query_of(const std::string& last) const {
    return "WITH " + join(parts_, ",\n") + "\nSELECT * FROM " + quote_identifier(last);
  }

 private:
  void add(std::string_view name, std::string_view sql) {
    parts_.push_back(quote_identifier(name) + " AS (" + std::string(sql) + "\n)");
  }

  engine::Session& inner_;
  std::set<std::string, std::less<>> pinned_;
  std::vector<std::string> parts_;
};

}  // namespace

Result<std::optional<std::string>> write_view_sink(const Workspace& workspace,
                                                   const language::Node& node,
                                                   FlowState& state) {
  const language::Sink* sink = node.primary_sink();
  if (sink == nullptr || sink->kind != language::SinkKind::table) {
    return std::optional<std::string>();
  }
  LAKEMILL_TRY(const auto query,
               NodeQuery::open(workspace, node, state, Reading::whole, {}));
  BatchPlan plan;
  plan.now = workspace.clock.now();
  std::set<std::string, std::less<>> pinned;
  for (Leaf& leaf : query->leaves()) {
    if (leaf.source == nullptr) continue;
    const language::Source* source = leaf.declared;
    if (source != nullptr && (source->version || !source->timestamp.empty())) {
      pinned.insert(leaf.id);
    }
    LAKEMILL_TRY(auto to, leaf.source->latest(sources::Offset()));
    plan.slices.push_back({leaf.id, {}, std::move(to), false});
  }
  LAKEMILL_TRY(const auto session,
               workspace.engine.open_session(session_options(workspace, plan, {}, {})));
  RecordingSession recording(*session, std::move(pinned));
  auto bound = query->bind(recording, plan, {});
  if (!bound) {
    const bool has_place = bound.error().message().find(".yaml:") != std::string::npos;
    if (has_place) return std::move(bound).error();
    return std::move(bound).error().while_doing(to_text(sink->location));
  }
  const std::string rows = *std::move(bound);
  LAKEMILL_TRY(const Place place, place_of(workspace, node, *sink));
  LAKEMILL_TRY(const auto name, workspace.catalog.resolve(place.name));
  const std::string sql = recording.query_of(rows);
  if (sql.find("${secret.") != std::string::npos) {
    return Error(ErrorCode::invalid,
                 to_text(sink->location) +
                     ": the SQL of a stored view cannot hold a secret; write a table "
                     "instead");
  }
  LAKEMILL_TRY_OK(workspace.catalog.put_view(name, sql));
  return std::optional<std::string>(place.name);
}

}  // namespace lakemill::flow
