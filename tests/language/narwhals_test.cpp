// Runs the SQL of expressions and methods on small rows and compares with the answers
// of Narwhals over Polars, which narwhals_peer.py wrote to narwhals_cases.jsonl.

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "method_json.h"
#include <duckdb.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/base/json.h"
#include "lakemill/base/text.h"
#include "lakemill/language/method_sql.h"

namespace lakemill::language {
namespace {

using data::TypeKind;

data::Field field(const std::string& name, data::Type type) {
  return data::Field{name, std::move(type), true, Json::object()};
}

Frame rows() {
  auto of = [](TypeKind kind) { return data::make_type(kind); };
  return Frame{
      "df",
      {{field("k", of(TypeKind::string)), field("o", of(TypeKind::int64)),
        field("i", of(TypeKind::int64)), field("j", of(TypeKind::int64)),
        field("f", of(TypeKind::float64)), field("s", of(TypeKind::string)),
        field("b", of(TypeKind::boolean)), field("t", of(TypeKind::timestamp_ntz)),
        field("d", of(TypeKind::date)),
        field("l", data::make_array(of(TypeKind::int64), true)),
        field("r", data::make_struct({field("x", of(TypeKind::int64)),
                                      field("y", of(TypeKind::string))}))}}};
}

Frame other_rows() {
  return Frame{"other",
               {{field("k", data::make_type(TypeKind::string)),
                 field("o", data::make_type(TypeKind::int64)),
                 field("w", data::make_type(TypeKind::int64))}}};
}

constexpr const char* kSetUp = R"sql(
SET TimeZone = 'UTC';
CREATE TABLE df (k VARCHAR, o BIGINT, i BIGINT, j BIGINT, f DOUBLE, s VARCHAR, b BOOLEAN,
                 t TIMESTAMP, d DATE, l BIGINT[], r STRUCT(x BIGINT, y VARCHAR));
INSERT INTO df VALUES
('a', 1, -7, 2, -2.5, 'ab', TRUE, '2020-01-05 10:23:45.678901', '2020-01-05', [1, 2, NULL], {x: 1, y: 'p'}),
('b', 2, 7, 2, 0.5, 'é,b', FALSE, '2020-01-06', '2020-01-06', [], {x: 2, y: NULL}),
('a', 3, 3, -2, 2.5, NULL, NULL, NULL, NULL, NULL, NULL),
('b', 4, NULL, 1, NULL, 'x,y-z', TRUE, '1969-12-31 23:00:00', '1969-12-31', [3, 3], {x: NULL, y: 'q'}),
('a', 5, 0, 5, 1.25, '  pad ', FALSE, '2024-02-29 12:30:00', '2024-02-29', [5], {x: 5, y: 'r'}),
(NULL, 6, 3, NULL, 3.0, '-5', TRUE, '2021-07-14 01:02:03', '2021-07-14', [4, 1], {x: 6, y: 's'});
CREATE TABLE other (k VARCHAR, o BIGINT, w BIGINT);
INSERT INTO other VALUES ('a', 1, 10), ('b', 2, 20), ('c', 9, 30);
)sql";

// The same text as plain() of narwhals_peer.py.
std::string plain(const duckdb::Value& value) {
  using duckdb::LogicalTypeId;
  if (value.IsNull()) return "null";
  const duckdb::LogicalType& type = value.type();
  switch (type.id()) {
    case LogicalTypeId::BOOLEAN:
      return value.GetValue<bool>() ? "true" : "false";
    case LogicalTypeId::LIST: {
      std::vector<std::string> items;
      for (const duckdb::Value& item : duckdb::ListValue::GetChildren(value)) {
        items.push_back(plain(item));
      }
      return "[" + join(items, ", ") + "]";
    }
    case LogicalTypeId::STRUCT: {
      std::vector<std::string> items;
      const auto& children = duckdb::StructValue::GetChildren(value);
      for (std::size_t i = 0; i < children.size(); ++i) {
        items.push_back(std::string(duckdb::StructType::GetChildName(type, i)) + ": " +
                        plain(children[i]));
      }
      return "{" + join(items, ", ") + "}";
    }
    case LogicalTypeId::TIMESTAMP:
    case LogicalTypeId::TIMESTAMP_TZ:
    case LogicalTypeId::TIMESTAMP_MS: {
      std::string text = value.DefaultCastAs(duckdb::LogicalType::TIMESTAMP).ToString();
      if (text.find('.') == std::string::npos) text += '.';
      text.resize(26, '0');
      return text;
    }
    default:
      break;
  }
  if (!type.IsNumeric()) return value.ToString();
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.9g", value.GetValue<double>());
  return std::string(text.data()) == "-0" ? "0" : text.data();
}

void check(duckdb::Connection& connection, const Json& expected) {
  auto sql = compile_method(
      method_from_json(expected.at("method")), rows(),
      [](std::string_view) -> Result<Frame> { return other_rows(); }, Dialect::duckdb);
  ASSERT_TRUE(sql) << sql.error().message();
  SCOPED_TRACE(*sql);
  auto result = connection.Query(*sql);
  ASSERT_FALSE(result->HasError()) << result->GetError();
  std::vector<std::string> names;
  for (const auto& name : result->names) names.emplace_back(name);
  EXPECT_EQ(names, expected.at("columns").get<std::vector<std::string>>());
  std::vector<std::string> found;
  for (std::size_t row = 0; row < result->RowCount(); ++row) {
    std::vector<std::string> values;
    for (std::size_t column = 0; column < result->ColumnCount(); ++column) {
      values.push_back(plain(result->GetValue(column, row)));
    }
    found.push_back("[" + join(values, ", ") + "]");
  }
  if (!expected.at("ordered").get<bool>()) std::sort(found.begin(), found.end());
  EXPECT_EQ(found, expected.at("rows").get<std::vector<std::string>>());
}

TEST(Narwhals, GivesTheSameRowsHere) {
  duckdb::DuckDB database(nullptr);
  duckdb::Connection connection(database);
  auto made = connection.Query(kSetUp);
  ASSERT_FALSE(made->HasError()) << made->GetError();
  std::ifstream file(LAKEMILL_NARWHALS_CASES);
  std::string line;
  int count = 0;
  while (std::getline(file, line)) {
    auto expected = parse_json(line);
    ASSERT_TRUE(expected) << expected.error().message();
    SCOPED_TRACE(json_text(expected->at("method")));
    check(connection, *expected);
    ++count;
  }
  EXPECT_GT(count, 250);
}

// What differs from the peer on purpose, by hand.
struct OwnCase {
  const char* text;
  const char* value;
};

TEST(Narwhals, DiffersWhereTheLanguageSaysSo) {
  duckdb::DuckDB database(nullptr);
  duckdb::Connection connection(database);
  const data::Schema schema = {
      {field("x", data::make_type(TypeKind::int64)),
       field("f", data::make_type(TypeKind::float64)),
       field("l", data::make_array(data::make_type(TypeKind::int64), true)),
       field("s", data::make_type(TypeKind::string))}};
  const std::vector<OwnCase> cases = {
      {"nw.col('x') / 0", "inf"},
      {"nw.col('x') // 0", "null"},
      {"nw.col('x') % 0", "null"},
      {"nw.col('f') // 0", "null"},
      {"nw.col('f') % 0", "null"},
      {"nw.col('l').list.get(9)", "null"},
      {"nw.col('l').list.get(-1)", "2"},
      {"nw.col('l').list.unique()", "[2, 5]"},
      {"'x' + nw.col('s')", "xa_b_c"},
      {"nw.col('s').laktory.string_split(pattern='_', key=1)", "b"},
      {"nw.col('f').laktory.roundp(p=5)", "10"},
      {"nw.col('f').laktory.roundp(p=0.25)", "7.75"},
      {"nw.col('x').laktory.convert_units('m', 'ft')", "9.84251969"},
      {"nw.col('x').laktory.convert_units('degC', 'degF')", "37.4"},
      {"nw.lit('2020-01-05T10:00:00').str.to_datetime()", "2020-01-05 10:00:00.000000"},
      {"nw.lit(1577836800000000).cast(nw.Datetime())", "2020-01-01 00:00:00.000000"},
      {"nw.col('s').str.extract('_([a-z])')", "b"},
      {"nw.col('s').str.strip_prefix('a_')", "b_c"},
      {"nw.col('x').rank('ordinal').over(order_by='s')", "1"},
      {"nw.col('x').mode(keep='any')", "3"},
      {"nw.date(2024, 2, 29).dt.truncate('1mo')", "2024-02-01"},
      {"nw.datetime(2020, 1, 20).dt.truncate('2w')", "2020-01-13 00:00:00.000000"},
      {"nw.datetime(1969, 12, 31).dt.truncate('5y')", "1965-01-01 00:00:00.000000"},
      {"sql_expr('x * 2')", "6"},
      {"nw.lit(0.1) + nw.lit(0.2) == nw.lit(0.3)", "false"},
  };
  for (const OwnCase& own : cases) {
    SCOPED_TRACE(own.text);
    auto compiled = compile_expression(own.text, schema, Dialect::duckdb);
    ASSERT_TRUE(compiled) << compiled.error().message();
    auto result = connection.Query("SELECT " + compiled->sql +
                                   " FROM (VALUES (3::BIGINT, 7.7::DOUBLE, [5, "
                                   "2]::BIGINT[], 'a_b_c')) t(x, f, l, s)");
    ASSERT_FALSE(result->HasError()) << result->GetError() << "\n" << compiled->sql;
    EXPECT_EQ(plain(result->GetValue(0, 0)), own.value);
  }
}

}  // namespace
}  // namespace lakemill::language
