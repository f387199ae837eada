#include "lakemill/sources/postgres/column_sql.h"

#include <algorithm>

#include "lakemill/base/text.h"

namespace lakemill::sources::postgres {

namespace {

using data::TypeKind;

std::string sql_type(const data::Type& type) {
  switch (type.kind) {
    case TypeKind::boolean:
      return "BOOLEAN";
    case TypeKind::int8:
      return "TINYINT";
    case TypeKind::int16:
      return "SMALLINT";
    case TypeKind::int32:
      return "INTEGER";
    case TypeKind::int64:
      return "BIGINT";
    case TypeKind::float32:
      return "FLOAT";
    case TypeKind::float64:
      return "DOUBLE";
    case TypeKind::decimal:
      return "DECIMAL(" + std::to_string(type.precision) + "," +
             std::to_string(type.scale) + ")";
    case TypeKind::binary:
      return "BLOB";
    case TypeKind::date:
      return "DATE";
    case TypeKind::timestamp:
      return "TIMESTAMP WITH TIME ZONE";
    case TypeKind::timestamp_ntz:
      return "TIMESTAMP";
    case TypeKind::array:
      return sql_type(type.children.at(0).type) + "[]";
    default:
      return "VARCHAR";
  }
}

bool is_scalar(const data::Type& type) {
  return type.kind != TypeKind::array && type.kind != TypeKind::map &&
         type.kind != TypeKind::structure && type.kind != TypeKind::variant &&
         type.kind != TypeKind::void_type;
}

std::string try_cast(const std::string& sql, const data::Type& type) {
  return "TRY_CAST(" + sql + " AS " + sql_type(type) + ")";
}

// A PostgreSQL text as a value; null where it does not fit.
std::string scalar_sql(const data::Type& type, const std::string& raw) {
  switch (type.kind) {
    case TypeKind::string:
      return raw;
    case TypeKind::binary:
      return "TRY(from_hex(substr(" + raw + ", 3)))";
    case TypeKind::date:
    case TypeKind::timestamp:
    case TypeKind::timestamp_ntz:
      // Only years 1 to 9999 after Christ: readers differ in what else they hold, and
      // DuckDB has an infinity that Parquet lacks.
      return "CASE WHEN substr(" + raw + ", 5, 1) = '-' AND NOT ends_with(" + raw +
             ", 'BC') THEN " + try_cast(raw, type) + " END";
    default:
      return try_cast(raw, type);
  }
}

// The texts of the elements of {a,"b c",NULL}; null for more than one dimension or a
// lower bound of its own.
std::string elements_sql(const std::string& raw) {
  const std::string pattern = quote_literal(R"re((?s)"(?:[^"\\]|\\.)*"|[^,]+)re");
  const std::string escape = quote_literal(R"re((?s)\\(.))re");
  return "CASE WHEN starts_with(" + raw + ", '{') AND NOT starts_with(" + raw +
         ", '{{') THEN list_transform(regexp_extract_all(substr(" + raw +
         ", 2, length(" + raw + ") - 2), " + pattern +
         "), lambda e: CASE WHEN e = 'NULL' THEN NULL WHEN starts_with(e, '\"') THEN "
         "regexp_replace(substr(e, 2, length(e) - 2), " +
         escape + R"re(, '\1', 'g') ELSE e END) END)re";
}

struct Value {
  std::string sql;
  std::string misfit;  // true where a text is there that does not fit; empty: never
};

Value own_value(const data::Type& type, const std::string& raw) {
  if (type.kind == TypeKind::string) return {raw, ""};
  if (type.kind != TypeKind::array) {
    const std::string value = scalar_sql(type, raw);
    // What these types look like leaves nothing that does not fit.
    const bool always_fits =
        type.kind == TypeKind::boolean || type.kind == TypeKind::int16 ||
        type.kind == TypeKind::int32 || type.kind == TypeKind::int64 ||
        type.kind == TypeKind::float32 || type.kind == TypeKind::float64;
    if (always_fits) return {value, ""};
    return {value, raw + " IS NOT NULL AND " + value + " IS NULL"};
  }
  const data::Type& element = type.children.at(0).type;
  const std::string texts = elements_sql(raw);
  const std::string none_split = raw + " IS NOT NULL AND " + texts + " IS NULL";
  if (element.kind == TypeKind::string) return {texts, none_split};
  const std::string values =
      "list_transform(" + texts + ", lambda e: " + scalar_sql(element, "e") + ")";
  const auto nulls = [](const std::string& list) {
    return "len(list_filter(" + list + ", lambda e: e IS NULL))";
  };
  const std::string misfit =
      "(" + none_split + ") OR " + nulls(values) + " <> " + nulls(texts);
  return {
      "CASE WHEN " + nulls(values) + " = " + nulls(texts) + " THEN " + values + " END",
      misfit};
}

// A column of type `own` as the table already holds it.
Value held_value(const data::Type& own, const data::Type& held,
                 const std::string& raw) {
  Value value = own_value(own, raw);
  if (own == held || sql_type(own) == sql_type(held)) return value;
  if (held.kind == TypeKind::string) return {raw, ""};
  const std::string present = raw + " IS NOT NULL";
  if (!is_scalar(own) || !is_scalar(held)) {
    return {"CAST(NULL AS " + sql_type(held) + ")", present};
  }
  // Exactly, or not at all: what it becomes must give back what it was.
  const std::string cast = try_cast(value.sql, held);
  const std::string exact = try_cast(cast, own) + " IS NOT DISTINCT FROM " + value.sql;
  return {"CASE WHEN " + exact + " THEN " + cast + " END",
          present + " AND (" + value.sql + " IS NULL OR NOT (" + exact + "))"};
}

std::string rescued_sql(const std::vector<std::pair<std::string, std::string>>& misfits,
                        const std::vector<std::string>& raws) {
  const std::string invalid = quote_identifier(kInvalidColumn);
  if (misfits.empty()) return invalid;
  std::vector<std::string> any;
  std::vector<std::string> entries;
  for (std::size_t i = 0; i < misfits.size(); ++i) {
    const auto& [name, misfit] = misfits[i];
    any.push_back("(" + misfit + ")");
    entries.push_back("{'k': " + quote_literal(name) + ", 'v': CASE WHEN " + misfit +
                      " THEN " + raws[i] + " END}");
  }
  const std::string object = "to_json(map_from_entries(list_filter([" +
                             join(entries, ", ") +
                             "], lambda entry: entry.v IS NOT NULL)))";
  return "CASE WHEN " + join(any, " OR ") + " THEN CAST(CASE WHEN " + invalid +
         " IS NULL THEN " + object + " ELSE json_merge_patch(" + object + ", CAST(" +
         invalid + " AS JSON)) END AS VARCHAR) ELSE " + invalid + " END";
}

}  // namespace

std::vector<OutputColumn> output_columns(
    const std::vector<const TableLayout*>& layouts) {
  std::vector<OutputColumn> columns;
  for (const TableLayout* layout : layouts) {
    for (const LayoutColumn& column : layout->columns) {
      const auto known =
          std::find_if(columns.begin(), columns.end(), [&](const OutputColumn& other) {
            return equals_ignoring_case(other.name, column.name);
          });
      if (known != columns.end()) {
        known->type = column.type;
      } else {
        columns.push_back({column.name, column.type});
      }
    }
  }
  return columns;
}

std::string select_list(const TableLayout& layout,
                        const std::vector<OutputColumn>& columns) {
  std::vector<std::string> items;
  std::vector<std::pair<std::string, std::string>> misfits;
  std::vector<std::string> raws;
  for (const OutputColumn& column : columns) {
    const auto found = std::find_if(
        layout.columns.begin(), layout.columns.end(), [&](const LayoutColumn& other) {
          return equals_ignoring_case(other.name, column.name);
        });
    const std::string as = " AS " + quote_identifier(column.name);
    if (found == layout.columns.end()) {
      items.push_back("CAST(NULL AS " + sql_type(column.type) + ")" + as);
      continue;
    }
    const std::string raw = "c" + std::to_string(found - layout.columns.begin());
    Value value = held_value(found->type, column.type, raw);
    items.push_back(value.sql + as);
    if (value.misfit.empty()) continue;
    misfits.emplace_back(column.name, std::move(value.misfit));
    raws.push_back(raw);
  }
  const std::string unchanged = quote_identifier(kUnchangedColumn);
  items.push_back(rescued_sql(misfits, raws) + " AS _rescued");
  items.push_back(quote_identifier(kOperationColumn) + " AS _op");
  items.push_back("CASE WHEN " + unchanged + " IS NOT NULL THEN string_split(" +
                  unchanged + ", chr(31)) END AS _unchanged");
  items.push_back(quote_identifier(kOffsetColumn) + " AS _source_offset");
  return join(items, ", ");
}

}  // namespace lakemill::sources::postgres
