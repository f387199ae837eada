#include "lakemill/app/pipeline_orders.h"

#include "lakemill/app/schedule.h"
#include "lakemill/app/watches.h"
#include "lakemill/base/text.h"
#include "lakemill/storage/path.h"

namespace lakemill::app {

namespace {

using What = decltype(orchestrator::Trigger::what);

std::string quoted_names(const std::vector<language::Name>& names,
                         std::string_view before, std::string_view between) {
  std::vector<std::string> parts;
  for (const language::Name& name : names) {
    parts.push_back(std::string(before) + quote_literal(name.text));
  }
  return join(parts, between);
}

// A filter of events as SQL.
std::string condition_of(const language::EventFilter& filter) {
  std::vector<std::string> conditions = {
      "\"type\" IN (" + quoted_names(filter.types, "", ", ") + ")"};
  if (!filter.subjects.empty()) {
    conditions.push_back(
        "(" + quoted_names(filter.subjects, "\"subject\" GLOB ", " OR ") + ")");
  }
  if (!filter.where.empty()) conditions.push_back("(" + filter.where.text + "\n)");
  return join(conditions, " AND ");
}

// A language trigger as one of the orchestrator's.
struct AsOrder {
  Workbench& workbench;
  const language::Pipeline& pipeline;

  std::string url_of(const std::string& path) const {
    return storage::normalize_path(storage::join_path(pipeline.folder, path));
  }

  Result<What> operator()(const language::CronTrigger& cron) const {
    LAKEMILL_TRY(auto zone, TimeZone::find(cron.time_zone));
    LAKEMILL_TRY(const Cron expression, Cron::parse(cron.expression));
    return What(orchestrator::CronTrigger{CronInZone(expression, std::move(zone))});
  }
  Result<What> operator()(const language::IntervalTrigger& interval) const {
    return What(orchestrator::IntervalTrigger{interval.period});
  }
  Result<What> operator()(const language::AfterTrigger& after) const {
    return What(orchestrator::AfterTrigger{after.pipeline.text});
  }
  Result<What> operator()(const language::ContinuousTrigger& /*unused*/) const {
    return What(orchestrator::ContinuousTrigger{});
  }
  Result<What> operator()(const language::TableTrigger& trigger) const {
    const language::TableReference& table = trigger.table;
    if (!table.path.empty()) {
      return What(orchestrator::ChangeTrigger{Watches::of_table(url_of(table.path))});
    }
    catalog::Catalog& catalog = workbench.catalog();
    LAKEMILL_TRY(const auto name, catalog.resolve(table.table.to_text()));
    return What(orchestrator::ChangeTrigger{Watches::of_table(catalog.url_of(name))});
  }
  Result<What> operator()(const language::FilesTrigger& files) const {
    return What(orchestrator::ChangeTrigger{Watches::of_files(url_of(files.path))});
  }
  Result<What> operator()(const language::EventTrigger& trigger) const {
    std::vector<std::string> types;
    for (const language::Name& type : trigger.filter.types) types.push_back(type.text);
    return What(orchestrator::ChangeTrigger{
        Watches::of_events(types, condition_of(trigger.filter))});
  }
};

orchestrator::Catchup catchup_of(language::Catchup catchup) {
  switch (catchup) {
    case language::Catchup::all:
      return orchestrator::Catchup::all;
    case language::Catchup::skip:
      return orchestrator::Catchup::skip;
    case language::Catchup::last:
      break;
  }
  return orchestrator::Catchup::last;
}

orchestrator::Overlap overlap_of(language::Overlap overlap) {
  switch (overlap) {
    case language::Overlap::skip:
      return orchestrator::Overlap::skip;
    case language::Overlap::cancel_running:
      return orchestrator::Overlap::cancel_running;
    case language::Overlap::queue:
      break;
  }
  return orchestrator::Overlap::queue;
}

Result<orchestrator::Trigger> order_of(Workbench& workbench,
                                       const language::Pipeline& pipeline,
                                       const language::Trigger& trigger) {
  LAKEMILL_TRY(auto what, std::visit(AsOrder{workbench, pipeline}, trigger.what));
  orchestrator::Trigger order{identity_of(trigger),
                              std::move(what),
                              catchup_of(trigger.catchup),
                              {},
                              static_cast<int>(trigger.priority)};
  for (const language::NamedArgument& parameter : trigger.parameters) {
    order.parameters[parameter.name] = parameter.value.is_scalar()
                                           ? parameter.value.text
                                           : json_text(to_json(parameter.value));
  }
  return order;
}

}  // namespace

ServedOrders orders_of(Workbench& workbench, const language::Pipeline& pipeline) {
  const language::Orchestration& orchestration = pipeline.orchestration;
  ServedOrders served;
  orchestrator::PipelineOrders& orders = served.orders;
  orders.pipeline = pipeline.name;
  for (const language::Trigger& trigger : orchestration.triggers) {
    auto order = order_of(workbench, pipeline, trigger);
    if (order) {
      orders.triggers.push_back(*std::move(order));
    } else {
      served.faults.push_back({language::Severity::notice, trigger.location,
                               trigger.path,
                               trigger.path + ": " + order.error().message(), ""});
    }
  }
  orders.overlap = overlap_of(orchestration.concurrency.overlap);
  orders.runs_max = static_cast<int>(orchestration.concurrency.max);
  if (const auto& retries = orchestration.retries) {
    orders.retries = {static_cast<int>(retries->max) + 1, retries->delay,
                      retries->backoff, retries->jitter};
    if (retries->on_interrupt == language::OnInterrupt::fail) {
      orders.interruptions_max = 0;
    }
  }
  return served;
}

std::string trigger_kind(const language::Trigger& trigger) {
  struct KindOf {
    const char* operator()(const language::CronTrigger&) const { return "cron"; }
    const char* operator()(const language::IntervalTrigger&) const { return "every"; }
    const char* operator()(const language::ContinuousTrigger&) const {
      return "continuous";
    }
    const char* operator()(const language::EventTrigger&) const { return "on_event"; }
    const char* operator()(const language::TableTrigger&) const { return "on_table"; }
    const char* operator()(const language::FilesTrigger&) const { return "on_files"; }
    const char* operator()(const language::AfterTrigger&) const { return "after"; }
  };
  return std::visit(KindOf(), trigger.what);
}

std::string trigger_text(const language::Trigger& trigger) {
  if (const auto* cron = trigger.as<language::CronTrigger>()) {
    return cron->expression + " (" + cron->time_zone + ")";
  }
  if (const auto* interval = trigger.as<language::IntervalTrigger>()) {
    return "every " + period_text(interval->period);
  }
  return identity_of(trigger);
}

}  // namespace lakemill::app
