// SCD 1 where a row of the target is the whole of its key's highest change.
//
// A key's fate is decided by two numbers: the sequence of its highest upsert (u) and of
// its highest delete or truncation (d). It has a row if u > d, and the row is that
// upsert's. Both are maxima over all changes ever accepted, so neither the order of
// arrival nor repetition matters, and folding a batch twice changes nothing.
//
// Where the order_by columns are columns of the target, the row itself says what u is,
// so that the state keeps only what a target cannot tell: deletes and truncations. Why
// that is enough: as long as the row is there, u is in it. When it goes, it goes by a
// delete or a truncation with d >= u, which the state holds; any change that d does not
// beat is above u too. A row that came from elsewhere (adopted) says its u as well, and
// one with a null there is below every change. If the process dies between the two
// commits, the target still has the row of before and its u, the batch is repeated, and
// its changes win or lose against that row as they did at first; its own deletes, found
// in the state, are as high as those of the repeated batch, no higher.
//
// Elsewhere (a default sequence, an excluded column) the state has u of every key too.
// At an equal sequence the row in the target has the values to compare with.
//
// Only what earlier batches put into the state is asked, so that a batch repeated after
// a crash between the two commits is judged as it was at first.
//
// With delete_mode SOFT a row stays, with the values of its highest upsert, and says in
// `_deleted` whether d >= u.

#include "lakemill/base/text.h"
#include "lakemill/dml/sql_type.h"
#include "lakemill/sinks/merge_step.h"

namespace lakemill::sinks {
namespace {

const std::string kUpsert = quote_identifier("_lakemill_change_upsert");
const std::string kDelete = quote_identifier("_lakemill_change_delete");
const std::string kVerdict = quote_identifier("_lakemill_change_verdict");

/// What becomes of a row of the target that a change of its key meets.
enum class Verdict : std::uint8_t {
  stays,
  goes,      ///< deleted
  replaced,  ///< by the batch's upsert
  tie,       ///< equal sequences: the hashes decide
  marked,    ///< SOFT: stays, with another flag
};

std::string number(Verdict verdict) {
  return std::to_string(static_cast<int>(verdict));
}

class RowStep final : public MergeStep {
 public:
  explicit RowStep(const MergeRun& run)
      : run_(run),
        columns_(run.columns),
        nulls_(run.options.null_equals_null),
        soft_(run.options.delete_mode == DeleteMode::soft),
        keeps_upserts_(!run.columns.sequence_in_target) {}

  data::Schema state_schema() const override;
  Result<std::string> state_rows(const MergeTables& tables) override;
  Result<TargetRows> target_rows(const MergeTables& tables) override;

 private:
  Status prepare(const std::string& state);
  Result<std::string> find_winners();
  Status check_against_state();
  std::string ended_sql() const;
  std::string met_rows_sql(const std::string& target) const;
  std::string judge_sql(const std::string& target) const;
  Status settle_ties(const std::string& target, std::string& met);
  Result<std::string> find_met(const std::string& target);
  std::string upserts_sql(const std::string& met) const;
  std::string marked_sql(const std::string& target, const std::string& met) const;

  std::string keys(std::string_view alias) const {
    return column_list(alias, columns_.keys);
  }
  std::string match(std::string_view left, std::string_view right) const {
    return keys_equal(left, right, columns_.keys, nulls_);
  }

