#include <algorithm>

#include "lakemill/base/text.h"
#include "lakemill/language/model_builder.h"
#include "lakemill/language/orchestration_builder.h"
#include "lakemill/language/orchestration_check.h"
#include "lakemill/language/shape_check.h"

namespace lakemill::language {

namespace {

void build_layers(Project& project, const Fields& fields) {
  const Tree* layers = fields.find("layers");
  if (layers == nullptr) return;
  for (const TreeEntry& entry : layers->entries) {
    if (entry.value.broken || !entry.value.is_mapping()) continue;
    const Fields layer(entry.value);
    const std::string name = to_upper(entry.key);
    const Layer which = name == "BRONZE"   ? Layer::bronze
                        : name == "SILVER" ? Layer::silver
                                           : Layer::gold;
    project.layers[which] = {layer.text("root", ""), layer.text("schema", ""),
                             layer.duration("retention")};
  }
}

void check_roots(const Fields& fields, BuildContext& context) {
  for (const Name& root : fields.names("roots")) {
    const std::string scheme = remote_scheme(root.text);
    if (scheme.empty()) continue;
    context.diagnostics.error(root.location, "roots",
                              scheme + ":// is not supported yet at roots",
                              std::string(kReachable));
  }
}

// What serves the project and looks after it (section 8).
void build_operation(Project& project, const Fields& fields, BuildContext& context) {
  for (const char* key : {"server", "subscriptions", "alerts", "maintenance"}) {
    if (fields.has(key)) project.operation.push_back({key, fields.place(key)});
  }
  if (const Tree* server = fields.find("server")) {
    project.server = build_server({server, "server"}, context);
  }
  project.subscriptions = build_subscriptions(
      parts_of(fields.find("subscriptions"), "subscriptions"), context);
  project.alerts =
      build_alerts(parts_of(fields.find("alerts"), "alerts"), true, context);
  if (const Tree* maintenance = fields.find("maintenance")) {
    project.maintenance = build_maintenance({maintenance, "maintenance"}, context);
  }
  const bool all_known =
      !fields.is_broken("subscriptions") && !fields.has_unknown_keys() &&
      std::ranges::none_of(project.subscriptions, [](const Subscription& subscription) {
        return subscription.name.empty();
      });
  if (all_known) check_routes(project.alerts, project, context.diagnostics);
}

}  // namespace

Project build_project(const Tree& root, BuildContext& context) {
  Project project;
  const Fields fields(root);
  project.name = fields.text("name", "");
  project.root = fields.text("root", ".");
  project.catalog = fields.text("catalog", "main");
  build_layers(project, fields);
  project.roots = fields.texts("roots");
  check_roots(fields, context);
  project.pipelines = fields.texts("pipelines");
  project.variables = fields.arguments("variables");
  for (const NamedArgument& given : fields.arguments("environments")) {
    ProjectEnvironment environment;
    environment.name = given.name;
    environment.location = given.location;
    if (given.value.is_mapping()) {
      const Fields inner(given.value);
      environment.variables = inner.arguments("variables");
      environment.root = inner.text("root", "");
      if (inner.has("catalog")) environment.catalog = inner.text("catalog", "");
    }
    project.environments.push_back(std::move(environment));
  }
  if (const Tree* secrets = fields.find("secrets")) {
    const Fields inner(*secrets);
    project.secrets = {inner.flag("environment", true), inner.text("file", ""),
                       inner.text("command", "")};
  }
  project.engine = build_engine(fields.find("engine"));
  project.connections = fields.raw("connections");
  build_operation(project, fields, context);
  return project;
}

}  // namespace lakemill::language
