#include "lakemill/language/orchestration.h"

#include <algorithm>

#include "lakemill/base/text.h"

namespace lakemill::language {

namespace {

std::string names_text(const std::vector<Name>& names) {
  std::string text;
  for (const Name& name : names) text += (text.empty() ? "" : ",") + name.text;
  return text;
}

struct IdentityOfKind {
  std::string operator()(const CronTrigger& cron) const {
    return "cron " + cron.expression + " " + cron.time_zone;
  }
  std::string operator()(const IntervalTrigger& interval) const {
    return "every " + std::to_string(interval.period.count()) + "us";
  }
  std::string operator()(const ContinuousTrigger& /*unused*/) const {
    return "continuous";
  }
  std::string operator()(const EventTrigger& event) const {
    std::string text = "on_event " + names_text(event.filter.types);
    if (!event.filter.subjects.empty()) {
      text += " of " + names_text(event.filter.subjects);
    }
    if (!event.filter.where.empty()) text += " where " + event.filter.where.text;
    return text;
  }
  std::string operator()(const TableTrigger& table) const {
    return "on_table " + table.table.text;
  }
  std::string operator()(const FilesTrigger& files) const {
    return "on_files " + files.path;
  }
  std::string operator()(const AfterTrigger& after) const {
    return "after " + after.pipeline.text;
  }
};

}  // namespace

std::string identity_of(const Trigger& trigger) {
  std::string identity = std::visit(IdentityOfKind(), trigger.what);
  if (trigger.parameters.empty()) return identity;
  Json parameters = Json::object();
  for (const NamedArgument& parameter : trigger.parameters) {
    parameters[to_lower(parameter.name)] = to_json(parameter.value);
  }
  return identity + " " + json_text(parameters);
}

bool Orchestration::is_continuous() const {
  return std::ranges::any_of(triggers, [](const Trigger& trigger) {
    return trigger.as<ContinuousTrigger>() != nullptr;
  });
}

}  // namespace lakemill::language
