// Merges whose rows are built from all changes of a key: SCD 2, and SCD 1 where a null
// keeps the old value.
//
// The state is the log of accepted changes: keys, values, sequence, operation, hash. Of
// changes of a key at one sequence the greatest counts (a delete, then the greatest
// hash). The rows of a key are a function of its log, computed in SQL anew for every
// key that a batch touches, and compared with the rows that the target has: only what
// differs is written. So the order of arrival cannot matter, and after a crash between
// the two commits the log, which holds the batch, gives the same rows.
//
// A key that the log does not know but the target does (an adopted table, or history
// that was forgotten) gets its rows put into the log as changes first. Rows of SCD 2
// that begin before the first change of their key in the log are left as they are: the
// log has forgotten them.

#include <algorithm>

#include "lakemill/base/text.h"
#include "lakemill/dml/sql_type.h"
#include "lakemill/sinks/history_sql.h"

namespace lakemill::sinks {
namespace {

class HistoryStep final : public MergeStep {
 public:
  explicit HistoryStep(const MergeRun& run)
      : run_(run),
        columns_(run.columns),
        nulls_(run.options.null_equals_null),
        is_scd2_(run.options.scd_type == 2),
        keeps_tied_(!is_scd2_ && run.options.delete_mode == DeleteMode::soft) {}

  data::Schema state_schema() const override;
  Result<std::string> state_rows(const MergeTables& tables) override;
  Result<TargetRows> target_rows(const MergeTables& tables) override;

 private:
  std::string winners_sql() const;
  std::string adopted_sql(const MergeTables& tables) const;
  std::string truncated_sql() const;
  Status check_against_state(const std::string& winners, const std::string& state);
  Result<std::string> touched_keys(const MergeTables& tables);
  Result<std::string> log_of(const std::string& touched, const std::string& state);
  std::string existing_sql(const std::string& touched, const std::string& log,
                           const std::string& target) const;
  Result<TargetRows> difference(const std::string& desired,
                                const std::string& existing);

  std::string keys(std::string_view alias) const {
    return column_list(alias, columns_.keys);
  }
  std::string values(std::string_view alias) const {
    return columns_.values.empty() ? "" : ", " + column_list(alias, columns_.values);
  }
  std::string slot(std::string_view alias) const {
    return column(alias, kSequence) +
           (keeps_tied_ ? ", " + column(alias, kOperation) : "");
  }
  // A state's truncations and horizon have null keys, which are keys of changes, too.
  std::string changes_of(const std::string& state) const {
    return "(SELECT * FROM " + state + " WHERE " + operation_ +
           " <= " + number_of(ChangeKind::remove) + ")";
  }
  std::string match(std::string_view left, std::string_view right) const {
    return keys_equal(left, right, columns_.keys, nulls_);
  }

