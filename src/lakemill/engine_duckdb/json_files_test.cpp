// Goal: JSON becomes rows with nothing lost, and what cannot be read is an error that
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

using JsonFiles = FilesFixture;

TEST_F(JsonFiles, ReadsJsonDocumentsAndArraysAsNestedColumns) {
  const auto relation =
      files(FileFormat::json,
            {{"doc.json", "{\n \"z\": 1,\n \"a\": {\"x\": [1, 2], \"y\": null}\n}"},
             {"list.json", R"([{"z": 2.5, "t": "2024-01-01"}, {"a": {"x": []}}])"}});
  EXPECT_EQ(schema(relation), "z:double a:struct<x:array<long>,y:string> t:string ");
  EXPECT_EQ(rows(relation, "SELECT z, a.x[2], t FROM f"),
            "1,2,NULL;2.5,NULL,2024-01-01;NULL,NULL,NULL;");
}

TEST_F(JsonFiles, GivesColumnsOfJsonInTheOrderInWhichTheFilesBringThemUp) {
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

TEST_F(JsonFiles, KeepsJsonWhoseTypesDifferBetweenFilesAsText) {
  const auto relation =
      files(FileFormat::jsonl,
            {{"a.jsonl", "{\"v\": 1}\n"}, {"b.jsonl", "{\"v\": {\"x\": 1}}\n"}});
  EXPECT_EQ(schema(relation), "v:string ");
  EXPECT_EQ(rows(relation, "SELECT v FROM f"), "1;{\"x\":1};");
}

TEST_F(JsonFiles, NamesTheLineOfMalformedJson) {
  EXPECT_THAT(schema(files(FileFormat::jsonl, {{"b.jsonl", "{\"a\":1}\n{\"a\":x}\n"}})),
              AllOf(HasSubstr("b.jsonl, line 2"), HasSubstr("malformed JSON")));
  EXPECT_THAT(schema(files(FileFormat::json, {{"s.json", "[1, 2]"}})),
              AllOf(HasSubstr("s.json"), HasSubstr("objects")));
}

TEST_F(JsonFiles, HoldsJsonToItsSchemaOrRescues) {
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

TEST_F(JsonFiles, RescuesTheWholeOfNestedJsonOfWhichSomethingWouldBeLost) {
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

TEST_F(JsonFiles, FindsTypesThatHoldTheNumbersOfJson) {
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

TEST_F(JsonFiles, ReadsNumbersOfJsonWithAllTheirDigits) {
  const auto relation = files(
      FileFormat::json, {{"n.json",
                          "[{\"a\": 9007199254740993, \"t\": [1e400, {\"x\": "
                          "0.12345678901234567891}]},\n{\"a\": 1.5, \"t\": [true]}]"}});
  EXPECT_EQ(rows(relation, "SELECT a, t, _lakemill_row FROM f"),
            "9007199254740993.000000000000000000,"
            "[\"1e400\",\"{\\\"x\\\":0.12345678901234567891}\"],0;"
            "1.500000000000000000,[\"true\"],1;");
}

TEST_F(JsonFiles, RefusesNumbersThatNoTypeHoldsWithTheirLine) {
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

TEST_F(JsonFiles, RoundsOnlyFractionsToADoubleThatTheSchemaAsksFor) {
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

TEST_F(JsonFiles, RescuesJsonWithTheDigitsThatItHas) {
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

TEST_F(JsonFiles, NamesTheLineOfJsonFieldsWhoseNamesATableCannotHave) {
  EXPECT_THAT(
      schema(files(FileFormat::jsonl,
                   {{"a.jsonl", "{\"n\": {\"id\": 1}}\n{\"n\": {\"ID\": 2}}\n"}})),
      AllOf(HasSubstr("a.jsonl, line 2"), HasSubstr("n.id and n.ID")));
  EXPECT_THAT(schema(files(FileFormat::jsonl,
                           {{"b.jsonl", "{\"a\": 1}\n{\"a\": 1, \"\": 2}\n"}})),
              AllOf(HasSubstr("b.jsonl, line 2"), HasSubstr("empty name")));
}

TEST_F(JsonFiles, RefusesAFieldThatAnObjectOfHardNumbersHasTwice) {
  EXPECT_THAT(
      rows(files(FileFormat::jsonl, {{"a.jsonl", "{\"a\": 1e400, \"a\": 2}\n"}}),
           "SELECT a FROM f"),
      AllOf(HasSubstr("\"a\" twice"), HasSubstr("1e400, \"a\": 2")));
}

TEST_F(JsonFiles, GivesNullsTheTypesOfFilesBefore) {
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

TEST_F(JsonFiles, ReadsNullsOfKnownTypesThatJsonLacks) {
  auto json = files(FileFormat::jsonl,
                    {{"a.jsonl", R"({"d":null,"i":null,"t":null,"m":{},"v":2})"}});
  json.known_types = make_schema({{"d", data::make_type(TypeKind::date)},
                                  {"i", data::make_type(TypeKind::int32)},
                                  {"t", data::make_type(TypeKind::timestamp)},
                                  {"v", data::make_type(TypeKind::float64)}});
  EXPECT_EQ(schema(json), "d:date i:integer t:timestamp m:string v:double ");
  EXPECT_EQ(rows(json, "SELECT d, i, t, v FROM f"), "NULL,NULL,NULL,2;");
}

}  // namespace
}  // namespace lakemill::engine_duckdb
