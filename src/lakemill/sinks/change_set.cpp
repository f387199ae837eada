#include "lakemill/sinks/change_set.h"

#include <map>

#include "lakemill/base/text.h"

namespace lakemill::sinks {
namespace {

constexpr std::string_view kIsDelete = "_lakemill_change_is_delete";
constexpr std::string_view kIsTruncate = "_lakemill_change_is_truncate";
constexpr std::string_view kReason = "_lakemill_change_reason";

// A line of its own: a comment at the end of the pipeline's text must not reach ours.
std::string flag_of(const std::string& predicate, std::string_view name) {
  const std::string value =
      predicate.empty() ? "false"
                        : "coalesce(CAST((\n" + predicate + "\n) AS BOOLEAN), false)";
  return value + " AS " + quote_identifier(name);
}

/// The staged rows with what the pipeline's predicates say of them. The text is the
/// pipeline's, so it is bound as the pipeline's.
Result<std::string> flag_changes(Scratch& scratch, const std::string& staged,
                                 const ChangeOptions& options) {
  const std::string sql = "SELECT *, " + flag_of(options.delete_where, kIsDelete) +
                          ", " + flag_of(options.truncate_where, kIsTruncate) +
                          " FROM " + staged + " AS source";
  const bool is_ours = options.delete_where.empty() && options.truncate_where.empty();
  auto view = scratch.view(
      "flagged", sql, is_ours ? engine::Origin::lakemill : engine::Origin::pipeline);
  if (!view) {
    return std::move(view).error().while_doing("delete_where or truncate_where");
  }
  return view;
}

std::string operation_sql() {
  return "CAST(CASE WHEN " + quote_identifier(kIsTruncate) + " THEN " +
         number_of(ChangeKind::truncate) + " WHEN " + quote_identifier(kIsDelete) +
         " THEN " + number_of(ChangeKind::remove) + " ELSE " +
         number_of(ChangeKind::upsert) + " END AS TINYINT)";
}

std::string reason_sql(const ChangeColumns& columns, const ChangeOptions& options,
                       const StateBounds& bounds) {
  const std::string sequence = quote_identifier(kSequence);
  std::string text = "CASE WHEN " + sequence + " IS NULL THEN 'null sequence'";
  if (!options.null_equals_null) {
    text += " WHEN " + quote_identifier(kOperation) + " <> " +
            number_of(ChangeKind::truncate) + " AND " + key_is_null("", columns.keys) +
            " THEN 'null key'";
  }
  if (!bounds.horizon.empty()) {
    text += " WHEN " + sequence + " <= " + bounds.horizon +
            " THEN 'older than the horizon of the change state'";
  }
  return text + " END";
}

// Equal numbers are one key and one sequence, however they are held: 0 has two signs.
std::map<std::string, std::string> one_zero(const ChangeColumns& columns) {
  std::map<std::string, std::string> values;
  for (const auto* fields : {&columns.keys, &columns.order}) {
    for (const data::Field& field : *fields) {
      const bool has_signed_zero = field.type.kind == data::TypeKind::float32 ||
                                   field.type.kind == data::TypeKind::float64;
      if (!has_signed_zero) continue;
      const std::string name = quote_identifier(field.name);
      values[name] =
          "CASE WHEN " + name + " = 0 THEN abs(" + name + ") ELSE " + name + " END";
    }
  }
  return values;
}

/// The flagged rows with columns as the target can hold them.
std::string as_held(const std::string& flagged, const ChangeColumns& columns) {
  std::map<std::string, std::string> values = one_zero(columns);
  for (const data::Field& field : columns.null_if_empty) {
    const std::string name = quote_identifier(field.name);
    values[name] = "CASE WHEN " + name + " <> '' THEN " + name + " END";
  }
  if (values.empty()) return flagged;
  std::vector<std::string> replaced;
  for (const auto& [name, value] : values) replaced.push_back(value + " AS " + name);
  return "(SELECT * REPLACE (" + join(replaced, ", ") + ") FROM " + flagged + ")";
}

Status count_changes(Scratch& scratch, const std::string& judged,
                     const ChangeColumns& columns, ChangeSet& set) {
  const std::string operation = quote_identifier(kOperation);
  const std::string accepted = quote_identifier(kReason) + " IS NULL";
  const std::string is_change =
      accepted + " AND " + operation + " <> " + number_of(ChangeKind::truncate);
  const std::string is_truncate =
      accepted + " AND " + operation + " = " + number_of(ChangeKind::truncate);
  const std::string is_delete =
      accepted + " AND " + operation + " = " + number_of(ChangeKind::remove);
  LAKEMILL_TRY(
      const std::vector<std::int64_t> counts,
      scratch.counts("SELECT count(*) FILTER (NOT (" + accepted +
                     ")), count(*) FILTER (" + is_truncate + "), count(*) FILTER (" +
                     is_change + "), count(*) FILTER (" + is_delete +
                     "), (SELECT count(*) FROM (SELECT DISTINCT " +
                     column_list("", columns.keys) + " FROM " + judged + " WHERE " +
                     is_change + ")) FROM " + judged));
  set.rejected = counts.at(0);
  set.truncates = counts.at(1);
  set.changes = counts.at(2);
  set.deletes = counts.at(3);
  set.keys = counts.at(4);
  if (set.changes == set.keys) return {};
  LAKEMILL_TRY(
      const std::vector<std::int64_t> ties,
      scratch.counts("SELECT count(*) FROM (SELECT 1 FROM " + judged + " WHERE " +
                     is_change + " GROUP BY " + column_list("", columns.keys) + ", " +
                     quote_identifier(kSequence) + " HAVING count(*) > 1)"));
  set.has_ties = ties.at(0) > 0;
  return {};
}

// The columns of the rows that a rejected change keeps.
std::vector<data::Field> told_columns(const data::Schema& staged) {
  std::vector<data::Field> columns;
  for (const data::Field& field : staged.fields) {
    if (!field.name.starts_with(kInternalPrefix)) columns.push_back(field);
  }
  return columns;
}

// Names that the table gives its own columns become "_change…".
std::string told_name(const std::string& name) {
  const bool is_taken =
      equals_ignoring_case(name, "_reason") || equals_ignoring_case(name, "_batch_id");
  return is_taken ? "_change" + name : name;
}

}  // namespace

data::Schema rejected_schema(const data::Schema& staged) {
  data::Schema schema;
  for (const data::Field& field : told_columns(staged)) {
    schema.fields.push_back(field);
    schema.fields.back().name = told_name(field.name);
  }
  schema.fields.push_back(
      {"_reason", data::make_type(data::TypeKind::string), true, Json::object()});
  schema.fields.push_back(
      {"_batch_id", data::make_type(data::TypeKind::int64), true, Json::object()});
  return schema;
}

std::string change_fingerprint(std::string_view alias, const ChangeColumns& columns) {
  return "CASE WHEN " + column(alias, kOperation) + " = " +
         number_of(ChangeKind::upsert) + " THEN " +
         row_hash(alias, without_metadata(columns.values)) + " ELSE 0 END";
}

Status fail_on_equal_sequences(Scratch& scratch, const std::string& conflict_sql,
                               const ChangeColumns& columns) {
  LAKEMILL_TRY(const data::Rows rows,
               scratch.session().query(conflict_sql + " ORDER BY ALL LIMIT 1",
                                       engine::Origin::lakemill, 1));
  if (rows.rows.empty()) return {};
  std::string key;
  for (std::size_t i = 0; i < columns.keys.size(); ++i) {
    if (i > 0) key += ", ";
    key += columns.keys[i].name + " = " + data::to_text(rows.rows.front().at(i));
  }
  return Error(ErrorCode::invalid,
               "two different changes of the key " + key + " have the same sequence " +
                   data::to_text(rows.rows.front().at(columns.keys.size())) +
                   ": which one is newer cannot be told; if the SQL that makes these "
                   "rows was edited, make the table anew with --full-refresh; else "
                   "name a column with order_by that orders the changes of a key");
}

Result<ChangeSet> sort_out_changes(Scratch& scratch, const std::string& staged_rows,
                                   const data::Schema& staged,
                                   const ChangeColumns& columns,
                                   const ChangeOptions& options,
                                   const StateBounds& bounds, std::int64_t batch_id) {
  LAKEMILL_TRY(const std::string flagged, flag_changes(scratch, staged_rows, options));
  const std::string sequenced = "(SELECT *, " + sequence_of("", columns) + " AS " +
                                quote_identifier(kSequence) + ", " + operation_sql() +
                                " AS " + quote_identifier(kOperation) + " FROM " +
                                as_held(flagged, columns) + ")";
  const std::string judged_sql = "SELECT *, " + reason_sql(columns, options, bounds) +
                                 " AS " + quote_identifier(kReason) + " FROM " +
                                 sequenced;
  LAKEMILL_TRY(const std::string judged,
               scratch.view("judged", judged_sql, engine::Origin::lakemill));
  ChangeSet set;
  std::string casts = cast_list("", columns.keys);
  if (!columns.values.empty()) casts += ", " + cast_list("", columns.values);
  LAKEMILL_TRY(
      set.accepted,
      scratch.view("accepted",
                   "SELECT " + casts + ", " + quote_identifier(kSequence) + ", " +
                       quote_identifier(kOperation) + " FROM " + judged + " WHERE " +
                       quote_identifier(kReason) + " IS NULL",
                   engine::Origin::lakemill));
  std::string told;
  for (const data::Field& field : told_columns(staged)) {
    told += quote_identifier(field.name) + " AS " +
            quote_identifier(told_name(field.name)) + ", ";
  }
  set.rejected_sql = "SELECT " + told + quote_identifier(kReason) +
                     " AS \"_reason\", CAST(" + std::to_string(batch_id) +
                     " AS BIGINT) AS \"_batch_id\" FROM " + judged + " WHERE " +
                     quote_identifier(kReason) + " IS NOT NULL";
  LAKEMILL_TRY_OK(count_changes(scratch, judged, columns, set));
  if (options.equal_sequences_fail && set.has_ties) {
    const std::string keys = column_list("", columns.keys);
    const std::string sequence = quote_identifier(kSequence);
    LAKEMILL_TRY_OK(fail_on_equal_sequences(
        scratch,
        "SELECT " + keys + ", " + sequence + " FROM (SELECT *, " +
            change_fingerprint("", columns) +
            " AS \"_lakemill_change_fingerprint\" FROM " + set.accepted + " WHERE " +
            quote_identifier(kOperation) + " <> " + number_of(ChangeKind::truncate) +
            ") GROUP BY " + keys + ", " + sequence +
            " HAVING count(DISTINCT {'o': " + quote_identifier(kOperation) +
            ", 'f': \"_lakemill_change_fingerprint\"}) > 1",
        columns));
  }
  return set;
}

}  // namespace lakemill::sinks
