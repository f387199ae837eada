#include "lakemill/flow/declared_rows.h"

#include <algorithm>

#include "lakemill/base/text.h"
#include "lakemill/data/type_text.h"
#include "lakemill/dml/sql_type.h"
#include "lakemill/flow/checked_cast.h"
#include "lakemill/flow/declared_schema.h"
#include "lakemill/flow/rescued_columns.h"

namespace lakemill::flow {

namespace {

constexpr int kValueCharactersMax = 100;  // of a value that an error shows

Error at(const language::Location& location, const std::string& message) {
  return {ErrorCode::invalid, to_text(location) + ": " + message};
}

const language::ColumnSpec& spec_of(const language::Sink& sink,
                                    const std::string& column) {
  return *std::find_if(sink.schema.begin(), sink.schema.end(), [&](const auto& spec) {
    return equals_ignoring_case(spec.name, column);
  });
}

std::string cast_sql(const data::Field& given, const data::Field& declared,
                     const language::Location& place) {
  const std::string name = " AS " + quote_identifier(declared.name);
  if (given.type == declared.type ||
      dml::sql_type(given.type) == dml::sql_type(declared.type)) {
    return quote_identifier(given.name) + name;
  }
  const CheckedCast cast = checked_cast(given, declared.type);
  if (cast.misfit.empty()) return cast.value + name;
  const std::string before =
      to_text(place) + ": column \"" + given.name + "\": the value '";
  const std::string behind = "' of type " + data::to_text(given.type) +
                             " does not fit " + data::to_text(declared.type) +
                             ", which the sink's schema says";
  return "CASE WHEN " + cast.misfit + " THEN error(" + quote_literal(before) +
         " || left(" + value_text_sql(given) + ", " +
         std::to_string(kValueCharactersMax) + ") || " + quote_literal(behind) +
         ") ELSE " + cast.value + " END" + name;
}

Error undeclared(const language::Sink& sink, const data::Schema& declared,
                 const std::string& column) {
  std::vector<std::string> known;
  for (const data::Field& field : declared.fields) known.push_back(field.name);
  const auto meant = nearest(column, known);
  return at(sink.location, "column \"" + column +
                               "\" of the rows is not in the sink's schema" +
                               (meant ? " (did you mean \"" + *meant + "\"?)" : "") +
                               ": leave it out in the node's SQL, name it in `schema`, "
                               "or write schema_evolution: EVOLVE, which adds it");
}

}  // namespace

Result<std::optional<data::Schema>> declared_schema(const language::Node& node,
                                                    const language::Sink& sink) {
  if (sink.schema.empty() || !sink.is_delta() || sink.is_quarantine) {
    return std::optional<data::Schema>();
  }
  LAKEMILL_TRY(data::Schema schema, schema_of(sink.schema, "node " + node.name + ": "));
  return std::optional<data::Schema>(std::move(schema));
}

Result<std::string> hold_to_declared(engine::Session& session,
                                     const language::Node& node,
                                     const language::Sink& sink,
                                     const std::string& relation) {
  LAKEMILL_TRY(const auto declared, declared_schema(node, sink));
  if (!declared) return relation;
  LAKEMILL_TRY(const auto shape,
               session.describe("SELECT * FROM " + quote_identifier(relation),
                                engine::Origin::lakemill));
  std::vector<std::string> columns;
  for (const data::Field& field : declared->fields) {
    const language::Location& place = spec_of(sink, field.name).location;
    const data::Field* given = shape.schema.find(field.name);
    if (given != nullptr) {
      columns.push_back(cast_sql(*given, field, place));
    } else if (field.nullable) {
      columns.push_back("CAST(NULL AS " + dml::sql_type(field.type) + ") AS " +
                        quote_identifier(field.name));
    } else {
      return at(place, "column \"" + field.name +
                           "\" may not be null, and the rows do not have it: give it "
                           "in the node's SQL, or say nullable: true");
    }
  }
  const bool adds_columns = sink.schema_evolution != language::SchemaEvolution::unset &&
                            sink.schema_evolution != language::SchemaEvolution::strict;
  for (const data::Field& field : shape.schema.fields) {
    if (declared->find(field.name) != nullptr) continue;
    if (!adds_columns && !is_of_the_change(node, sink, field.name) &&
        !is_added(node, field.name)) {
      return undeclared(sink, *declared, field.name);
    }
    columns.push_back(quote_identifier(field.name));
  }
  std::string name = relation + ".declared";
  LAKEMILL_TRY_OK(session.bind_query(
      name, "SELECT " + join(columns, ", ") + " FROM " + quote_identifier(relation),
      engine::Origin::lakemill));
  return name;
}

}  // namespace lakemill::flow
