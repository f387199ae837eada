#include "lakemill/flow/row_expectations.h"

#include "lakemill/base/quoted_list.h"
#include "lakemill/base/text.h"
#include "lakemill/flow/named_columns.h"
#include "lakemill/language/expression_sql.h"

namespace lakemill::flow {

namespace {

using language::ExpectationAction;
using language::ExpectationType;

Error at(const language::Location& location, const std::string& message) {
  return {ErrorCode::invalid, to_text(location) + ": " + message};
}

engine::OnFail on_fail(ExpectationAction action) {
  switch (action) {
    case ExpectationAction::drop:
      return engine::OnFail::drop;
    case ExpectationAction::quarantine:
      return engine::OnFail::quarantine;
    default:
      return engine::OnFail::keep;
  }
}

}  // namespace

Result<Place> reference_place(const Workspace& workspace, const language::Node& node,
                              const language::Expectation& expectation) {
  Result<Place> place = Error(ErrorCode::invalid, "");
  if (!expectation.to_node.empty()) {
    const language::Node* target = workspace.pipeline.find_node(expectation.to_node);
    if (target == nullptr || target->primary_sink() == nullptr) {
      return at(expectation.location, "expectation '" + expectation.name + "': node '" +
                                          expectation.to_node +
                                          "' writes no table to refer to");
    }
    place = place_of(workspace, *target, *target->primary_sink());
  } else {
    place = place_of(workspace, node, expectation.to_table);
  }
  if (!place) return at(expectation.location, place.error().message());
  return place;
}

bool refers_to_own_table(const Workspace& workspace, const language::Node& node,
                         const language::Expectation& expectation) {
  const language::Sink* sink = node.primary_sink();
  if (expectation.type != ExpectationType::reference || sink == nullptr) return false;
  const auto referred = reference_place(workspace, node, expectation);
  const auto own = place_of(workspace, node, *sink);
  return referred && own && referred->url == own->url;
}

namespace {

// Binds the table that a REFERENCE points to, as the plan has pinned it.
Status bind_reference(const Workspace& workspace, const language::Node& node,
                      const language::Expectation& expectation, const BatchPlan& plan,
                      engine::Session& session, const std::string& relation) {
  LAKEMILL_TRY(const Place place, reference_place(workspace, node, expectation));
  if (place.is_delta) {
    LAKEMILL_TRY(const auto table, open_table(workspace, place));
    const auto pinned = plan.pinned_tables.find(place.url);
    auto snapshot = pinned == plan.pinned_tables.end()
                        ? table->latest()
                        : table->at_version(pinned->second);
    if (!snapshot && pinned != plan.pinned_tables.end()) {  // it was made anew since
      snapshot = table->latest();
    }
    if (!snapshot) {
      return at(expectation.location, "expectation '" + expectation.name +
                                          "': " + snapshot.error().message());
    }
    LAKEMILL_TRY(auto scan, (*snapshot)->scan());
    LAKEMILL_TRY_OK(session.bind(relation, engine::TableRelation{std::move(scan)}));
  } else {
    engine::FilesRelation files;
    files.format = engine::FileFormat::parquet;
    files.files = {{place.url, 1, 0}};
    LAKEMILL_TRY_OK(session.bind(relation, std::move(files)));
  }
  return {};
}

// A column that the other table lacks would be taken from the row itself, and hold.
Status check_referred_columns(const language::Expectation& expectation,
                              engine::Session& session, const std::string& relation) {
  LAKEMILL_TRY(const engine::QueryShape shape,
               session.describe("SELECT * FROM " + quote_identifier(relation),
                                engine::Origin::lakemill));
  for (const language::Name& column : expectation.to_columns) {
    if (shape.schema.find(column.text) != nullptr) continue;
    std::vector<std::string> known;
    for (const data::Field& field : shape.schema.fields) known.push_back(field.name);
    const auto meant = nearest(column.text, known);
    const std::string target = expectation.to_node.empty()
                                   ? "table " + expectation.to_table.to_text()
                                   : "the table of node '" + expectation.to_node + "'";
    return at(
        column.location,
        "expectation '" + expectation.name + "' refers to column '" + column.text +
            "', which " + target + " does not have; " +
            (meant ? "did you mean '" + *meant + "'?" : "it has " + join(known, ", ")));
  }
  return {};
}

// The predicate of a REFERENCE, over the table that it points to: a row with a
// null among its columns refers to nothing, and passes, as a foreign key does.
Result<std::string> reference_predicate(
    const Workspace& workspace, const language::Node& node,
    const language::Expectation& expectation, engine::Session& session,
    const data::Schema& schema, const BatchPlan& plan, const std::string& own_after,
    const GivenRelations* given) {
  LAKEMILL_TRY_OK(check_named_columns(expectation, schema));
  // By its place: names of expectations may differ in case alone.
  std::string relation = "reference at " + to_text(expectation.location);
  if (given != nullptr) {
    LAKEMILL_TRY(auto rows, given_reference(node, expectation, schema, *given));
    LAKEMILL_TRY_OK(session.bind(relation, std::move(rows)));
  } else if (refers_to_own_table(workspace, node, expectation)) {
    relation = own_after;
  } else {
    LAKEMILL_TRY_OK(
        bind_reference(workspace, node, expectation, plan, session, relation));
  }
  LAKEMILL_TRY_OK(check_referred_columns(expectation, session, relation));
  std::vector<std::string> to;
  for (const language::Name& column : expectation.to_columns) to.push_back(column.text);
  const std::string row = quoted_list(expectation.columns);
  std::string any_null;
  for (const std::string& column : expectation.columns) {
    any_null += quote_identifier(column) + " IS NULL OR ";
  }
  const std::string left = expectation.columns.size() == 1 ? row : "(" + row + ")";
  std::string not_null;
  for (const std::string& column : to) {
    not_null +=
        (not_null.empty() ? "" : " AND ") + quote_identifier(column) + " IS NOT NULL";
  }
  const std::string right =
      to.size() == 1 ? quoted_list(to) : "(" + quoted_list(to) + ")";
  return "(" + any_null + left + " IN (SELECT " + right + " FROM " +
         quote_identifier(relation) + " WHERE " + not_null + "))";
}

bool looks_at_rows(const language::Expectation& expectation) {
  return expectation.type == ExpectationType::row ||
         expectation.type == ExpectationType::reference;
}

}  // namespace

Result<std::string> expectation_sql(const language::Expectation& expectation,
                                    const data::Schema& schema) {
  const std::string& text = expectation.expression.text;
  const bool dataframe =
      expectation.expression_language == language::ExpressionLanguage::dataframe ||
      (expectation.expression_language == language::ExpressionLanguage::detect &&
       language::is_expression(text, language::TextContext::expectation));
  if (!dataframe) return "(" + text + "\n)";
  auto compiled = language::compile_expression(text, schema, language::Dialect::duckdb);
  if (!compiled) {
    return at(expectation.expression.location,
              "expectation '" + expectation.name + "': " + compiled.error().message());
  }
  if (expectation.type == ExpectationType::row && compiled->aggregates) {
    return at(expectation.expression.location,
              "expectation '" + expectation.name +
                  "' has an aggregate; give it type: AGGREGATE");
  }
  return "(" + compiled->sql + ")";
}

Result<RowExpectations> row_expectations(
    const Workspace& workspace, const language::Node& node, engine::Session& session,
    const data::Schema& schema, const BatchPlan& plan, const std::string& own_after,
    const GivenRelations* given) {
  RowExpectations result;
  for (const language::Expectation& expectation : node.expectations) {
    if (!looks_at_rows(expectation)) continue;
    auto predicate = expectation.type == ExpectationType::row
                         ? expectation_sql(expectation, schema)
                         : reference_predicate(workspace, node, expectation, session,
                                               schema, plan, own_after, given);
    if (!predicate) return std::move(predicate).error();
    result.checks.push_back(
        {expectation.name, *std::move(predicate), on_fail(expectation.action)});
    result.expectations.push_back(&expectation);
  }
  return result;
}

ExpectationResult judge(const language::Expectation& expectation,
                        std::int64_t failed_rows, std::int64_t checked_rows) {
  ExpectationResult result{expectation.name, ExpectationStatus::passed, failed_rows,
                           checked_rows, ""};
  double allowed = 0;
  if (expectation.tolerance.rows) {
    allowed = static_cast<double>(*expectation.tolerance.rows);
  } else if (expectation.tolerance.share) {
    allowed = *expectation.tolerance.share * static_cast<double>(checked_rows);
  }
  if (static_cast<double>(failed_rows) <= allowed) return result;
  result.status = expectation.action == ExpectationAction::fail
                      ? ExpectationStatus::failed
                      : ExpectationStatus::warned;
  result.message = "expectation '" + expectation.name + "' does not hold for " +
                   std::to_string(failed_rows) + " of " + std::to_string(checked_rows) +
                   (checked_rows == 1 ? " row" : " rows");
  return result;
}

std::vector<ExpectationResult> judge_rows(const RowExpectations& expectations,
                                          const std::vector<std::int64_t>& failed_rows,
                                          std::int64_t checked_rows) {
  std::vector<ExpectationResult> results;
  for (std::size_t i = 0; i < expectations.expectations.size(); ++i) {
    results.push_back(
        judge(*expectations.expectations[i], failed_rows[i], checked_rows));
  }
  return results;
}

}  // namespace lakemill::flow
