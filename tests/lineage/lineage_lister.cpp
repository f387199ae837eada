// Tells the lineage of queries over tables that have no rows. Reads
//
//   {"tables": {"t": {"column": "type", …}, …}, "queries": ["SELECT …", …]}
//
// and prints a line for each query:
//
//   {"columns": {"name": {"t.column": ["identity", …], …}, …},
//    "rows": {"filter": ["t.column", …], …}, "incomplete_because": ""}
#include <iostream>
#include <iterator>
#include <memory>
#include <utility>

#include "lakemill/base/json.h"
#include "lakemill/data/type_text.h"
#include "lakemill/engine_duckdb/duckdb_engine.h"
#include "lakemill/engine_duckdb/fake_scan.h"
#include "lakemill/storage/local_store.h"

namespace {

using lakemill::Json, lakemill::Result, lakemill::Status;
using lakemill::engine::Origin, lakemill::engine::Session;

std::string text_of(const lakemill::engine::ColumnRef& column) {
  return column.relation + "." + column.column;
}

Json to_json(const lakemill::engine::QueryShape& shape) {
  Json columns = Json::object();
  for (std::size_t i = 0; i < shape.lineage.columns.size(); ++i) {
    Json& edges = columns[shape.schema.fields.at(i).name] = Json::object();
    for (const auto& edge : shape.lineage.columns[i]) {
      Json& kinds = edges[text_of(edge.from)] = Json::array();
      for (const auto flow : edge.flows) kinds.push_back(name_of(flow));
      for (const auto kind : edge.influences) kinds.push_back(name_of(kind));
    }
  }
  Json rows = Json::object();
  for (const auto& [from, kind] : shape.lineage.rows) {
    rows[std::string(name_of(kind))].push_back(text_of(from));
  }
  return {{"columns", columns},
          {"rows", rows},
          {"incomplete_because", shape.lineage.incomplete_because}};
}

Status bind_tables(Session& session, const Json& tables) {
  for (const auto& [name, columns] : tables.items()) {
    auto scan = std::make_shared<lakemill::engine_duckdb::FakeScan>();
    for (const auto& [column, type] : columns.items()) {
      LAKEMILL_TRY(auto parsed,
                   lakemill::data::type_from_text(type.get<std::string>()));
      scan->schema_.fields.push_back({.name = column, .type = std::move(parsed)});
    }
    LAKEMILL_TRY_OK(session.bind(name, lakemill::engine::TableRelation{scan}));
  }
  return {};
}

Status list(const std::string& input) {
  LAKEMILL_TRY(const Json asked, lakemill::parse_json(input));
  const auto stores = lakemill::storage::make_local_provider();
  lakemill::engine_duckdb::DuckdbOptions options;
  options.threads = 1;
  LAKEMILL_TRY(const auto engine, lakemill::engine_duckdb::make_duckdb_engine(
                                      std::move(options), *stores, nullptr));
  LAKEMILL_TRY(const auto session, engine->open_session({}));
  LAKEMILL_TRY_OK(bind_tables(*session, asked.at("tables")));
  for (const Json& query : asked.at("queries")) {
    LAKEMILL_TRY(const auto shape,
                 session->describe(query.get<std::string>(), Origin::pipeline));
    std::cout << to_json(shape).dump() << '\n';
  }
  return {};
}

}  // namespace

int main() {
  const std::string input{std::istreambuf_iterator<char>(std::cin), {}};
  const Status listed = list(input);
  if (listed) return 0;
  std::cerr << listed.error().message() << '\n';
  return 1;
}
