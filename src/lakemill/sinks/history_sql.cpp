#include "lakemill/sinks/history_sql.h"

#include <functional>

#include "lakemill/base/text.h"

namespace lakemill::sinks {
namespace {

/// A column put together from its leaves: `leaf` makes a value of a scalar expression,
/// `present` tells whether one of the struct's values was there at all.
std::string rebuilt(const std::string& expression, const data::Type& type,
                    const std::function<std::string(const std::string&)>& leaf,
                    const std::function<std::string(const std::string&)>& present) {
  if (type.kind != data::TypeKind::structure) return leaf(expression);
  std::string fields;
  for (const data::Field& child : type.children) {
    if (!fields.empty()) fields += ", ";
    const std::string name = quote_identifier(child.name);
    fields += name + " := " +
              rebuilt("(" + expression + ")." + name, child.type, leaf, present);
  }
  return "CASE WHEN " + present(expression) + " THEN struct_pack(" + fields + ") END";
}

}  // namespace

HistorySql::HistorySql(const ChangeColumns& columns, const ChangeOptions& options,
                       std::string truncated)
    : columns_(columns),
      options_(options),
      truncated_(std::move(truncated)),
      keys_(column_list("", columns.keys)),
      number_(quote_identifier(kNumber)),
      operation_(quote_identifier(kOperation)),
      sequence_(quote_identifier(kSequence)) {}

std::string HistorySql::by_key(std::string_view order) const {
  return "(PARTITION BY " + keys_ + " ORDER BY " + std::string(order) + ")";
}

// An epoch is what lies between two ends of a row: deletes, and the truncation.
std::string HistorySql::with_epochs(const std::string& log) const {
  const std::string deletes = "sum(CASE WHEN " + operation_ + " = " +
                              number_of(ChangeKind::remove) + " THEN 1 ELSE 0 END)";
  std::string epoch = deletes + " OVER " + by_key(number_);
  std::string current = deletes + " OVER (PARTITION BY " + keys_ + ")";
  if (!truncated_.empty()) {
    epoch += " + CASE WHEN " + sequence_ + " > " + truncated_ + " THEN 1 ELSE 0 END";
    current += " + 1";
  }
  return "SELECT *, " + epoch + " AS _lakemill_epoch, " + current +
         " AS _lakemill_current_epoch FROM " + log;
}

std::string HistorySql::rows_of(const std::string& log) const {
  const std::string live =
      "SELECT * FROM (" + with_epochs(log) + ") WHERE " + operation_ + " = " +
      number_of(ChangeKind::upsert) +
      (soft() ? " QUALIFY _lakemill_epoch = max(_lakemill_epoch) OVER (PARTITION BY " +
                    keys_ + ")"
              : " AND _lakemill_epoch = _lakemill_current_epoch");
  const auto leaf = [&](const std::string& expression) {
    return "arg_max(" + expression + ", " + number_ + ") FILTER (" + expression +
           " IS NOT NULL)";
  };
  const auto present = [](const std::string& expression) {
    return "bool_or(" + expression + " IS NOT NULL)";
  };
  std::string sql = "SELECT " + keys_;
  for (const data::Field& value : columns_.values) {
    const std::string name = quote_identifier(value.name);
    sql += ", " + rebuilt(name, value.type, leaf, present) + " AS " + name;
  }
  if (soft()) {
    sql += ", bool_or(_lakemill_epoch < _lakemill_current_epoch) AS " +
           quote_identifier(kSoftDeleted);
  }
  return sql + " FROM (" + live + ") GROUP BY " + keys_;
}

// Each change with the values that it leaves behind.
std::string HistorySql::with_values_kept(const std::string& log) const {
  const std::string window =
      " OVER (PARTITION BY " + keys_ + ", _lakemill_epoch ORDER BY " + number_ + ")";
  const auto leaf = [&](const std::string& expression) {
    return "last_value(" + expression + " IGNORE NULLS)" + window;
  };
  const auto present = [&](const std::string& expression) {
    return "bool_or(" + expression + " IS NOT NULL)" + window;
  };
  std::string kept;
  for (const data::Field& value : columns_.values) {
    const std::string name = quote_identifier(value.name);
    const std::string given = "CASE WHEN " + operation_ + " = " +
                              number_of(ChangeKind::upsert) + " THEN " + name + " END";
    kept += (kept.empty() ? "" : ", ") + rebuilt(given, value.type, leaf, present) +
            " AS " + name;
  }
  return "SELECT * EXCLUDE (_lakemill_epoch, _lakemill_current_epoch)" +
         (kept.empty() ? "" : " REPLACE (" + kept + ")") + " FROM (" +
         with_epochs(log) + ")";
}

// Each change with the number of its run: changes in which no new row opens.
std::string HistorySql::with_runs(const std::string& log) const {
  const std::string over = " OVER " + by_key(number_);
  const std::string changes =
      options_.ignore_null_updates ? "(" + with_values_kept(log) + ")" : log;
  std::string opens = operation_ + " = " + number_of(ChangeKind::remove) + " OR lag(" +
                      operation_ + ")" + over + " IS DISTINCT FROM " +
                      number_of(ChangeKind::upsert);
  for (const std::string& tracked : columns_.tracked) {
    const std::string name = quote_identifier(tracked);
    opens += " OR " + name + " IS DISTINCT FROM lag(" + name + ")" + over;
  }
  return "SELECT * EXCLUDE (_lakemill_opens), sum(_lakemill_opens)" + over +
         " AS _lakemill_run FROM (SELECT *, CASE WHEN " + opens +
         " THEN 1 ELSE 0 END AS _lakemill_opens FROM " + changes + ")";
}

std::string HistorySql::anchors_of(const std::string& log) const {
  if (options_.scd_type == 1) return with_values_kept(log);
  return "SELECT * EXCLUDE (_lakemill_run) REPLACE (first_value(" + sequence_ +
         ") OVER (PARTITION BY " + keys_ + ", _lakemill_run ORDER BY " + number_ +
         ") AS " + sequence_ + ") FROM (" + with_runs(log) + ")";
}

std::string HistorySql::intervals_of(const std::string& log) const {
  const std::string over = " OVER " + by_key(number_);
  const std::string bounded =
      "SELECT *, first_value(" + sequence_ + ") OVER (PARTITION BY " + keys_ +
      ", _lakemill_run ORDER BY " + number_ +
      ") AS _lakemill_start, lead(_lakemill_run)" + over +
      " AS _lakemill_next_run, lead(" + sequence_ + ")" + over +
      " AS _lakemill_end, lead(" + operation_ + ")" + over +
      " AS _lakemill_next_operation FROM (" + with_runs(log) + ")";
  std::string sql = "SELECT " + keys_;
  if (!columns_.values.empty()) sql += ", " + column_list("", columns_.values);
  sql += ", _lakemill_start AS " + quote_identifier(options_.start_at_column_name) +
         ", _lakemill_end AS " + quote_identifier(options_.end_at_column_name);
  if (soft()) {
    sql += ", coalesce(_lakemill_next_operation = " + number_of(ChangeKind::remove) +
           ", false) AS " + quote_identifier(kSoftDeleted);
  }
  return sql + " FROM (" + bounded + ") WHERE " + operation_ + " = " +
         number_of(ChangeKind::upsert) +
         " AND _lakemill_next_run IS DISTINCT FROM _lakemill_run";
}

}  // namespace lakemill::sinks
