// Goal: raw files become rows with nothing lost, and what cannot be read is an error
// that names the file and the place.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/session_fixture.h"

namespace lakemill::engine_duckdb {
namespace {

using data::TypeKind;
using engine::FileFormat;
using engine::FilesRelation;
using engine::Origin;
using testing::AllOf;
using testing::HasSubstr;

class FilesRelationTest : public SessionFixture {
 protected:
  FilesRelation files(
      FileFormat format,
      const std::vector<std::pair<std::string, std::string>>& contents) {
    FilesRelation relation;
    relation.format = format;
    for (const auto& [name, bytes] : contents) {
      write_file(name, bytes);
      const auto arrival = static_cast<std::int64_t>(relation.files.size()) + 7;
      relation.files.push_back(
          {folder() + "/" + name, arrival, static_cast<std::int64_t>(bytes.size())});
    }
    return relation;
  }

  // Binds the files as `f` and gives the rows of `sql` as text, or what went wrong.
  std::string rows(const FilesRelation& relation, const std::string& sql) {
    if (auto bound = session().bind("f", relation); !bound) {
      return "bind: " + bound.error().message();
    }
    const auto answer = session().query(sql, Origin::pipeline, 1000);
    if (!answer) return answer.error().message();
    std::string all;
    for (const auto& row : answer->rows) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        all += (i == 0 ? "" : ",") + data::to_text(row[i]);
      }
      all += ";";
    }
    return all;
  }

  std::string schema(const FilesRelation& relation) {
    const auto found = schema_of_files(session(), relation);
    if (!found) return found.error().message();
    std::string all;
    for (const auto& field : found->fields) {
      all += field.name + ":" + to_text(field.type) + " ";
    }
    return all;
  }
};

data::Schema make_schema(
    const std::vector<std::pair<std::string, data::Type>>& columns) {
  data::Schema schema;
  for (const auto& [name, type] : columns) {
    schema.fields.push_back({.name = name, .type = type});
  }
  return schema;
}

TEST_F(FilesRelationTest, ReadsCsvAsStringsInTheOrderOfFilesAndRows) {
  const auto relation = files(FileFormat::csv, {{"a.csv", "a,b\n1,x\n2,\"y,\"\"z\"\n"},
                                                {"b.csv", "a,b\n3,\n"}});
  EXPECT_EQ(schema(relation), "a:string b:string ");
  EXPECT_EQ(rows(relation, "SELECT * FROM f"), "1,x;2,y,\"z;3,NULL;");
  EXPECT_EQ(rows(relation, "SELECT count(*) FROM f"), "3;");
  EXPECT_EQ(rows(relation, "SELECT f.b FROM f WHERE a = '2'"), "y,\"z;");
}

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

