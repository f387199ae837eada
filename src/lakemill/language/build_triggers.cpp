#include <algorithm>
#include <array>
#include <unordered_map>

#include "lakemill/base/text.h"
#include "lakemill/language/orchestration_builder.h"
#include "lakemill/language/quantity.h"
#include "lakemill/language/shape_check.h"

namespace lakemill::language {

namespace {

constexpr std::int64_t kPriorityMax = 1000;
constexpr std::chrono::microseconds kPeriodMin = std::chrono::seconds(1);
constexpr std::array<std::string_view, 7> kKinds = {
    "cron", "every", "continuous", "on_event", "on_table", "on_files", "after"};

class TriggerBuilder {
 public:
  TriggerBuilder(const Part& part, BuildContext& context)
      : part_(part), check_(part, context), context_(context) {}

  // Nothing where it is not known what the trigger waits for.
  std::optional<Trigger> build() {
    const std::vector<std::string> kinds = check_.written(kKinds);
    if (kinds.empty()) {
      check_.missing("the trigger" + at_path(part_.path) + " waits for nothing",
                     "give it one of cron, every, continuous, on_event, on_table, "
                     "on_files and after");
      return std::nullopt;
    }
    const bool endless =
        std::ranges::find(kinds, std::string("continuous")) != kinds.end();
    if (!check_.exclude(kinds, endless ? "a pipeline that runs without end has no "
                                         "other trigger"
                                       : "make two triggers of them")) {
      return std::nullopt;
    }
    const std::string& kind = kinds.front();
    Trigger trigger;
    trigger.location = part_.tree->location;
    trigger.kind_location = check_.fields().place(kind);
    trigger.path = part_.path;
    read_rest(trigger, kind);
    const bool is_usable = !check_.fields().is_broken(kind) && read_kind(trigger, kind);
    return is_usable ? std::optional(std::move(trigger)) : std::nullopt;
  }

 private:
  void read_rest(Trigger& trigger, const std::string& kind) {
    const Fields& fields = check_.fields();
    time_zone_ = check_.time_zone(
        kind == "cron", kind == "every" ? "leave it out: a period is as long in all "
                                          "zones; a time of day is cron: 0 6 * * *"
                                        : "leave it out");
    if (check_.is_written("catchup") && kind != "cron" && kind != "every") {
      check_.fault("catchup",
                   "'catchup'" + at_path(part_.path) + " goes with cron and every only",
                   "leave it out: what else starts runs is never missed");
    }
    const std::string catchup = fields.choice("catchup");
    trigger.catchup = catchup == "ALL"    ? Catchup::all
                      : catchup == "SKIP" ? Catchup::skip
                                          : Catchup::last;
    check_.need_range("priority", 0, kPriorityMax);
    trigger.priority = fields.integer("priority").value_or(0);
    trigger.parameters = fields.arguments("parameters");
    for (const NamedArgument& parameter : trigger.parameters) {
      const bool is_value = parameter.value.is_scalar() && !parameter.value.is_null();
      const bool has_secret =
          parameter.value.text.find("${secret.") != std::string::npos;
      if (is_value && !has_secret) continue;
      context_.diagnostics.error(
          parameter.value.location, below(part_.path, "parameters"),
          "the parameter '" + parameter.name + "'" + at_path(part_.path) +
              (has_secret ? " holds a secret, and parameters are stored and shown"
                          : " needs a text, a number, true or false"),
          has_secret ? "read the secret where it is used" : "");
    }
  }

  bool read_kind(Trigger& trigger, const std::string& kind) {
    const Fields& fields = check_.fields();
    if (kind == "cron") {
      trigger.what = CronTrigger{fields.text("cron", ""), time_zone_};
    } else if (kind == "every") {
      check_.need_duration_of("every", kPeriodMin);
      trigger.what = IntervalTrigger{
          std::max(fields.duration("every").value_or(kPeriodMin), kPeriodMin)};
    } else if (kind == "continuous") {
      if (!fields.flag("continuous", false)) {
        check_.fault("continuous",
                     "'continuous'" + at_path(part_.path) +
                         " is false, and so the trigger starts nothing",
                     "leave the trigger out");
        return false;
      }
      trigger.what = ContinuousTrigger{};
    } else if (kind == "on_event") {
      return read_event(trigger);
    } else if (kind == "on_table") {
      trigger.what = TableTrigger{
          build_table_reference(fields.text("on_table", ""), fields.place("on_table"),
                                below(part_.path, "on_table"), context_)};
    } else if (kind == "on_files") {
      trigger.what = FilesTrigger{fields.text("on_files", "")};
      if (fields.text("on_files", "").empty()) {
        check_.fault("on_files", "'on_files'" + at_path(part_.path) + " is empty",
                     "write a file, a folder or a glob");
      }
    } else {
      trigger.what = AfterTrigger{{fields.text("after", ""), fields.place("after")}};
    }
    return true;
  }

