#include "lakemill/language/orchestration_check.h"

#include <algorithm>
#include <map>
#include <set>

#include "lakemill/base/path_pattern.h"
#include "lakemill/base/text.h"
#include "lakemill/language/shape_check.h"
#include "lakemill/language/written_tables.h"

namespace lakemill::language {

namespace {

std::string meant(const std::string& name, const std::vector<std::string>& known,
                  const std::string& otherwise) {
  const auto found = nearest(name, known);
  return found ? "did you mean '" + *found + "'?" : otherwise;
}

// The words that runs, nodes and batches of a pipeline begin their event types with.
bool is_of_runs(const std::string& type) {
  for (const char* begin : {"run_", "node_", "batch_"}) {
    if (type.starts_with(begin)) return true;
  }
  return false;
}

bool takes_own_subject(const EventFilter& filter, const std::string& pipeline) {
  if (filter.subjects.empty()) return true;
  const std::string run = "pipeline/" + pipeline;
  const std::string node = "node/" + pipeline + "/any";
  return std::ranges::any_of(filter.subjects, [&](const Name& subject) {
    return fits_pattern(run, subject.text) || fits_pattern(node, subject.text);
  });
}

class PipelineOrders {
 public:
  PipelineOrders(const Pipeline& pipeline, Diagnostics& diagnostics)
      : pipeline_(pipeline), diagnostics_(diagnostics) {}

  void run() {
    for (const Trigger& trigger : pipeline_.orchestration.triggers) {
      check_own(trigger);
      check_parameters(trigger);
    }
    for (const Alert& alert : pipeline_.orchestration.alerts) check_freshness(alert);
  }

 private:
  // What the pipeline itself causes, and so would start it for ever.
  void check_own(const Trigger& trigger) {
    if (const auto* after = trigger.as<AfterTrigger>();
        after != nullptr && after->pipeline.text == pipeline_.name) {
      diagnostics_.error(trigger.kind_location, trigger.path,
                         "the pipeline '" + pipeline_.name + "' comes after itself" +
                             at_path(trigger.path),
                         "name another pipeline; one that runs again and again is "
                         "continuous: true");
    }
    if (const auto* event = trigger.as<EventTrigger>()) {
      check_own_events(trigger, event->filter);
    }
    if (const auto* table = trigger.as<TableTrigger>(); table != nullptr) {
      check_own_table(trigger, table->table);
    }
  }

  void check_own_events(const Trigger& trigger, const EventFilter& filter) {
    if (!filter.where.empty() || !takes_own_subject(filter, pipeline_.name)) return;
    for (const Name& type : filter.types) {
      if (!is_of_runs(type.text)) continue;
      diagnostics_.error(type.location, trigger.path,
                         "each run of the pipeline may tell '" + type.text +
                             "', which would start the next" + at_path(trigger.path),
                         "name the subjects that count: subject: pipeline/other");
      return;
    }
  }

  void check_own_table(const Trigger& trigger, const TableReference& table) {
    if (table.place.empty()) return;
    for (const Node& node : pipeline_.nodes) {
      for (const Sink& sink : node.sinks) {
        if (sink.place != table.place) continue;
        diagnostics_.warning(trigger.kind_location, trigger.path,
                             "the pipeline writes '" + table.text +
                                 "' itself, and each of its commits starts it again" +
                                 at_path(trigger.path),
                             "name a table that it reads");
        return;
      }
    }
  }

  const Parameter* find(const std::string& name) const {
    const auto found =
        std::ranges::find_if(pipeline_.parameters, [&](const Parameter& parameter) {
          return equals_ignoring_case(parameter.name, name);
        });
    return found == pipeline_.parameters.end() ? nullptr : &*found;
  }

