// Goal: files of any format become rows with nothing lost, and what cannot be read is
// an error that names the file and the place.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/engine_duckdb/files_fixture.h"

namespace lakemill::engine_duckdb {
namespace {

using data::TypeKind;
using engine::FileFormat;
using engine::FilesRelation;
using engine::Origin;
using testing::AllOf;
using testing::HasSubstr;

using FilesRelationTest = FilesFixture;

TEST_F(FilesRelationTest, GivesHiddenColumnsToWhoAsksForThem) {
  for (const FileFormat format :
       {FileFormat::csv, FileFormat::jsonl, FileFormat::text}) {
    const bool csv = format == FileFormat::csv;
    const bool json = format == FileFormat::jsonl;
    const std::string one = json  ? "{\"v\":1}\n{\"v\":2}\n"
                            : csv ? "v\n1\n2\n"
                                  : "1\n2\n";
    const std::string two = json ? "{\"v\":3}\n" : csv ? "v\n3\n" : "3\n";
    const auto relation = files(format, {{"one", one}, {"two", two}});
    const std::string column = format == FileFormat::text ? "value" : "v";
    EXPECT_EQ(rows(relation, "SELECT " + column +
                                 ", _lakemill_arrival, _lakemill_row, "
                                 "parse_filename(_lakemill_file) FROM f"),
              "1,7,0,one;2,7,1,one;3,8,0,two;");
    EXPECT_EQ(rows(relation, "SELECT *, _lakemill_arrival FROM f AS x"),
              "1,7;2,7;3,8;");
    EXPECT_EQ(rows(relation, "SELECT * FROM f"), "1;2;3;");
    EXPECT_EQ(rows(relation, "SELECT max(_lakemill_row) FROM f"), "1;");
  }
}

TEST_F(FilesRelationTest, ReadsFilesWhosePathsLookLikePatterns) {
  EXPECT_EQ(
      rows(files(FileFormat::csv, {{"w[1]*.csv", "a\n1\n"}, {"w1.csv", "a\n2\n"}}),
           "SELECT *, _lakemill_arrival FROM f"),
      "1,7;2,8;");
}

TEST_F(FilesRelationTest, FailsForAFileThatIsGoneOrHasChanged) {
  auto relation = files(FileFormat::csv, {{"a.csv", "a\n1\n"}});
  write_file("a.csv", "a\n1\n2\n");
  EXPECT_THAT(schema(relation), AllOf(HasSubstr("a.csv"), HasSubstr("changed")));
  std::filesystem::remove(folder() + "/a.csv");
  EXPECT_THAT(schema(relation), AllOf(HasSubstr("a.csv"), HasSubstr("gone")));
}

TEST_F(FilesRelationTest, SaysWhatIsWrongWithNoFilesAndEmptyOnes) {
  FilesRelation none;
  EXPECT_THAT(schema(none), HasSubstr("no file and no schema"));
  none.schema = make_schema({{"a", data::make_type(TypeKind::int64)}});
  EXPECT_EQ(rows(none, "SELECT count(*), count(_lakemill_row) FROM f"), "0,0;");
  EXPECT_THAT(schema(files(FileFormat::csv, {{"e.csv", ""}})),
              AllOf(HasSubstr("e.csv"), HasSubstr("empty")));
  EXPECT_EQ(rows(files(FileFormat::csv, {{"e.csv", ""}, {"f.csv", "a\n1\n"}}),
                 "SELECT * FROM f"),
            "1;");
  EXPECT_EQ(rows(files(FileFormat::csv, {{"h.csv", "a,b\n"}}), "SELECT * FROM f"), "");
}

TEST_F(FilesRelationTest, TakesFilesThatHaveOnlyNewColumnsWhereItRescues) {
  for (const auto& [format, bytes] :
       {std::pair<FileFormat, std::string>{FileFormat::csv, "z\n1\n"},
        {FileFormat::jsonl, "{\"z\": 1}\n"}}) {
    auto relation = files(format, {{"z", bytes}});
    relation.schema = make_schema({{"a", data::make_type(TypeKind::int64)}});
    EXPECT_THAT(rows(relation, "SELECT * FROM f"), HasSubstr("column z"));
    relation.rescue = true;
    EXPECT_EQ(rows(relation, "SELECT * FROM f"), "NULL,{\"z\":\"1\"};");
  }
}

TEST_F(FilesRelationTest, RescuesValuesOfParquetThatACastWouldChange) {
  FilesRelation relation;
  relation.format = FileFormat::parquet;
  relation.rescue = true;
  const std::string url = folder() + "/changed.parquet";
  text(
      "COPY (SELECT * FROM (VALUES (3.7::DOUBLE, [1.5::DOUBLE], {'x': 1, 'y': 'k'}, "
      "1.259, TIMESTAMP '2024-01-01 10:00:00', {'y': 1}), (3, [2], {'x': 2, 'y': "
      "NULL}, "
      "1.25, TIMESTAMP '2024-01-02', NULL)) v(i, l, s, d, t, o)) TO '" +
      url + "'");
  relation.files.push_back({url, 0, 0});
  const data::Type small = data::make_type(TypeKind::int8);
  const data::Type x = data::make_struct({{.name = "x", .type = small}});
  relation.schema = make_schema({{"i", small},
                                 {"l", data::make_array(small, true)},
                                 {"s", x},
                                 {"d", data::make_decimal(5, 2)},
                                 {"t", data::make_type(TypeKind::date)},
                                 {"o", x}});
  EXPECT_EQ(rows(relation, "SELECT i, l[1], s.x, d, t, o.x, _rescued FROM f"),
            "NULL,NULL,NULL,NULL,NULL,NULL,{\"i\":\"3.7\",\"l\":\"[1.5]\","
            "\"s\":\"{\\\"x\\\":1,\\\"y\\\":\\\"k\\\"}\",\"d\":\"1.259\","
            "\"t\":\"2024-01-01 10:00:00\",\"o\":\"{\\\"y\\\":1}\"};"
            "3,2,2,1.25,2024-01-02,NULL,NULL;");
}

TEST_F(FilesRelationTest, GivesColumnsOfNullsTheTypesThatAreKnown) {
  const data::Type number = data::make_type(TypeKind::int64);
  const data::Schema known =
      make_schema({{"i", number},
                   {"n", data::make_struct({{.name = "x", .type = number}})},
                   {"l", data::make_array(number, true)}});
  auto json =
      files(FileFormat::jsonl,
            {{"a.jsonl", "{\"i\":null,\"n\":{\"x\":null},\"l\":[],\"o\":null}\n"}});
  json.known_types = known;
  EXPECT_EQ(schema(json), "i:long n:struct<x:long> l:array<long> o:string ");
  EXPECT_EQ(rows(json, "SELECT i, n.x, len(l), o FROM f"), "NULL,NULL,0,NULL;");
  auto csv = files(FileFormat::csv, {{"a.csv", "i,o,v\n,,1.5\n"}});
  csv.infer_schema = true;
  csv.known_types = known;
  EXPECT_EQ(schema(csv), "i:long o:string v:double ");
  EXPECT_EQ(rows(csv, "SELECT * FROM f"), "NULL,NULL,1.5;");
}

TEST_F(FilesRelationTest, ReadsParquetByName) {
  FilesRelation relation;
  relation.format = FileFormat::parquet;
  for (const char* sql :
       {"SELECT 1 AS a, 'x' AS b", "SELECT 'y' AS b, 2 AS a, true AS c"}) {
    const std::string url =
        folder() + "/" + std::to_string(relation.files.size()) + ".parquet";
    text("COPY (" + std::string(sql) + ") TO '" + url + "'");
    relation.files.push_back(
        {url, static_cast<std::int64_t>(relation.files.size()), 0});
  }
  EXPECT_EQ(schema(relation), "a:integer b:string c:boolean ");
  EXPECT_EQ(rows(relation, "SELECT *, _lakemill_arrival, _lakemill_row FROM f"),
            "1,x,NULL,0,0;2,y,true,1,0;");
  relation.schema = make_schema({{"a", data::make_type(TypeKind::int8)},
                                 {"b", data::make_type(TypeKind::int32)}});
  EXPECT_THAT(rows(relation, "SELECT * FROM f"), HasSubstr("column c"));
  relation.rescue = true;
  EXPECT_EQ(rows(relation, "SELECT * FROM f"),
            "1,NULL,{\"b\":\"x\"};2,NULL,{\"b\":\"y\",\"c\":\"true\"};");
}

TEST_F(FilesRelationTest, ReadsLinesOfTextAndWholeFiles) {
  EXPECT_EQ(
      rows(files(FileFormat::text, {{"t.txt", "a,\"b\n\nc|d"}}), "SELECT * FROM f"),
      "a,\"b;;c|d;");
  EXPECT_EQ(rows(files(FileFormat::binaryfile, {{"b.bin", std::string("\x00\xff", 2)}}),
                 "SELECT parse_filename(path), length, content, _lakemill_row FROM f"),
            "b.bin,2,\\x00\\xFF,0;");
}

TEST_F(FilesRelationTest, MakesRowsATable) {
  ASSERT_TRUE(session()
                  .bind("r",
                        engine::RowsRelation{
                            R"([{"i": 1, "d": 1.5, "s": "x", "b": true},
                                     {"i": 2, "n": {"x": [1]}, "t": "2024-01-01"}])",
                            {}})
                  .has_value());
  const auto shape = session().describe("SELECT * FROM r", Origin::pipeline);
  ASSERT_TRUE(shape.has_value()) << shape.error().message();
  std::string all;
  for (const auto& field : shape->schema.fields) {
    all += field.name + ":" + to_text(field.type) + " ";
  }
  EXPECT_EQ(all,
            "i:long d:double s:string b:boolean n:struct<x:array<long>> t:string ");
  const auto answer =
      session().query("SELECT i, d, s, n.x[1], t FROM r", Origin::pipeline, 10);
  ASSERT_TRUE(answer.has_value()) << answer.error().message();
  ASSERT_EQ(answer->rows.size(), 2U);
  EXPECT_EQ(data::to_text(answer->rows[0][1]), "1.5");
  EXPECT_EQ(data::to_text(answer->rows[1][3]), "1");
  EXPECT_EQ(data::to_text(answer->rows[1][4]), "2024-01-01");
}

