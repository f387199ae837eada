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
};

inline LoadedPipeline load(Given given) {
  MemoryFileReader reader(std::move(given.files));
  LoadOptions options;
  options.reader = &reader;
  options.variables = given.variables;
  options.parameters = given.parameters;
  options.environment = given.chosen;
  options.project = given.project;
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

// A pipeline of one node that reads a file; `rest` is put below the node.
inline std::string one_node(const std::string& rest) {
  return "name: p\nnodes:\n- name: a\n  source: {path: a.csv}\n" + rest;
}

}  // namespace lakemill::language::testkit