  MergeRun run_;
  const ChangeColumns& columns_;
  const bool nulls_;
  const bool soft_;
  const bool keeps_upserts_;
  bool prepared_ = false;
  std::string known_;    // what the state says of the batch's keys, or empty
  std::string winners_;  // a row per key: values, kUpsert, kDelete
  std::string truncated_;
  std::string met_;     // rows of met_of_ with their verdict
  std::string met_of_;  // a relation of the target
};

data::Schema RowStep::state_schema() const {
  data::Schema schema{columns_.keys};
  schema.fields.push_back({std::string(kSequence), columns_.sequence, true, {}});
  schema.fields.push_back(
      {std::string(kOperation), data::make_type(data::TypeKind::int8), true, {}});
  return schema;
}

// A row per key of the batch: its highest upsert with its values, its highest delete.
Result<std::string> RowStep::find_winners() {
  const std::string sequence = quote_identifier(kSequence);
  const std::string operation = quote_identifier(kOperation);
  const std::string values =
      columns_.values.empty() ? "" : column_list("", columns_.values) + ", ";
  const auto only = [&](ChangeKind kind) {
    return "CASE WHEN " + operation + " = " + number_of(kind) + " THEN " + sequence +
           " END";
  };
  if (run_.set.changes == run_.set.keys) {
    return run_.scratch.view("winners",
                             "SELECT " + keys("") + ", " + values +
                                 only(ChangeKind::upsert) + " AS " + kUpsert + ", " +
                                 only(ChangeKind::remove) + " AS " + kDelete +
                                 " FROM " + run_.set.accepted + " WHERE " + operation +
                                 " <> " + number_of(ChangeKind::truncate),
                             engine::Origin::lakemill);
  }
  const std::string ties =
      run_.set.has_ties ? ", " + row_hash("", columns_.values) + " DESC" : "";
  const std::string upserts = "SELECT * FROM " + run_.set.accepted + " WHERE " +
                              operation + " = " + number_of(ChangeKind::upsert) +
                              " QUALIFY row_number() OVER (PARTITION BY " + keys("") +
                              " ORDER BY " + sequence + " DESC" + ties + ") = 1";
  const std::string deletes = "SELECT " + keys("") + ", max(" + sequence + ") AS " +
                              kDelete + " FROM " + run_.set.accepted + " WHERE " +
                              operation + " = " + number_of(ChangeKind::remove) +
                              " GROUP BY " + keys("");
  std::string joined_keys;
  for (const data::Field& key : columns_.keys) {
    joined_keys += "coalesce(" + column("u", key.name) + ", " + column("d", key.name) +
                   ") AS " + quote_identifier(key.name) + ", ";
  }
  return run_.scratch.keep(
      "winners",
      "SELECT " + joined_keys +
          (columns_.values.empty() ? "" : column_list("u", columns_.values) + ", ") +
          column("u", kSequence) + " AS " + kUpsert + ", d." + kDelete + " FROM (" +
          upserts + ") AS u FULL JOIN (" + deletes + ") AS d ON " + match("u", "d"));
}

// Joins what the state knows of the batch's keys to the batch's winners.
Status RowStep::prepare(const std::string& state) {
  if (prepared_) return {};
  LAKEMILL_TRY(winners_, find_winners());
  const std::string sequence = column("s", kSequence);
  const std::string operation = column("s", kOperation);
  if (!state.empty()) {
    // A truncation asks for every key.
    const std::string asked =
        run_.set.truncates > 0
            ? ""
            : " SEMI JOIN " + winners_ + " AS w ON " + match("s", "w");
    std::string upserts;
    if (keeps_upserts_) {
      const std::string is_upsert =
          " FILTER (" + operation + " = " + number_of(ChangeKind::upsert) + ")";
      upserts = ", max(" + sequence + ")" + is_upsert + " AS " + kUpsert;
    }
    LAKEMILL_TRY(known_,
                 run_.scratch.keep(
                     "known", "SELECT " + keys("s") + upserts + ", max(" + sequence +
                                  ") FILTER (" + operation + " = " +
                                  number_of(ChangeKind::remove) + ") AS " + kDelete +
                                  " FROM " + state + " AS s" + asked + " WHERE " +
                                  operation + " <= " + number_of(ChangeKind::remove) +
                                  " AND " + column("s", kStateBatch) + " < " +
                                  std::to_string(run_.batch.transaction_version) +
                                  " GROUP BY " + keys("s")));
  }
  truncated_ = run_.bounds.truncated;
  if (run_.set.truncates > 0) {
    const std::string of_batch = "(SELECT max(" + quote_identifier(kSequence) +
                                 ") FROM " + run_.set.accepted + " WHERE " +
                                 quote_identifier(kOperation) + " = " +
                                 number_of(ChangeKind::truncate) + ")";
    truncated_ = truncated_.empty() ? of_batch
                                    : "greatest(" + truncated_ + ", " + of_batch + ")";
  }
  LAKEMILL_TRY_OK(check_against_state());
  prepared_ = true;
  return {};
}

Status RowStep::check_against_state() {
  if (!run_.options.equal_sequences_fail || known_.empty()) return {};
  std::string conflict = "w." + kUpsert + " = k." + kDelete;
  if (keeps_upserts_) conflict += " OR w." + kDelete + " = k." + kUpsert;
  return fail_on_equal_sequences(
      run_.scratch,
      "SELECT " + keys("w") + ", coalesce(w." + kUpsert + ", w." + kDelete + ") AS " +
          quote_identifier(kSequence) + " FROM " + winners_ + " AS w JOIN " + known_ +
          " AS k ON " + match("w", "k") + " WHERE " + conflict,
      columns_);
}

Result<std::string> RowStep::state_rows(const MergeTables& tables) {
  LAKEMILL_TRY_OK(prepare(tables.state));
  if (run_.options.equal_sequences_fail && !tables.target.empty()) {
    LAKEMILL_TRY(const std::string met, find_met(tables.target));
  }
  const std::string from =
      " FROM " + winners_ + " AS w" +
      (known_.empty() ? "" : " LEFT JOIN " + known_ + " AS k ON " + match("w", "k"));
  std::vector<std::string> parts;
  // What is above all that the state knows of the key.
  const auto rows = [&](ChangeKind kind, const std::string& name) {
    const std::string sequence = "w." + name;
    parts.push_back(
        "SELECT " + keys("w") + ", " + sequence + " AS " + quote_identifier(kSequence) +
        ", " + number_of(kind) + " AS " + quote_identifier(kOperation) + from +
        " WHERE " + sequence + " IS NOT NULL" +
        (known_.empty()
             ? ""
             : " AND (k." + name + " IS NULL OR " + sequence + " > k." + name + ")"));
  };
  if (run_.set.deletes > 0) rows(ChangeKind::remove, kDelete);
  if (keeps_upserts_ && run_.set.changes > run_.set.deletes) {
    rows(ChangeKind::upsert, kUpsert);
  }
  if (run_.set.truncates > 0) {
    std::string nulls;
    for (const data::Field& key : columns_.keys) {
      nulls += "CAST(NULL AS " + dml::sql_type(key.type) + ") AS " +
               quote_identifier(key.name) + ", ";
    }
    parts.push_back(
        "SELECT " + nulls + truncated_ + " AS " + quote_identifier(kSequence) + ", " +
        number_of(ChangeKind::truncate) + " AS " + quote_identifier(kOperation));
  }
  return join(parts, " UNION ALL ");
}

// The highest delete or truncation of a key, over aliases w (winners) and k (known).
std::string RowStep::ended_sql() const {
  if (known_.empty() && truncated_.empty()) return "w." + kDelete;
  return "greatest(w." + kDelete + (known_.empty() ? "" : ", k." + kDelete) +
         (truncated_.empty() ? "" : ", " + truncated_) + ")";
}

// The rows of the target whose key the batch has (all, if it truncates).
std::string RowStep::met_rows_sql(const std::string& target) const {
  const bool knows = !known_.empty();
  std::string held = sequence_of("t", columns_);
  if (keeps_upserts_) {
    held = knows ? "k." + kUpsert
                 : "CAST(NULL AS " + dml::sql_type(columns_.sequence) + ")";
  }
  const std::string join = run_.set.truncates > 0 ? " AS t LEFT JOIN " : " AS t JOIN ";
  return "SELECT t.\"_lakemill_file\" AS _lakemill_change_file, t.\"_lakemill_row\" AS "
         "_lakemill_change_row, " +
         keys("t") + ", " + held + " AS _lakemill_change_held, w." + kUpsert +
         " AS _lakemill_change_upsert, w." + kDelete +
         " AS _lakemill_change_deletion, " + ended_sql() +
         " AS _lakemill_change_ended" +
         (soft_ ? ", t." + quote_identifier(kSoftDeleted) + " AS _lakemill_change_flag"
                : "") +
         " FROM " + target + join + winners_ + " AS w ON " + match("t", "w") +
         (knows ? " LEFT JOIN " + known_ + " AS k ON " + match("t", "k") : "");
}

std::string RowStep::judge_sql(const std::string& target) const {
  const std::string wins =
      "(_lakemill_change_held IS NULL OR _lakemill_change_upsert > "
      "_lakemill_change_held)";
  const std::string row_ended =
      "(_lakemill_change_ended IS NOT NULL AND (_lakemill_change_held IS NULL OR "
      "_lakemill_change_held <= _lakemill_change_ended))";
  const std::string lives =
      "(_lakemill_change_upsert IS NOT NULL AND (_lakemill_change_ended IS NULL OR "
      "_lakemill_change_upsert > _lakemill_change_ended))";
  std::string verdict = "CASE WHEN ";
  if (soft_) {
    verdict += "_lakemill_change_upsert IS NOT NULL AND " + wins + " THEN " +
               number(Verdict::replaced) +
               " WHEN _lakemill_change_upsert = _lakemill_change_held THEN " +
               number(Verdict::tie) +
               " WHEN coalesce(_lakemill_change_flag, false) <> " + row_ended +
               " THEN " + number(Verdict::marked);
  } else {
    verdict += lives + " AND (" + row_ended + " OR " + wins + ") THEN " +
               number(Verdict::replaced) + " WHEN " + row_ended + " THEN " +
               number(Verdict::goes) + " WHEN " + lives +
               " AND _lakemill_change_upsert = _lakemill_change_held THEN " +
               number(Verdict::tie);
  }
  return "SELECT *, " + verdict + " ELSE " + number(Verdict::stays) + " END AS " +
         kVerdict + " FROM (" + met_rows_sql(target) + ")";
}

// Equal sequences: the greater hash of the whole row wins; an equal row stays.
Status RowStep::settle_ties(const std::string& target, std::string& met) {
  LAKEMILL_TRY(
      const std::string ties,
      run_.scratch.keep(
          "ties",
          "SELECT m._lakemill_change_file, m._lakemill_change_row, " +
              row_hash("t", columns_.values) + " AS _lakemill_change_held_hash, " +
              row_hash("w", columns_.values) + " AS _lakemill_change_hash, " +
              row_hash("t", without_metadata(columns_.values)) +
              " AS _lakemill_change_held_print, " +
              row_hash("w", without_metadata(columns_.values)) +
              " AS _lakemill_change_print, " + keys("m") +
              ", m._lakemill_change_upsert AS " + quote_identifier(kSequence) +
              " FROM " + target + " AS t JOIN (SELECT * FROM " + met + " WHERE " +
              kVerdict + " = " + number(Verdict::tie) + ") AS m ON " + match("t", "m") +
              " AND t.\"_lakemill_file\" = m._lakemill_change_file AND "
              "t.\"_lakemill_row\" = m._lakemill_change_row JOIN " +
              winners_ + " AS w ON " + match("w", "m")));
  if (run_.options.equal_sequences_fail) {
    LAKEMILL_TRY_OK(fail_on_equal_sequences(
        run_.scratch,
        "SELECT " + keys("") + ", " + quote_identifier(kSequence) + " FROM " + ties +
            " WHERE _lakemill_change_print <> _lakemill_change_held_print",
        columns_));
  }
  const std::string otherwise =
      soft_ ? "CASE WHEN coalesce(m._lakemill_change_flag, false) <> "
              "coalesce(m._lakemill_change_ended >= m._lakemill_change_held, false) "
              "THEN " +
                  number(Verdict::marked) + " ELSE " + number(Verdict::stays) + " END"
            : number(Verdict::stays);
  LAKEMILL_TRY(
      met,
      run_.scratch.keep(
          "settled", "SELECT m.* REPLACE (CASE WHEN m." + kVerdict + " <> " +
                         number(Verdict::tie) + " THEN m." + kVerdict +
                         " WHEN x._lakemill_change_hash > "
                         "x._lakemill_change_held_hash THEN " +
                         number(Verdict::replaced) + " ELSE " + otherwise + " END AS " +
                         kVerdict + ") FROM " + met + " AS m LEFT JOIN " + ties +
                         " AS x ON m._lakemill_change_file = x._lakemill_change_file "
                         "AND m._lakemill_change_row = x._lakemill_change_row"));
  return {};
}

Result<std::string> RowStep::find_met(const std::string& target) {
  if (met_of_ == target) return met_;
  LAKEMILL_TRY(std::string met, run_.scratch.keep("met", judge_sql(target)));
  if (run_.options.equal_sequences_fail) {
    LAKEMILL_TRY_OK(fail_on_equal_sequences(
        run_.scratch,
        "SELECT " + keys("") + ", _lakemill_change_held AS " +
            quote_identifier(kSequence) + " FROM " + met +
            " WHERE _lakemill_change_held = _lakemill_change_deletion",
        columns_));
  }
  LAKEMILL_TRY(const std::vector<std::int64_t> ties,
               run_.scratch.counts("SELECT count(*) FROM " + met + " WHERE " +
                                   kVerdict + " = " + number(Verdict::tie)));
  if (ties.at(0) > 0) LAKEMILL_TRY_OK(settle_ties(target, met));
  met_of_ = target;
  met_ = met;
  return met;
}

// The batch's upserts that become rows. `met`: the rows that stay, or empty.
std::string RowStep::upserts_sql(const std::string& met) const {
  const std::string ended = ended_sql();
  std::string sql = "SELECT " + keys("w");
  if (!columns_.values.empty()) sql += ", " + column_list("w", columns_.values);
  if (soft_) {
    sql += ", coalesce(" + ended + " >= w." + kUpsert + ", false) AS " +
           quote_identifier(kSoftDeleted);
  }
  sql += " FROM " + winners_ + " AS w";
  if (!known_.empty()) sql += " LEFT JOIN " + known_ + " AS k ON " + match("w", "k");
  if (!met.empty()) {
    sql += " ANTI JOIN (SELECT * FROM " + met + " WHERE " + kVerdict + " IN (" +
           number(Verdict::stays) + ", " + number(Verdict::marked) + ")) AS m ON " +
           match("w", "m");
  }
  sql += " WHERE w." + kUpsert + " IS NOT NULL";
  if (!soft_) sql += " AND coalesce(w." + kUpsert + " > " + ended + ", true)";
  if (keeps_upserts_ && !known_.empty()) {
    sql += " AND (k." + kUpsert + " IS NULL OR w." + kUpsert + " >= k." + kUpsert + ")";
  }
  return sql;
}

// SOFT: rows that stay, with the other flag.
std::string RowStep::marked_sql(const std::string& target,
                                const std::string& met) const {
  std::string sql = "SELECT " + keys("t");
  if (!columns_.values.empty()) sql += ", " + column_list("t", columns_.values);
  return sql + ", NOT coalesce(m._lakemill_change_flag, false) AS " +
         quote_identifier(kSoftDeleted) + " FROM " + target +
         " AS t JOIN (SELECT * FROM " + met + " WHERE " + kVerdict + " = " +
         number(Verdict::marked) + ") AS m ON " + match("t", "m") +
         " AND t.\"_lakemill_file\" = m._lakemill_change_file AND t.\"_lakemill_row\" "
         "= m._lakemill_change_row";
}

Result<TargetRows> RowStep::target_rows(const MergeTables& tables) {
  LAKEMILL_TRY_OK(prepare(tables.state));
  TargetRows rows;
  if (tables.target.empty()) {
    rows.inserts_sql = upserts_sql("");
    return rows;
  }
  LAKEMILL_TRY(const std::string met, find_met(tables.target));
  const auto how_many = [](Verdict verdict) {
    return "count(*) FILTER (" + kVerdict + " = " + number(verdict) + ")";
  };
  LAKEMILL_TRY(
      const std::vector<std::int64_t> counts,
      run_.scratch.counts("SELECT " + how_many(Verdict::stays) + ", " +
                          how_many(Verdict::goes) + ", " + how_many(Verdict::replaced) +
                          ", " + how_many(Verdict::marked) + " FROM " + met));
  rows.deleted = counts.at(1);
  rows.updated = counts.at(2) + counts.at(3);
  if (rows.deleted + rows.updated > 0) {
    rows.positions_sql =
        "SELECT _lakemill_change_file AS file, _lakemill_change_row AS row FROM " +
        met + " WHERE " + kVerdict + " NOT IN (" + number(Verdict::stays) + ")";
  }
  const bool some_stay = counts.at(0) + counts.at(3) > 0;
  rows.inserts_sql = upserts_sql(some_stay ? met : "");
  if (counts.at(3) > 0)
    rows.inserts_sql += " UNION ALL " + marked_sql(tables.target, met);
  return rows;
}

}  // namespace

std::unique_ptr<MergeStep> make_row_step(const MergeRun& run) {
  return std::make_unique<RowStep>(run);
}

}  // namespace lakemill::sinks
