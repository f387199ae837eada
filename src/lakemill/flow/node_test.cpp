#include "lakemill/flow/node_test.h"

#include <algorithm>

#include "lakemill/base/text.h"
#include "lakemill/flow/declared_schema.h"
#include "lakemill/flow/node_query.h"
#include "lakemill/flow/row_expectations.h"
#include "lakemill/flow/table_expectations.h"
#include "lakemill/sources/file_listing.h"

namespace lakemill::flow {

namespace {

constexpr std::int64_t kShownRowsMax = 10;  // of each kind of difference

engine::FileFormat format_of(const std::string& path) {
  const std::string lower = to_lower(path);
  if (lower.ends_with(".csv")) return engine::FileFormat::csv;
  if (lower.ends_with(".parquet")) return engine::FileFormat::parquet;
  if (lower.ends_with(".json")) return engine::FileFormat::json;
  return engine::FileFormat::jsonl;
}

class Test {
 public:
  Test(const Workspace& workspace, const language::PipelineTest& test)
      : workspace_(workspace), test_(test) {}

  // Nothing, or what is wrong.
  Result<std::string> run() {
    const language::Node* node = workspace_.pipeline.find_node(test_.node);
    if (node == nullptr) {
      return Error(ErrorCode::invalid,
                   to_text(test_.location) + ": no node '" + test_.node + "'");
    }
    const auto ran = run_node(*node);
    if (!test_.expect_error) {
      if (!ran) return ran.error();
      return compare_all();
    }
    if (ran) return "it was to fail with '" + *test_.expect_error + "', but succeeded";
    if (ran.error().message().find(*test_.expect_error) != std::string::npos) {
      return std::string();
    }
    return "it was to fail with '" + *test_.expect_error +
           "', but failed with: " + ran.error().message();
  }

 private:
  Status run_node(const language::Node& node) {
    GivenRelations given;
    for (const language::GivenRows& rows : test_.given) {
      LAKEMILL_TRY(auto relation, relation_of(rows.rows, {}));
      given.emplace(rows.name, std::move(relation));
    }
    BatchPlan plan;
    plan.run_id = "test";
    plan.now = workspace_.clock.now();
    if (!test_.now.empty()) {
      LAKEMILL_TRY(plan.now, parse_instant(test_.now));
    }
    LAKEMILL_TRY(session_, workspace_.engine.open_session(
                               session_options(workspace_, plan, {}, {})));
    FlowState state = flow_state(workspace_, node);
    LAKEMILL_TRY(const auto query, NodeQuery::open_over(workspace_, node, given));
    LAKEMILL_TRY(const std::string rows, query->bind(*session_, plan, {}));
    LAKEMILL_TRY(const auto shape,
                 session_->describe("SELECT * FROM " + quote_identifier(rows),
                                    engine::Origin::lakemill));
    schema_ = shape.schema;
    LAKEMILL_TRY(const auto checks,
                 row_expectations(workspace_, node, *session_, schema_, plan, &given));
    engine::WriteSpec spec;
    spec.sql = "SELECT * FROM " + quote_identifier(rows);
    spec.checks = checks.checks;
    spec.target = engine::TemporaryTarget{"test.kept"};
    spec.quarantine = engine::TemporaryTarget{"test.quarantined"};
    LAKEMILL_TRY(const auto written, session_->write(spec));
    LAKEMILL_TRY_OK(none_failed(judge_schema(node, schema_)));
    LAKEMILL_TRY_OK(
        none_failed(judge_rows(checks, written.failed_rows, written.input_rows)));
    // What a merge would make of the rows is not known here.
    if (merges(node)) return {};
    return none_failed(judge_table(node, *session_, "test.kept", plan.now));
  }

  static bool merges(const language::Node& node) {
    const language::Sink* sink = node.primary_sink();
    return sink != nullptr && sink->merge_cdc_options.has_value();
  }

  static Status none_failed(Result<std::vector<ExpectationResult>> results) {
    if (!results) return std::move(results).error();
    for (const ExpectationResult& result : *results) {
      if (result.status == ExpectationStatus::failed) {
        return Error(ErrorCode::invalid, result.message);
      }
    }
    return {};
  }

  Result<engine::Relation> relation_of(const language::TestRows& rows,
                                       std::optional<data::Schema> schema) {
    if (rows.path.empty()) {
      LAKEMILL_TRY(std::string json, dataframe_rows(rows.rows));
      return engine::Relation(engine::RowsRelation{std::move(json), std::move(schema)});
    }
    LAKEMILL_TRY(const std::string path, absolute_path(workspace_, rows.path));
    LAKEMILL_TRY(const auto file, sources::find_file(workspace_.stores, path));
    if (!file) {
      return Error(ErrorCode::not_found, to_text(rows.location) + ": the test names " +
                                             path + ", and no such file is there");
    }
    engine::FilesRelation files;
    files.format = format_of(path);
    files.infer_schema = true;
    files.schema = std::move(schema);
    files.files = {{path, 1, 0}};
    return engine::Relation(std::move(files));
  }

