#include "lakemill/base/text.h"
#include "lakemill/language/model_builder.h"
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
    context.diagnostics.error(
        root.location, "roots", scheme + ":// is not supported yet at roots",
        std::string(kReachable));
  }
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
  project.server = fields.raw("server");
  project.subscriptions = fields.raw("subscriptions");
  project.alerts = fields.raw("alerts");
  project.maintenance = fields.raw("maintenance");
  return project;
}

}  // namespace lakemill::language