TEST_F(FilesRelationTest, GivesRowsTheTypesOfTheirSchema) {
  engine::RowsRelation relation{R"([{"d": "2024-02-29", "n": 1}, {"n": null}])", {}};
  relation.schema = make_schema(
      {{"d", data::make_type(TypeKind::date)}, {"n", data::make_decimal(6, 2)}});
  ASSERT_TRUE(session().bind("r", relation).has_value());
  const auto answer = session().query("SELECT d, n FROM r", Origin::pipeline, 10);
  ASSERT_TRUE(answer.has_value()) << answer.error().message();
  EXPECT_TRUE(std::holds_alternative<data::Date>(answer->rows[0][0]));
  EXPECT_EQ(data::to_text(answer->rows[0][1]), "1.00");
  relation.json_rows = R"([{"d": "soon"}])";
  EXPECT_FALSE(session().bind("r", relation).has_value());
  EXPECT_FALSE(session().bind("r", engine::RowsRelation{"[]", {}}).has_value());
}

TEST_F(FilesRelationTest, FiltersParquetFilesThatDifferInTypeByTheWiderType) {
  const auto write = [&](const std::string& name, const std::string& sql) {
    ASSERT_EQ(text("COPY (" + sql + ") TO '" + folder() + "/" + name + "'"), "4");
  };
  write("a.parquet",
        "SELECT k::INTEGER AS k, (k + 0.25)::DECIMAL(5,2) AS d FROM range(1, 5) r(k)");
  write("b.parquet",
        "SELECT k + 0.5::DOUBLE AS k, (k + 0.2599)::DECIMAL(20,4) AS d "
        "FROM range(1, 5) r(k)");
  FilesRelation relation;
  relation.format = FileFormat::parquet;
  relation.files = {{folder() + "/a.parquet", 1, 0}, {folder() + "/b.parquet", 2, 0}};
  const std::string all = "SELECT string_agg(k, ' ' ORDER BY k) FROM f WHERE ";
  EXPECT_EQ(rows(relation, all + "k < 2.5"), "1.0 1.5 2.0;");
  EXPECT_EQ(rows(relation, all + "k >= 2.5"), "2.5 3.0 3.5 4.0 4.5;");
  EXPECT_EQ(rows(relation, all + "k IN (2, 2.5)"), "2.0 2.5;");
  EXPECT_EQ(rows(relation, all + "d > 2.2499"), "2.0 2.5 3.0 3.5 4.0 4.5;");
  EXPECT_EQ(rows(relation, "SELECT count(*) FROM f WHERE d = 2.2599 OR d = 2.25"),
            "2;");
}

