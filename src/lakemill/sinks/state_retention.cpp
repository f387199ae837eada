#include "lakemill/sinks/state_retention.h"

#include "lakemill/base/text.h"
#include "lakemill/dml/sql_type.h"
#include "lakemill/sinks/history_sql.h"

namespace lakemill::sinks {
namespace {

const std::string kSeq = quote_identifier(kSequence);
const std::string kOp = quote_identifier(kOperation);

std::string is(ChangeKind kind) { return kOp + " = " + number_of(kind); }

/// Rows without a key: the highest truncation and the horizon. `forgotten`: a relation
/// whose kSequence is what goes.
std::string bounds_sql(const std::string& state, const std::string& forgotten,
                       const Batch& batch) {
  const std::string rest = ", CAST(" + std::to_string(batch.transaction_version) +
                           " AS BIGINT) AS " + quote_identifier(kStateBatch) +
                           ", CAST(" + quote_literal(format_instant(batch.now)) +
                           " AS TIMESTAMP WITH TIME ZONE) AS " +
                           quote_identifier(kFoldedAt);
  const auto row = [&](ChangeKind kind, const std::string& from) {
    return "SELECT * FROM (SELECT max(" + kSeq + ") AS " + kSeq + ", CAST(" +
           number_of(kind) + " AS TINYINT) AS " + kOp + rest + " FROM " + from +
           ") WHERE " + kSeq + " IS NOT NULL";
  };
  const std::string horizons = "(SELECT " + kSeq + " FROM " + state + " WHERE " +
                               is(ChangeKind::horizon) + " UNION ALL SELECT " + kSeq +
                               " FROM (" + forgotten + "))";
  return row(ChangeKind::truncate, "(SELECT " + kSeq + " FROM " + state + " WHERE " +
                                       is(ChangeKind::truncate) + ")") +
         " UNION ALL BY NAME " + row(ChangeKind::horizon, horizons);
}

/// One delete and one upsert of each key at most, the higher ones, and of the two the
/// upsert only if it is above the delete.
std::string retained_rows(const std::string& state, const ChangeColumns& columns,
                          const std::string& is_old, const Batch& batch) {
  const std::string keys = column_list("", columns.keys);
  const std::string order = kSeq + " DESC, " + kOp + " DESC";
  const std::string highest =
      "SELECT * FROM " + state + " WHERE " + kOp +
      " <= " + number_of(ChangeKind::remove) +
      " QUALIFY row_number() OVER (PARTITION BY " + keys + " ORDER BY " + order +
      ") = 1 OR (" + is(ChangeKind::remove) + " AND row_number() OVER (PARTITION BY " +
      keys + ", " + kOp + " ORDER BY " + order + ") = 1)";
  const std::string goes = is(ChangeKind::remove) + " AND " + is_old;
  return "SELECT * FROM (" + highest + ") WHERE NOT (" + goes + ") UNION ALL BY NAME " +
         bounds_sql(state, "SELECT " + kSeq + " FROM " + state + " WHERE " + goes,
                    batch);
}

/// The changes of each key up to the first that is not old become one.
std::string retained_log(const std::string& state, const ChangeColumns& columns,
                         const ChangeOptions& options, const std::string& is_old,
                         const Batch& batch) {
  const std::string keys = column_list("", columns.keys);
  const std::string number = quote_identifier(kNumber);
  const std::string over = " OVER (PARTITION BY " + keys + " ORDER BY " + number + ")";
  const std::string settled =
      "SELECT *, row_number() OVER (PARTITION BY " + keys + " ORDER BY " + kSeq +
      " NULLS FIRST) AS " + number + " FROM (SELECT * FROM " + state + " WHERE " + kOp +
      " <= " + number_of(ChangeKind::remove) +
      " QUALIFY row_number() OVER (PARTITION BY " + keys + ", " + kSeq + " ORDER BY " +
      kOp + " DESC, " + quote_identifier(kHash) + " DESC) = 1)";
  const std::string marked = "SELECT *, bool_and(" + is_old + ")" + over +
                             " AS _lakemill_old FROM (" + settled + ")";
  const std::string bounded = "SELECT *, coalesce(lead(_lakemill_old)" + over +
                              ", false) AS _lakemill_next_old FROM (" + marked + ")";
  // With the values and the start that a change has after all before it.
  const HistorySql history(columns, options, "");
  const std::string anchored = history.anchors_of("(" + bounded + ")");
  const std::string goes =
      "_lakemill_old AND (_lakemill_next_old OR " + is(ChangeKind::remove) + ")";
  const std::string forgotten =
      "SELECT " + kSeq + " FROM (" + bounded + ") WHERE " + goes +
      " UNION ALL SELECT " + kSeq + " FROM (" + bounded +
      ") WHERE _lakemill_old AND NOT _lakemill_next_old AND " + number + " > 1";
  return "SELECT * EXCLUDE (" + number + ", _lakemill_old, _lakemill_next_old) FROM (" +
         bounded + ") WHERE NOT _lakemill_old UNION ALL BY NAME SELECT * EXCLUDE (" +
         number + ", _lakemill_old, _lakemill_next_old) FROM (" + anchored +
         ") WHERE NOT (" + goes + ") AND _lakemill_old UNION ALL BY NAME " +
         bounds_sql(state, forgotten, batch);
}

}  // namespace

std::string retained_state_sql(const std::string& state, const ChangeColumns& columns,
                               const ChangeOptions& options, const Batch& batch) {
  const Instant cutoff = batch.now - options.state_retention;
  const std::string is_old = quote_identifier(kFoldedAt) + " < CAST(" +
                             quote_literal(format_instant(cutoff)) +
                             " AS TIMESTAMP WITH TIME ZONE)";
  if (options.scd_type == 1 && !options.ignore_null_updates) {
    return retained_rows(state, columns, is_old, batch);
  }
  if (options.delete_mode == DeleteMode::soft) return "SELECT * FROM " + state;
  return retained_log(state, columns, options, is_old, batch);
}

}  // namespace lakemill::sinks
