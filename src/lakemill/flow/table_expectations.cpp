#include "lakemill/flow/table_expectations.h"

#include <array>

#include "lakemill/base/quoted_list.h"
#include "lakemill/base/text.h"
#include "lakemill/data/type_text.h"
#include "lakemill/flow/comparison_sides.h"
#include "lakemill/flow/named_columns.h"

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
  std::vector<std::string> present;
  for (const std::string& column : expectation.columns) {
    present.push_back(quote_identifier(column) + " IS NOT NULL");
  }
  return "SELECT coalesce(sum(n - 1), 0)::BIGINT FROM (SELECT count(*) AS n FROM " +
         after + " WHERE " + join(present, " AND ") + " GROUP BY " +
         quoted_list(expectation.columns) + ")";
}

// "3 d 4 h": the two largest units that count.
std::string duration_text(std::int64_t micros) {
  struct Unit {
    std::int64_t micros;
    const char* name;
  };
  constexpr std::int64_t kSecond = 1'000'000;
  constexpr std::array kUnits = {Unit{86'400 * kSecond, " d"},
                                 Unit{3'600 * kSecond, " h"},
                                 Unit{60 * kSecond, " min"}, Unit{kSecond, " s"}};
  std::string text;
  int shown = 0;
  for (const Unit& unit : kUnits) {
    const std::int64_t count = micros / unit.micros;
    micros -= count * unit.micros;
    if (shown > 0) ++shown;
    if (count > 0) {
      text += (text.empty() ? "" : " ") + std::to_string(count) + unit.name;
      if (shown == 0) shown = 1;
    }
    if (shown == 2) break;
  }
  return text.empty() ? "less than 1 s" : text;
}

// What a table expectation came to. `fault`: what is wrong, where the count of rows
// does not say it.
struct Finding {
  std::int64_t failed = 0;
  std::string fault;
};

Result<Finding> look_at_age(const language::Expectation& expectation,
                            engine::Session& session, const std::string& after,
                            Instant now) {
  const std::string column = quote_identifier(expectation.freshness_column);
  const std::string newest_sql = "max(" + column + ")::TIMESTAMPTZ";
  LAKEMILL_TRY(const data::Rows rows, session.query("SELECT epoch_us(" + newest_sql +
                                                        ")::BIGINT FROM " + after,
                                                    engine::Origin::lakemill, 1));
  const std::int64_t* newest = rows.rows.empty() || rows.rows[0].empty()
                                   ? nullptr
                                   : std::get_if<std::int64_t>(&rows.rows[0][0]);
  const std::string allowed = duration_text(expectation.max_age.count());
  if (newest == nullptr) {
    return Finding{1, "column " + expectation.freshness_column +
                          " holds no value; allowed is an age of " + allowed};
  }
  const Instant when{std::chrono::microseconds(*newest)};
  const auto age = std::chrono::duration_cast<std::chrono::microseconds>(now - when);
  if (age <= expectation.max_age) return Finding{};
  return Finding{1, "the newest value of column " + expectation.freshness_column +
                        " is " + format_instant(when) + ", " +
                        duration_text(age.count()) + " before this batch (" +
                        format_instant(now) + "); allowed is an age of " + allowed};
}

// What an aggregate that does not hold came to: "sum(v) > 10 does not hold: sum(v) is
// 7". Values are left out where the expression is not one comparison.
// `predicate`: its SQL, in parentheses.
std::string aggregate_fault(const language::Expectation& expectation,
                            std::string_view predicate, engine::Session& session,
                            const std::string& after) {
  const std::string text =
      std::string(trim(expectation.expression.text)) + " does not hold";
  const auto sides = comparison_sides(predicate.substr(1, predicate.size() - 2));
  if (!sides) return text;
  const auto rows = session.query("SELECT (" + sides->left + ")::VARCHAR, (" +
                                      sides->right + ")::VARCHAR FROM " + after,
                                  engine::Origin::pipeline, 1);
  if (!rows || rows->rows.empty() || rows->rows[0].size() != 2) return text;
  std::string values;
  for (std::size_t side = 0; side < 2; ++side) {
    const std::string& sql = side == 0 ? sides->left : sides->right;
    const auto* value = std::get_if<std::string>(&rows->rows[0][side]);
    const std::string shown = value == nullptr ? "null" : *value;
    if (shown == sql) continue;  // a number, as it was written
    values += (values.empty() ? ": " : ", ") + sql + " is " + shown;
  }
  return text + values;
}

Result<Finding> look_at(const language::Expectation& expectation,
                        engine::Session& session, const std::string& after,
                        const data::Schema& schema, Instant now) {
  Finding finding;
  if (expectation.type == ExpectationType::unique) {
    LAKEMILL_TRY(finding.failed, count(session, repeated_sql(expectation, after),
                                       engine::Origin::lakemill));
    return finding;
  }
  if (expectation.type == ExpectationType::freshness) {
    return look_at_age(expectation, session, after, now);
  }
  LAKEMILL_TRY(const std::string predicate, expectation_sql(expectation, schema));
  LAKEMILL_TRY(finding.failed,
               count(session,
                     "SELECT max(failed) FROM (SELECT CASE WHEN " + predicate +
                         " THEN 0 ELSE 1 END::BIGINT AS failed FROM " + after + ")",
                     engine::Origin::pipeline));
  if (finding.failed > 0) {
    finding.fault = aggregate_fault(expectation, predicate, session, after);
  }
  return finding;
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
  return !table_expectations(node).empty();
}

std::vector<std::string> table_expectations(const language::Node& node) {
  std::vector<std::string> names;
  for (const language::Expectation& expectation : node.expectations) {
    if (looks_at_table(expectation)) names.push_back(expectation.name);
  }
  return names;
}

Result<std::vector<ExpectationResult>> judge_table(const language::Node& node,
                                                   engine::Session& session,
                                                   const std::string& after,
                                                   Instant now) {
  const std::string relation = quote_identifier(after);
  LAKEMILL_TRY(const engine::QueryShape shape,
               session.describe("SELECT * FROM " + relation, engine::Origin::lakemill));
  LAKEMILL_TRY(
      const std::int64_t rows,
      count(session, "SELECT count(*) FROM " + relation, engine::Origin::lakemill));
  std::vector<ExpectationResult> results;
  for (const language::Expectation& expectation : node.expectations) {
    if (!looks_at_table(expectation)) continue;
    LAKEMILL_TRY_OK(check_named_columns(expectation, shape.schema));
    Finding finding;
    if (rows > 0) {
      auto found = look_at(expectation, session, relation, shape.schema, now);
      if (!found) {
        return at(expectation.location,
                  "expectation '" + expectation.name + "': " + found.error().message());
      }
      finding = *std::move(found);
    }
    const bool by_row = expectation.type == ExpectationType::unique;
    ExpectationResult result = judge(expectation, finding.failed, by_row ? rows : 1);
    if (!result.message.empty() && !finding.fault.empty()) {
      result.message = "expectation '" + expectation.name + "': " + finding.fault;
    }
    results.push_back(std::move(result));
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
