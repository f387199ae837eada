// Session::write: one pass through a query, its row checks and its targets.

#include "lakemill/engine_duckdb/write_query.h"

#include <set>

#include <duckdb/parser/parser.hpp>
#include <duckdb/planner/binder.hpp>

#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/duckdb_session.h"
#include "lakemill/engine_duckdb/error_mapping.h"
#include "lakemill/engine_duckdb/row_checks.h"
#include "lakemill/engine_duckdb/staged_files.h"
#include "lakemill/engine_duckdb/type_mapping.h"

namespace lakemill::engine_duckdb {

namespace {

using engine::OnFail;
using engine::RowCheck;
using engine::WriteResult;
using engine::WriteSpec;

constexpr std::string_view kCheckPrefix = "_lakemill_check_";
constexpr const char* kFailedNames = "_failed_expectations";

std::string check_column(std::size_t index) {
  return std::string(kCheckPrefix) + std::to_string(index);
}

// A predicate becomes part of a statement of ours: it must be one expression by itself.
Status parse_predicate(const RowCheck& check) {
  try {
    const auto parsed = duckdb::Parser::ParseExpressionList(check.predicate + "\n");
    if (parsed.size() == 1) return {};
  } catch (const std::exception& exception) {
    return to_error(exception, check.predicate)
        .while_doing("expectation " + check.name);
  }
  return Error(ErrorCode::invalid,
               "expectation " + check.name + " must be one SQL expression");
}

Status validate(const WriteSpec& spec) {
  for (const RowCheck& check : spec.checks) {
    LAKEMILL_TRY_OK(parse_predicate(check));
    if (check.on_fail == OnFail::quarantine && !spec.quarantine) {
      return Error(ErrorCode::invalid,
                   "expectation " + check.name +
                       " quarantines rows, but there is no quarantine sink");
    }
  }
  return {};
}

Status refuse_bad_names(const std::vector<std::string>& names) {
  std::set<std::string> seen;
  for (const std::string& name : names) {
    if (!seen.insert(to_lower(name)).second) {
      return Error(ErrorCode::invalid, "column " + name +
                                           " is in the query twice (names are compared "
                                           "without case); rename one of them");
    }
    if (to_lower(name).starts_with(kCheckPrefix)) {
      return Error(ErrorCode::invalid, "column " + name + ": names that begin with " +
                                           std::string(kCheckPrefix) + " are reserved");
    }
  }
  return {};
}

// The query that gives the rows that pass. Its checks are bound as a query by itself,
// so that names of tables mean in them what they mean in a pipeline's SQL.
Result<std::string> checked_rows_sql(DuckdbSession& session, const WriteSpec& spec) {
  if (spec.checks.empty()) return spec.sql;
  constexpr const char* kName = "_lakemill_checked";
  LAKEMILL_TRY_OK(
      session.bind_query(kName, checked_query_sql(spec), engine::Origin::lakemill));
  return "SELECT * FROM lakemill_check_rows((SELECT * FROM " + std::string(kName) +
         "))";
}

// The quarantined rows with the names of the checks that put them there.
RowsToWrite quarantined_rows(const WriteSpec& spec, const QueryColumns& columns) {
  QueryColumns kept;
  std::vector<std::string> list;
  for (std::size_t i = 0; i < columns.names.size(); ++i) {
    if (columns.names[i].starts_with("_lakemill_")) continue;
    kept.names.push_back(columns.names[i]);
    kept.types.push_back(columns.types[i]);
    list.push_back(quote_identifier(columns.names[i]));
  }
  std::vector<std::string> failed;
  for (std::size_t i = 0; i < spec.checks.size(); ++i) {
    if (spec.checks[i].on_fail != OnFail::quarantine) continue;
    failed.push_back("CASE WHEN " + check_column(i) + " IS NOT TRUE THEN " +
                     quote_literal(spec.checks[i].name) + " END");
  }
  list.push_back("list_filter([" + join(failed, ", ") +
                 "]::VARCHAR[], lambda x: x IS NOT NULL) AS " + kFailedNames);
  RowsToWrite rows{"SELECT " + join(list, ", ") + " FROM lakemill_quarantined_rows()",
                   std::move(kept)};
  rows.columns.names.emplace_back(kFailedNames);
  rows.columns.types.push_back(duckdb::LogicalType::LIST(duckdb::LogicalType::VARCHAR));
  return rows;
}

// A file of text takes columns whose type no table has (intervals, say).
bool writes_text(const WriteSpec& spec) {
  const auto* file = std::get_if<engine::FileTarget>(&spec.target);
  return file != nullptr && file->format != engine::FileFormat::parquet;
}

bool quarantines(const WriteSpec& spec) {
  for (const RowCheck& check : spec.checks) {
    if (check.on_fail == OnFail::quarantine) return true;
  }
  return false;
}

}  // namespace

std::string checked_query_sql(const WriteSpec& spec) {
  std::string sql = "SELECT _lakemill_query.*";
  for (std::size_t i = 0; i < spec.checks.size(); ++i) {
    sql +=
        ", CAST((" + spec.checks[i].predicate + "\n) AS BOOLEAN) AS " + check_column(i);
  }
  return sql + " FROM (" + spec.sql + "\n) AS _lakemill_query";
}

Result<QueryColumns> columns_of(DuckdbSession& session, std::string_view sql) {
  QueryColumns columns;
  auto bound = session.watch([&] {
    auto& context = *session.connection().context;
    context.RunFunctionInTransaction([&] {
      duckdb::Parser parser(context.GetParserOptions());
      parser.ParseQuery(std::string(sql));
      if (parser.statements.size() != 1) {
        throw duckdb::InvalidInputException("expected one SELECT statement");
      }
      const auto binder = duckdb::Binder::CreateBinder(context);
      binder->SetCanContainNulls(
          true);  // NULL keeps its own type, which fits any other
      const auto statement = binder->Bind(*parser.statements[0]);
      columns.names = {statement.names.begin(), statement.names.end()};
      columns.types = statement.types;
    });
  });
  if (!bound) return std::move(bound).error();
  return columns;
}

Result<WriteResult> write_query(DuckdbSession& session, const WriteSpec& spec) {
  LAKEMILL_TRY_OK(validate(spec));
  WriteResult result;
  RowsToWrite rows;
  LAKEMILL_TRY(rows.columns, columns_of(session, spec.sql));
  LAKEMILL_TRY_OK(refuse_bad_names(rows.columns.names));
  auto schema = from_duckdb(rows.columns.names, rows.columns.types);
  if (schema) {
    result.schema = *std::move(schema);
  } else if (!writes_text(spec)) {
    return std::move(schema).error();
  }

  std::vector<OnFail> checks;
  for (const RowCheck& check : spec.checks) checks.push_back(check.on_fail);
  RowCheckRun run(std::move(checks), nullptr);
  const ActiveRowChecks active(session.connection(), run);
  LAKEMILL_TRY(rows.sql, checked_rows_sql(session, spec));
  LAKEMILL_TRY(StagedRows written, stage(session, rows, spec.target));

  StagedRows aside;
  if (quarantines(spec)) {
    auto staged =
        stage(session, quarantined_rows(spec, rows.columns), *spec.quarantine);
    if (!staged) {
      written.discard(session);
      return std::move(staged).error().while_doing("quarantine");
    }
    aside = std::move(*staged);
    if (auto published = aside.publish(session); !published) {
      written.discard(session);
      return std::move(published).error().while_doing("quarantine");
    }
  }
  if (auto published = written.publish(session); !published) {
    aside.discard(session);
    return std::move(published).error();
  }
  result.files = written.files();
  result.quarantine_files = aside.files();
  result.written_rows = written.row_count();
  result.input_rows = spec.checks.empty() ? written.row_count() : run.input_rows();
  result.dropped_rows = run.dropped_rows();
  result.quarantined_rows = run.quarantined_rows();
  result.failed_rows = run.failed_rows();
  return result;
}

}  // namespace lakemill::engine_duckdb
