// Goal: what write() promises: the rows, the files' statistics, partitions and names,
// and that nothing is left when it fails. Every answer is read back and compared with
// what plain SQL over the same rows says.

#include "lakemill/engine_duckdb/write_query.h"

#include <filesystem>
#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/duckdb_session.h"
#include "lakemill/engine_duckdb/session_fixture.h"
#include "lakemill/engine_duckdb/type_mapping.h"

namespace lakemill::engine_duckdb {
namespace {

using data::TypeKind;
using engine::OnFail;
using engine::TableFilesTarget;
using engine::WriteResult;
using engine::WriteSpec;
using testing::HasSubstr;

class WriteQuery : public SessionFixture {
 protected:
  TableFilesTarget files(const std::string& sql) {
    TableFilesTarget target;
    target.folder_url = folder();
    target.file_prefix = "part-";
    target.schema = schema_of_query(sql);
    target.compression = "snappy";
    return target;
  }

  data::Schema schema_of_query(const std::string& sql) {
    const auto columns = columns_of(session(), sql);
    EXPECT_TRUE(columns.has_value()) << columns.error().message();
    auto schema = from_duckdb(columns->names, columns->types);
    EXPECT_TRUE(schema.has_value()) << schema.error().message();
    return *schema;
  }

  WriteResult write(const WriteSpec& spec) {
    auto result = session().write(spec);
    EXPECT_TRUE(result.has_value()) << (result ? "" : result.error().message());
    return result ? *result : WriteResult{};
  }

  std::string failure(const WriteSpec& spec) {
    const auto result = session().write(spec);
    return result ? "no error" : result.error().message();
  }

  std::string written_files() {
    return "read_parquet('" + folder() + "/**/*.parquet', hive_partitioning = false)";
  }

  std::size_t file_count() {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder())) {
      count += entry.is_regular_file() ? 1 : 0;
    }
    return count;
  }
};

TEST_F(WriteQuery, WritesRowsThatReadBackEqual) {
  const std::string sql =
      "SELECT range AS id, 'v' || range AS v, {'a': range, 'b': [range]} AS s, "
      "MAP {'k': range} AS m FROM range(1000)";
  const WriteResult result = write({sql, {}, files(sql), {}});
  ASSERT_EQ(result.files.size(), 1U);
  EXPECT_EQ(result.written_rows, 1000);
  EXPECT_EQ(result.input_rows, 1000);
  EXPECT_TRUE(result.files[0].path.starts_with("part-"));
  EXPECT_EQ(static_cast<std::uintmax_t>(result.files[0].size_bytes),
            std::filesystem::file_size(folder() + "/" + result.files[0].path));
  EXPECT_EQ(text("SELECT count(*) FROM ((" + sql + ") EXCEPT SELECT * FROM " +
                 written_files() + ")"),
            "0");
}

TEST_F(WriteQuery, WritesNoFileForNoRows) {
  const std::string sql = "SELECT 1 AS a, 'x' AS p WHERE false";
  EXPECT_TRUE(write({sql, {}, files(sql), {}}).files.empty());
  TableFilesTarget partitioned = files(sql);
  partitioned.partition_by = {"p"};
  EXPECT_TRUE(write({sql, {}, partitioned, {}}).files.empty());
  TableFilesTarget sized = files(sql);
  sized.target_file_bytes = 1000;
  EXPECT_TRUE(write({sql, {}, sized, {}}).files.empty());
  EXPECT_EQ(file_count(), 0U);
}

