#include <algorithm>
#include <array>
#include <set>

#include "lakemill/base/clock.h"
#include "lakemill/base/text.h"
#include "lakemill/language/orchestration_builder.h"
#include "lakemill/language/shape_check.h"

namespace lakemill::language {

namespace {

constexpr std::array<std::string_view, 4> kTargets = {"webhook", "command", "pipeline",
                                                      "openlineage"};
constexpr std::chrono::microseconds kLeast{1};

bool is_variable(std::string_view text) { return text.starts_with("${"); }

// What is wrong with an http or https URL; "" if nothing is. Secrets in it are not
// known yet.
std::string fault_in_url(const std::string& url) {
  if (is_variable(url)) return "";
  const std::string lower = to_lower(url);
  if (!lower.starts_with("http://") && !lower.starts_with("https://")) {
    return "is no http or https URL";
  }
  const std::string rest = url.substr(url.find("://") + 3);
  const std::string authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.empty() || authority.starts_with(':')) return "names no host";
  if (authority.find('@') != std::string::npos) return "holds a user name or password";
  const bool has_space = std::ranges::any_of(
      url, [](char letter) { return static_cast<unsigned char>(letter) <= 0x20; });
  return has_space ? "holds a space or line break" : "";
}

// Of a subscription's `to`, or of one that an alert has in place; `secret` is the key
// of that name in `owner`.
class TargetBuilder {
 public:
  TargetBuilder(const Part& part, const Part& owner, BuildContext& context)
      : part_(part), owner_(owner), check_(part, context), of_owner_(owner, context) {}

  std::optional<Target> build() {
    std::vector<std::string> kinds = check_.written(kTargets);
    const bool has_kafka = check_.is_written("kafka");  // told: not supported yet
    if (kinds.empty()) {
      if (!has_kafka) {
        check_.missing("nobody is told" + at_path(part_.path),
                       "give it one of webhook, command and pipeline");
      }
      return std::nullopt;
    }
    if (!check_.exclude(kinds, "each target is one of its own")) return std::nullopt;
    const std::string& kind = kinds.front();
    if (kind != "webhook" && of_owner_.is_written("secret")) {
      of_owner_.fault(
          "secret",
          "'secret'" + at_path(owner_.path) + " signs webhooks, and there is none",
          "leave it out");
    }
    if (check_.fields().is_broken(kind)) return std::nullopt;
    return target_of(kind);
  }

 private:
  std::optional<Target> target_of(const std::string& kind) {
    const Fields& fields = check_.fields();
    const Name value{fields.text(kind, ""), fields.place(kind)};
    if (kind == "pipeline") return PipelineTarget{value};
    if (kind == "webhook") return webhook(value);
    if (kind == "openlineage") {
      const bool is_url = value.text.find("://") != std::string::npos;
      tell_url_fault(kind, value.text, is_url ? fault_in_url(value.text) : "");
      return OpenLineageTarget{value};
    }
    CommandTarget command{fields.texts("command")};
    if (command.words.empty() || trim(command.words.front()).empty()) {
      check_.fault("command", "'command'" + at_path(part_.path) + " names no program",
                   "write a command line, or a list: the program and its arguments");
    }
    return command;
  }

  WebhookTarget webhook(const Name& url) {
    tell_url_fault("webhook", url.text, fault_in_url(url.text));
    const Fields& owner = of_owner_.fields();
    const Name secret{owner.text("secret", ""), owner.place("secret")};
    if (!of_owner_.is_written("secret") ||
        (owner.has("secret") && secret.text.empty())) {
      of_owner_.missing("the webhook" + at_path(owner_.path) +
                            " has no secret, and so what is sent would not be signed",
                        "write secret: ${secret.NAME}");
    } else if (owner.has("secret") &&
               secret.text.find("${secret.") == std::string::npos) {
      of_owner_.fault(
          "secret", "the secret" + at_path(owner_.path) + " stands in the file itself",
          "write ${secret.NAME}, and keep it in the environment or where "
          "the project's `secrets` says");
    }
    return {url, secret};
  }

  void tell_url_fault(const std::string& key, const std::string& url,
                      const std::string& what) {
    if (what.empty()) return;
    // A password must not be repeated.
    const bool is_shown = what.find("password") == std::string::npos;
    check_.fault(
        key,
        (is_shown ? "'" + url + "'" : "the URL") + at_path(part_.path) + " " + what,
        is_shown ? "write https://host/path"
                 : "leave out what stands before '@'; what is sent is signed");
  }

