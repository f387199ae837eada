#include "lakemill/flow/node_test.h"

#include <algorithm>

#include "lakemill/base/quoted_list.h"
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

// The changes that a merge applies: those with a key and a place in their order.
std::string applied_sql(const language::MergeCdcOptions& merge,
                        const std::string& changes) {
  std::vector<std::string> present = {"true"};
  const auto need = [&](const std::vector<std::string>& columns) {
    for (const std::string& column : columns) {
      present.push_back(quote_identifier(column) + " IS NOT NULL");
    }
  };
  if (!merge.null_equals_null) need(merge.primary_keys);
  need(merge.order_by);
  return "(SELECT DISTINCT * FROM " + quote_identifier(changes) + " WHERE " +
         join(present, " AND ") + ")";
}

// Keys of which the rows alone do not tell which change is the last.
std::string unsettled_sql(const language::MergeCdcOptions& merge,
                          const std::string& changes) {
  std::vector<std::string> columns = merge.primary_keys;
  columns.insert(columns.end(), merge.order_by.begin(), merge.order_by.end());
  return "SELECT 1 FROM " + applied_sql(merge, changes) + " GROUP BY " +
         quoted_list(columns) + " HAVING count(*) > 1";
}

// What a merge of such changes into an empty table makes.
std::string merged_sql(const language::MergeCdcOptions& merge,
                       const std::string& changes, const data::Schema& schema) {
  const auto has = [](const std::vector<std::string>& names, const std::string& name) {
    return std::any_of(names.begin(), names.end(), [&](const std::string& known) {
      return equals_ignoring_case(known, name);
    });
  };
  std::vector<std::string> columns;
  for (const data::Field& field : schema.fields) {
    const bool is_left_out =
        (!merge.include_columns.empty() && !has(merge.include_columns, field.name)) ||
        has(merge.exclude_columns, field.name);
    if (is_left_out && !has(merge.primary_keys, field.name)) continue;
    columns.push_back(field.name);
  }
  std::vector<std::string> order;
  for (const std::string& column : merge.order_by) {
    order.push_back(quote_identifier(column) + " DESC");
  }
  const std::string last =
      "row_number() OVER (PARTITION BY " + quoted_list(merge.primary_keys) +
      (order.empty() ? "" : " ORDER BY " + join(order, ", ")) + ") = 1";
  const std::string is_delete =
      merge.delete_where.empty()
          ? "false"
          : "coalesce((" + merge.delete_where.text + "\n), false)";
  return "SELECT " + quoted_list(columns) + " FROM (SELECT *, " + is_delete +
         " AS _lakemill_deleted FROM " + applied_sql(merge, changes) +
         " AS source QUALIFY " + last + ") WHERE NOT _lakemill_deleted";
}

class Test {
 public:
  Test(const Workspace& workspace, const language::PipelineTest& test)
      : workspace_(workspace), test_(test) {}

  const std::string& note() const { return note_; }

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
    if (ran) {
      return "it was to fail with '" + *test_.expect_error + "', but succeeded" +
             (note_.empty() ? "" : "; " + note_);
    }
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
    LAKEMILL_TRY(const auto checks, row_expectations(workspace_, node, *session_,
                                                     schema_, plan, "", &given));
    quarantines_ = std::any_of(node.expectations.begin(), node.expectations.end(),
                               [](const auto& expectation) {
                                 return expectation.action ==
                                        language::ExpectationAction::quarantine;
                               });
    engine::WriteSpec spec;
    spec.sql = "SELECT * FROM " + quote_identifier(rows);
    spec.checks = checks.checks;
    spec.target = engine::TemporaryTarget{"test.kept"};
    spec.quarantine = engine::TemporaryTarget{"test.quarantined"};
    LAKEMILL_TRY(const auto written, session_->write(spec));
    LAKEMILL_TRY_OK(none_failed(judge_schema(node, schema_)));
    LAKEMILL_TRY_OK(
        none_failed(judge_rows(checks, written.failed_rows, written.input_rows)));
    if (!has_table_expectations(node)) return {};
    LAKEMILL_TRY(const std::string after, table_after(node, "test.kept"));
    if (after.empty()) return {};
    return none_failed(judge_table(node, *session_, after, plan.now));
  }

  // The table as it would be after `kept`, if it was empty; "" with a note where a
  // merge makes of them what a run only tells.
  Result<std::string> table_after(const language::Node& node, const std::string& kept) {
    const language::Sink* sink = node.primary_sink();
    if (sink == nullptr || !sink->merge_cdc_options) return kept;
    const language::MergeCdcOptions& merge = *sink->merge_cdc_options;
    const bool is_plain = merge.scd_type == 1 && !merge.ignore_null_updates &&
                          merge.truncate_where.empty() &&
                          merge.delete_mode == language::DeleteMode::hard;
    if (is_plain) {
      LAKEMILL_TRY(
          const data::Rows unsettled,
          session_->query(unsettled_sql(merge, kept), engine::Origin::lakemill, 1));
      if (unsettled.rows.empty()) {
        std::string merged = "test.merged";
        LAKEMILL_TRY_OK(session_->bind_query(merged, merged_sql(merge, kept, schema_),
                                             engine::Origin::pipeline));
        return merged;
      }
    }
    note_ = "not judged: " + quoted_names(table_expectations(node)) +
            ", of the table as the merge makes it, which " +
            (is_plain ? "these rows alone do not tell (changes of one key at an equal "
                        "place in their order)"
                      : "a run only knows");
    return std::string();
  }

  static std::string quoted_names(const std::vector<std::string>& names) {
    return (names.size() == 1 ? "expectation '" : "expectations '") +
           join(names, "', '") + "'";
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
    if (test_.expect_quarantine && !quarantines_) {
      const language::TestRows& rows = *test_.expect_quarantine;
      if (rows.path.empty() && rows.rows.is_list() && rows.rows.items.empty()) {
        return std::string();
      }
      return "rows are expected in quarantine, but no expectation of node " +
             test_.node + " has the action QUARANTINE";
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
  bool quarantines_ = false;
  std::string note_;
};

}  // namespace

TestResult run_test(const Workspace& workspace, const language::PipelineTest& test) {
  Test run(workspace, test);
  const auto message = run.run();
  TestResult result{test.name, test.node, false, "", run.note()};
  if (!message) {
    result.message = message.error().message();
  } else {
    result.message = *message;
    result.passed = message->empty();
  }
  return result;
}

}  // namespace lakemill::flow