  void check_parameters(const Trigger& trigger) {
    const std::string path = below(trigger.path, "parameters");
    std::set<std::string> given;
    for (const NamedArgument& argument : trigger.parameters) {
      given.insert(to_lower(argument.name));
      if (const Parameter* parameter = find(argument.name)) {
        check_type(argument, *parameter, path);
        continue;
      }
      std::vector<std::string> known;
      for (const Parameter& parameter : pipeline_.parameters) {
        known.push_back(parameter.name);
      }
      diagnostics_.error(
          argument.location, path,
          "unknown parameter '" + argument.name + "'" + at_path(path),
          meant(argument.name, known, "declare it in `parameters:` of the pipeline"));
    }
    // What tells an event may bring values of its own.
    if (trigger.as<EventTrigger>() != nullptr) return;
    for (const Parameter& parameter : pipeline_.parameters) {
      const bool has_value =
          parameter.default_value || given.contains(to_lower(parameter.name));
      if (has_value) continue;
      diagnostics_.error(trigger.location, trigger.path,
                         "the trigger" + at_path(trigger.path) +
                             " gives no value to the parameter '" + parameter.name +
                             "', which has no default",
                         "write parameters: {" + parameter.name + ": …} in it");
    }
  }

  // The default tells the type.
  void check_type(const NamedArgument& argument, const Parameter& parameter,
                  const std::string& path) {
    const TreeKind wanted =
        parameter.default_value ? parameter.default_value->kind : TreeKind::string;
    const TreeKind kind = argument.value.kind;
    const bool is_typed = wanted == TreeKind::boolean || wanted == TreeKind::integer ||
                          wanted == TreeKind::number;
    const bool fits =
        kind == wanted || (wanted == TreeKind::number && kind == TreeKind::integer);
    if (!is_typed || fits || !argument.value.is_scalar()) return;
    diagnostics_.error(argument.value.location, path,
                       "the parameter '" + parameter.name + "'" + at_path(path) +
                           " needs " + std::string(kind_name(wanted)) + ", not '" +
                           argument.value.text + "'",
                       "its default tells its type");
  }

  void check_freshness(const Alert& alert) {
    const bool watches =
        std::ranges::find(alert.on, AlertRule::freshness) != alert.on.end();
    const bool has_one = std::ranges::any_of(
        pipeline_.nodes, [](const Node& node) { return node.freshness.has_value(); });
    if (!watches || has_one) return;
    diagnostics_.warning(alert.location, alert.path,
                         "the alert" + at_path(alert.path) +
                             " watches freshness, and no node says how old its table "
                             "may be",
                         "write freshness: {max_age: 2h} at a node");
  }

  const Pipeline& pipeline_;
  Diagnostics& diagnostics_;
};

// Owners and tags that somebody has.
struct Labels {
  std::vector<std::string> owners;
  std::vector<std::string> tags;

  void add(const Pipeline& pipeline) {
    tags.insert(tags.end(), pipeline.tags.begin(), pipeline.tags.end());
    for (const Node& node : pipeline.nodes) {
      if (!node.owner.empty()) owners.push_back(node.owner);
      tags.insert(tags.end(), node.tags.begin(), node.tags.end());
    }
  }
};

class ProjectCheck {
 public:
  ProjectCheck(const Project& project, const ProjectScope& scope,
               Diagnostics& diagnostics)
      : project_(project), scope_(scope), diagnostics_(diagnostics) {
    for (const auto* list : {&scope_.checked, &scope_.others}) {
      for (const Pipeline* pipeline : *list) add(*pipeline);
    }
  }

  void run() {
    for (const Pipeline* pipeline : scope_.checked) check_pipeline(*pipeline);
    for (const Subscription& subscription : project_.subscriptions) {
      if (subscription.target) check_target(*subscription.target);
    }
    Labels labels;
    for (const auto* list : {&scope_.checked, &scope_.others}) {
      for (const Pipeline* pipeline : *list) labels.add(*pipeline);
    }
    for (const Alert& alert : project_.alerts) check_alert(alert, labels);
    check_tables(project_.maintenance, project_.folder);
    check_circles();
  }

