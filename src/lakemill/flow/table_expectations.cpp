#include "lakemill/flow/table_expectations.h"

#include "lakemill/base/text.h"
#include "lakemill/data/type_text.h"

namespace lakemill::flow {

namespace {

using language::ExpectationType;

Error at(const language::Location& location, const std::string& message) {
  return {ErrorCode::invalid, to_text(location) + ": " + message};
}

bool looks_at_table(const language::Expectation& expectation) {
  return expectation.type == ExpectationType::aggregate ||
         expectation.type == ExpectationType::unique ||
         expectation.type == ExpectationType::freshness;
}

// The target as it would be after the batch.
std::string after_sql(const TableExpectationInput& input) {
  std::string staged = "SELECT * FROM " + quote_identifier(input.staged);
  if (!input.delete_where.empty()) {
    staged += " AS source WHERE (" + input.delete_where + "\n) IS NOT TRUE";
  }
  if (input.target.empty()) return staged;
  std::string target = "SELECT * FROM " + quote_identifier(input.target);
  if (!input.keys.empty()) {
    std::vector<std::string> keys;
    for (const std::string& key : input.keys) {
      keys.push_back("t." + quote_identifier(key) + " = s." + quote_identifier(key));
    }
    target += " AS t WHERE NOT EXISTS (SELECT 1 FROM " +
              quote_identifier(input.staged) + " AS s WHERE " + join(keys, " AND ") +
              ")";
  }
  return "(" + target + ") UNION ALL BY NAME (" + staged + ")";
}

Result<std::int64_t> count(engine::Session& session, const std::string& sql,
                           engine::Origin origin) {
  LAKEMILL_TRY(const data::Rows rows, session.query(sql, origin, 1));
  if (rows.rows.empty() || rows.rows[0].empty()) return std::int64_t{0};
  const auto* number = std::get_if<std::int64_t>(&rows.rows[0][0]);
  return number == nullptr ? std::int64_t{0} : *number;
}

// The rows that repeat the columns of an earlier one; rows with a null among them do
// not.
std::string repeated_sql(const language::Expectation& expectation,
                         const std::string& after) {
  std::vector<std::string> columns;
  std::vector<std::string> present;
  for (const std::string& column : expectation.columns) {
    columns.push_back(quote_identifier(column));
    present.push_back(columns.back() + " IS NOT NULL");
  }
  return "SELECT coalesce(sum(n - 1), 0)::BIGINT FROM (SELECT count(*) AS n FROM " +
         after + " WHERE " + join(present, " AND ") + " GROUP BY " +
         join(columns, ", ") + ")";
}

Result<std::int64_t> failures(const language::Expectation& expectation,
                              engine::Session& session, const std::string& after,
                              const TableExpectationInput& input) {
  if (expectation.type == ExpectationType::unique) {
    return count(session, repeated_sql(expectation, after), engine::Origin::lakemill);
  }
  if (expectation.type == ExpectationType::freshness) {
    const auto age_us = expectation.max_age.count();
    return count(
        session,
        "SELECT CASE WHEN max(" + quote_identifier(expectation.freshness_column) +
            ")::TIMESTAMPTZ >= TIMESTAMPTZ " +
            quote_literal(format_instant(input.now)) + " - to_microseconds(" +
            std::to_string(age_us) + ") THEN 0 ELSE 1 END::BIGINT FROM " + after,
        engine::Origin::lakemill);
  }
  LAKEMILL_TRY(const std::string predicate, expectation_sql(expectation, input.schema));
  return count(
      session,
      "SELECT CASE WHEN " + predicate + " THEN 0 ELSE 1 END::BIGINT FROM " + after,
      engine::Origin::pipeline);
}

ExpectationResult schema_result(const std::string& name, const std::string& fault,
                                language::ExpectationAction action) {
  if (fault.empty()) return {name, ExpectationStatus::passed, 0, 1, ""};
  const auto status = action == language::ExpectationAction::fail
                          ? ExpectationStatus::failed
                          : ExpectationStatus::warned;
  return {name, status, 1, 1, "expectation '" + name + "': " + fault};
}

// What is wrong with one promised column, or nothing.
Result<std::string> column_fault(const std::string& name, const std::string& type,
                                 const language::Location& location,
                                 const data::Schema& schema) {
  const data::Field* field = schema.find(name);
  if (field == nullptr) return "column " + name + " is missing";
  if (type.empty()) return std::string();
  auto promised = data::type_from_text(type);
  if (!promised) return at(location, promised.error().message());
  if (to_text(*promised) == to_text(field->type)) return std::string();
  return "column " + name + " is " + to_text(field->type) + ", not " +
         to_text(*promised);
}

}  // namespace

bool has_table_expectations(const language::Node& node) {
  for (const language::Expectation& expectation : node.expectations) {
    if (looks_at_table(expectation)) return true;
  }
  return false;
}

Result<std::vector<ExpectationResult>> judge_table(const language::Node& node,
                                                   engine::Session& session,
                                                   const TableExpectationInput& input) {
  const std::string name = node.name + ".after";
  LAKEMILL_TRY_OK(session.bind_query(name, after_sql(input), engine::Origin::lakemill));
  const std::string after = quote_identifier(name);
  LAKEMILL_TRY(const std::int64_t rows, count(session, "SELECT count(*) FROM " + after,
                                              engine::Origin::lakemill));
  std::vector<ExpectationResult> results;
  for (const language::Expectation& expectation : node.expectations) {
    if (!looks_at_table(expectation)) continue;
    std::int64_t failed = 0;
    if (rows > 0) {
      auto counted = failures(expectation, session, after, input);
      if (!counted) {
        return at(expectation.location, "expectation '" + expectation.name +
                                            "': " + counted.error().message());
      }
      failed = *counted;
    }
    const bool by_row = expectation.type == ExpectationType::unique;
    results.push_back(judge(expectation, failed, by_row ? rows : 1));
  }
  return results;
}

Result<std::vector<ExpectationResult>> judge_schema(const language::Node& node,
                                                    const data::Schema& schema) {
  std::vector<ExpectationResult> results;
  for (const language::Expectation& expectation : node.expectations) {
    if (expectation.type != ExpectationType::schema) continue;
    std::string faults;
    for (const language::ColumnSpec& column : expectation.schema_columns) {
      LAKEMILL_TRY(const std::string fault,
                   column_fault(column.name, column.type, column.location, schema));
      if (!fault.empty()) faults += (faults.empty() ? "" : "; ") + fault;
    }
    results.push_back(schema_result(expectation.name, faults, expectation.action));
  }
  for (const language::ColumnContract& column : node.columns) {
    LAKEMILL_TRY(const std::string fault,
                 column_fault(column.name, column.type, column.location, schema));
    if (fault.empty()) continue;
    results.push_back(schema_result("column " + column.name, fault,
                                    language::ExpectationAction::fail));
  }
  return results;
}

}  // namespace lakemill::flow