TEST_F(FilesRelationTest, NumbersTheRowsOfAFileThatIsReadInParallel) {
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

TEST_F(FilesRelationTest, UnitesCsvByNameWhereAColumnComesAndAnotherDisappears) {
  const auto relation =
      files(FileFormat::csv, {{"a.csv", "a,b\n1,x\n"}, {"b.csv", "c,a\n9,2\n"}});
  EXPECT_EQ(rows(relation, "SELECT * FROM f"), "1,x,NULL;2,NULL,9;");
}

TEST_F(FilesRelationTest, NamesTheLineOfARaggedRow) {
  for (const char* line : {"2\n", "2,3,4\n"}) {
    const auto relation = files(
        FileFormat::csv, {{"good.csv", "a,b\n1,x\n"},
                          {"bad.csv", std::string("a,b\n1,x\n") + line + "5,6\n"}});
    EXPECT_THAT(rows(relation, "SELECT * FROM f"),
                AllOf(HasSubstr("bad.csv, line 3"), HasSubstr("columns, expected 2")));
  }
}

TEST_F(FilesRelationTest, NamesTheLineOfAWrongEncodingAndReadsTheRightOne) {
  auto relation = files(FileFormat::csv, {{"latin.csv", "a\nok\ncaf\xe9\n"}});
  EXPECT_THAT(rows(relation, "SELECT * FROM f"),
              AllOf(HasSubstr("latin.csv, line 3"), HasSubstr("not UTF-8")));
  relation.options["encoding"] = "ISO-8859-1";
  EXPECT_EQ(rows(relation, "SELECT * FROM f"), "ok;café;");
}

TEST_F(FilesRelationTest, NamesThePlaceOfACsvValueThatDoesNotFitTheSchema) {
  auto relation = files(FileFormat::csv, {{"v.csv", "a,b\n1,2024-01-01\nzz,x\n"}});
  relation.schema = make_schema({{"a", data::make_type(TypeKind::int64)},
                                 {"b", data::make_type(TypeKind::string)}});
  EXPECT_THAT(rows(relation, "SELECT * FROM f"),
              AllOf(HasSubstr("v.csv, line 3: column a"), HasSubstr("zz")));
  relation.schema->fields[0].type = data::make_type(TypeKind::string);
  relation.schema->fields[1].type = data::make_type(TypeKind::date);
  EXPECT_THAT(rows(relation, "SELECT * FROM f"), HasSubstr("v.csv, line 3: column b"));
}

TEST_F(FilesRelationTest, ReadsLongIntegersExactlyAndNamesTheLineOfOneThatIsNone) {
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

TEST_F(FilesRelationTest, ReadsAFirstRecordWithLineBreaksInIt) {
  auto relation = files(FileFormat::csv, {{"a.csv", "1,\"x\n\ny\"\n2,z\n"}});
  relation.has_header = false;
  EXPECT_EQ(rows(relation, "SELECT column0, length(column1) FROM f"), "1,4;2,1;");
  relation = files(FileFormat::csv, {{"b.csv", "1,\"x\n2,z\n"}});
  EXPECT_THAT(schema(relation), AllOf(HasSubstr("b.csv"), HasSubstr("not closed")));
}

// DuckDB would round it to 2.
TEST_F(FilesRelationTest, DoesNotRoundAFractionIntoAnInteger) {
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

TEST_F(FilesRelationTest, RescuesWhatDoesNotFitAndColumnsThatTheSchemaLacks) {
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

TEST_F(FilesRelationTest, InfersCsvTypesFromAllRows) {
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

TEST_F(FilesRelationTest, InfersTypesThatHoldAllDigitsOfCsv) {
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

TEST_F(FilesRelationTest, ReadsCsvWithoutAHeaderAndWithOptions) {
  auto relation = files(FileFormat::csv, {{"a.csv", "1;x\n2;'y;z'\n"}});
  relation.has_header = false;
  relation.options = {{"sep", ";"}, {"quote", "'"}};
  EXPECT_EQ(schema(relation), "column0:string column1:string ");
  EXPECT_EQ(rows(relation, "SELECT * FROM f"), "1,x;2,y;z;");
  relation.options["delimeter"] = "|";
  EXPECT_THAT(schema(relation), HasSubstr("did you mean 'delimiter'?"));
}

TEST_F(FilesRelationTest, TakesWhatStandsForNullBesideEmptyFields) {
  auto relation = files(FileFormat::csv, {{"a.csv", "a,b\nNA,2\n,x\n-,y\n"}});
  const std::string sql = "SELECT a IS NULL FROM f";
  EXPECT_EQ(rows(relation, sql), "false;true;false;");
  relation.options = {{"null_values", "NA"}};
  EXPECT_EQ(rows(relation, sql), "true;true;false;");
  relation.options = {{"null_values", R"(["NA", "-"])"}};
  EXPECT_EQ(rows(relation, sql), "true;true;true;");
}

TEST_F(FilesRelationTest, NamesColumnsWithoutANameAndRefusesNamesThatAreThereTwice) {
  const auto relation = files(FileFormat::csv, {{"a.csv", "a,,b\n1,2,3\n"}});
  EXPECT_EQ(schema(relation), "a:string column1:string b:string ");
  EXPECT_EQ(rows(relation, "SELECT * FROM f"), "1,2,3;");
  EXPECT_THAT(schema(files(FileFormat::csv, {{"b.csv", "a,A\n1,2\n"}})),
              AllOf(HasSubstr("b.csv: line 1"), HasSubstr("a and A")));
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

TEST_F(FilesRelationTest, FailsForAFileThatIsGoneOrHasChanged) {
  auto relation = files(FileFormat::csv, {{"a.csv", "a\n1\n"}});
  write_file("a.csv", "a\n1\n2\n");
  EXPECT_THAT(schema(relation), AllOf(HasSubstr("a.csv"), HasSubstr("changed")));
  std::filesystem::remove(folder() + "/a.csv");
  EXPECT_THAT(schema(relation), AllOf(HasSubstr("a.csv"), HasSubstr("gone")));
}

TEST_F(FilesRelationTest, ReadsFilesWhosePathsLookLikePatterns) {
  EXPECT_EQ(
      rows(files(FileFormat::csv, {{"w[1]*.csv", "a\n1\n"}, {"w1.csv", "a\n2\n"}}),
           "SELECT *, _lakemill_arrival FROM f"),
      "1,7;2,8;");
}

TEST_F(FilesRelationTest, ReadsJsonDocumentsAndArraysAsNestedColumns) {
  const auto relation =
      files(FileFormat::json,
            {{"doc.json", "{\n \"z\": 1,\n \"a\": {\"x\": [1, 2], \"y\": null}\n}"},
             {"list.json", R"([{"z": 2.5, "t": "2024-01-01"}, {"a": {"x": []}}])"}});
  EXPECT_EQ(schema(relation), "z:double a:struct<x:array<long>,y:string> t:string ");
  EXPECT_EQ(rows(relation, "SELECT z, a.x[2], t FROM f"),
            "1,2,NULL;2.5,NULL,2024-01-01;NULL,NULL,NULL;");
}

TEST_F(FilesRelationTest, GivesColumnsOfJsonInTheOrderInWhichTheFilesBringThemUp) {
  std::vector<std::pair<std::string, std::string>> contents;
  std::string expected;
  for (int i = 40; i > 0; --i) {
    const std::string name = "f" + std::to_string(100 + i);
    contents.emplace_back(std::to_string(140 - i) + ".jsonl",
                          "{\"n\":{\"" + name + "\":1}}\n{\"" + name + "\":true}\n");
    if (i > 8) expected += name + ":long,";
  }
  for (int i = 1; i <= 8; ++i) expected += "f" + std::to_string(100 + i) + ":long,";
  expected.pop_back();
  const std::string found = schema(files(FileFormat::jsonl, contents));
  EXPECT_TRUE(found.starts_with("n:struct<" + expected + "> f140:boolean f139:"))
      << found;
}

TEST_F(FilesRelationTest, KeepsJsonWhoseTypesDifferBetweenFilesAsText) {
  const auto relation =
      files(FileFormat::jsonl,
            {{"a.jsonl", "{\"v\": 1}\n"}, {"b.jsonl", "{\"v\": {\"x\": 1}}\n"}});
  EXPECT_EQ(schema(relation), "v:string ");
  EXPECT_EQ(rows(relation, "SELECT v FROM f"), "1;{\"x\":1};");
}

TEST_F(FilesRelationTest, NamesTheLineOfMalformedJson) {
  EXPECT_THAT(schema(files(FileFormat::jsonl, {{"b.jsonl", "{\"a\":1}\n{\"a\":x}\n"}})),
              AllOf(HasSubstr("b.jsonl, line 2"), HasSubstr("malformed JSON")));
  EXPECT_THAT(schema(files(FileFormat::json, {{"s.json", "[1, 2]"}})),
              AllOf(HasSubstr("s.json"), HasSubstr("objects")));
}

TEST_F(FilesRelationTest, HoldsJsonToItsSchemaOrRescues) {
  auto relation =
      files(FileFormat::jsonl, {{"a.jsonl",
                                 "{\"id\": 1, \"ts\": \"2024-01-01T10:00:00+02:00\", "
                                 "\"s\": {\"x\": 1}}\n"},
                                {"b.jsonl",
                                 "{\"id\": \"one\", \"s\": {\"x\": \"q\"}}\n"
                                 "{\"id\": 1.5, \"new\": [1]}\n{\"id\": null}\n"}});
  relation.schema = make_schema(
      {{"id", data::make_type(TypeKind::int64)},
       {"ts", data::make_type(TypeKind::timestamp_ntz)},
       {"s",
        data::make_struct({{.name = "x", .type = data::make_type(TypeKind::int64)}})}});
  EXPECT_THAT(rows(relation, "SELECT * FROM f"),
              AllOf(HasSubstr(".jsonl"), HasSubstr("column new")));
  relation.schema->fields.push_back(
      {.name = "new", .type = data::make_type(TypeKind::string)});
  EXPECT_THAT(rows(relation, "SELECT * FROM f"),
              AllOf(HasSubstr("b.jsonl"), HasSubstr("column id"), HasSubstr("one")));
  relation.schema->fields.pop_back();
  relation.rescue = true;
  EXPECT_EQ(rows(relation, "SELECT id, ts, s.x, _rescued FROM f"),
            "1,2024-01-01 08:00:00,1,NULL;"
            "NULL,NULL,NULL,{\"id\":\"one\",\"s\":\"{\\\"x\\\":\\\"q\\\"}\"};"
            "NULL,NULL,NULL,{\"id\":\"1.5\",\"new\":\"[1]\"};"
            "NULL,NULL,NULL,NULL;");
}

TEST_F(FilesRelationTest, RescuesTheWholeOfNestedJsonOfWhichSomethingWouldBeLost) {
  auto relation = files(FileFormat::jsonl,
                        {{"a.jsonl",
                          "{\"n\":{\"x\":1},\"l\":[{\"p\":1}]}\n{\"n\":{},\"l\":null}\n"
                          "{\"n\":{\"x\":2,\"y\":\"k\"},\"l\":[{\"p\":1,\"q\":7}]}\n"
                          "{\"n\":{\"X\":3},\"l\":[{\"p\":1.5}]}\n"}});
  relation.rescue = true;
  const data::Type number = data::make_type(TypeKind::int64);
  relation.schema = make_schema(
      {{"n", data::make_struct({{.name = "x", .type = number}})},
       {"l",
        data::make_array(data::make_struct({{.name = "p", .type = number}}), true)}});
  EXPECT_EQ(rows(relation,
                 "SELECT n.x, len(l) AS l, _rescued ->> 'n', _rescued ->> 'l' FROM f"),
            "1,1,NULL,NULL;NULL,NULL,NULL,NULL;"
            "NULL,NULL,{\"x\":2,\"y\":\"k\"},[{\"p\":1,\"q\":7}];"
            "NULL,NULL,{\"X\":3},[{\"p\":1.5}];");
}

TEST_F(FilesRelationTest, FindsTypesThatHoldTheNumbersOfJson) {
  const auto found = [&](const std::string& lines) {
    return schema(files(FileFormat::jsonl, {{"n.jsonl", lines}}));
  };
  EXPECT_EQ(found("{\"a\": 9007199254740993}\n{\"a\": 1}\n"), "a:long ");
  EXPECT_EQ(found("{\"a\": 0.1}\n{\"a\": 9007199254740992}\n"), "a:double ");
  EXPECT_EQ(found("{\"a\": 1.5}\n{\"a\": 9007199254740993}\n"), "a:decimal(38,18) ");
  EXPECT_EQ(found("{\"a\": 1}\n{\"a\": 18446744073709551615}\n"), "a:decimal(38,0) ");
  EXPECT_EQ(found("{\"a\": [{\"b\": 123456789012345678901234567890.5}]}\n"),
            "a:array<struct<b:decimal(38,8)>> ");
  EXPECT_EQ(found("{\"a\": 1e400}\n"), "a:double ");
}

TEST_F(FilesRelationTest, ReadsNumbersOfJsonWithAllTheirDigits) {
  const auto relation = files(
      FileFormat::json, {{"n.json",
                          "[{\"a\": 9007199254740993, \"t\": [1e400, {\"x\": "
                          "0.12345678901234567891}]},\n{\"a\": 1.5, \"t\": [true]}]"}});
  EXPECT_EQ(rows(relation, "SELECT a, t, _lakemill_row FROM f"),
            "9007199254740993.000000000000000000,"
            "[\"1e400\",\"{\\\"x\\\":0.12345678901234567891}\"],0;"
            "1.500000000000000000,[\"true\"],1;");
}

TEST_F(FilesRelationTest, RefusesNumbersThatNoTypeHoldsWithTheirLine) {
  auto relation =
      files(FileFormat::jsonl,
            {{"n.jsonl", "{\"a\": 1, \"n\": {\"x\": 1}}\n\n{\"a\": 1e400}\n"}});
  EXPECT_THAT(rows(relation, "SELECT a FROM f"),
              AllOf(HasSubstr("n.jsonl, line 3: column a"), HasSubstr("1e400"),
                    HasSubstr("schema: {a: string}")));
  relation = files(FileFormat::jsonl,
                   {{"m.jsonl", "{\"n\": {\"x\": 1.5}}\n{\"n\": {\"x\": 1e400}}\n"}});
  EXPECT_THAT(
      rows(relation, "SELECT n FROM f"),
      AllOf(HasSubstr("m.jsonl, line 2: column n"), HasSubstr("{\"x\":1e400}")));
}

TEST_F(FilesRelationTest, RoundsOnlyFractionsToADoubleThatTheSchemaAsksFor) {
  auto relation = files(FileFormat::jsonl,
                        {{"n.jsonl", "{\"a\": 0.12345678901234567891}\n{\"a\": 2}\n"}});
  relation.schema = make_schema({{"a", data::make_type(TypeKind::float64)}});
  EXPECT_EQ(rows(relation, "SELECT a FROM f"), "0.12345678901234568;2;");
  relation.rescue = true;
  EXPECT_EQ(rows(relation, "SELECT * FROM f"),
            "NULL,{\"a\":\"0.12345678901234567891\"};2,NULL;");
  relation = files(FileFormat::jsonl, {{"m.jsonl", "{\"a\": 9007199254740993}\n"}});
  relation.schema = make_schema({{"a", data::make_type(TypeKind::float64)}});
  EXPECT_THAT(rows(relation, "SELECT a FROM f"),
              HasSubstr("m.jsonl, line 1: column a"));
}

TEST_F(FilesRelationTest, RescuesJsonWithTheDigitsThatItHas) {
  auto relation = files(
      FileFormat::jsonl,
      {{"a.jsonl",
        "{\"i\": 18446744073709551615, \"d\": 1e-5, \"b\": 1, \"s\": {\"x\": 1e400}}\n"
        "{\"i\": \"012\", \"d\": 1.5e0, \"b\": true, \"new\": [1e400], \"_rescued\": "
        "7}\n"
        "{\"i\": 9223372036854775807, \"d\": 15e-2, \"b\": \"yes\"}\n"}});
  relation.rescue = true;
  relation.schema = make_schema(
      {{"i", data::make_type(TypeKind::int64)},
       {"d", data::make_decimal(10, 2)},
       {"b", data::make_type(TypeKind::boolean)},
       {"s", data::make_struct(
                 {{.name = "x", .type = data::make_type(TypeKind::float64)}})}});
  EXPECT_EQ(
      rows(relation, "SELECT * FROM f"),
      "NULL,NULL,NULL,NULL,{\"i\":\"18446744073709551615\",\"d\":\"1e-5\",\"b\":"
      "\"1\","
      "\"s\":\"{\\\"x\\\":1e400}\"};"
      "NULL,1.50,true,NULL,{\"i\":\"012\",\"new\":\"[1e400]\",\"_rescued\":\"7\"};"
      "9223372036854775807,0.15,NULL,NULL,{\"b\":\"yes\"};");
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

TEST_F(FilesRelationTest, NamesTheLineOfJsonFieldsWhoseNamesATableCannotHave) {
  EXPECT_THAT(
      schema(files(FileFormat::jsonl,
                   {{"a.jsonl", "{\"n\": {\"id\": 1}}\n{\"n\": {\"ID\": 2}}\n"}})),
      AllOf(HasSubstr("a.jsonl, line 2"), HasSubstr("n.id and n.ID")));
  EXPECT_THAT(schema(files(FileFormat::jsonl,
                           {{"b.jsonl", "{\"a\": 1}\n{\"a\": 1, \"\": 2}\n"}})),
              AllOf(HasSubstr("b.jsonl, line 2"), HasSubstr("empty name")));
}

TEST_F(FilesRelationTest, RefusesAFieldThatAnObjectOfHardNumbersHasTwice) {
  EXPECT_THAT(
      rows(files(FileFormat::jsonl, {{"a.jsonl", "{\"a\": 1e400, \"a\": 2}\n"}}),
           "SELECT a FROM f"),
      AllOf(HasSubstr("\"a\" twice"), HasSubstr("1e400, \"a\": 2")));
}

TEST_F(FilesRelationTest, ReadsLinesThatAreLongAndNamesThoseThatAreTooLong) {
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

TEST_F(FilesRelationTest, GivesNullsTheTypesOfFilesBefore) {
  const auto before = files(
      FileFormat::jsonl,
      {{"old.jsonl", R"({"d":1.5,"o":{"x":1}})"}, {"older.jsonl", R"({"b":true})"}});
  auto json = files(FileFormat::jsonl,
                    {{"new.jsonl", R"({"d":null,"o":{"x":null},"b":null,"z":null})"}});
  json.files_before = [&] {
    return Result<std::vector<engine::InputFile>>(before.files);
  };
  EXPECT_EQ(schema(json), "d:double o:struct<x:long> b:boolean z:string ");
  auto empty = files(FileFormat::jsonl, {{"empty.jsonl", ""}});
  empty.files_before = json.files_before;
  EXPECT_EQ(schema(empty), "d:double o:struct<x:long> b:boolean ");
  EXPECT_EQ(rows(empty, "SELECT * FROM f"), "");
}

TEST_F(FilesRelationTest, ReadsNullsOfKnownTypesThatJsonLacks) {
  auto json = files(FileFormat::jsonl,
                    {{"a.jsonl", R"({"d":null,"i":null,"t":null,"m":{},"v":2})"}});
  json.known_types = make_schema({{"d", data::make_type(TypeKind::date)},
                                  {"i", data::make_type(TypeKind::int32)},
                                  {"t", data::make_type(TypeKind::timestamp)},
                                  {"v", data::make_type(TypeKind::float64)}});
  EXPECT_EQ(schema(json), "d:date i:integer t:timestamp m:string v:double ");
  EXPECT_EQ(rows(json, "SELECT d, i, t, v FROM f"), "NULL,NULL,NULL,2;");
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