 private:
  void add(const Pipeline& pipeline) {
    by_name_.emplace(pipeline.name, &pipeline);
    names_.push_back(pipeline.name);
    for (UsedTable& table : used_tables(pipeline, project_)) {
      if (places_.insert(table.place).second) table_names_.push_back(table.name);
    }
  }

  void check_pipeline(const Pipeline& pipeline) {
    for (const Trigger& trigger : pipeline.orchestration.triggers) {
      if (const auto* after = trigger.as<AfterTrigger>()) {
        check_name(after->pipeline);
      }
      if (const auto* table = trigger.as<TableTrigger>()) {
        check_table(table->table, pipeline.folder);
      }
    }
    Labels labels;
    labels.add(pipeline);
    for (const Alert& alert : pipeline.orchestration.alerts) {
      check_alert(alert, labels);
    }
    check_tables(pipeline.orchestration.maintenance, pipeline.folder);
  }

  void check_name(const Name& name) {
    if (!scope_.is_complete || by_name_.contains(name.text)) return;
    std::vector<std::string> known = names_;
    std::ranges::sort(known);
    const std::string others = project_.file.empty()
                                   ? "a pipeline without a project knows no other; "
                                     "name both in `pipelines` of "
                                     "a lakemill.yaml"
                                   : "the project's pipelines are " + join(known, ", ");
    diagnostics_.error(name.location, "", "unknown pipeline '" + name.text + "'",
                       meant(name.text, known, others));
  }

  void check_target(const Target& target) {
    if (const auto* pipeline = std::get_if<PipelineTarget>(&target)) {
      check_name(pipeline->pipeline);
    }
  }

  void check_alert(const Alert& alert, const Labels& labels) {
    for (const Target& target : alert.to_targets) check_target(target);
    for (const Name& pipeline : alert.match.pipelines) {
      if (!is_pattern(pipeline.text)) check_name(pipeline);
    }
    if (!scope_.is_complete) return;
    check_label(alert.match.owners, labels.owners, "owner");
    check_label(alert.match.tags, labels.tags, "tag");
  }

  void check_label(const std::vector<Name>& wanted,
                   const std::vector<std::string>& known, const std::string& what) {
    for (const Name& name : wanted) {
      if (std::ranges::find(known, name.text) != known.end()) continue;
      diagnostics_.warning(name.location, "",
                           "nothing has the " + what + " '" + name.text +
                               "', which an alert is to match",
                           meant(name.text, known, ""));
    }
  }

  void check_tables(const Maintenance& maintenance, const std::string& folder) {
    for (const TablePolicy& policy : maintenance.tables) {
      check_table(policy.table, folder);
    }
  }

  void check_table(const TableReference& table, const std::string& folder) {
    if (!scope_.is_complete) return;
    if (places_.contains(table_place(table, folder, project_))) return;
    if (scope_.table_exists && scope_.table_exists(table, folder)) return;
    diagnostics_.error(table.location, "",
                       "unknown table '" + table.text +
                           "': no pipeline writes or reads it, and it is not there",
                       meant_table(table.text));
  }

  // A table of another schema is more likely meant than one of a similar name.
  std::string meant_table(const std::string& text) const {
    for (const std::string& known : table_names_) {
      if (known.ends_with("." + text)) return "did you mean '" + known + "'?";
    }
    return meant(text, table_names_,
                 "write catalog.schema.table, or the path of the table's folder");
  }

  // Each circle once, at the first pipeline of it.
  void check_circles() {
    std::set<std::string> told;
    for (const Pipeline* pipeline : scope_.checked) {
      if (told.contains(pipeline->name)) continue;
      std::vector<std::string> way;
      std::set<std::string> seen;
      if (!leads_back(*pipeline, *pipeline, way, seen)) continue;
      tell_circle(*pipeline, way);
      told.insert(way.begin(), way.end());
    }
  }