  Result<std::string> compare_all() {
    if (test_.expect) {
      LAKEMILL_TRY(const std::string difference, compare(*test_.expect, "test.kept"));
      if (!difference.empty()) return difference;
    }
    if (test_.expect_quarantine) {
      LAKEMILL_TRY(const std::string difference,
                   compare(*test_.expect_quarantine, "test.quarantined"));
      if (!difference.empty()) return "quarantine: " + difference;
    }
    return std::string();
  }

  Result<std::string> compare(const language::TestRows& expected,
                              const std::string& actual) {
    LAKEMILL_TRY(const data::Schema there, schema_of(quote_identifier(actual)));
    if (expected.path.empty() && expected.rows.is_list() &&
        expected.rows.items.empty()) {
      return count_only(actual);
    }
    LAKEMILL_TRY(auto loose, relation_of(expected, {}));
    LAKEMILL_TRY_OK(session_->bind("test.loose", std::move(loose)));
    LAKEMILL_TRY(const data::Schema named, schema_of("\"test.loose\""));
    data::Schema compared;
    std::vector<std::string> columns;
    for (const data::Field& field : named.fields) {
      const data::Field* match = there.find(field.name);
      if (match == nullptr) {
        return "column '" + field.name + "' is expected, but not there";
      }
      compared.fields.push_back({field.name, match->type, true});
      columns.push_back(compared_sql(quote_identifier(field.name), *match));
    }
    if (columns.empty()) return count_only(actual);
    LAKEMILL_TRY(auto typed, relation_of(expected, std::move(compared)));
    LAKEMILL_TRY_OK(session_->bind("test.expected", std::move(typed)));
    const std::string list = join(columns, ", ");
    const std::string have =
        "(SELECT " + list + " FROM " + quote_identifier(actual) + ")";
    const std::string want = "(SELECT " + list + " FROM \"test.expected\")";
    LAKEMILL_TRY(const std::string missing, difference("missing", want, have));
    LAKEMILL_TRY(const std::string surplus, difference("not expected", have, want));
    return missing + surplus;
  }

  // Floating-point numbers by the digits that they surely have: 1.1 + 2.2 is 3.3.
  static std::string compared_sql(const std::string& column, const data::Field& field) {
    const data::TypeKind kind = field.type.kind;
    if (kind == data::TypeKind::float64) {
      return "printf('%.14g', " + column + ") AS " + column;
    }
    if (kind == data::TypeKind::float32) {
      return "printf('%.6g', " + column + ") AS " + column;
    }
    return column;
  }

  // An empty list of rows says that there are none.
  Result<std::string> count_only(const std::string& actual) {
    LAKEMILL_TRY(const data::Rows rows,
                 session_->query("SELECT * FROM " + quote_identifier(actual),
                                 engine::Origin::lakemill, kShownRowsMax));
    if (rows.rows.empty()) return std::string();
    return std::string("no rows are expected, but there are some");
  }

  Result<data::Schema> schema_of(const std::string& relation) {
    LAKEMILL_TRY(auto shape, session_->describe("SELECT * FROM " + relation,
                                                engine::Origin::lakemill));
    return std::move(shape.schema);
  }

  Result<std::string> difference(const std::string& label, const std::string& left,
                                 const std::string& right) {
    LAKEMILL_TRY(const data::Rows rows,
                 session_->query(left + " EXCEPT ALL " + right,
                                 engine::Origin::lakemill, kShownRowsMax));
    std::string text;
    for (const auto& row : rows.rows) {
      std::vector<std::string> cells;
      for (std::size_t i = 0; i < row.size(); ++i) {
        cells.push_back(rows.schema.fields[i].name + ": " + data::to_text(row[i]));
      }
      text += "\n  " + label + ": " + join(cells, ", ");
    }
    return text;
  }

  const Workspace& workspace_;
  const language::PipelineTest& test_;
  std::unique_ptr<engine::Session> session_;
  data::Schema schema_;
};

}  // namespace

TestResult run_test(const Workspace& workspace, const language::PipelineTest& test) {
  const auto message = Test(workspace, test).run();
  TestResult result{test.name, test.node, false, ""};
  if (!message) {
    result.message = message.error().message();
  } else {
    result.message = *message;
    result.passed = message->empty();
  }
  return result;
}

}  // namespace lakemill::flow
