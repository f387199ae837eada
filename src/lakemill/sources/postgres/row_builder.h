#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lakemill/sources/postgres/column_types.h"

namespace lakemill::sources::postgres {

/// What the server says of a table besides its messages.
class TableLookup : public TypeLookup {
 public:
  /// The columns of the primary key; none: it has no such key. Errors: those of the
  /// connection.
  virtual Result<std::vector<std::string>> primary_key(
      const RelationMessage& relation) = 0;
  /// The texts that `columns` have now in the row whose `keys` are those; nothing if
  /// there is no such row. Errors: likewise.
  virtual Result<std::optional<std::vector<std::optional<std::string>>>> row_now(
      const RelationMessage& relation,
      const std::vector<std::pair<std::string, std::string>>& keys,
      const std::vector<std::string>& columns) = 0;
};

/// A table as the stream describes it at one moment.
struct StreamedTable {
  RelationMessage message;
  std::shared_ptr<const TableLayout> layout;
  /// The columns by which a change finds its row: those of the replica identity; with
  /// identity FULL those of the primary key.
  std::vector<bool> is_key;
  bool has_key = false;
};

Result<StreamedTable> make_streamed_table(RelationMessage message, TableLookup& lookup);

/// Rows that changes become, without their offset: what a spool is given.
struct BuiltRows {
  std::string first;   ///< empty: none
  std::string second;  ///< of an update that moved its row: what it became
  /// `second` lacks values that stay as they were under the old key.
  bool moved_without_values = false;
  /// How many indexes the change takes in its transaction: told by the message alone,
  /// so that they are the same however often it is read.
  std::uint32_t indexes = 1;
};

/// Errors: corrupt (a change that does not fit its table).
Status build_rows(const StreamedTable& table, const RowChange& change, BuiltRows& rows);
void build_truncate(const StreamedTable& table, std::string& row);

/// Puts into a row that moved the values that were not sent, as the table has them now:
/// the old row's, unless a later change, which comes too, replaced them.
Status fill_moved_row(const StreamedTable& table, TableLookup& lookup,
                      std::string& row);

}  // namespace lakemill::sources::postgres
