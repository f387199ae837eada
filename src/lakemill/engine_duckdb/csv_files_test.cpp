// Goal: CSV becomes rows with nothing lost, and what cannot be read is an error that
// names the file and the line.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/engine_duckdb/files_fixture.h"

namespace lakemill::engine_duckdb {
namespace {

using data::TypeKind;
using engine::FileFormat;
using testing::AllOf;
using testing::HasSubstr;

using CsvFiles = FilesFixture;

TEST_F(CsvFiles, ReadsCsvAsStringsInTheOrderOfFilesAndRows) {
  const auto relation = files(FileFormat::csv, {{"a.csv", "a,b\n1,x\n2,\"y,\"\"z\"\n"},
                                                {"b.csv", "a,b\n3,\n"}});
  EXPECT_EQ(schema(relation), "a:string b:string ");
  EXPECT_EQ(rows(relation, "SELECT * FROM f"), "1,x;2,y,\"z;3,NULL;");
  EXPECT_EQ(rows(relation, "SELECT count(*) FROM f"), "3;");
  EXPECT_EQ(rows(relation, "SELECT f.b FROM f WHERE a = '2'"), "y,\"z;");
}

TEST_F(CsvFiles, NumbersTheRowsOfAFileThatIsReadInParallel) {
  std::string bytes = "id,text\n";
  for (int i = 0; i < 400'000; ++i) {
    bytes +=
        std::to_string(i) + ",some text that makes the file longer than a buffer\n";
  }
  const auto relation =
      files(FileFormat::csv, {{"big.csv", bytes}, {"again.csv", bytes}});
  EXPECT_EQ(
      rows(relation,
           "SELECT count(*), count(*) FILTER (id::BIGINT <> _lakemill_row) FROM f"),
      "800000,0;");
}

TEST_F(CsvFiles, UnitesCsvByNameWhereAColumnComesAndAnotherDisappears) {
  const auto relation =
      files(FileFormat::csv, {{"a.csv", "a,b\n1,x\n"}, {"b.csv", "c,a\n9,2\n"}});
  EXPECT_EQ(rows(relation, "SELECT * FROM f"), "1,x,NULL;2,NULL,9;");
}

TEST_F(CsvFiles, NamesTheLineOfARaggedRow) {
  for (const char* line : {"2\n", "2,3,4\n"}) {
    const auto relation = files(
        FileFormat::csv, {{"good.csv", "a,b\n1,x\n"},
                          {"bad.csv", std::string("a,b\n1,x\n") + line + "5,6\n"}});
    EXPECT_THAT(rows(relation, "SELECT * FROM f"),
                AllOf(HasSubstr("bad.csv, line 3"), HasSubstr("columns, expected 2")));
  }
}

TEST_F(CsvFiles, NamesTheLineOfAWrongEncodingAndReadsTheRightOne) {
  auto relation = files(FileFormat::csv, {{"latin.csv", "a\nok\ncaf\xe9\n"}});
  EXPECT_THAT(rows(relation, "SELECT * FROM f"),
              AllOf(HasSubstr("latin.csv, line 3"), HasSubstr("not UTF-8")));
  relation.options["encoding"] = "ISO-8859-1";
  EXPECT_EQ(rows(relation, "SELECT * FROM f"), "ok;café;");
}

TEST_F(CsvFiles, NamesThePlaceOfACsvValueThatDoesNotFitTheSchema) {
  auto relation = files(FileFormat::csv, {{"v.csv", "a,b\n1,2024-01-01\nzz,x\n"}});
  relation.schema = make_schema({{"a", data::make_type(TypeKind::int64)},
                                 {"b", data::make_type(TypeKind::string)}});
  EXPECT_THAT(rows(relation, "SELECT * FROM f"),
              AllOf(HasSubstr("v.csv, line 3: column a"), HasSubstr("zz")));
  relation.schema->fields[0].type = data::make_type(TypeKind::string);
  relation.schema->fields[1].type = data::make_type(TypeKind::date);
  EXPECT_THAT(rows(relation, "SELECT * FROM f"), HasSubstr("v.csv, line 3: column b"));
}

TEST_F(CsvFiles, ReadsLongIntegersExactlyAndNamesTheLineOfOneThatIsNone) {
  const std::string good =
      "a,b\n9223372036854775807,x\n-9223372036854775808,x\n 7 ,x\n+8,x\n1e3,x\n"
      "\"5.0\",x\n9007199254740993.0,x\n,x\n";
  auto relation = files(FileFormat::csv, {{"v.csv", good}});
  relation.schema = make_schema({{"a", data::make_type(TypeKind::int64)},
                                 {"b", data::make_type(TypeKind::string)}});
  EXPECT_EQ(rows(relation, "SELECT a FROM f"),
            "9223372036854775807;-9223372036854775808;7;8;1000;5;9007199254740993;"
            "NULL;");
  relation.files =
      files(FileFormat::csv, {{"w.csv", good}, {"z.csv", good + "zz,x\n"}}).files;
  EXPECT_THAT(rows(relation, "SELECT a, _lakemill_row FROM f"),
              AllOf(HasSubstr("z.csv, line 10: column a"), HasSubstr("zz")));
  EXPECT_THAT(rows(relation, "SELECT a FROM f"),
              AllOf(HasSubstr("z.csv, line 10: column a"), HasSubstr("zz")));
  relation.files =
      files(FileFormat::csv, {{"big.csv", "a,b\n9223372036854775808,x\n"}}).files;
  EXPECT_THAT(
      rows(relation, "SELECT a FROM f"),
      AllOf(HasSubstr("big.csv, line 2: column a"), HasSubstr("9223372036854775808")));
}

TEST_F(CsvFiles, ReadsAFirstRecordWithLineBreaksInIt) {
  auto relation = files(FileFormat::csv, {{"a.csv", "1,\"x\n\ny\"\n2,z\n"}});
  relation.has_header = false;
  EXPECT_EQ(rows(relation, "SELECT column0, length(column1) FROM f"), "1,4;2,1;");
  relation = files(FileFormat::csv, {{"b.csv", "1,\"x\n2,z\n"}});
  EXPECT_THAT(schema(relation), AllOf(HasSubstr("b.csv"), HasSubstr("not closed")));
}

// DuckDB would round it to 2.
TEST_F(CsvFiles, DoesNotRoundAFractionIntoAnInteger) {
  auto relation = files(FileFormat::csv, {{"v.csv", "a\n7\n1.5\n"}});
  for (const TypeKind kind : {TypeKind::int64, TypeKind::int32}) {
    relation.rescue = false;
    relation.schema = make_schema({{"a", data::make_type(kind)}});
    EXPECT_THAT(rows(relation, "SELECT * FROM f"),
                AllOf(HasSubstr("v.csv"), HasSubstr("column a"), HasSubstr("1.5")));
    relation.rescue = true;
    EXPECT_EQ(rows(relation, "SELECT * FROM f"), "7,NULL;NULL,{\"a\":\"1.5\"};");
  }
}

TEST_F(CsvFiles, RescuesWhatDoesNotFitAndColumnsThatTheSchemaLacks) {
  auto relation =
      files(FileFormat::csv, {{"a.csv", "id,at\n1,2024-01-01 10:00:00+02\n"},
                              {"b.csv", "id,at,new\nx,never,hello\n3,,\n"}});
  relation.schema = make_schema({{"id", data::make_type(TypeKind::int64)},
                                 {"at", data::make_type(TypeKind::timestamp_ntz)}});
  EXPECT_THAT(rows(relation, "SELECT * FROM f"),
              AllOf(HasSubstr("b.csv"), HasSubstr("column new")));
  relation.rescue = true;
  EXPECT_EQ(rows(relation, "SELECT * FROM f"),
            "1,2024-01-01 08:00:00,NULL;"
            "NULL,NULL,{\"id\":\"x\",\"at\":\"never\",\"new\":\"hello\"};"
            "3,NULL,NULL;");
}

TEST_F(CsvFiles, InfersCsvTypesFromAllRows) {
  auto relation = files(
      FileFormat::csv,
      {{"a.csv",
        "i,d,b,dt,ts,tz,s,n\n1,1,true,2024-01-01,2024-01-01 "
        "10:00,2024-01-01T10:00:00Z,1,\n"
        "2,2.5,FALSE,2024-01-02,2024-01-01 11:00,2024-01-01T10:00:00+02:00,x,\n"}});
  relation.infer_schema = true;
  EXPECT_EQ(schema(relation),
            "i:long d:double b:boolean dt:date ts:timestamp_ntz tz:timestamp s:string "
            "n:string ");
  EXPECT_EQ(rows(relation, "SELECT sum(i), max(d), max(tz) FROM f"),
            "3,2.5,2024-01-01 10:00:00;");
}

TEST_F(CsvFiles, InfersTypesThatHoldAllDigitsOfCsv) {
  auto relation = files(FileFormat::csv,
                        {{"n.csv",
                          "a,b,c,d\n9007199254740993,0.1,1e400,12345678901234567890\n"
                          "1.5,1e300,2,-0.12345678901234567891\n"}});
  relation.infer_schema = true;
  EXPECT_EQ(schema(relation), "a:decimal(38,18) b:double c:string d:string ");
  relation = files(FileFormat::csv, {{"m.csv", "a\n9007199254740993\n 1.25\n"}});
  relation.infer_schema = true;
  EXPECT_EQ(rows(relation, "SELECT a::VARCHAR FROM f"),
            "9007199254740993.000000000000000000;1.250000000000000000;");
}

TEST_F(CsvFiles, ReadsCsvWithoutAHeaderAndWithOptions) {
  auto relation = files(FileFormat::csv, {{"a.csv", "1;x\n2;'y;z'\n"}});
  relation.has_header = false;
  relation.options = {{"sep", ";"}, {"quote", "'"}};
  EXPECT_EQ(schema(relation), "column0:string column1:string ");
  EXPECT_EQ(rows(relation, "SELECT * FROM f"), "1,x;2,y;z;");
  relation.options["delimeter"] = "|";
  EXPECT_THAT(schema(relation), HasSubstr("did you mean 'delimiter'?"));
}

TEST_F(CsvFiles, TakesWhatStandsForNullBesideEmptyFields) {
  auto relation = files(FileFormat::csv, {{"a.csv", "a,b\nNA,2\n,x\n-,y\n"}});
  const std::string sql = "SELECT a IS NULL FROM f";
  EXPECT_EQ(rows(relation, sql), "false;true;false;");
  relation.options = {{"null_values", "NA"}};
  EXPECT_EQ(rows(relation, sql), "true;true;false;");
  relation.options = {{"null_values", R"(["NA", "-"])"}};
  EXPECT_EQ(rows(relation, sql), "true;true;true;");
}

TEST_F(CsvFiles, NamesColumnsWithoutANameAndRefusesNamesThatAreThereTwice) {
  const auto relation = files(FileFormat::csv, {{"a.csv", "a,,b\n1,2,3\n"}});
  EXPECT_EQ(schema(relation), "a:string column1:string b:string ");
  EXPECT_EQ(rows(relation, "SELECT * FROM f"), "1,2,3;");
  EXPECT_THAT(schema(files(FileFormat::csv, {{"b.csv", "a,A\n1,2\n"}})),
              AllOf(HasSubstr("b.csv: line 1"), HasSubstr("a and A")));
}

TEST_F(CsvFiles, ReadsLinesThatAreLongAndNamesThoseThatAreTooLong) {
  const std::string value(3'000'000, 'y');
  auto relation = files(FileFormat::csv, {{"l.csv", "a,b\n1," + value + "\n2,z\n"}});
  EXPECT_EQ(rows(relation, "SELECT a, length(b) FROM f"), "1,3000000;2,1;");
  relation.options["max_line_size"] = "1000000";
  EXPECT_THAT(rows(relation, "SELECT a, length(b) FROM f"),
              AllOf(HasSubstr("l.csv, line 2: it is longer than 1000000 bytes"),
                    HasSubstr("max_line_size")));
  const std::string last(33'000'000, 'z');
  relation = files(FileFormat::csv, {{"t.csv", "a,b\n1," + last + "\n"}});
  EXPECT_THAT(rows(relation, "SELECT a FROM f"), HasSubstr("max_line_size"));
  relation.options["max_line_size"] = "40000000";
  EXPECT_EQ(rows(relation, "SELECT length(b) FROM f"), "33000000;");
}

}  // namespace
}  // namespace lakemill::engine_duckdb