  // Whether `at` comes after `first`, and over which pipelines (the first and `at`
  // among them). One that comes after itself was told.
  bool leads_back(const Pipeline& first, const Pipeline& at,
                  std::vector<std::string>& way, std::set<std::string>& seen) const {
    if (!seen.insert(at.name).second) return false;
    way.push_back(at.name);
    for (const Trigger& trigger : at.orchestration.triggers) {
      const auto* after = trigger.as<AfterTrigger>();
      if (after == nullptr) continue;
      const auto found = by_name_.find(after->pipeline.text);
      if (found == by_name_.end()) continue;
      if (found->second == &first ? way.size() > 1
                                  : leads_back(first, *found->second, way, seen)) {
        return true;
      }
    }
    way.pop_back();
    return false;
  }

  void tell_circle(const Pipeline& first, const std::vector<std::string>& way) {
    Location place = first.location;
    for (const Trigger& trigger : first.orchestration.triggers) {
      const auto* after = trigger.as<AfterTrigger>();
      if (after != nullptr && after->pipeline.text == way[1]) {
        place = trigger.kind_location;
      }
    }
    diagnostics_.error(place, "",
                       "pipelines come after each other in a circle: " +
                           join(way, " -> ") + " -> " + first.name,
                       "take one `after` out");
  }

  const Project& project_;
  const ProjectScope& scope_;
  Diagnostics& diagnostics_;
  std::map<std::string, const Pipeline*> by_name_;
  std::vector<std::string> names_;
  std::set<std::string> places_;
  std::vector<std::string> table_names_;
};

bool names_others_in(const std::vector<Alert>& alerts) {
  return std::ranges::any_of(alerts, [](const Alert& alert) {
    return !alert.match.owners.empty() || !alert.match.tags.empty() ||
           !alert.match.pipelines.empty() ||
           std::ranges::any_of(alert.to_targets, [](const Target& target) {
             return std::holds_alternative<PipelineTarget>(target);
           });
  });
}

}  // namespace

void check_routes(std::span<const Alert> alerts, const Project& project,
                  Diagnostics& diagnostics) {
  std::vector<std::string> known;
  for (const Subscription& subscription : project.subscriptions) {
    known.push_back(subscription.name);
  }
  for (const Alert& alert : alerts) {
    for (const Name& name : alert.to_subscriptions) {
      if (std::ranges::find(known, name.text) != known.end()) continue;
      diagnostics.error(
          name.location, below(alert.path, "to"),
          "unknown subscription '" + name.text + "'" + at_path(alert.path),
          meant(name.text, known,
                known.empty() ? "name one in `subscriptions:` of lakemill.yaml, or "
                                "write {webhook: URL, secret: ${secret.NAME}}"
                              : "known are " + join(known, ", ")));
    }
  }
}

void check_orchestration(const Pipeline& pipeline, const Project* project,
                         Diagnostics& diagnostics) {
  PipelineOrders(pipeline, diagnostics).run();
  if (project != nullptr) {
    check_routes(pipeline.orchestration.alerts, *project, diagnostics);
  }
}

bool names_others(const Project& project, std::span<const Pipeline> pipelines) {
  const auto starts_a_pipeline = [](const Subscription& subscription) {
    return subscription.target &&
           std::holds_alternative<PipelineTarget>(*subscription.target);
  };
  if (std::ranges::any_of(project.subscriptions, starts_a_pipeline) ||
      names_others_in(project.alerts) || !project.maintenance.tables.empty()) {
    return true;
  }
  return std::ranges::any_of(pipelines, [](const Pipeline& pipeline) {
    const Orchestration& orders = pipeline.orchestration;
    return names_others_in(orders.alerts) || !orders.maintenance.tables.empty() ||
           std::ranges::any_of(orders.triggers, [](const Trigger& trigger) {
             return trigger.as<AfterTrigger>() != nullptr ||
                    trigger.as<TableTrigger>() != nullptr;
           });
  });
}

void check_project(const Project& project, const ProjectScope& scope,
                   Diagnostics& diagnostics) {
  ProjectCheck(project, scope, diagnostics).run();
}

}  // namespace lakemill::language
