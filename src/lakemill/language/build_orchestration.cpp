#include <algorithm>
#include <cmath>

#include "lakemill/base/text.h"
#include "lakemill/language/orchestration_builder.h"
#include "lakemill/language/quantity.h"
#include "lakemill/language/shape_check.h"

namespace lakemill::language {

namespace {

constexpr double kRetriesMax = 100;
constexpr double kBackoffMax = 100;
constexpr double kRunsMax = 100;
constexpr std::chrono::microseconds kLeast{1};
constexpr std::chrono::microseconds kUpkeepMin = std::chrono::minutes(1);

// "100" rather than "100.000000".
std::string number_text(double number) {
  const double rounded = std::round(number);
  return rounded == number ? std::to_string(static_cast<std::int64_t>(rounded))
                           : std::to_string(number);
}

Overlap overlap_of(const std::string& choice) {
  if (choice == "SKIP") return Overlap::skip;
  return choice == "CANCEL_RUNNING" ? Overlap::cancel_running : Overlap::queue;
}

Retries build_retries(const Part& part, BuildContext& context) {
  PartCheck check(part, context);
  const Fields& fields = check.fields();
  check.need_range("max", 0, kRetriesMax);
  check.need_range("backoff", 1, kBackoffMax);
  check.need_range("jitter", 0, 1);
  Retries retries;
  retries.max = fields.integer("max").value_or(retries.max);
  retries.delay = fields.duration("delay").value_or(retries.delay);
  if (const Tree* backoff = fields.find("backoff")) retries.backoff = backoff->number;
  if (const Tree* jitter = fields.find("jitter")) retries.jitter = jitter->number;
  if (fields.choice("on_interrupt") == "FAIL") retries.on_interrupt = OnInterrupt::fail;
  return retries;
}

// A duration by itself is that of a run.
Timeouts build_timeouts(const Part& part, BuildContext& context) {
  Timeouts timeouts;
  if (!part.tree->is_mapping()) {
    const auto period = parse_duration(part.tree->text);
    if (period) timeouts.run = *period;
    if (period && *period < kLeast) {
      context.diagnostics.error(part.tree->location, part.path,
                                "'" + part.path + "' needs a duration above 0", "");
    }
    return timeouts;
  }
  PartCheck check(part, context);
  check.need_duration_of("run", kLeast);
  check.need_duration_of("node", kLeast);
  timeouts.run = check.fields().duration("run");
  timeouts.node = check.fields().duration("node");
  return timeouts;
}

// A choice by itself is that of the overlap.
Concurrency build_concurrency(const Part& part, BuildContext& context) {
  Concurrency concurrency;
  if (!part.tree->is_mapping()) {
    concurrency.overlap = overlap_of(to_upper(part.tree->text));
    return concurrency;
  }
  PartCheck check(part, context);
  check.need_range("max", 1, kRunsMax);
  concurrency.max = check.fields().integer("max").value_or(concurrency.max);
  concurrency.overlap = overlap_of(check.fields().choice("overlap"));
  return concurrency;
}

MaintenancePolicy build_policy(const Part& part, BuildContext& context) {
  PartCheck check(part, context);
  const Fields& fields = check.fields();
  MaintenancePolicy policy;
  if (fields.has("optimize")) policy.optimize = fields.flag("optimize", true);
  if (fields.has("vacuum")) policy.vacuum = fields.flag("vacuum", true);
  policy.retention = fields.duration("retention");
  policy.log_retention = fields.duration("log_retention");
  policy.state_retention = fields.duration("state_retention");
  if (policy.retention && policy.vacuum == false) {
    check.fault("retention",
                "'retention'" + at_path(part.path) +
                    " is of vacuum, which is switched off beside it",
                "leave one of the two out");
  }
  return policy;
}

void build_layer_policies(Maintenance& maintenance, const Part& part,
                          BuildContext& context) {
  for (const TreeEntry& entry : part.tree->entries) {
    if (entry.value.broken || !entry.value.is_mapping()) continue;
    const std::string name = to_upper(entry.key);
    const Layer layer = name == "BRONZE"   ? Layer::bronze
                        : name == "SILVER" ? Layer::silver
                                           : Layer::gold;
    maintenance.layers[layer] =
        build_policy({&entry.value, below(part.path, entry.key)}, context);
  }
}

void build_table_policies(Maintenance& maintenance, const Part& part,
                          BuildContext& context) {
  for (const TreeEntry& entry : part.tree->entries) {
    if (entry.value.broken || !entry.value.is_mapping()) continue;
    const std::string path = below(part.path, entry.key);
    TablePolicy table;
    table.table = build_table_reference(entry.key, entry.key_location, path, context);
    table.policy = build_policy({&entry.value, path}, context);
    maintenance.tables.push_back(std::move(table));
  }
}

// The keys of section 8: those of the pipeline, else those of its orchestrator.
class Sections {
 public:
  Sections(const Fields& pipeline, const Tree* orchestrator, BuildContext& context)
      : pipeline_(pipeline), orchestrator_(orchestrator), context_(context) {}