  MergeRun run_;
  const ChangeColumns& columns_;
  const bool nulls_;
  const bool is_scd2_;
  // Where deleted rows stay, a delete leaves the upsert at its sequence in place and
  // comes after it; elsewhere a sequence has room for one change only.
  const bool keeps_tied_;
  const std::string sequence_ = quote_identifier(kSequence);
  const std::string operation_ = quote_identifier(kOperation);
  const std::string hash_ = quote_identifier(kHash);
};

data::Schema HistoryStep::state_schema() const {
  data::Schema schema{columns_.keys};
  schema.fields.insert(schema.fields.end(), columns_.values.begin(),
                       columns_.values.end());
  schema.fields.push_back({std::string(kSequence), columns_.sequence, true, {}});
  schema.fields.push_back(
      {std::string(kOperation), data::make_type(data::TypeKind::int8), true, {}});
  schema.fields.push_back(
      {std::string(kHash), data::make_type(data::TypeKind::int64), true, {}});
  return schema;
}

// Of the batch's changes of a key at one sequence, the greatest.
std::string HistoryStep::winners_sql() const {
  const std::string hash = "CASE WHEN " + operation_ + " = " +
                           number_of(ChangeKind::upsert) + " THEN " +
                           row_hash("", columns_.values) + " ELSE 0 END";
  std::string sql = "SELECT " + keys("") + values("") + ", " + sequence_ + ", " +
                    operation_ + ", " + hash + " AS " + hash_ + " FROM " +
                    run_.set.accepted + " WHERE " + operation_ + " <> " +
                    number_of(ChangeKind::truncate);
  if (run_.set.has_ties) {
    sql += " QUALIFY row_number() OVER (PARTITION BY " + keys("") + ", " + slot("") +
           " ORDER BY " + operation_ + " DESC, " + hash_ + " DESC) = 1";
  }
  return sql;
}

Status HistoryStep::check_against_state(const std::string& winners,
                                        const std::string& state) {
  if (!run_.options.equal_sequences_fail || state.empty()) return {};
  return fail_on_equal_sequences(
      run_.scratch,
      "SELECT " + keys("w") + ", w." + sequence_ + " FROM " + winners + " AS w JOIN " +
          changes_of(state) + " AS s ON " + match("w", "s") + " AND w." + sequence_ +
          " = s." + sequence_ + " WHERE " + change_fingerprint("w", columns_) + " <> " +
          change_fingerprint("s", columns_) + " OR w." + operation_ + " <> s." +
          operation_,
      columns_);
}

// Rows of the target as changes, for keys of the batch that the log lacks.
std::string HistoryStep::adopted_sql(const MergeTables& tables) const {
  const std::string unknown =
      tables.state.empty()
          ? ""
          : " ANTI JOIN " + changes_of(tables.state) + " AS s ON " + match("t", "s");
  // A truncation concerns every key.
  const std::string asked = run_.set.truncates > 0 ? ""
                                                   : " SEMI JOIN " + run_.set.accepted +
                                                         " AS b ON " + match("t", "b");
  const std::string of_batch = " FROM " + tables.target + " AS t" + asked + unknown;
  const std::string upsert =
      ", " + number_of(ChangeKind::upsert) + ", " + row_hash("t", columns_.values);
  if (!is_scd2_) {
    const std::string sequence =
        columns_.sequence_in_target
            ? sequence_of("t", columns_)
            : "CAST(NULL AS " + dml::sql_type(columns_.sequence) + ")";
    return "SELECT " + keys("t") + values("t") + ", " + sequence + upsert + of_batch;
  }
  const std::string start = column("t", run_.options.start_at_column_name);
  const std::string end = column("t", run_.options.end_at_column_name);
  std::string nulls;
  for (const data::Field& value : columns_.values) {
    nulls += ", CAST(NULL AS " + dml::sql_type(value.type) + ")";
  }
  return "SELECT " + keys("t") + values("t") + ", " + start + upsert + of_batch +
         " UNION ALL SELECT " + keys("t") + nulls + ", " + end + ", " +
         number_of(ChangeKind::remove) + ", 0" + of_batch + " ANTI JOIN " +
         tables.target + " AS n ON " + match("t", "n") + " AND " + end + " = " +
         column("n", run_.options.start_at_column_name) + " WHERE " + end +
         " IS NOT NULL";
}

std::string HistoryStep::truncated_sql() const {
  std::string nulls;
  for (const data::Field& field : state_schema().fields) {
    if (field.name == kSequence) break;
    nulls += "CAST(NULL AS " + dml::sql_type(field.type) + "), ";
  }
  return "SELECT " + nulls + "max(" + sequence_ + "), " +
         number_of(ChangeKind::truncate) + ", 0 FROM " + run_.set.accepted + " WHERE " +
         operation_ + " = " + number_of(ChangeKind::truncate);
}

Result<std::string> HistoryStep::state_rows(const MergeTables& tables) {
  LAKEMILL_TRY(const std::string winners, run_.scratch.keep("winners", winners_sql()));
  LAKEMILL_TRY_OK(check_against_state(winners, tables.state));
  std::string rows = "SELECT * FROM " + winners;
  if (!tables.state.empty()) {
    // What the log has at that sequence, equal or greater, makes a change needless.
    rows += " AS w ANTI JOIN " + changes_of(tables.state) + " AS s ON " +
            match("w", "s") + " AND w." + sequence_ + " = s." + sequence_ + " AND (" +
            (keeps_tied_ ? "" : "s." + operation_ + " > w." + operation_ + " OR ") +
            "(s." + operation_ + " = w." + operation_ + " AND s." + hash_ + " >= w." +
            hash_ + "))";
  }
  if (!tables.target.empty()) rows += " UNION ALL " + adopted_sql(tables);
  if (run_.set.truncates > 0) rows += " UNION ALL " + truncated_sql();
  return rows;
}

// The keys whose rows are computed anew: those of the batch; all, if it truncates.
Result<std::string> HistoryStep::touched_keys(const MergeTables& tables) {
  std::string sql = "SELECT DISTINCT " + keys("") + " FROM " + run_.set.accepted +
                    " WHERE " + operation_ + " <> " + number_of(ChangeKind::truncate);
  if (run_.set.truncates > 0) {
    if (!tables.target.empty()) {
      sql += " UNION SELECT " + keys("") + " FROM " + tables.target;
    }
  }
  return run_.scratch.keep("touched", sql);
}

// Their changes, one for each sequence, numbered in its order; null comes first.
Result<std::string> HistoryStep::log_of(const std::string& touched,
                                        const std::string& state) {
  if (state.empty()) {
    return run_.scratch.keep(
        "log", "SELECT " + keys("") + values("") + ", " + sequence_ + ", " +
                   operation_ + ", CAST(0 AS BIGINT) AS " + quote_identifier(kNumber) +
                   " FROM " + run_.set.accepted + " WHERE false");
  }
  const std::string settled =
      "SELECT " + keys("s") + values("s") + ", s." + sequence_ + ", s." + operation_ +
      " FROM " + state + " AS s SEMI JOIN " + touched + " AS k ON " + match("s", "k") +
      " WHERE s." + operation_ + " <= " + number_of(ChangeKind::remove) +
      " QUALIFY row_number() OVER (PARTITION BY " + keys("s") + ", " + slot("s") +
      " ORDER BY s." + operation_ + " DESC, s." + hash_ + " DESC) = 1";
  return run_.scratch.keep(
      "log", "SELECT *, row_number() OVER (PARTITION BY " + keys("") + " ORDER BY " +
                 sequence_ + " NULLS FIRST, " + operation_ + ") AS " +
                 quote_identifier(kNumber) + " FROM (" + settled + ")");
}

std::string HistoryStep::existing_sql(const std::string& touched,
                                      const std::string& log,
                                      const std::string& target) const {
  std::string sql =
      "SELECT t.*, t.\"_lakemill_file\" AS _lakemill_change_file, "
      "t.\"_lakemill_row\" AS _lakemill_change_row FROM " +
      target + " AS t SEMI JOIN " + touched + " AS k ON " + match("t", "k");
  if (!is_scd2_) return sql;
  return sql + " JOIN (SELECT " + keys("") + ", min(" + sequence_ +
         ") AS _lakemill_change_first, bool_or(" + sequence_ +
         " IS NULL) AS _lakemill_change_open FROM " + log + " GROUP BY " + keys("") +
         ") AS l ON " + match("t", "l") + " WHERE l._lakemill_change_open OR " +
         column("t", run_.options.start_at_column_name) +
         " >= l._lakemill_change_first";
}

// What of two relations with the target's columns is in one only.
Result<TargetRows> HistoryStep::difference(const std::string& desired,
                                           const std::string& existing) {
  std::vector<data::Field> fields = columns_.keys;
  fields.insert(fields.end(), columns_.values.begin(), columns_.values.end());
  const auto add = [&](const std::string& name) {
    fields.push_back({name, {}, true, Json::object()});
  };
  if (is_scd2_) {
    add(run_.options.start_at_column_name);
    add(run_.options.end_at_column_name);
  }
  if (run_.options.delete_mode == DeleteMode::soft) add(std::string(kSoftDeleted));
  const std::string same = keys_equal("d", "e", fields, true);
  TargetRows rows;
  rows.inserts_sql = "SELECT " + column_list("d", fields) + " FROM " + desired +
                     " AS d ANTI JOIN " + existing + " AS e ON " + same;
  LAKEMILL_TRY(const std::string gone,
               run_.scratch.keep("gone",
                                 "SELECT e._lakemill_change_file AS file, "
                                 "e._lakemill_change_row AS row FROM " +
                                     existing + " AS e ANTI JOIN " + desired +
                                     " AS d ON " + same));
  LAKEMILL_TRY(const std::vector<std::int64_t> counts,
               run_.scratch.counts("SELECT (SELECT count(*) FROM " + gone +
                                   "), count(*) FROM (" + rows.inserts_sql + ")"));
  const std::int64_t gone_rows = counts.at(0);
  rows.updated = std::min(gone_rows, counts.at(1));
  rows.deleted = gone_rows - rows.updated;
  if (gone_rows > 0) rows.positions_sql = "SELECT file, row FROM " + gone;
  return rows;
}

Result<TargetRows> HistoryStep::target_rows(const MergeTables& tables) {
  LAKEMILL_TRY(const std::string touched, touched_keys(tables));
  LAKEMILL_TRY(const std::string log, log_of(touched, tables.state_now));
  StateBounds bounds = run_.bounds;
  if (run_.set.truncates > 0) {
    const std::string of_batch = "(SELECT max(" + sequence_ + ") FROM " +
                                 run_.set.accepted + " WHERE " + operation_ + " = " +
                                 number_of(ChangeKind::truncate) + ")";
    bounds.truncated = bounds.truncated.empty()
                           ? of_batch
                           : "greatest(" + bounds.truncated + ", " + of_batch + ")";
  }
  const HistorySql history(columns_, run_.options, bounds.truncated);
  LAKEMILL_TRY(const std::string desired,
               run_.scratch.keep("desired", is_scd2_ ? history.intervals_of(log)
                                                     : history.rows_of(log)));
  TargetRows rows;
  if (tables.target.empty()) {
    rows.inserts_sql = "SELECT * FROM " + desired;
    return rows;
  }
  LAKEMILL_TRY(
      const std::string existing,
      run_.scratch.keep("existing", existing_sql(touched, log, tables.target)));
  return difference(desired, existing);
}

}  // namespace

std::unique_ptr<MergeStep> make_history_step(const MergeRun& run) {
  return std::make_unique<HistoryStep>(run);
}

}  // namespace lakemill::sinks
