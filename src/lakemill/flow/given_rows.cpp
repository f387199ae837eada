#include "lakemill/flow/given_rows.h"

#include "lakemill/base/text.h"
#include "lakemill/flow/declared_schema.h"

namespace lakemill::flow {

namespace {

bool has_no_rows(const engine::Relation& relation) {
  const auto* rows = std::get_if<engine::RowsRelation>(&relation);
  return rows != nullptr && !rows->schema && rows->json_rows == "[]";
}

bool refers_to(const language::Expectation& expectation,
               const language::Source& source) {
  if (!expectation.to_node.empty()) return source.node_name == expectation.to_node;
  return !source.table.table.empty() &&
         source.table.to_text() == expectation.to_table.to_text();
}

// Rows have no columns but those of the schema, as files do.
Status check_columns(const engine::RowsRelation& rows, const data::Schema& schema,
                     const std::string& name) {
  LAKEMILL_TRY(const Json list, parse_json(rows.json_rows));
  std::vector<std::string> known;
  for (const data::Field& field : schema.fields) known.push_back(field.name);
  for (const Json& row : list) {
    for (const auto& [column, value] : row.items()) {
      if (schema.find(column) != nullptr) continue;
      const auto meant = nearest(column, known);
      return Error(ErrorCode::invalid, "the rows given as '" + name +
                                           "' have a column '" + column +
                                           "', which the schema of the source lacks; " +
                                           (meant ? "did you mean '" + *meant + "'?"
                                                  : "it has " + join(known, ", ")));
    }
  }
  return {};
}

// `given` with the columns and types that its source would have.
Result<engine::Relation> as_declared(const data::Schema& schema,
                                     const std::string& name, engine::Relation given) {
  if (auto* rows = std::get_if<engine::RowsRelation>(&given)) {
    LAKEMILL_TRY_OK(check_columns(*rows, schema, name));
    rows->schema = schema;
  } else if (auto* files = std::get_if<engine::FilesRelation>(&given)) {
    files->schema = schema;
  }
  return given;
}

}  // namespace

std::vector<std::string> given_names(const language::Source& source,
                                     std::size_t index) {
  const std::string position = std::to_string(index);
  std::vector<std::string> names = {source.name, source.node_name,
                                    source.table.to_text(), source.table.table,
                                    source.path};
  if (index == 0) names.emplace_back("df");
  names.push_back(position);
  return names;
}

Result<engine::Relation> with_columns(const Workspace& workspace,
                                      const language::Source* source,
                                      const std::string& name,
                                      const engine::Relation& given) {
  std::optional<data::Schema> schema;
  if (source != nullptr && source->schema_location.empty()) {
    LAKEMILL_TRY(schema, declared_schema(workspace, *source));
  }
  if (!has_no_rows(given)) {
    return schema ? as_declared(*schema, name, given) : Result<engine::Relation>(given);
  }
  const std::string& upstream = source == nullptr ? name : source->node_name;
  if (const auto* node = workspace.pipeline.find_node(upstream);
      !schema && node != nullptr) {
    LAKEMILL_TRY(schema, contract_schema(*node));
  }
  if (!schema) {
    return Error(ErrorCode::invalid,
                 "the rows given as '" + name +
                     "' are none, and nothing declares their columns: declare them "
                     "(`schema` of the source, or `columns` with types of the node "
                     "that is read), or give a file that has them, such as a CSV "
                     "file with only a header");
  }
  return engine::Relation(engine::RowsRelation{"[]", std::move(schema)});
}

Error nothing_given(const language::Node& node, const language::Source* source,
                    const std::vector<std::string>& names) {
  std::string wanted;
  for (const std::string& name : names) {
    if (!name.empty() && wanted.empty()) wanted = name;
  }
  const bool is_named = source == nullptr || (wanted != "df" && wanted != names.back());
  if (is_named) {
    return {ErrorCode::invalid, "node " + node.name + " reads '" + wanted +
                                    "', but nothing is given for it"};
  }
  return {ErrorCode::invalid,
          "node " + node.name + " reads the source at " + to_text(source->location) +
              ", which has no name, but nothing is given for it; give its rows as '" +
              wanted + "', or give it a `name:`"};
}

Result<engine::Relation> given_reference(const language::Node& node,
                                         const language::Expectation& expectation,
                                         const data::Schema& schema,
                                         const GivenRelations& given) {
  const std::string target = expectation.to_node.empty()
                                 ? expectation.to_table.to_text()
                                 : expectation.to_node;
  std::vector<std::string> names = {target};
  for (std::size_t i = 0; i < node.sources.size(); ++i) {
    if (!refers_to(expectation, node.sources[i])) continue;
    const auto more = given_names(node.sources[i], i);
    names.insert(names.end(), more.begin(), more.end());
  }
  for (const std::string& name : names) {
    const auto found = given.find(name);
    if (name.empty() || found == given.end()) continue;
    if (!has_no_rows(found->second)) return found->second;
    data::Schema columns;  // as those that refer to it
    const auto& to = expectation.to_columns;
    for (std::size_t i = 0; i < to.size() && i < expectation.columns.size(); ++i) {
      const data::Field* from = schema.find(expectation.columns[i]);
      columns.fields.push_back({to[i].text, from->type, true});
    }
    return engine::Relation(engine::RowsRelation{"[]", std::move(columns)});
  }
  return Error(ErrorCode::invalid,
               to_text(expectation.location) + ": expectation '" + expectation.name +
                   "' refers to '" + target +
                   "', but the test gives no rows for it; a test reads no table: add "
                   "`given: {" +
                   target + ": [...]}`");
}

}  // namespace lakemill::flow
