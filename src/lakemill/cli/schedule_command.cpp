#include <cstdio>

#include "lakemill/app/schedule.h"
#include "lakemill/cli/commands.h"
#include "lakemill/cli/output.h"

namespace lakemill::cli {

namespace {

data::Field text_column(std::string name) {
  return {std::move(name), data::make_type(data::TypeKind::string)};
}

// "2026-03-29T03:00:00+02:00": what clocks show there.
std::string local_text(const TimeZone& zone, Instant instant) {
  const TimeZone::Span span = zone.span_at(instant);
  return format_wall_time(span.wall_at(instant)) + format_offset(span.offset);
}

// "2026-03-29T01:00:00Z".
std::string utc_text(Instant instant) {
  return format_instant(instant).substr(0, 19) + "Z";
}

void print_schedule(const std::string& pipeline,
                    const std::vector<app::ScheduledTrigger>& triggers) {
  std::printf("pipeline %s\n\n", pipeline.c_str());
  if (triggers.empty()) {
    std::printf("no trigger goes by the clock\n");
    return;
  }
  data::Rows rows;
  rows.schema.fields = {text_column("trigger"), text_column("time zone"),
                        text_column("local"), text_column("UTC")};
  for (const app::ScheduledTrigger& trigger : triggers) {
    for (const Instant instant : trigger.instants) {
      rows.rows.push_back({trigger.kind + " " + trigger.schedule, trigger.zone->name(),
                           local_text(*trigger.zone, instant), utc_text(instant)});
    }
  }
  print_table(stdout, rows, 0);
}

OrderedJson to_json(const std::string& pipeline, const app::ScheduledTrigger& trigger) {
  OrderedJson instants = OrderedJson::array();
  for (const Instant instant : trigger.instants) {
    instants.push_back(
        {{"local", local_text(*trigger.zone, instant)}, {"utc", utc_text(instant)}});
  }
  return {{"pipeline", pipeline},           {"kind", trigger.kind},
          {"schedule", trigger.schedule},   {"timezone", trigger.zone->name()},
          {"file", trigger.location.file},  {"line", trigger.location.line},
          {"instants", std::move(instants)}};
}

Result<app::ScheduleRequest> make_schedule_request(const ScheduleOptions& options,
                                                   Instant now) {
  app::ScheduleRequest request{std::chrono::floor<std::chrono::seconds>(now),
                               std::nullopt, static_cast<std::size_t>(options.count)};
  if (!options.from.empty()) {
    LAKEMILL_TRY(request.from, parse_instant(options.from));
  }
  if (!options.to.empty()) {
    LAKEMILL_TRY(request.to, parse_instant(options.to));
  }
  return request;
}

}  // namespace

int schedule_command(const CommonOptions& common, const ScheduleOptions& options) {
  int code = kSuccess;
  CommonOptions opened = common;
  opened.json = common.json || options.format == "json";
  opened.allow_missing_parameters = true;  // they are of a run
  const auto workbench = open_workbench(opened, true, code);
  if (workbench == nullptr) return code;
  const auto request = make_schedule_request(options, workbench->clock().now());
  if (!request) {
    report_error(request.error(), opened.json);
    return kUsage;
  }
  OrderedJson list = OrderedJson::array();
  for (const language::Pipeline& pipeline : workbench->pipelines()) {
    const auto triggers = app::schedule(pipeline, *request);
    if (!triggers) {
      report_error(triggers.error(), opened.json);
      return triggers.error().code() == ErrorCode::invalid ? kUsage : kFailure;
    }
    if (!opened.json) {
      print_schedule(pipeline.name, *triggers);
      continue;
    }
    for (const app::ScheduledTrigger& trigger : *triggers) {
      list.push_back(to_json(pipeline.name, trigger));
    }
  }
  if (opened.json) std::printf("%s\n", json_text(list).c_str());
  return kSuccess;
}

}  // namespace lakemill::cli
