// Session::write on Spark: rows are staged as views that Spark keeps on its disks, with
// the checks of the pass that makes them; then Delta for Spark commits them.
#include <algorithm>

#include "lakemill/base/text.h"
#include "lakemill/engine_spark/spark_session.h"
#include "lakemill/engine_spark/spark_types.h"

namespace lakemill::engine_spark {

namespace {

using engine::OnFail;
using engine::Origin;
using engine::WriteSpec;

constexpr const char* kFailedNames = "_failed_expectations";

std::string check_column(std::size_t index) {
  return "_lakemill_check_" + std::to_string(index);
}

// True where a check of that kind does not hold; null does not hold.
std::string any_failed(const WriteSpec& spec, OnFail kind) {
  std::vector<std::string> failed;
  for (std::size_t i = 0; i < spec.checks.size(); ++i) {
    if (spec.checks[i].on_fail == kind) {
      failed.push_back("NOT coalesce(" + check_column(i) + ", false)");
    }
  }
  return failed.empty() ? "false" : "(" + join(failed, " OR ") + ")";
}

std::string column_list(const data::Schema& schema) {
  std::vector<std::string> columns;
  for (const data::Field& field : schema.fields) {
    columns.push_back(quote_name(field.name));
  }
  return join(columns, ", ");
}

// The names of the quarantine checks that a row fails.
std::string failed_names_sql(const WriteSpec& spec) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < spec.checks.size(); ++i) {
    if (spec.checks[i].on_fail != OnFail::quarantine) continue;
    names.push_back("IF(coalesce(" + check_column(i) + ", false), NULL, " +
                    quote_text(spec.checks[i].name) + ")");
  }
  return "filter(array(" + join(names, ", ") + "), x -> x IS NOT NULL) AS " +
         quote_name(kFailedNames);
}

data::Schema with_failed_names(data::Schema schema) {
  schema.fields.push_back(
      {kFailedNames, data::make_array(data::make_type(data::TypeKind::string), true)});
  return schema;
}

// The counts that stage() asks for, in this order: rows, kept, dropped, quarantined,
// then failures of each check.
data::Schema count_schema(std::size_t check_count) {
  constexpr std::size_t kTotals = 4;
  data::Schema schema;
  for (std::size_t i = 0; i < kTotals + check_count; ++i) {
    schema.fields.push_back(
        {"n" + std::to_string(i), data::make_type(data::TypeKind::int64)});
  }
  return schema;
}

std::int64_t count_at(const data::Rows& rows, std::size_t index) {
  if (rows.rows.empty() || rows.rows[0].size() <= index) return 0;
  const auto* count = std::get_if<std::int64_t>(&rows.rows[0][index]);
  return count == nullptr ? 0 : *count;
}

// The batch's rows as the table takes them: its columns by name, null where the batch
// lacks one.
Result<std::string> table_rows(const std::string& rows, const data::Schema& query,
                               const data::Schema& table) {
  std::vector<std::string> columns;
  for (const data::Field& field : table.fields) {
    LAKEMILL_TRY(const std::string type, spark_type(field.type));
    const data::Field* given = query.find(field.name);
    columns.push_back("CAST(" + (given == nullptr ? "NULL" : quote_name(given->name)) +
                      " AS " + type + ") AS " + quote_name(field.name));
  }
  return "SELECT " + join(columns, ", ") + " FROM (" + rows + ")";
}

std::string properties_sql(const std::map<std::string, std::string>& properties) {
  std::vector<std::string> items;
  for (const auto& [key, value] : properties) {
    items.push_back(quote_text(key) + " = " + quote_text(value));
  }
  return "(" + join(items, ", ") + ")";
}

}  // namespace

// A predicate becomes part of a statement: it must be one expression of its own, which
// the pipeline may write.
Status SparkSession::check_predicates(const WriteSpec& spec) {
  for (const engine::RowCheck& check : spec.checks) {
    const auto shape =
        front_->describe("SELECT (" + check.predicate + "\n) AS holds FROM (" +
                             spec.sql + ") AS _lakemill_rows",
                         Origin::pipeline);
    if (!shape) {
      return Error(shape.error()).while_doing("expectation " + check.name);
    }
    if (shape->schema.fields.size() != 1) {
      return Error(ErrorCode::invalid,
                   "expectation " + check.name + " must be one SQL expression");
    }
    if (check.on_fail == OnFail::quarantine && !spec.quarantine) {
      return Error(ErrorCode::invalid,
                   "expectation " + check.name +
                       " quarantines rows, but there is no quarantine sink");
    }
  }
  return {};
}

Status SparkSession::bind_staged(const engine::WriteTarget& target,
                                 const data::Schema& schema,
                                 const std::string& spark_sql) {
  const auto* temporary = std::get_if<engine::TemporaryTarget>(&target);
  if (temporary == nullptr) return not_on_spark("a quarantine that is no Delta table");
  LAKEMILL_TRY_OK(front_->bind(temporary->name, engine::RowsRelation{"[]", schema}));
  waiting_.push_back({new_view(temporary->name), sql_relation(spark_sql)});
  return {};
}

