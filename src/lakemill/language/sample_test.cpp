// A pipeline of another product loads as it is, the JSON Schema accepts it, and no
// damage to its text brings the loader down.
#include <map>
#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/language/definition.h"
#include "lakemill/language/graph.h"
#include "lakemill/language/keys.h"
#include "lakemill/language/load_fixture.h"
#include "lakemill/language/yaml_tree.h"

namespace lakemill::language {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Laktory's local pipeline, without its comments.
constexpr const char* kSample = R"yaml(name: pl-stock-prices
dataframe_backend: POLARS

nodes:
- name: brz_stock_prices
  sources:
  - path: ./data/stock_prices.json
    format: JSONL
  sinks:
  - path: ./data/brz_stock_prices.parquet
    format: PARQUET

- name: slv_stock_prices
  sources:
  - node_name: brz_stock_prices
    as_stream: false
  sinks:
  - path: ./data/slv_stock_prices.parquet
    format: PARQUET
  transformer:
    nodes:
    - expr: |
        SELECT
          CAST(data.created_at AS TIMESTAMP) AS created_at,
          data.symbol AS name,
          data.open AS open
        FROM
          {df}
    - func_name: unique
      func_kwargs:
        subset:
          - symbol
          - created_at
        keep:
          any

- name: slv_stock_metadata
  sources:
  - path: ./data/stock_metadata.json
    format: JSONL
  transformer:
    nodes:
    - func_name: with_columns
      func_kwargs:
        symbol: nw.col("data").struct.field("symbol").cast(nw.dtypes.String())
        currency: nw.col("data").struct.field("currency").cast(nw.dtypes.String())
    - func_name: drop
      func_args:
        - data

- name: slv_stocks
  sources:
  - name: slv                         # primary silver input: stock prices
    node_name: slv_stock_prices
    as_stream: false
  - name: metadata                    # secondary silver input: stock metadata
    node_name: slv_stock_metadata
    selects:
      - symbol
      - currency
  sinks:
  -   path: ./data/slv_stocks.parquet
      format: PARQUET
  transformer:
    nodes:
    - func_name: join
      func_kwargs:
        other: "{sources.metadata}"
        "on":
          - symbol
    - func_name: with_columns
      func_kwargs:
        day_id: nw.col("created_at").dt.truncate("1d")

- name: gld_stocks_prices_by_1d
  sources:
  - node_name: slv_stocks
    as_stream: false
  sinks:
  -   path: ./data/gld_stocks_prices_by_1d.parquet
      format: PARQUET
  transformer:
    nodes:
    - func_name: laktory.groupby_and_agg
      func_kwargs:
        groupby_columns:
          - symbol
          - day_id
        agg_expressions:
          - expr: nw.col('symbol').count().alias("count")
          - expr: nw.col('low').min().alias("low")
)yaml";

LoadedPipeline load(const std::string& text) {
  MemoryFileReader reader(std::map<std::string, std::string>{{"p.yaml", text}});
  LoadOptions options;
  options.reader = &reader;
  return load_pipeline("p.yaml", options);
}

TEST(Sample, LoadsAsItIs) {
  const LoadedPipeline loaded = load(kSample);
  ASSERT_EQ(loaded.diagnostics.to_text(), "");
  const Pipeline& pipeline = *loaded.pipeline;
  EXPECT_EQ(pipeline.backend, Backend::polars);
  EXPECT_EQ(upstream_of(pipeline.nodes[3]),
            (std::vector<std::string>{"slv_stock_prices", "slv_stock_metadata"}));
  EXPECT_TRUE(pipeline.nodes[2].is_view());
  EXPECT_EQ(pipeline.nodes[1].sources[0].as_stream, false);
  const MethodCall& aggregate = pipeline.nodes[4].steps[0].method();
  EXPECT_EQ(aggregate.name, "laktory.groupby_and_agg");
  EXPECT_EQ(aggregate.named_arguments[1].value.items[0].find("expr")->text,
            "nw.col('symbol').count().alias(\"count\")");
}

TEST(Sample, IsMadeAgainFromItsDefinition) {
  const LoadedPipeline loaded = load(kSample);
  ASSERT_TRUE(loaded.pipeline.has_value());
  for (const Node& node : loaded.pipeline->nodes) {
    const auto again = node_from_definition(node.definition);
    ASSERT_TRUE(again.has_value()) << again.error().message();
    EXPECT_EQ(again->name, node.name);
    ASSERT_EQ(again->steps.size(), node.steps.size());
    for (std::size_t i = 0; i < node.steps.size(); ++i) {
      if (node.steps[i].is_sql()) continue;
      const MethodCall& call = node.steps[i].method();
      const MethodCall& other = again->steps[i].method();
      ASSERT_EQ(other.named_arguments.size(), call.named_arguments.size());
      for (std::size_t j = 0; j < call.named_arguments.size(); ++j) {
        EXPECT_EQ(other.named_arguments[j].name, call.named_arguments[j].name);
      }
    }
  }
}

