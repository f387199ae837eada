#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lakemill/language/diagnostic.h"
#include "lakemill/language/file_reader.h"
#include "lakemill/language/model.h"
#include "lakemill/language/sql_check.h"
#include "lakemill/language/variables.h"

namespace lakemill::language {

/// What is wrong with a property of a table, or nothing: this module knows no tables.
using PropertyCheck = std::function<std::optional<std::string>(
    const std::string& name, const std::string& value)>;

/// What a load depends on besides the file. `reader` is borrowed.
struct LoadOptions {
  FileReader* reader = nullptr;            ///< required
  EnvironmentGetter environment_variable;  ///< of the operating system; may be empty
  std::vector<std::pair<std::string, std::string>> variables;   ///< --var k=v
  std::vector<std::string> variable_files;                      ///< --var-file
  std::string environment;                                      ///< --env, or empty
  std::vector<std::pair<std::string, std::string>> parameters;  ///< --param p=v
  const Project* project = nullptr;  ///< gives the environment's variables
  /// Also the tests of `tests/*.yaml` beside the pipeline file.
  bool with_test_files = false;
  /// Parameters without default and value are null instead of being an
  /// error: for `validate`, `schema` and editors.
  bool allow_missing_parameters = false;
  SqlParser sql_parser;          ///< what checks SQL; empty: nothing does
  TableNamer table_namer;        ///< what finds tables in SQL; empty: nothing does
  PropertyCheck property_check;  ///< what checks tables' properties; may be empty
  /// The types of events that there are; empty: any is taken.
  std::vector<std::string> event_types;
};

struct LoadedPipeline {
  std::optional<Pipeline> pipeline;  ///< set exactly when there is no error
  Diagnostics diagnostics;
};

struct LoadedProject {
  std::optional<Project> project;  ///< set exactly when there is no error
  Diagnostics diagnostics;
};

/// Reads a pipeline file with all that it includes, resolves variables and parameters,
/// checks it, and tells all faults at once. Never fails otherwise.
LoadedPipeline load_pipeline(const std::string& path, const LoadOptions& options);

/// Reads a lakemill.yaml; `options.environment` chooses among its environments.
LoadedProject load_project(const std::string& path, const LoadOptions& options);

}  // namespace lakemill::language
