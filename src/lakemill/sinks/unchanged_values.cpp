#include "lakemill/sinks/unchanged_values.h"

#include "lakemill/base/text.h"
#include "lakemill/sinks/change_sql.h"

namespace lakemill::sinks {

namespace {

constexpr std::string_view kFillSequence = "_lakemill_fill_sequence";

// The row of the target that holds a key's values now.
std::string current_rows(const std::string& target, const ChangeOptions& options) {
  if (options.scd_type != 2) return target;
  return "(SELECT * FROM " + target + " WHERE " +
         quote_identifier(options.end_at_column_name) + " IS NULL)";
}

}  // namespace

Result<std::string> put_unchanged_values(Scratch& scratch, const std::string& staged,
                                         const data::Schema& schema,
                                         const ChangeColumns& columns,
                                         const ChangeOptions& options,
                                         const std::string& target) {
  const data::Field* listed = schema.find(kUnchanged);
  if (listed == nullptr || listed->type.kind != data::TypeKind::array) return staged;
  const std::string list = quote_identifier(listed->name);
  const std::string lists_some = "len(" + list + ") > 0";
  LAKEMILL_TRY(const auto counts, scratch.counts("SELECT count(*) FROM " + staged +
                                                 " WHERE " + lists_some));
  if (counts.at(0) == 0) return staged;
  const std::string keys = column_list("", columns.keys);
  const std::string with_sequence = "SELECT *, " + sequence_of("", columns) + " AS " +
                                    quote_identifier(kFillSequence) + " FROM " + staged;
  LAKEMILL_TRY(const std::string concerned,
               scratch.keep("concerned", "SELECT DISTINCT " + keys + " FROM " + staged +
                                             " WHERE " + lists_some));
  const std::string match =
      keys_equal("s", "k", columns.keys, options.null_equals_null);
  std::string filled;
  for (const data::Field& value : columns.values) {
    const data::Field* given = schema.find(value.name);
    if (given == nullptr || given->name == listed->name) continue;
    const std::string name = column("s", given->name);
    const std::string is_kept = "coalesce(list_contains(s." + list + ", " +
                                quote_literal(given->name) + "), false)";
    // A struct, so that a null that was sent is told from nothing.
    std::string before = "last_value(CASE WHEN NOT " + is_kept + " THEN {'v': " + name +
                         "} END IGNORE NULLS) OVER _lakemill_before";
    std::string old = "(" + before + ").v";
    if (!target.empty()) {
      old = "CASE WHEN (" + before + ") IS NOT NULL THEN " + old + " ELSE " +
            column("t", value.name) + " END";
    }
    filled += (filled.empty() ? "" : ", ") + std::string("CASE WHEN ") + is_kept +
              " THEN " + old + " ELSE " + name + " END AS " +
              quote_identifier(given->name);
  }
  if (filled.empty()) return staged;
  std::string sql = "SELECT s.* EXCLUDE (" + quote_identifier(kFillSequence) +
                    ") REPLACE (" + filled + ") FROM (" + with_sequence +
                    ") AS s SEMI JOIN " + concerned + " AS k ON " + match;
  if (!target.empty()) {
    sql += " LEFT JOIN " + current_rows(target, options) + " AS t ON " +
           keys_equal("s", "t", columns.keys, options.null_equals_null);
  }
  sql += " WINDOW _lakemill_before AS (PARTITION BY " + column_list("s", columns.keys) +
         " ORDER BY s." + quote_identifier(kFillSequence) +
         " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)";
  sql += " UNION ALL BY NAME SELECT s.* FROM " + staged + " AS s ANTI JOIN " +
         concerned + " AS k ON " + match;
  return scratch.keep("filled", sql);
}

}  // namespace lakemill::sinks