  // The value of `key`, noted as written; without a tree where there is none.
  Part take(std::string_view key, std::vector<Name>& written) {
    const std::string inner_path = below("orchestrator", key);
    const Tree* inner =
        orchestrator_ == nullptr ? nullptr : Fields(*orchestrator_).find(key);
    const Tree* own = pipeline_.find(key);
    if (inner != nullptr && own != nullptr) {
      context_.diagnostics.error(
          inner->location, inner_path,
          "'" + std::string(key) + "' stands at the top level and at orchestrator",
          "keep one of the two");
    }
    const Part part =
        own != nullptr ? Part{own, std::string(key)} : Part{inner, inner_path};
    const bool says_something =
        part.tree != nullptr && !(part.tree->is_list() && part.tree->items.empty());
    if (says_something) written.push_back({std::string(key), part.tree->location});
    return part;
  }

 private:
  const Fields& pipeline_;
  const Tree* orchestrator_;
  BuildContext& context_;
};

}  // namespace

std::vector<Part> parts_of(const Tree* value, const std::string& path) {
  std::vector<Part> parts;
  if (value == nullptr || value->broken) return parts;
  if (value->is_mapping()) return {{value, path}};
  for (std::size_t i = 0; i < value->items.size(); ++i) {
    const Tree& item = value->items[i];
    if (item.broken || !item.is_mapping()) continue;
    parts.push_back({&item, path + "[" + std::to_string(i) + "]"});
  }
  return parts;
}

bool PartCheck::is_written(std::string_view key) const {
  const Tree* value = part_.tree->find(key);
  return value != nullptr && (value->broken || !value->is_null());
}

std::vector<std::string> PartCheck::written(
    std::span<const std::string_view> keys) const {
  std::vector<std::string> found;
  for (const TreeEntry& entry : part_.tree->entries) {
    const bool is_one = std::ranges::find(keys, entry.key) != keys.end();
    if (is_one && is_written(entry.key)) found.push_back(entry.key);
  }
  return found;
}

void PartCheck::fault(std::string_view key, std::string message, std::string hint) {
  context_.diagnostics.error(fields_.place(key), below(part_.path, key),
                             std::move(message), std::move(hint));
}

void PartCheck::missing(std::string message, std::string hint) {
  if (fields_.has_unknown_keys()) return;
  context_.diagnostics.error(part_.tree->location, part_.path, std::move(message),
                             std::move(hint));
}

bool PartCheck::exclude(const std::vector<std::string>& keys, const std::string& hint) {
  if (keys.size() < 2) return true;
  fault(keys[1],
        "'" + keys[0] + "' and '" + keys[1] + "'" + at_path(part_.path) +
            " exclude each other",
        hint);
  return false;
}

void PartCheck::need_range(std::string_view key, double low, double high) {
  const Tree* value = fields_.find(key);
  if (value == nullptr || (value->number >= low && value->number <= high)) return;
  fault(key,
        "key '" + std::string(key) + "'" + at_path(part_.path) + " needs " +
            number_text(low) + " to " + number_text(high) + ", not '" + value->text +
            "'",
        "");
}

void PartCheck::need_duration_of(std::string_view key, std::chrono::microseconds low) {
  const auto period = fields_.duration(key);
  if (!period || *period >= low) return;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(low).count();
  fault(key,
        "key '" + std::string(key) + "'" + at_path(part_.path) + " needs a duration " +
            (seconds == 0 ? "above 0" : "of " + std::to_string(seconds) + "s or more") +
            ", not '" + fields_.text(key, "") + "'",
        "");
}

std::string PartCheck::time_zone(bool has_cron, const std::string& hint) {
  const std::string fallback = "UTC";
  if (!is_written("timezone")) return fallback;
  if (!has_cron) {
    fault("timezone", "'timezone'" + at_path(part_.path) + " goes with cron only",
          hint);
    return fallback;
  }
  std::string zone = fields_.text("timezone", fallback);
  const Status known = check_time_zone(zone);
  if (known) return zone;
  fault("timezone",
        "key 'timezone'" + at_path(part_.path) + ": " + known.error().message(), "");
  return fallback;
}

Maintenance build_maintenance(const Part& part, BuildContext& context) {
  Maintenance maintenance;
  PartCheck check(part, context);
  bool by_cron = check.fields().is_broken("every");
  if (const Tree* every = check.fields().find("every")) {
    maintenance.every = Schedule();
    if (const auto period = parse_duration(every->text)) {
      maintenance.every->period = *period;
      check.need_duration_of("every", kUpkeepMin);
    } else {
      maintenance.every->cron = every->text;
      by_cron = true;
    }
  }
  maintenance.time_zone =
      check.time_zone(by_cron, "write a time of day: every: 0 3 * * *");
  maintenance.policy = build_policy(part, context);
  if (const Tree* layers = check.fields().find("layers")) {
    build_layer_policies(maintenance, {layers, below(part.path, "layers")}, context);
  }
  if (const Tree* tables = check.fields().find("tables")) {
    build_table_policies(maintenance, {tables, below(part.path, "tables")}, context);
  }
  return maintenance;
}

Orchestration build_orchestration(const Fields& pipeline, const Tree* orchestrator,
                                  BuildContext& context) {
  Orchestration made;
  Sections sections(pipeline, orchestrator, context);
  const auto take = [&](std::string_view key) {
    return sections.take(key, made.written);
  };
  const Part triggers = take("triggers");
  made.triggers = build_triggers(parts_of(triggers.tree, triggers.path), context);
  if (const Part part = take("retries"); part.tree != nullptr) {
    made.retries = build_retries(part, context);
  }
  const Part timeout = take("timeout");
  if (timeout.tree != nullptr) made.timeouts = build_timeouts(timeout, context);
  if (const Part part = take("concurrency"); part.tree != nullptr) {
    made.concurrency = build_concurrency(part, context);
  }
  const Part alerts = take("alerts");
  made.alerts = build_alerts(parts_of(alerts.tree, alerts.path), false, context);
  if (const Part part = take("maintenance"); part.tree != nullptr) {
    made.maintenance = build_maintenance(part, context);
  }
  if (made.is_continuous() && made.timeouts.run) {
    const bool is_mapping = timeout.tree->is_mapping();
    context.diagnostics.error(
        is_mapping ? Fields(*timeout.tree).place("run") : timeout.tree->location,
        is_mapping ? below(timeout.path, "run") : timeout.path,
        "a continuous pipeline runs without end, and '" + timeout.path +
            "' would stop it",
        "leave it out, or bound each node: timeout: {node: 1h}");
  }
  return made;
}

}  // namespace lakemill::language