// The readers have columns of these names, by which rows are numbered.
TEST_F(FilesRelationTest, ReadsColumnsThatAreNamedAsThoseOfTheReaders) {
  const std::string all =
      "SELECT _lakemill_arrival, _lakemill_row, id, file_index, File_Row_Number, "
      "filename FROM f ORDER BY ALL";
  const std::string wanted = "7,0,1,5,50,a;7,1,2,6,60,b;8,0,3,7,70,c;";
  EXPECT_EQ(
      rows(files(FileFormat::csv,
                 {{"a.csv",
                   "id,file_index,File_Row_Number,filename\n1,5,50,a\n"
                   "2,6,60,b\n"},
                  {"b.csv", "id,file_index,File_Row_Number,filename\n3,7,70,c\n"}}),
           all),
      wanted);
  const auto line = [](const std::string& values) {
    return R"({"id":)" + values + "}\n";
  };
  for (const std::string digits : {"", "00000000000000000000"}) {
    SCOPED_TRACE(digits);  // long numbers are read from the records' texts
    EXPECT_EQ(
        rows(
            files(
                FileFormat::jsonl,
                {{"a.jsonl",
                  line(R"(1,"file_index":5,"File_Row_Number":50,"filename":"a")") +
                      line(R"(2,"file_index":6,"File_Row_Number":60,"filename":"b")")},
                 {"b.jsonl",
                  line(R"(3,"file_index":7,"File_Row_Number":70,"filename":"c","x":1)" +
                       digits)}}),
            all),
        wanted);
  }
  FilesRelation relation;
  relation.format = FileFormat::parquet;
  for (const auto& [name, sql] :
       {std::pair("a.parquet", "(VALUES (1, 5, 50, 'a'), (2, 6, 60, 'b'))"),
        std::pair("b.parquet", "(VALUES (3, 7, 70, 'c'))")}) {
    const std::string path = folder() + "/" + name;
    text("COPY (FROM " + std::string(sql) +
         " t(id, file_index, \"File_Row_Number\", filename)) TO '" + path + "'");
    const auto arrival = static_cast<std::int64_t>(relation.files.size()) + 7;
    relation.files.push_back({path, arrival, 0});
  }
  EXPECT_EQ(rows(relation, all), wanted);
  EXPECT_EQ(rows(relation, "SELECT file_index FROM f WHERE file_row_number = 60"),
            "6;");
}

}  // namespace
}  // namespace lakemill::engine_duckdb