TEST_F(WriteQuery, SplitsIntoFilesOfTheTargetSize) {
  const std::string sql =
      "SELECT range AS id, hash(range) % 1000000 AS h FROM range(900000)";
  TableFilesTarget target = files(sql);
  target.target_file_bytes = 1'000'000;
  const WriteResult result = write({sql, {}, target, {}});
  EXPECT_GT(result.files.size(), 2U);
  EXPECT_EQ(result.written_rows, 900'000);
  EXPECT_EQ(text("SELECT sum(id) FROM " + written_files()), "404999550000");
}

TEST_F(WriteQuery, GivesTheMinimumAndMaximumOfEveryFlatColumn) {
  const std::string sql =
      "SELECT (range - 500)::TINYINT AS i8, (range * 7 - 2000)::SMALLINT AS i16, "
      "range::INTEGER AS i32, range * 1000000007 - 4000 AS i64, (range / 3)::FLOAT AS "
      "f, "
      "range / 7 AS d, (range / 4 - 9)::DECIMAL(9,2) AS d9, "
      "(range * 1000.5 - 900)::DECIMAL(18,3) AS d18, (range - 700)::DECIMAL(38,4) AS "
      "d38, "
      "range % 2 = 0 AS b, chr((range % 26 + 65)::INTEGER) || range AS s, "
      "DATE '1960-01-01' + range::INTEGER * 40 AS dt, "
      "TIMESTAMP '1969-12-31 23:00:00.000001' + INTERVAL (range) SECOND AS ts, "
      "TIMESTAMPTZ '2020-01-01 00:00:00.123456+00' + INTERVAL (range) HOUR AS tz, "
      "if(range % 3 = 0, NULL, range) AS holes, NULL::INTEGER AS nothing, "
      "{'x': range, 'y z': 'q' || range} AS st FROM range(600) WHERE range >= 400 AND "
      "range < 600";
  const WriteResult result = write({sql, {}, files(sql), {}});
  ASSERT_EQ(result.files.size(), 1U);
  std::set<std::string> checked;
  for (const engine::WrittenColumn& column : result.files[0].columns) {
    std::string path = quote_identifier(column.path[0]);
    for (std::size_t i = 1; i < column.path.size(); ++i) {
      path = "struct_extract(" + path + ", " + quote_literal(column.path[i]) + ")";
    }
    const auto row =
        session().run("SELECT min(" + path + "), max(" + path + "), count(*) - count(" +
                      path + ") FROM (" + sql + ")");
    ASSERT_TRUE(row.has_value()) << row.error().message();
    EXPECT_EQ(data::to_text(column.minimum),
              data::to_text(from_duckdb((*row)->GetValue(0, 0))))
        << path;
    EXPECT_EQ(data::to_text(column.maximum),
              data::to_text(from_duckdb((*row)->GetValue(1, 0))))
        << path;
    EXPECT_EQ(column.null_count, (*row)->GetValue(2, 0).GetValue<std::int64_t>())
        << path;
    checked.insert(join(column.path, "."));
  }
  EXPECT_EQ(checked.size(), 18U);
  EXPECT_TRUE(checked.contains("st.y z"));
}

// Row groups are united by DuckDB as text: numbers and dates of different lengths.
TEST_F(WriteQuery, GivesRightStatisticsOverManyRowGroups) {
  const std::string sql =
      "SELECT range - 50 AS i, (range - 50)::DECIMAL(20,2) AS d, (range - 50) / 8 AS "
      "f, "
      "DATE '0999-01-01' + range::INTEGER AS dt, "
      "if(range < 20000, 'b', 'aé' || range) AS s FROM range(40000)";
  TableFilesTarget target = files(sql);
  target.row_group_rows = 2048;
  const WriteResult result = write({sql, {}, target, {}});
  ASSERT_EQ(result.files.size(), 1U);
  for (const engine::WrittenColumn& column : result.files[0].columns) {
    const std::string name = quote_identifier(column.path[0]);
    const auto row =
        session().run("SELECT min(" + name + "), max(" + name + ") FROM (" + sql + ")");
    ASSERT_TRUE(row.has_value());
    EXPECT_EQ(data::to_text(column.minimum),
              data::to_text(from_duckdb((*row)->GetValue(0, 0))));
    EXPECT_EQ(data::to_text(column.maximum),
              data::to_text(from_duckdb((*row)->GetValue(1, 0))));
  }
}

TEST_F(WriteQuery, KnowsNoMaximumWhereThereIsNaN) {
  const std::string sql = "SELECT unnest([1.5, 'nan'::DOUBLE, 3]) AS d";
  const WriteResult result = write({sql, {}, files(sql), {}});
  ASSERT_EQ(result.files.size(), 1U);
  EXPECT_EQ(data::to_text(result.files[0].columns[0].minimum), "1.5");
  EXPECT_TRUE(data::is_null(result.files[0].columns[0].maximum));
}

TEST_F(WriteQuery, PartitionsByFoldersAsHiveNamesThem) {
  const std::string sql =
      "SELECT * FROM (VALUES (1, 'a/b=c é'), (2, NULL), (3, ''), (4, 'x')) t(id, p)";
  TableFilesTarget target = files(sql);
  target.partition_by = {"P"};
  const WriteResult result = write({sql, {}, target, {}});
  ASSERT_EQ(result.files.size(), 3U);  // '' is null in Delta
  std::map<std::string, std::int64_t> rows;
  for (const auto& file : result.files) {
    rows[data::to_text(file.partition_values.at("p"))] = file.row_count;
    EXPECT_TRUE(std::filesystem::exists(folder() + "/" + file.path)) << file.path;
    if (data::is_null(file.partition_values.at("p"))) {
      EXPECT_THAT(file.path, HasSubstr("p=__HIVE_DEFAULT_PARTITION__/part-"));
    }
  }
  EXPECT_EQ(rows, (std::map<std::string, std::int64_t>{
                      {"a/b=c é", 1}, {"NULL", 2}, {"x", 1}}));
  EXPECT_EQ(
      text("SELECT count(*) FROM (DESCRIBE SELECT * FROM " + written_files() + ")"),
      "1");
}

TEST_F(WriteQuery, TypesPartitionValues) {
  const std::string sql =
      "SELECT 1 AS v, DATE '2024-02-29' AS d, TIMESTAMPTZ '2024-01-01 01:02:03.5+00' "
      "AS t, "
      "TIMESTAMP '2024-01-01 01:02:03' AS n, 12.50::DECIMAL(6,2) AS c, true AS b, "
      "7::BIGINT AS i, "
      "1.25::DOUBLE AS f";
  TableFilesTarget target = files(sql);
  target.partition_by = {"d", "t", "n", "c", "b", "i", "f"};
  const WriteResult result = write({sql, {}, target, {}});
  ASSERT_EQ(result.files.size(), 1U);
  auto values = result.files[0].partition_values;
  EXPECT_EQ(std::get<data::Date>(values.at("d")).days, 19782);
  EXPECT_EQ(std::get<data::Timestamp>(values.at("t")).micros, 1704070923500000);
  EXPECT_EQ(std::get<data::Timestamp>(values.at("n")).micros, 1704070923000000);
  EXPECT_EQ(std::get<data::Decimal>(values.at("c")).digits, "12.50");
  EXPECT_EQ(std::get<bool>(values.at("b")), true);
  EXPECT_EQ(std::get<std::int64_t>(values.at("i")), 7);
  EXPECT_EQ(std::get<double>(values.at("f")), 1.25);
}

TEST_F(WriteQuery, WritesPhysicalNamesAndFieldIdsOfMappedColumns) {
  const std::string sql =
      "SELECT * FROM (VALUES (1, {'x': 2, 'l': [{'y': 3}]}), (2, NULL)) t(a, s)";
  TableFilesTarget target = files(sql);
  int next = 1;
  const std::function<void(data::Field&)> map = [&](data::Field& field) {
    if (field.name != "element") {
      field.metadata["delta.columnMapping.id"] = next;
      field.metadata["delta.columnMapping.physicalName"] =
          "col-" + std::to_string(next++);
    }
    for (data::Field& child : field.type.children) map(child);
  };
  for (data::Field& field : target.schema.fields) map(field);
  target.column_mapping_mode = "name";
  const WriteResult result = write({sql, {}, target, {}});
  EXPECT_EQ(
      text(
          "SELECT string_agg(name || '=' || coalesce(field_id::VARCHAR, ''), ' ') FROM "
          "parquet_schema('" +
          folder() + "/*.parquet')"),
      "duckdb_schema= col-1=1 col-2=2 col-3=3 col-4=4 list= element= col-5=5");
  EXPECT_EQ(text("SELECT string_agg(\"col-2\"::VARCHAR, ' ') || count(*) FROM " +
                 written_files()),
            "{'col-3': 2, 'col-4': [{'col-5': 3}]}2");
  std::set<std::string> paths;
  for (const auto& column : result.files[0].columns)
    paths.insert(join(column.path, "/"));
  EXPECT_EQ(paths, (std::set<std::string>{"col-1", "col-2/col-3"}));
}

TEST_F(WriteQuery, StoresTypesThatDeltaLacksAsTheDesignSays) {
  const std::string sql =
      "SELECT sum(range) AS h, 5::UINTEGER AS u, 18446744073709551615::UBIGINT AS ub, "
      "uuid() AS id, 'a'::ENUM('a', 'b') AS e, TIME '01:02:03' AS t, '{}'::JSON AS j, "
      "TIMESTAMP_NS '2024-01-01 00:00:00.123456789' AS ns, [sum(range)] AS hl FROM "
      "range(10)";
  const WriteResult result = write({sql, {}, files(sql), {}});
  EXPECT_EQ(result.written_rows, 1);
  EXPECT_EQ(
      text("SELECT string_agg(column_type, ' ') FROM (DESCRIBE SELECT * FROM " +
           written_files() + ")"),
      "BIGINT BIGINT DECIMAL(20,0) VARCHAR VARCHAR VARCHAR VARCHAR TIMESTAMP BIGINT[]");
  EXPECT_EQ(text("SELECT ns FROM " + written_files()), "2024-01-01 00:00:00.123456");
}

TEST_F(WriteQuery, NamesTheColumnOfASumThatOverflowsLong) {
  const std::string sql =
      "SELECT sum(x) AS total FROM (VALUES (9223372036854775807), (1)) t(x)";
  EXPECT_THAT(failure({sql, {}, files(sql), {}}),
              HasSubstr("column total: the integer does not fit into long (64 bits): "
                        "9223372036854775808"));
  EXPECT_EQ(file_count(), 0U);
}

TEST_F(WriteQuery, WidensButNeverNarrows) {
  const auto with_type = [&](const std::string& sql, data::Type type) {
    TableFilesTarget target = files(sql);
    target.schema.fields[0].type = std::move(type);
    return failure({sql, {}, target, {}});
  };
  EXPECT_EQ(with_type("SELECT 1::INTEGER AS x", data::make_type(TypeKind::int64)),
            "no error");
  EXPECT_EQ(with_type("SELECT 1::INTEGER AS x", data::make_decimal(12, 2)), "no error");
  EXPECT_EQ(with_type("SELECT 1::FLOAT AS x", data::make_type(TypeKind::float64)),
            "no error");
  EXPECT_EQ(with_type("SELECT NULL AS x", data::make_type(TypeKind::date)), "no error");
  EXPECT_THAT(with_type("SELECT 1::BIGINT AS x", data::make_type(TypeKind::int32)),
              HasSubstr("column x: the query gives long, the table holds integer"));
  EXPECT_THAT(with_type("SELECT 'a' AS x", data::make_type(TypeKind::int32)),
              HasSubstr("column x: the query gives string"));
  EXPECT_THAT(with_type("SELECT TIMESTAMP '2024-01-01' AS x",
                        data::make_type(TypeKind::timestamp)),
              HasSubstr("AT TIME ZONE"));
  EXPECT_THAT(failure({"SELECT INTERVAL 1 DAY AS x", {}, files("SELECT 'a' AS x"), {}}),
              HasSubstr("column x"));
}

TEST_F(WriteQuery, FindsColumnsByNameAndFillsMissingOnesWithNull) {
  TableFilesTarget target =
      files("SELECT 1 AS a, 'x' AS missing, {'b': 1, 'c': 2} AS s");
  const WriteResult result = write({"SELECT {'B': 5} AS S, 7 AS A", {}, target, {}});
  EXPECT_EQ(result.written_rows, 1);
  EXPECT_EQ(text("SELECT a::VARCHAR || coalesce(missing, '-') || s::VARCHAR FROM " +
                 written_files()),
            "7-{'b': 5, 'c': NULL}");
  EXPECT_THAT(failure({"SELECT 1 AS a, 2 AS extra", {}, target, {}}),
              HasSubstr("column extra: the table has no such column"));
  EXPECT_THAT(failure({"SELECT 1 AS a, 2 AS A", {}, target, {}}), HasSubstr("twice"));
  target.schema.fields[0].nullable = false;
  EXPECT_THAT(failure({"SELECT 'z' AS missing", {}, target, {}}),
              HasSubstr("column a"));
  EXPECT_EQ(file_count(), 1U);
}

TEST_F(WriteQuery, RefusesNullsBelowAColumnWhereTheTableHasNone) {
  const std::string good =
      "SELECT {'a': 1, 'b': NULL::INTEGER} AS s, [1, 2] AS l, MAP {'k': 1} AS m, "
      "[{'x': [1]}] AS n";
  TableFilesTarget target = files(good);
  auto& fields = target.schema.fields;
  fields[0].type.children[0].nullable = false;
  fields[1].type.children[0].nullable = false;
  fields[2].type.children[1].nullable = false;
  fields[3].type.children[0].type.children[0].type.children[0].nullable = false;
  EXPECT_EQ(failure({good, {}, target, {}}), "no error");
  EXPECT_EQ(
      failure({"SELECT NULL AS s, NULL AS l, NULL AS m, [NULL] AS n", {}, target, {}}),
      "no error");
  const std::pair<std::string, std::string> cases[] = {
      {"SELECT {'a': NULL, 'b': 1} AS s", "s.a"},
      {"SELECT {'b': 1} AS s", "s.a"},
      {"SELECT if(i = 1500, NULL, {'a': if(i = 1501, NULL, i::INTEGER)}) AS s FROM "
       "range(5000) "
       "r(i)",
       "s.a"},
      {"SELECT [1, NULL] AS l", "l.element"},
      {"SELECT MAP {'k': NULL} AS m", "m.value"},
      {"SELECT [{'x': [1, NULL]}] AS n", "n.element.x.element"}};
  const std::size_t count = file_count();
  for (const auto& [sql, path] : cases) {
    EXPECT_THAT(failure({sql, {}, target, {}}),
                HasSubstr("column " + path +
                          ": the query gives null, the table's column is NOT NULL"))
        << sql;
  }
  EXPECT_EQ(file_count(), count);
}

TEST_F(WriteQuery, KeepsToTheLengthsThatSparkGivesTexts) {
  TableFilesTarget target = files("SELECT 'abc' AS v, 'ab' AS c");
  const std::string key = "__CHAR_VARCHAR_TYPE_STRING";
  target.schema.fields[0].metadata[key] = "varchar(3)";
  target.schema.fields[1].metadata[key] = "char(4)";
  write({"SELECT 'äöü  ' AS v, 'ab' AS c UNION ALL SELECT NULL, 'x      '",
         {},
         target,
         {}});
  EXPECT_EQ(
      text("SELECT string_agg(coalesce(v, '-') || '|' || c || '|', ' ' ORDER BY c) "
           "FROM " +
           written_files()),
      "äöü|ab  | -|x   |");
  EXPECT_THAT(failure({"SELECT 'abcd' AS v", {}, target, {}}),
              HasSubstr("column v: the query gives a text of 4 characters, the table's "
                        "column is varchar(3)"));
}

TEST_F(WriteQuery, LeavesNothingBehindWhenTheQueryFailsHalfWay) {
  const std::string sql =
      "SELECT range AS id, range % 5 AS p, if(range = 899999, error('boom'), 'v') AS v "
      "FROM range(900000)";
  for (const std::string& partition : {std::string(), std::string("p")}) {
    for (const std::int64_t bytes : {0, 100'000}) {
      TableFilesTarget target = files(sql);
      target.target_file_bytes = bytes;
      if (!partition.empty()) target.partition_by = {partition};
      EXPECT_THAT(failure({sql, {}, target, {}}), HasSubstr("boom"));
      EXPECT_EQ(file_count(), 0U);
    }
  }
}

TEST_F(WriteQuery, WritesOneFileByRenamingIt) {
  const std::string sql = "SELECT 1 AS a, 'x,y' AS b, 5::HUGEINT AS h";
  const std::string csv = folder() + "/out/data.csv";
  const WriteResult result = write(
      {sql, {}, engine::FileTarget{csv, engine::FileFormat::csv, {{"sep", ";"}}}, {}});
  EXPECT_EQ(result.written_rows, 1);
  EXPECT_EQ(result.files[0].path, csv);
  EXPECT_EQ(read_file(csv), "a;b;h\n1;x,y;5\n");
  const std::string json = folder() + "/data.json";
  write({sql, {}, engine::FileTarget{json, engine::FileFormat::json, {}}, {}});
  EXPECT_EQ(text("SELECT b FROM read_json('" + json + "')"), "x,y");
  const std::string parquet = folder() + "/data.parquet";
  write({sql, {}, engine::FileTarget{parquet, engine::FileFormat::parquet, {}}, {}});
  EXPECT_EQ(text("SELECT typeof(h) FROM '" + parquet + "'"), "BIGINT");
  EXPECT_THAT(
      failure({sql, {}, engine::FileTarget{csv, engine::FileFormat::text, {}}, {}}),
      HasSubstr("only read"));
  EXPECT_THAT(
      failure({sql,
               {},
               engine::FileTarget{csv, engine::FileFormat::csv, {{"delimeter", ";"}}},
               {}}),
      HasSubstr("did you mean 'delimiter'?"));
  EXPECT_THAT(failure({"SELECT error('no') AS x",
                       {},
                       engine::FileTarget{csv, engine::FileFormat::csv, {}},
                       {}}),
              HasSubstr("no"));
  EXPECT_EQ(read_file(csv), "a;b;h\n1;x,y;5\n");
  EXPECT_EQ(file_count(), 3U);
}

TEST_F(WriteQuery, RefusesPredicatesThatAreMoreThanOneExpression) {
  const std::string sql = "SELECT 1 AS a";
  for (const char* predicate :
       {"a > 0) FROM (SELECT 1", "a > 0, true", "", "a >", "a > 0; DROP"}) {
    EXPECT_NE(failure({sql, {{"c", predicate, OnFail::drop}}, files(sql), {}}),
              "no error")
        << predicate;
  }
  EXPECT_EQ(failure({sql, {{"c", "a > 0 -- fine", OnFail::drop}}, files(sql), {}}),
            "no error");
  EXPECT_THAT(failure({sql, {{"c", "b > 0", OnFail::drop}}, files(sql), {}}),
              HasSubstr("b"));
}

// Goal: kept + dropped + quarantined = input, and every row is where its predicates put
// it. Method: random predicates with nulls over random rows, compared with plain SQL.
TEST_F(WriteQuery, SplitsRowsAsTheirPredicatesSayForRandomChecks) {
  std::mt19937 random(20260101);
  const std::vector<std::string> predicates = {"a > 3",
                                               "b IS NOT NULL",
                                               "a < b",
                                               "s LIKE 'v1%'",
                                               "a IN (1, 2, NULL)",
                                               "true",
                                               "false",
                                               "NULL",
                                               "CASE WHEN b % 2 = 0 THEN a > 1 END",
                                               "length(s) + a > b"};
  for (int round = 0; round < 300; ++round) {
    const int rows = std::vector<int>{0, 1, 37, 5000}[random() % 4];
    const std::string sql =
        "SELECT range AS id, nullif(hash(range + " + std::to_string(round) +
        ") % 7, 5)::INTEGER AS a, nullif(hash(range * 31 + " + std::to_string(round) +
        ") % 9, 2)::INTEGER AS b, nullif('v' || range % 13, 'v7') AS s FROM range(" +
        std::to_string(rows) + ")";
    WriteSpec spec{
        sql, {}, engine::TemporaryTarget{"kept"}, engine::TemporaryTarget{"aside"}};
    std::string dropped = "false";
    std::string aside = "false";
    std::string names;
    const auto check_count = 1 + random() % 4;
    for (std::size_t i = 0; i < check_count; ++i) {
      const std::string& predicate = predicates[random() % predicates.size()];
      const OnFail on_fail =
          std::vector{OnFail::keep, OnFail::drop, OnFail::quarantine}[random() % 3];
      const std::string name = "check '" + std::to_string(i);
      spec.checks.push_back({name, predicate, on_fail});
      const std::string fails = "(" + predicate + ") IS NOT TRUE";
      if (on_fail == OnFail::drop) dropped += " OR " + fails;
      if (on_fail != OnFail::quarantine) continue;
      aside += " OR " + fails;
      names += std::string(names.empty() ? "" : ", ") + "CASE WHEN " + fails +
               " THEN " + quote_literal(name) + " END";
    }
    SCOPED_TRACE(testing::Message() << "round " << round << ", rows " << rows);
    const WriteResult result = write(spec);
    EXPECT_EQ(result.input_rows, rows);
    EXPECT_EQ(result.written_rows + result.dropped_rows + result.quarantined_rows,
              rows);
    for (std::size_t i = 0; i < spec.checks.size(); ++i) {
      EXPECT_EQ(std::to_string(result.failed_rows[i]),
                text("SELECT count(*) FROM (" + sql + ") WHERE (" +
                     spec.checks[i].predicate + ") IS NOT TRUE"));
    }
    const std::string expected_kept = "SELECT * FROM (" + sql + ") WHERE NOT (" +
                                      aside + ") AND NOT (" + dropped + ")";
    EXPECT_EQ(difference(expected_kept, "SELECT * FROM kept"), "0");
    const bool quarantines = !names.empty();
    if (!quarantines) continue;
    const std::string expected_aside = "SELECT *, list_filter([" + names +
                                       "], lambda x: x IS NOT NULL) FROM (" + sql +
                                       ") WHERE " + aside;
    EXPECT_EQ(difference(expected_aside, "SELECT * FROM aside"), "0");
  }
}

TEST_F(WriteQuery, WritesQuarantinedRowsIntoTheirTable) {
  const std::string sql = "SELECT range AS id FROM range(300000)";
  TableFilesTarget aside = files(sql);
  aside.folder_url = folder() + "/aside";
  data::Field names{"_failed_expectations",
                    data::make_array(data::make_type(TypeKind::string), true)};
  aside.schema.fields.push_back(names);
  TableFilesTarget kept = files(sql);
  kept.folder_url = folder() + "/kept";
  const WriteResult result = write({sql,
                                    {{"even", "id % 2 = 0", OnFail::keep},
                                     {"tenth", "id % 10 <> 3", OnFail::quarantine},
                                     {"big", "id < 200000", OnFail::drop}},
                                    kept,
                                    aside});
  EXPECT_EQ(result.failed_rows, (std::vector<std::int64_t>{150000, 30000, 100000}));
  EXPECT_EQ(result.quarantined_rows, 30000);
  EXPECT_EQ(result.dropped_rows, 90000);
  EXPECT_EQ(result.written_rows, 180000);
  ASSERT_EQ(result.quarantine_files.size(), 1U);
  EXPECT_EQ(
      text("SELECT count(*) || ' ' || any_value(_failed_expectations)::VARCHAR FROM '" +
           folder() + "/aside/*.parquet'"),
      "30000 [tenth]");
  EXPECT_EQ(text("SELECT count(*) FROM (SELECT id, lag(id) OVER () AS before FROM '" +
                 folder() + "/kept/*.parquet') WHERE id < before"),
            "0");
}

TEST_F(WriteQuery, RemovesTheRowsWhenTheQuarantineCannotBeWritten) {
  const std::string sql = "SELECT range AS id FROM range(10)";
  TableFilesTarget aside = files(sql);  // lacks _failed_expectations
  EXPECT_THAT(failure({sql, {{"c", "id > 3", OnFail::quarantine}}, files(sql), aside}),
              HasSubstr("quarantine"));
  EXPECT_EQ(file_count(), 0U);
}

}  // namespace
}  // namespace lakemill::engine_duckdb
