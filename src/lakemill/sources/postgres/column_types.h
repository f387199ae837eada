#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/data/type.h"
#include "lakemill/sources/postgres/pgoutput.h"

namespace lakemill::sources::postgres {

/// What a server says of a type that is not built in.
struct TypeFacts {
  char kind = 'b';  ///< pg_type.typtype: b(ase), c(omposite), d(omain), e(num), r(ange)
  Oid base = 0;     ///< of a domain
  std::int32_t base_modifier = -1;
  Oid element = 0;  ///< of an array, else 0
  char delimiter = ',';
};

/// Where facts about types come from.
class TypeLookup {
 public:
  virtual ~TypeLookup() = default;
  /// Nothing for a type that is gone. Errors: those of the connection.
  virtual Result<std::optional<TypeFacts>> type_facts(Oid type) = 0;
};

/// The type of a column that holds a PostgreSQL type exactly; what has none (enums,
/// ranges, json, uuid, time, numeric without bounds …) is a string.
Result<data::Type> column_type(Oid type, std::int32_t modifier, TypeLookup& lookup);

/// A column of a PostgreSQL table as rows hold it.
struct LayoutColumn {
  std::string source_name;  ///< PostgreSQL's
  std::string name;         ///< no two alike but for case, none of our own columns
  data::Type type;

  bool operator==(const LayoutColumn&) const = default;
};

/// The columns of spooled rows: those that every row has, then the table's.
struct TableLayout {
  std::vector<LayoutColumn> columns;

  bool operator==(const TableLayout&) const = default;
};

Result<TableLayout> make_layout(const std::vector<RelationColumn>& columns,
                                TypeLookup& lookup);

/// The names by which spooled rows are bound: kOffsetColumn, kOperationColumn,
/// kUnchangedColumn, kInvalidColumn, then c0, c1, …
std::vector<std::string> spool_columns(const TableLayout& layout);

inline constexpr std::string_view kOffsetColumn = "_lakemill_offset";
inline constexpr std::string_view kOperationColumn = "_lakemill_operation";
/// Names of columns that were not sent, with kNameSeparator between.
inline constexpr std::string_view kUnchangedColumn = "_lakemill_unchanged";
/// A JSON object of the values that are no UTF-8, escaped; null for nearly all rows.
inline constexpr std::string_view kInvalidColumn = "_lakemill_invalid";
inline constexpr std::size_t kLeadingColumns = 4;
inline constexpr char kNameSeparator = '\x1f';

}  // namespace lakemill::sources::postgres
