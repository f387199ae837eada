#include "lakemill/language/load.h"

#include <algorithm>
#include <set>
#include <utility>

#include "lakemill/base/check.h"
#include "lakemill/base/path_pattern.h"
#include "lakemill/base/text.h"
#include "lakemill/language/definition.h"
#include "lakemill/language/keys.h"
#include "lakemill/language/model_builder.h"
#include "lakemill/language/orchestration_check.h"
#include "lakemill/language/pipeline_check.h"
#include "lakemill/language/shape_check.h"
#include "lakemill/language/written_tables.h"
#include "lakemill/language/yaml_tree.h"

namespace lakemill::language {

namespace {

std::optional<std::string> text_of(const Tree* variable) {
  if (variable == nullptr || !variable->is_scalar()) return std::nullopt;
  return variable->text;
}

IncludeVariables include_variables(const std::vector<NamedArgument>& overrides,
                                   const Tree& outermost, const LoadOptions& options) {
  IncludeVariables variables;
  variables.before = [&overrides](const std::string& name) {
    return text_of(find_variable(overrides, name));
  };
  variables.after = [&outermost, &options](const std::string& name) {
    for (const TreeEntry& entry : outermost.entries) {
      if (equals_ignoring_case(entry.key, name)) return text_of(&entry.value);
    }
    if (!options.environment_variable) return std::optional<std::string>();
    auto value = options.environment_variable(name);
    return value ? value : options.environment_variable(to_upper(name));
  };
  return variables;
}

void add_variable_file(const std::string& path, const LoadOptions& options,
                       std::vector<NamedArgument>& variables,
                       Diagnostics& diagnostics) {
  const Tree file = load_tree(path, *options.reader, {}, diagnostics);
  if (file.broken || file.is_null()) return;
  if (!file.is_mapping()) {
    diagnostics.error(
        file.location, "",
        "a file of variables holds a mapping, not " + std::string(kind_name(file.kind)),
        "");
    return;
  }
  for (const TreeEntry& entry : file.entries) {
    variables.push_back({entry.key, entry.key_location, entry.value});
  }
}

// --var, then files of variables, then the environment of the project; the first wins.
std::vector<NamedArgument> override_variables(const std::string& path,
                                              const LoadOptions& options,
                                              Diagnostics& diagnostics) {
  std::vector<NamedArgument> variables;
  // Of one name given twice the later wins, as everywhere on a command line.
  for (auto it = options.variables.rbegin(); it != options.variables.rend(); ++it) {
    variables.push_back({it->first, {}, plain_scalar(it->second, {"--var", 0, 0})});
  }
  for (const std::string& file : options.variable_files) {
    add_variable_file(file, options, variables, diagnostics);
  }
  if (options.variable_files.empty()) {
    std::vector<std::string> names;
    if (!options.environment.empty()) {
      names.push_back("variables." + options.environment + ".yaml");
    }
    names.push_back("variables.yaml");
    for (const std::string& name : names) {
      const std::string beside = path_from(folder_of(path), name);
      if (beside != path && options.reader->read(beside)) {
        add_variable_file(beside, options, variables, diagnostics);
      }
    }
  }
  if (options.project != nullptr) {
    const std::string& chosen = options.environment.empty()
                                    ? options.project->environment
                                    : options.environment;
    for (const ProjectEnvironment& environment : options.project->environments) {
      if (environment.name != chosen) continue;
      variables.insert(variables.end(), environment.variables.begin(),
                       environment.variables.end());
    }
  }
  return variables;
}

// The project's own variables: where nothing nearer has a name.
Tree outermost_variables(const LoadOptions& options) {
  Tree mapping;
  mapping.kind = TreeKind::mapping;
  if (options.project == nullptr) return mapping;
  for (const NamedArgument& variable : options.project->variables) {
    mapping.entries.push_back({variable.name, variable.location, variable.value});
  }
  return mapping;
}

void add_test_files(Tree& root, const std::string& folder, const LoadOptions& options,
                    const IncludeVariables& variables, Diagnostics& diagnostics) {
  const std::string tests_folder = path_from(folder, "tests");
  if (!options.reader->is_folder(tests_folder)) return;
  const auto files = options.reader->files_below(tests_folder);
  if (!files) return;
  Tree* tests = root.find("tests");
  if (tests == nullptr) {
    root.entries.push_back({"tests", root.location, Tree()});
    tests = &root.entries.back().value;
    tests->location = root.location;
  }
  if (tests->is_null()) tests->kind = TreeKind::list;
  if (!tests->is_list()) return;
  for (const std::string& file : *files) {
    if (!file.ends_with(".yaml") && !file.ends_with(".yml")) continue;
    Tree tree = load_tree(path_from(tests_folder, file), *options.reader, variables,
                          diagnostics);
    if (Tree* inner = tree.find("tests")) {
      Tree list = std::move(*inner);
      tree = std::move(list);
    }
    if (tree.is_list()) {
      std::move(tree.items.begin(), tree.items.end(), std::back_inserter(tests->items));
    } else if (!tree.is_null() || tree.broken) {
      tests->items.push_back(std::move(tree));
    }
  }
}

bool is_usable(const Tree& root, const std::string& path, Diagnostics& diagnostics) {
  if (root.broken) {
    if (!diagnostics.has_errors()) {
      diagnostics.error({path, 0, 0}, "", "the file cannot be read", "");
    }
    return false;
  }
  if (root.is_null()) {
    diagnostics.error({path, 1, 1}, "", "the file is empty", "");
    return false;
  }
  if (!root.is_mapping()) {
    diagnostics.error(
        root.location, "",
        "the file needs a mapping, not " + std::string(kind_name(root.kind)),
        "begin with name: and nodes:");
    return false;
  }
  return true;
}

// The files that this pipeline was read from, and where others of its project are.
OwnFiles own_files(const std::set<std::string>& read, const Pipeline& pipeline,
                   const Project* project) {
  OwnFiles own;
  own.files = read;
  own.patterns = {path_from(pipeline.folder, "tests/**.yaml"),
                  path_from(pipeline.folder, "tests/**.yml")};
  if (project == nullptr) return own;
  if (!project->file.empty()) own.files.insert(project->file);
  for (const std::string& text : project->pipelines) {
    const std::string path = path_from(project->folder, text);
    if (is_pattern(path)) {
      own.patterns.push_back(path);
    } else {
      own.files.insert(path);
    }
  }
  return own;
}

// Of the property that a table's writers would refuse, and of what refuses a merge.
void check_properties(const Pipeline& pipeline, const PropertyCheck& check,
                      Diagnostics& diagnostics) {
  const bool lacks_parameters =
      std::ranges::any_of(pipeline.parameters, [](const Parameter& parameter) {
        return !parameter.is_given && !parameter.is_default;
      });
  for (std::size_t i = 0; i < pipeline.nodes.size(); ++i) {
    const auto& sinks = pipeline.nodes[i].sinks;
    for (std::size_t k = 0; k < sinks.size(); ++k) {
      const std::string path =
          "nodes[" + std::to_string(i) + "].sinks[" + std::to_string(k) + "]";
      std::set<std::string> told;
      for (const Name& place : sinks[k].property_places) {
        const std::string& value = sinks[k].properties.at(place.text);
        // A parameter that only a run has is empty; a secret was told already.
        const bool later = (lacks_parameters && value.empty()) ||
                           value.find("${secret.") != std::string::npos;
        if (later || !told.insert(place.text).second) continue;
        const auto fault = check ? check(place.text, value) : std::nullopt;
        if (fault) {
          diagnostics.error(place.location, path + ".properties", *fault, "");
        } else if (sinks[k].merge_cdc_options && place.text == "delta.appendOnly" &&
                   to_lower(value) == "true") {
          diagnostics.error(place.location, path + ".properties",
                            "a merge changes rows, and delta.appendOnly forbids that",
                            "leave delta.appendOnly out, or write mode: APPEND");
        }
      }
    }
  }
}

}  // namespace

LoadedPipeline load_pipeline(const std::string& path, const LoadOptions& given) {
  LAKEMILL_CHECK(given.reader != nullptr);
  NotingFileReader reader(*given.reader);
  LoadOptions options = given;
  options.reader = &reader;
  LoadedPipeline loaded;
  Diagnostics& diagnostics = loaded.diagnostics;
  const std::vector<NamedArgument> overrides =
      override_variables(path, options, diagnostics);
  const Tree outermost = outermost_variables(options);
  const IncludeVariables variables = include_variables(overrides, outermost, options);
  Tree root = load_tree(path, *options.reader, variables, diagnostics);
  if (!is_usable(root, path, diagnostics)) return loaded;
  if (options.with_test_files) {
    add_test_files(root, folder_of(path), options, variables, diagnostics);
  }

  std::vector<Parameter> parameters =
      read_parameters(root.find("parameters"), options.parameters,
                      options.allow_missing_parameters, diagnostics);
  VariableResolver resolver(overrides, outermost, options.environment_variable,
                            parameters, diagnostics);
  resolver.resolve(root);
  check_shape(root, object_spec("pipeline"), "", diagnostics);

  BuildContext context{diagnostics};
  context.event_types = options.event_types;
  context.reader = options.reader;
  context.spark_is_named =
      options.project != nullptr && !options.project->engine.spark_remote.empty();
  Pipeline pipeline = build_pipeline(root, context);
  pipeline.file = path;
  pipeline.folder = folder_of(path);
  pipeline.variables = resolver.root_variables(root);
  pipeline.parameters = std::move(parameters);
  link_written_tables(pipeline,
                      options.project == nullptr ? Project() : *options.project,
                      options.table_namer);
  add_view_definitions(pipeline);
  check_pipeline(pipeline, own_files(reader.files(), pipeline, options.project), reader,
                 diagnostics);
  check_properties(pipeline, options.property_check, diagnostics);
  check_orchestration(pipeline, options.project, diagnostics);
  if (options.sql_parser) {
    check_sql(pipeline, options.sql_parser, *options.reader, diagnostics);
  }
  if (!diagnostics.has_errors()) loaded.pipeline = std::move(pipeline);
  return loaded;
}

LoadedProject load_project(const std::string& path, const LoadOptions& options) {
  LAKEMILL_CHECK(options.reader != nullptr);
  LoadedProject loaded;
  Diagnostics& diagnostics = loaded.diagnostics;
  std::vector<NamedArgument> overrides;
  for (auto it = options.variables.rbegin(); it != options.variables.rend(); ++it) {
    overrides.push_back({it->first, {}, plain_scalar(it->second, {"--var", 0, 0})});
  }
  const Tree outermost = outermost_variables(options);
  const IncludeVariables variables = include_variables(overrides, outermost, options);
  Tree root = load_tree(path, *options.reader, variables, diagnostics);
  if (!is_usable(root, path, diagnostics)) return loaded;

  const Tree* environments = root.find("environments");
  const Tree* chosen = environments == nullptr || options.environment.empty()
                           ? nullptr
                           : environments->find(options.environment);
  if (chosen != nullptr) {
    for (const NamedArgument& variable : Fields(*chosen).arguments("variables")) {
      overrides.push_back(variable);
    }
  }
  std::vector<Parameter> no_parameters;
  VariableResolver resolver(overrides, outermost, options.environment_variable,
                            no_parameters, diagnostics);
  resolver.resolve(root);
  check_shape(root, object_spec("project"), "", diagnostics);

  BuildContext context{diagnostics};
  context.event_types = options.event_types;
  Project project = build_project(root, context);
  project.file = path;
  project.folder = folder_of(path);
  project.environment = options.environment;
  std::vector<std::string> names;
  for (const ProjectEnvironment& environment : project.environments) {
    names.push_back(environment.name);
    if (environment.name != options.environment) continue;
    if (!environment.root.empty()) project.root = environment.root;
    if (environment.catalog) project.catalog = *environment.catalog;
  }
  const bool is_known =
      std::find(names.begin(), names.end(), options.environment) != names.end();
  if (options.sql_parser) {
    check_sql(project, options.sql_parser, *options.reader, diagnostics);
  }
  if (!options.environment.empty() && !is_known) {
    const auto meant = nearest(options.environment, names);
    diagnostics.error(root.location, "environments",
                      "the project has no environment '" + options.environment + "'",
                      meant           ? "did you mean '" + *meant + "'?"
                      : names.empty() ? "add it under environments"
                                      : "known are " + join(names, ", "));
  }
  if (!diagnostics.has_errors()) loaded.project = std::move(project);
  return loaded;
}

}  // namespace lakemill::language
