#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lakemill/language/load.h"

// Loading pipelines from text, for the tests of this module.

namespace lakemill::language::testkit {

struct Given {
  std::map<std::string, std::string> files = {};
  std::vector<std::pair<std::string, std::string>> variables = {};
  std::vector<std::pair<std::string, std::string>> parameters = {};
  std::map<std::string, std::string> environment = {};
  std::string chosen = {};
  const Project* project = nullptr;
  std::vector<std::string> event_types = {};
};

inline LoadedPipeline load(Given given) {
  MemoryFileReader reader(std::move(given.files));
  LoadOptions options;
  options.reader = &reader;
  options.variables = given.variables;
  options.parameters = given.parameters;
  options.environment = given.chosen;
  options.project = given.project;
  options.event_types = given.event_types;
  options.environment_variable =
      [&](const std::string& name) -> std::optional<std::string> {
    const auto found = given.environment.find(name);
    if (found == given.environment.end()) return std::nullopt;
    return found->second;
  };
  return load_pipeline("p.yaml", options);
}

inline LoadedPipeline load_text(const std::string& text) {
  return load({.files = {{"p.yaml", text}}});
}

inline LoadedProject load_project_text(const std::string& text) {
  MemoryFileReader reader(std::map<std::string, std::string>{{"lakemill.yaml", text}});
  LoadOptions options;
  options.reader = &reader;
  options.event_types = {"run_failed", "table_committed", "expectation_failed"};
  return load_project("lakemill.yaml", options);
}

// A project with every key of section 8.
inline constexpr const char* kOperatedProject = R"yaml(name: shop
server:
  listen: 0.0.0.0:9000
  tls: {certificate: cert.pem, key: key.pem}
  behind_proxy: [10.0.0.0/8, "::1"]
  runs_max: 4
  continuous_max: 2
  sql: {role: EDITOR, timeout: 30s, rows_max: 500, memory_limit: 1GB}
  webhooks: {allow: [192.168.1.0/24, hooks.inner]}
  metrics: VIEWER
  ingest: {max_bytes: 1MB}
subscriptions:
- name: ops
  filter: {types: [run_failed], subjects: pipeline/*, where: "pipeline <> 'x'"}
  to: {webhook: "https://hooks.example.com/${secret.PATH}"}
  secret: ${secret.HOOK}
- {name: log, to: {command: [logger, -t, lakemill]}}
- {name: chain, filter: {types: table_committed}, to: {pipeline: p}}
- {name: lineage, to: {openlineage: ./lineage.jsonl}}
alerts:
- name: broken
  on: [FAILURE, RECOVERED]
  to: [ops, {webhook: "http://h/", secret: "${secret.B}"}, {pipeline: p}]
  match: {owner: ann, tag: [daily], pipeline: "p*"}
  silence:
  - {cron: 0 22 * * *, timezone: Europe/Paris, for: 8h, reason: night}
  - {from: "2026-12-24T18:00:00Z", until: "2026-12-26T18:00:00Z"}
- {on: LAG, lag: {max: 10m}, to: log}
maintenance:
  every: 0 3 * * *
  timezone: Europe/Paris
  retention: 14d
  layers: {BRONZE: {vacuum: false}}
  tables:
    main.gold.sales: {optimize: false, log_retention: 60d, state_retention: 90d}
)yaml";

// A pipeline of one node that reads a file; `rest` is put below the node.
inline std::string one_node(const std::string& rest) {
  return "name: p\nnodes:\n- name: a\n  source: {path: a.csv}\n" + rest;
}

}  // namespace lakemill::language::testkit
