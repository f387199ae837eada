#include "lakemill/sources/change_slice.h"

#include "lakemill/base/text.h"
#include "lakemill/delta/change_feed.h"

namespace lakemill::sources {

namespace {

Slice slice_of(std::shared_ptr<const data::TableScan> scan, const std::string& op_sql) {
  Slice slice;
  slice.empty = scan->files().empty();
  SlicePart part;
  for (const data::Field& field : scan->schema().fields) {
    const bool is_of_feed = field.name == delta::kChangeType ||
                            field.name == delta::kCommitVersion ||
                            field.name == delta::kCommitTimestamp;
    if (!is_of_feed) part.select_list += quote_identifier(field.name) + ", ";
  }
  // Files have no order among each other; their index gives one.
  part.select_list += op_sql +
                      " AS _op, printf('%012d/%012d', _commit_version, CASE "
                      "_change_type WHEN 'delete' THEN 0 ELSE 500000000000 END + "
                      "_lakemill_file::BIGINT % 4096 * 100000000 + _lakemill_row) AS "
                      "_source_offset";
  part.condition = "_change_type <> " + quote_literal(delta::kUpdatePreimage);
  part.relation = engine::TableRelation{std::move(scan)};
  slice.parts.push_back(std::move(part));
  slice.source_offset_sql = slice.sequence_sql = "_source_offset";
  slice.source_file_sql = "NULL";
  return slice;
}

}  // namespace

Result<Slice> changes_slice(delta::Table& table, delta::Version from,
                            delta::Version to) {
  LAKEMILL_TRY(auto scan, table.changes(from, to));
  return slice_of(std::move(scan),
                  "CASE _change_type WHEN 'delete' THEN 'DELETE' WHEN "
                  "'update_postimage' THEN 'UPDATE' ELSE 'INSERT' END");
}

Result<Slice> snapshot_slice(const delta::Snapshot& snapshot) {
  LAKEMILL_TRY(auto scan, delta::rows_as_changes(snapshot));
  return slice_of(std::move(scan), "'SNAPSHOT'");
}

}  // namespace lakemill::sources