  const Part& part_;
  const Part& owner_;
  PartCheck check_;
  PartCheck of_owner_;
};

const std::array<std::pair<std::string_view, AlertRule>, 6> kRules = {{
    {"FAILURE", AlertRule::failure},
    {"EXPECTATION", AlertRule::expectation},
    {"FRESHNESS", AlertRule::freshness},
    {"LAG", AlertRule::lag},
    {"SCHEMA_CHANGE", AlertRule::schema_change},
    {"RECOVERED", AlertRule::recovered},
}};

SilenceWindow build_silence(const Part& part, BuildContext& context) {
  PartCheck check(part, context);
  const Fields& fields = check.fields();
  constexpr std::array<std::string_view, 2> kAgain = {"cron", "for"};
  constexpr std::array<std::string_view, 2> kOnce = {"from", "until"};
  const std::vector<std::string> again = check.written(kAgain);
  const std::vector<std::string> once = check.written(kOnce);
  const std::string both = "cron and for, or from and until";
  if (!again.empty() && !once.empty()) {
    check.exclude({again.front(), once.front()}, "a silence has " + both);
  } else if (again.size() + once.size() < 2) {
    check.missing("the silence" + at_path(part.path) + " needs " + both,
                  "as in cron: 0 22 * * *, for: 8h");
  }
  SilenceWindow window;
  window.cron = fields.text("cron", "");
  window.time_zone = check.time_zone(check.is_written("cron"), "leave it out");
  check.need_duration_of("for", kLeast);
  window.lasts = fields.duration("for").value_or(std::chrono::microseconds(0));
  window.reason = fields.text("reason", "");
  window.from = fields.text("from", "");
  window.until = fields.text("until", "");
  const auto instant = [&](std::string_view key, const std::string& text) {
    const auto parsed = parse_instant(text);
    if (!text.empty() && !parsed) {
      check.fault(key,
                  "'" + text + "'" + at_path(part.path) +
                      " is not an instant like 2026-01-31T12:00:00Z",
                  "");
    }
    return parsed;
  };
  const auto from = instant("from", window.from);
  const auto until = instant("until", window.until);
  if (from && until && *until <= *from) {
    check.fault("until", "the silence" + at_path(part.path) + " ends before it begins",
                "");
  }
  return window;
}

class AlertBuilder {
 public:
  AlertBuilder(const Part& part, bool of_project, BuildContext& context)
      : part_(part),
        of_project_(of_project),
        check_(part, context),
        context_(context) {}

  Alert build() {
    const Fields& fields = check_.fields();
    alert_.name = fields.text("name", "");
    alert_.location = part_.tree->location;
    alert_.path = part_.path;
    read_rules();
    read_routes();
    read_match();
    for (const Part& part :
         parts_of(fields.find("silence"), below(part_.path, "silence"))) {
      alert_.silence.push_back(build_silence(part, context_));
    }
    return std::move(alert_);
  }

 private:
  void read_rules() {
    const Fields& fields = check_.fields();
    for (const Name& name : fields.names("on")) {
      for (const auto& [text, rule] : kRules) {
        const bool is_new = std::ranges::find(alert_.on, rule) == alert_.on.end();
        if (is_new && equals_ignoring_case(text, name.text)) alert_.on.push_back(rule);
      }
    }
    if (fields.has("on") && fields.find("on")->is_list() &&
        fields.find("on")->items.empty()) {
      check_.fault("on", "'on'" + at_path(part_.path) + " is empty",
                   "name what is told: failure, expectation, …");
    }
    const bool tells_lag =
        std::ranges::find(alert_.on, AlertRule::lag) != alert_.on.end();
    if (const Tree* lag = fields.find("lag")) {
      const Part part{lag, below(part_.path, "lag")};
      PartCheck inner(part, context_);
      inner.need_duration_of("max", kLeast);
      alert_.lag_max = inner.fields().duration("max");
      if (!tells_lag && !fields.is_broken("on") && !fields.has_unknown_keys()) {
        check_.fault("lag", "'lag'" + at_path(part_.path) + " goes with on: [lag]",
                     "add lag to `on`, or leave it out");
      }
    } else if (tells_lag && !check_.is_written("lag")) {
      check_.missing(
          "the alert" + at_path(part_.path) + " does not say how far behind is too far",
          "write lag: {max: 10m}");
    }
  }

