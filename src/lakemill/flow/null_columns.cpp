#include "lakemill/flow/null_columns.h"

#include <algorithm>

#include "lakemill/base/text.h"
#include "lakemill/dml/sql_type.h"

namespace lakemill::flow {

namespace {

bool mentions_null(const language::Node& node) {
  return std::any_of(node.steps.begin(), node.steps.end(), [](const auto& step) {
    return step.is_sql() && to_lower(step.sql().text).find("null") != std::string::npos;
  });
}

bool is_dataframe(const language::Source& source) {
  return source.kind == language::SourceKind::dataframe;
}

// Rows that the pipeline itself brings, and that no step has made anew: few, so that
// they can be counted.
bool brings_own_rows(const language::Node& node) {
  return node.steps.empty() &&
         std::any_of(node.sources.begin(), node.sources.end(), is_dataframe);
}

bool has_no_value(engine::Session& session, const std::string& column,
                  const std::string& relation) {
  const auto counted = session.query("SELECT count(" + column + ") FROM " + relation,
                                     engine::Origin::lakemill, 1);
  return counted && std::get<std::int64_t>(counted->rows.at(0).at(0)) == 0;
}

// Integers do not mix with dates; what is nothing but NULL does.
bool is_only_null(engine::Session& session, const std::string& column,
                  const std::string& relation) {
  return session
      .describe("SELECT coalesce(" + column + ", CAST(NULL AS DATE)) FROM " + relation,
                engine::Origin::lakemill)
      .has_value();
}

}  // namespace

Result<std::string> with_types_of_nulls(engine::Session& session,
                                        const Workspace& workspace,
                                        const language::Node& node,
                                        const language::Sink& sink,
                                        const std::string& relation) {
  const bool own_rows = brings_own_rows(node);
  if ((!mentions_null(node) && !own_rows) ||
      sink.kind == language::SinkKind::pipeline_view) {
    return relation;
  }
  LAKEMILL_TRY(const Place place, place_of(workspace, node, sink));
  if (!place.is_delta) return relation;
  LAKEMILL_TRY(const auto snapshot, newest_snapshot(workspace, place));
  if (snapshot == nullptr) return relation;
  const data::Schema& held = snapshot->metadata().schema;
  const std::string from = quote_identifier(relation);
  LAKEMILL_TRY(const auto shape,
               session.describe("SELECT * FROM " + from, engine::Origin::lakemill));
  std::vector<std::string> casts;
  for (const data::Field& field : shape.schema.fields) {
    const data::Field* target = held.find(field.name);
    const std::string column = quote_identifier(field.name);
    if (target == nullptr || target->type == field.type ||
        target->type.kind == data::TypeKind::void_type) {
      continue;
    }
    const bool is_null = field.type.kind == data::TypeKind::int32
                             ? is_only_null(session, column, from)
                             : own_rows && field.type.kind == data::TypeKind::string &&
                                   has_no_value(session, column, from);
    if (!is_null) continue;
    casts.push_back("CAST(" + column + " AS " + dml::sql_type(target->type) + ") AS " +
                    column);
  }
  if (casts.empty()) return relation;
  std::string name = relation + ".typed";
  LAKEMILL_TRY_OK(session.bind_query(
      name, "SELECT * REPLACE (" + join(casts, ", ") + ") FROM " + from,
      engine::Origin::lakemill));
  return name;
}

}  // namespace lakemill::flow
