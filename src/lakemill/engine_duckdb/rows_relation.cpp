// Rows written in the pipeline itself, as a table of the session.

#include <map>

#include "lakemill/base/guard.h"
#include "lakemill/base/random.h"
#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/duckdb_session.h"
#include "lakemill/engine_duckdb/json_numbers.h"
#include "lakemill/engine_duckdb/json_structure.h"
#include "lakemill/engine_duckdb/type_mapping.h"
#include "lakemill/engine_duckdb/write_query.h"
#include "lakemill/formats/json_text.h"

namespace lakemill::engine_duckdb {

namespace {

using duckdb::LogicalType;

struct RowColumn {
  std::string name;
  LogicalType type;
};

Result<std::vector<RowColumn>> columns_of_schema(const data::Schema& schema) {
  std::vector<RowColumn> columns;
  for (const data::Field& field : schema.fields) {
    LAKEMILL_TRY(LogicalType type, to_duckdb(field.type));
    columns.push_back({field.name, std::move(type)});
  }
  return columns;
}

// A type that holds all of them with all their digits.
LogicalType type_of_numbers(const formats::NumbersAt& numbers,
                            const LogicalType& seen) {
  const bool fits = seen == LogicalType::BIGINT ? numbers.fit_long : numbers.fit_double;
  return fits ? seen : decimal_for(numbers).value_or(LogicalType::VARCHAR);
}

// `seen` with such types wherever it has numbers; `path`: where it stands.
LogicalType with_all_digits(const LogicalType& seen, const std::string& path,
                            const formats::NumbersByPath& numbers) {
  switch (seen.id()) {
    case duckdb::LogicalTypeId::STRUCT: {
      duckdb::child_list_t<LogicalType> children;
      for (const auto& [name, child] : duckdb::StructType::GetChildTypes(seen)) {
        children.emplace_back(
            name, with_all_digits(child, path + formats::member_step(name), numbers));
      }
      return LogicalType::STRUCT(std::move(children));
    }
    case duckdb::LogicalTypeId::LIST:
      return LogicalType::LIST(
          with_all_digits(duckdb::ListType::GetChildType(seen),
                          path + std::string(formats::kElementStep), numbers));
    default: {
      const auto found = numbers.find(path);
      return seen.IsNumeric() && found != numbers.end()
                 ? type_of_numbers(found->second, seen)
                 : seen;
    }
  }
}

// Of two columns that a table cannot tell apart.
Status check_names(const std::vector<RowColumn>& columns) {
  std::map<std::string, std::string> seen;
  for (const RowColumn& column : columns) {
    const auto [first, is_new] = seen.emplace(to_lower(column.name), column.name);
    if (is_new && !column.name.empty()) continue;
    return Error(ErrorCode::invalid,
                 is_new ? std::string("the rows have a column without a name; give it "
                                      "one")
                        : "the rows have the columns " + first->second + " and " +
                              column.name +
                              ", which a table cannot hold both; rename one");
  }
  return {};
}

// Names in the order in which rows bring them up; types as all rows together have them.
Result<std::vector<RowColumn>> columns_of_rows(DuckdbSession& session,
                                               const engine::RowsRelation& rows,
                                               const std::string& list) {
  LAKEMILL_TRY(const auto answer,
               session.run("SELECT json_group_structure(row) FROM (" + list + ")"));
  const duckdb::Value text = answer->GetValue(0, 0);
  if (text.IsNull()) {
    return Error(ErrorCode::invalid,
                 "there are no rows and no schema, so the columns are not known");
  }
  LAKEMILL_TRY(const OrderedJson structure,
               guard("rows", [&] { return OrderedJson::parse(text.ToString()); }));
  if (!structure.is_object()) {
    return Error(ErrorCode::invalid, "rows must be objects: {\"column\": value, …}");
  }
  const auto numbers = formats::numbers_of(rows.json_rows, true);
  std::vector<RowColumn> columns;
  for (const auto& [name, seen] : structure.items()) {
    const std::string path =
        std::string(formats::kElementStep) + formats::member_step(name);
    columns.push_back({name, with_all_digits(type_of_structure(seen), path, numbers)});
  }
  LAKEMILL_TRY_OK(check_names(columns));
  return columns;
}

std::string value_sql(const RowColumn& column) {
  const std::string path = quote_literal(formats::member_step(column.name));
  if (!column.type.IsNested()) {
    return "CAST(json_extract_string(row, " + path + ") AS " + column.type.ToString() +
           ")";
  }
  return "CAST(json_transform(json_extract(row, " + path + "), " +
         quote_literal(transform_structure(column.type)) + ") AS " +
         column.type.ToString() + ")";
}

}  // namespace

Status bind_rows(DuckdbSession& session, std::string_view name,
                 const engine::RowsRelation& rows) {
  if (!trim(rows.json_rows).starts_with('[')) {
    return Error(ErrorCode::invalid, "rows must be a list of objects");
  }
  const auto list_of = [](const std::string& json) {
    return "SELECT unnest(CAST(CAST(" + quote_literal(json) +
           " AS JSON) AS JSON[])) AS row";
  };
  const std::string list = list_of(
      rows.schema ? rows.json_rows : formats::exact_json(rows.json_rows, {}).text);
  std::vector<RowColumn> columns;
  if (rows.schema) {
    LAKEMILL_TRY(columns, columns_of_schema(*rows.schema));
  } else {
    LAKEMILL_TRY(columns, columns_of_rows(session, rows, list_of(rows.json_rows)));
  }
  std::vector<std::string> values;
  BoundName bound;
  for (const RowColumn& column : columns) {
    values.push_back(value_sql(column) + " AS " + quote_identifier(column.name));
    bound.names.push_back(column.name);
    bound.types.push_back(column.type);
  }
  SystemRandom random;
  const std::string table = "_lakemill_" + make_uuid(random);
  LAKEMILL_TRY_OK(session.run("CREATE TEMP TABLE " + quote_identifier(table) +
                              " AS SELECT " + join(values, ", ") + " FROM (" + list +
                              ")"));
  bound.make_reference = [table] {
    auto reference = duckdb::make_uniq<duckdb::BaseTableRef>();
    reference->catalog_name = TEMP_CATALOG;
    reference->schema_name = DEFAULT_SCHEMA;
    reference->table_name = table;
    return duckdb::unique_ptr<duckdb::TableRef>(std::move(reference));
  };
  return session.bind_reference(name, std::move(bound));
}

}  // namespace lakemill::engine_duckdb