Result<engine::WriteResult> SparkSession::stage(const WriteSpec& spec) {
  LAKEMILL_TRY_OK(check_predicates(spec));
  LAKEMILL_TRY(const auto shape, front_->describe(spec.sql, Origin::lakemill));
  const data::Schema& schema = shape.schema;
  std::string checked = "SELECT *";
  for (std::size_t i = 0; i < spec.checks.size(); ++i) {
    checked += ", (" + spec.checks[i].predicate + "\n) AS " + check_column(i);
  }
  checked += " FROM (" + spec.sql + ") AS _lakemill_rows";
  LAKEMILL_TRY(const std::string translated, translate(checked, Origin::lakemill));

  const std::string cache = "lakemill_" + std::to_string(++view_count_);
  LAKEMILL_TRY_OK(run_sql("CACHE TABLE " + cache +
                          " OPTIONS ('storageLevel' = 'DISK_ONLY') AS " + translated));
  cached_.push_back(cache);

  const std::string quarantined = any_failed(spec, OnFail::quarantine);
  const std::string dropped = any_failed(spec, OnFail::drop);
  const std::string kept = "NOT " + quarantined + " AND NOT " + dropped;
  std::string counts = "SELECT count(*), count_if(" + kept + "), count_if(NOT " +
                       quarantined + " AND " + dropped + "), count_if(" + quarantined +
                       ")";
  for (std::size_t i = 0; i < spec.checks.size(); ++i) {
    counts += ", count_if(NOT coalesce(" + check_column(i) + ", false))";
  }
  LAKEMILL_TRY(const data::Rows counted,
               fetch(counts + " FROM " + cache, count_schema(spec.checks.size()), 1));
  engine::WriteResult result;
  result.schema = schema;
  result.input_rows = count_at(counted, 0);
  result.written_rows = count_at(counted, 1);
  result.dropped_rows = count_at(counted, 2);
  result.quarantined_rows = count_at(counted, 3);
  for (std::size_t i = 0; i < spec.checks.size(); ++i) {
    result.failed_rows.push_back(count_at(counted, 4 + i));
  }

  const std::string columns = column_list(schema);
  LAKEMILL_TRY_OK(bind_staged(
      spec.target, schema, "SELECT " + columns + " FROM " + cache + " WHERE " + kept));
  if (spec.quarantine && quarantined == "false") {
    LAKEMILL_TRY_OK(
        bind_staged(*spec.quarantine, with_failed_names(schema),
                    "SELECT " + columns + ", CAST(array() AS ARRAY<STRING>) AS " +
                        quote_name(kFailedNames) + " FROM " + cache + " WHERE false"));
  } else if (spec.quarantine) {
    LAKEMILL_TRY_OK(bind_staged(*spec.quarantine, with_failed_names(schema),
                                "SELECT " + columns + ", " + failed_names_sql(spec) +
                                    " FROM " + cache + " WHERE " + quarantined));
  }
  return result;
}

Status SparkSession::commit_table(std::string_view sql,
                                  const engine::TableCommit& commit) {
  LAKEMILL_TRY(const auto shape, front_->describe(sql, Origin::lakemill));
  LAKEMILL_TRY(const std::string translated, translate(sql, Origin::lakemill));
  LAKEMILL_TRY(const std::string rows,
               table_rows(translated, shape.schema, commit.schema));
  LAKEMILL_TRY_OK(ready());
  LAKEMILL_TRY_OK(client_->configure(
      {{"spark.databricks.delta.write.txnAppId", commit.app_id},
       {"spark.databricks.delta.write.txnVersion",
        std::to_string(commit.transaction_version)},
       {"spark.databricks.delta.commitInfo.userMetadata", commit.note}}));
  return commit.creates ? create_table(commit, rows) : write_table(commit, rows);
}

Status SparkSession::create_table(const engine::TableCommit& target,
                                  const std::string& rows) {
  std::string sql =
      "CREATE TABLE delta." + quote_name(spark_path(target.table_url)) + " USING delta";
  std::vector<std::string> partitions;
  for (const std::string& column : target.partition_by) {
    partitions.push_back(quote_name(column));
  }
  if (!partitions.empty()) sql += " PARTITIONED BY (" + join(partitions, ", ") + ")";
  if (target.comment) sql += " COMMENT " + quote_text(*target.comment);
  if (!target.properties.empty()) {
    sql += " TBLPROPERTIES " + properties_sql(target.properties);
  }
  return run_sql(sql + " AS " + rows);
}

Status SparkSession::write_table(const engine::TableCommit& target,
                                 const std::string& rows) {
  if (!target.properties.empty()) {
    LAKEMILL_TRY_OK(run_sql("ALTER TABLE delta." +
                            quote_name(spark_path(target.table_url)) +
                            " SET TBLPROPERTIES " + properties_sql(target.properties)));
  }
  WriteRequest request;
  request.relation = sql_relation(rows);
  request.format = "delta";
  request.path = spark_path(target.table_url);
  request.mode = target.replaces_rows ? SaveMode::overwrite : SaveMode::append;
  request.partition_by = target.partition_by;
  request.options[target.replaces_schema ? "overwriteSchema" : "mergeSchema"] = "true";
  if (target.replaces_rows) request.options["partitionOverwriteMode"] = "static";
  LAKEMILL_TRY_OK(ready());
  return client_->run(write_command(request));
}

}  // namespace lakemill::engine_spark