  void read_routes() {
    const Fields& fields = check_.fields();
    const std::string path = below(part_.path, "to");
    const Tree* to = fields.find("to");
    if (to == nullptr) return;
    for (const Part& part : parts_of(to, path)) {
      if (auto target = TargetBuilder(part, part, context_).build()) {
        alert_.to_targets.push_back(*std::move(target));
      }
    }
    if (to->is_mapping()) return;
    for (const Tree* item : fields.items("to")) {
      if (!item->is_scalar()) continue;
      const Name name{item->text, item->location};
      if (name.text.find("://") == std::string::npos) {
        alert_.to_subscriptions.push_back(name);
        continue;
      }
      context_.diagnostics.error(
          item->location, path,
          "'" + name.text + "'" + at_path(path) + " is no name of a subscription",
          "write {webhook: URL, secret: ${secret.NAME}} in its place");
    }
  }

  void read_match() {
    const Tree* tree = check_.fields().find("match");
    if (tree == nullptr) return;
    const Part part{tree, below(part_.path, "match")};
    PartCheck match(part, context_);
    alert_.match = {match.fields().names("owner"), match.fields().names("tag"),
                    match.fields().names("pipeline")};
    if (!of_project_ && match.is_written("pipeline")) {
      match.fault("pipeline",
                  "'pipeline'" + at_path(part.path) +
                      " is for alerts of the project: those of a pipeline are about it",
                  "leave it out, or write the alert in lakemill.yaml");
    }
  }

  const Part& part_;
  bool of_project_;
  PartCheck check_;
  BuildContext& context_;
  Alert alert_;
};

// `what`: "alerts", "subscriptions".
void check_name(std::set<std::string>& names, const std::string& name,
                const Location& location, const Part& part, const std::string& what,
                BuildContext& context) {
  if (name.empty() || names.insert(name).second) return;
  context.diagnostics.error(location, below(part.path, "name"),
                            "two " + what + " are called '" + name + "'",
                            "give each its own name");
}

}  // namespace

std::vector<Alert> build_alerts(const std::vector<Part>& parts, bool of_project,
                                BuildContext& context) {
  std::vector<Alert> alerts;
  std::set<std::string> names;
  for (const Part& part : parts) {
    alerts.push_back(AlertBuilder(part, of_project, context).build());
    check_name(names, alerts.back().name, Fields(*part.tree).place("name"), part,
               "alerts", context);
  }
  return alerts;
}

std::vector<Subscription> build_subscriptions(const std::vector<Part>& parts,
                                              BuildContext& context) {
  std::vector<Subscription> subscriptions;
  std::set<std::string> names;
  for (const Part& part : parts) {
    const Fields fields(*part.tree);
    Subscription subscription;
    subscription.name = fields.text("name", "");
    subscription.location = part.tree->location;
    subscription.path = part.path;
    check_folder_name(fields, part.path, context);
    check_name(names, subscription.name, fields.place("name"), part, "subscriptions",
               context);
    if (const Tree* filter = fields.find("filter")) {
      subscription.filter = build_event_filter({filter, below(part.path, "filter")},
                                               "types", "subjects", context);
    }
    if (const Tree* to = fields.find("to")) {
      const Part target{to, below(part.path, "to")};
      subscription.target = TargetBuilder(target, part, context).build();
    }
    const bool starts_runs =
        subscription.target &&
        std::holds_alternative<PipelineTarget>(*subscription.target);
    const Tree* filter = fields.find("filter");
    const bool is_filter_clear = !fields.is_broken("filter") &&
                                 !fields.has_unknown_keys() &&
                                 (filter == nullptr || !filter->has_unknown_keys);
    if (starts_runs && subscription.filter.types.empty() && is_filter_clear) {
      context.diagnostics.error(
          filter == nullptr ? part.tree->location : filter->location,
          below(part.path, "filter"),
          "the subscription" + at_path(part.path) +
              " starts a pipeline at every event, those of its own runs among them",
          "name the types in `filter`");
    }
    subscriptions.push_back(std::move(subscription));
  }
  return subscriptions;
}

}  // namespace lakemill::language