// Goal: no text, however broken, brings the loader down, and each load says either what
// is wrong or gives a pipeline. Method: 2,000 random edits from one seed.
TEST(Sample, SurvivesAnyDamage) {
  const std::string sample = kSample;
  const std::string alphabet = " \t\n:-{}[]&*!|>'\"#%@`$,?<~\\ax0\xC3\x80";
  std::mt19937 random(20240101);  // NOLINT: the same cases on every run
  const auto below = [&](std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
  };
  int accepted = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string text = sample;
    for (std::size_t edits = 1 + below(4); edits > 0; --edits) {
      const std::size_t at = below(text.size());
      switch (below(4)) {
        case 0:
          text[at] = alphabet[below(alphabet.size())];
          break;
        case 1:
          text.insert(at, 1, alphabet[below(alphabet.size())]);
          break;
        case 2:
          text.erase(at, 1 + below(20));
          break;
        default:
          text.insert(at, text.substr(below(text.size()), below(40)));
      }
    }
    const LoadedPipeline loaded = load(text);
    ASSERT_NE(loaded.pipeline.has_value(), loaded.diagnostics.has_errors()) << text;
    accepted += loaded.pipeline.has_value() ? 1 : 0;
  }
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, 2000);
}

// As much of JSON Schema as ours uses; "" if `value` is accepted, else where it is not.
std::string rejects(const Json& schema, const Json& value, const Json& root,
                    const std::string& path) {
  if (schema.contains("$ref")) {
    const std::string name = schema["$ref"].get<std::string>().substr(14);
    return rejects(root["definitions"][name], value, root, path);
  }
  if (schema.contains("anyOf")) {
    std::string reason = path + ": nothing matches";
    for (const Json& option : schema["anyOf"]) {
      const std::string inner = rejects(option, value, root, path);
      if (inner.empty()) return {};
      if (inner.size() > reason.size()) reason = inner;
    }
    return reason;
  }
  if (schema.contains("enum")) {
    for (const Json& option : schema["enum"]) {
      if (option == value) return {};
    }
    return path + ": not a choice";
  }
  if (schema.contains("type")) {
    const auto matches = [&](const std::string& type) {
      return (type == "string" && value.is_string()) ||
             (type == "number" && value.is_number()) ||
             (type == "integer" && value.is_number_integer()) ||
             (type == "boolean" && value.is_boolean()) ||
             (type == "null" && value.is_null()) ||
             (type == "array" && value.is_array()) ||
             (type == "object" && value.is_object());
    };
    const Json& type = schema["type"];
    bool ok = false;
    for (const Json& one : type.is_array() ? type : Json::array({type})) {
      ok = ok || matches(one.get<std::string>());
    }
    if (!ok) return path + ": wrong type";
  }
  // The only patterns are those of variables and of choices in lower case.
  if (schema.contains("pattern") && !value.get<std::string>().starts_with("${")) {
    return path + ": no variable";
  }
  if (value.is_array() && schema.contains("items")) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      const std::string inner = rejects(schema["items"], value[i], root,
                                        path + "[" + std::to_string(i) + "]");
      if (!inner.empty()) return inner;
    }
  }
  if (value.is_object() && schema.contains("properties")) {
    for (const auto& [key, member] : value.items()) {
      if (!schema["properties"].contains(key)) return path + "." + key + ": unknown";
      const std::string inner =
          rejects(schema["properties"][key], member, root, path + "." + key);
      if (!inner.empty()) return inner;
    }
    for (const Json& key : schema.value("required", Json::array())) {
      if (!value.contains(key.get<std::string>())) return path + ": key missing";
    }
  }
  return {};
}

TEST(Schema, AcceptsTheSampleAndRefusesATypo) {
  MemoryFileReader reader(std::map<std::string, std::string>{{"p.yaml", kSample}});
  Diagnostics diagnostics;
  Json sample = to_json(load_tree("p.yaml", reader, {}, diagnostics));
  const Json schema = json_schema();
  EXPECT_EQ(rejects(schema, sample, schema, ""), "");
  sample["nodes"][0]["sinks"][0]["pth"] = "x";
  EXPECT_NE(rejects(schema, sample, schema, ""), "");
}

TEST(Schema, AcceptsEveryKeyOfOrchestrationAndRefusesATypo) {
  MemoryFileReader reader(
      std::map<std::string, std::string>{{"lakemill.yaml", testkit::kOperatedProject}});
  Diagnostics diagnostics;
  const Json project = to_json(load_tree("lakemill.yaml", reader, {}, diagnostics));
  const Json schema = json_schema();
  const Json& object = schema["definitions"]["project"];
  EXPECT_EQ(rejects(object, project, schema, ""), "");
  for (const char* place :
       {"/server/listn", "/server/sql/rol", "/subscriptions/0/secrt",
        "/subscriptions/0/to/webhok", "/alerts/0/silence/0/fore",
        "/alerts/0/match/tags", "/maintenance/layers/BRONSE"}) {
    Json broken = project;
    broken[Json::json_pointer(place)] = 1;
    EXPECT_NE(rejects(object, broken, schema, ""), "") << place;
  }
}

TEST(Schema, IsJsonAndEveryReferenceOfItResolves) {
  const Json schema = json_schema();
  const auto parsed = parse_json(json_text(schema));
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(*parsed, schema);
  for (const ObjectSpec& object : language_objects()) {
    for (const KeySpec& key : object.keys) {
      EXPECT_FALSE(key.doc.empty()) << object.name << "." << key.key;
      if (!key.object.empty()) {
        EXPECT_TRUE(schema["definitions"].contains(std::string(key.object)));
      }
      if (key.type == ValueType::choice) {
        EXPECT_FALSE(key.choices.empty()) << object.name << "." << key.key;
      }
    }
  }
}

TEST(Reference, NamesEveryKeyOnce) {
  const std::string text = reference_markdown();
  EXPECT_THAT(text, HasSubstr("## merge_cdc_options"));
  EXPECT_THAT(text,
              HasSubstr("| + `schema_evolution` | `EVOLVE`, `STRICT`, `RESCUE` |"));
}

}  // namespace
}  // namespace lakemill::language