  bool read_event(Trigger& trigger) {
    const Part part{check_.fields().find("on_event"), below(part_.path, "on_event")};
    EventFilter filter = build_event_filter(part, "type", "subject", context_);
    const Fields event(*part.tree);
    if (filter.types.empty() && event.has("type") && event.items("type").empty()) {
      PartCheck(part, context_)
          .fault("type", "'type'" + at_path(part.path) + " is empty",
                 "name the types of events that start a run");
    }
    trigger.what = EventTrigger{std::move(filter)};
    return true;
  }

  const Part& part_;
  PartCheck check_;
  BuildContext& context_;
  std::string time_zone_ = "UTC";
};

void check_twins(const std::vector<Trigger>& triggers, BuildContext& context) {
  std::unordered_map<std::string, const Trigger*> known;
  for (const Trigger& trigger : triggers) {
    const auto [first, is_new] = known.emplace(identity_of(trigger), &trigger);
    if (is_new) continue;
    context.diagnostics.error(trigger.location, trigger.path,
                              "the trigger" + at_path(trigger.path) +
                                  " is the same as that" + at_path(first->second->path),
                              "remove one of the two");
  }
}

void check_endless(const std::vector<Trigger>& triggers, BuildContext& context) {
  const auto endless = std::ranges::find_if(triggers, [](const Trigger& trigger) {
    return trigger.as<ContinuousTrigger>() != nullptr;
  });
  if (endless == triggers.end()) return;
  for (const Trigger& other : triggers) {
    if (other.as<ContinuousTrigger>() != nullptr) continue;
    context.diagnostics.error(
        other.location, other.path,
        "the trigger" + at_path(other.path) +
            " starts nothing: the pipeline runs "
            "without end, as" +
            at_path(endless->path) + " says",
        "keep one of the two; a node that waits for its time in a continuous pipeline "
        "has `every`");
  }
}

}  // namespace

std::vector<Trigger> build_triggers(const std::vector<Part>& parts,
                                    BuildContext& context) {
  std::vector<Trigger> triggers;
  for (const Part& part : parts) {
    if (auto trigger = TriggerBuilder(part, context).build()) {
      triggers.push_back(*std::move(trigger));
    }
  }
  check_twins(triggers, context);
  check_endless(triggers, context);
  return triggers;
}

EventFilter build_event_filter(const Part& part, std::string_view types,
                               std::string_view subjects, BuildContext& context) {
  const Fields fields(*part.tree);
  EventFilter filter;
  filter.location = part.tree->location;
  filter.types = fields.names(types);
  filter.subjects = fields.names(subjects);
  filter.where = fields.source_text("where");
  for (const Name& type : filter.types) {
    const auto& known = context.event_types;
    if (known.empty() || std::ranges::find(known, type.text) != known.end()) continue;
    const auto meant = nearest(type.text, known);
    context.diagnostics.error(
        type.location, below(part.path, types),
        "unknown type of events '" + type.text + "'" + at_path(part.path),
        meant ? "did you mean '" + *meant + "'?" : "known are " + join(known, ", "));
  }
  for (const Name& subject : filter.subjects) {
    if (!subject.text.empty()) continue;
    context.diagnostics.error(subject.location, below(part.path, subjects),
                              "a subject" + at_path(part.path) + " is empty",
                              "leave it out: without subjects all pass");
  }
  return filter;
}

TableReference build_table_reference(const std::string& text, const Location& location,
                                     const std::string& path, BuildContext& context) {
  TableReference reference;
  reference.text = text;
  reference.location = location;
  if (text.find('/') == std::string::npos) {
    reference.table = split_table_name(text, location, path, context);
    return reference;
  }
  const std::string scheme = remote_scheme(text);
  if (!scheme.empty()) {
    context.diagnostics.error(location, path,
                              scheme + ":// is not supported yet at " + path,
                              std::string(kReachable));
  }
  reference.path = text;
  return reference;
}

}  // namespace lakemill::language
