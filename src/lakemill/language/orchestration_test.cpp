// Section 8 of the language: what stands in the structs, and for bad input the exact
// place, message and remedy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/language/load_fixture.h"
#include "lakemill/language/orchestration_check.h"

namespace lakemill::language {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testkit::kOperatedProject;
using testkit::load;
using testkit::load_project_text;
using testkit::load_text;

// ------------------------------------------------------------------------- good input

TEST(Orchestration, HoldsEveryKindOfTrigger) {
  const LoadedPipeline loaded = load_text(
      "name: p\nparameters: {day: {default: x}}\ntriggers:\n"
      "- {cron: '0 6 * * MON-FRI', timezone: Europe/Berlin, catchup: ALL, priority: "
      "7,\n"
      "   parameters: {day: today}}\n"
      "- {every: 90s, catchup: skip}\n"
      "- on_event: {type: [table_committed, run_failed], subject: table/main.*,\n"
      "    where: \"version > 3\"}\n"
      "- on_table: main.silver.orders\n"
      "- on_table: ./lake/orders\n"
      "- on_files: ./in/*.csv\n"
      "- after: other\n");
  ASSERT_EQ(loaded.diagnostics.to_text(), "");
  const auto& triggers = loaded.pipeline->orchestration.triggers;
  ASSERT_EQ(triggers.size(), 7U);
  const auto* cron = triggers[0].as<CronTrigger>();
  ASSERT_NE(cron, nullptr);
  EXPECT_EQ(cron->expression, "0 6 * * MON-FRI");
  EXPECT_EQ(cron->time_zone, "Europe/Berlin");
  EXPECT_EQ(triggers[0].catchup, Catchup::all);
  EXPECT_EQ(triggers[0].priority, 7);
  ASSERT_EQ(triggers[0].parameters.size(), 1U);
  EXPECT_EQ(triggers[0].parameters[0].value.text, "today");
  EXPECT_EQ(triggers[1].as<IntervalTrigger>()->period, std::chrono::seconds(90));
  EXPECT_EQ(triggers[1].catchup, Catchup::skip);
  const auto* event = triggers[2].as<EventTrigger>();
  ASSERT_NE(event, nullptr);
  EXPECT_THAT(event->filter.types, ElementsAre(Field(&Name::text, "table_committed"),
                                               Field(&Name::text, "run_failed")));
  EXPECT_EQ(event->filter.where.text, "version > 3");
  EXPECT_EQ(triggers[3].as<TableTrigger>()->table.table.to_text(),
            "main.silver.orders");
  EXPECT_EQ(triggers[4].as<TableTrigger>()->table.path, "./lake/orders");
  EXPECT_EQ(triggers[5].as<FilesTrigger>()->path, "./in/*.csv");
  EXPECT_EQ(triggers[6].as<AfterTrigger>()->pipeline.text, "other");
  EXPECT_EQ(to_text(triggers[6].kind_location), "p.yaml:12:10");
  EXPECT_FALSE(loaded.pipeline->orchestration.is_continuous());
}

TEST(Orchestration, TellsTriggersApartByWhatTheyWaitForAndTheirParameters) {
  const LoadedPipeline loaded = load_text(
      "name: p\nparameters: {day: {default: x}}\ntriggers:\n"
      "- {cron: '@daily'}\n- {cron: '@daily', timezone: Asia/Tokyo}\n"
      "- {cron: '@daily', parameters: {day: y}}\n- {every: 1m}\n");
  ASSERT_EQ(loaded.diagnostics.to_text(), "");
  std::vector<std::string> identities;
  for (const Trigger& trigger : loaded.pipeline->orchestration.triggers) {
    identities.push_back(identity_of(trigger));
  }
  EXPECT_THAT(identities,
              ElementsAre("cron @daily UTC", "cron @daily Asia/Tokyo",
                          "cron @daily UTC {\"day\":\"y\"}", "every 60000000us"));
}

TEST(Orchestration, HoldsHowRunsAreRetriedBoundedAndKeptApart) {
  const LoadedPipeline loaded = load_text(
      "name: p\n"
      "retries: {max: 5, delay: 1m, backoff: 1.5, jitter: 0, on_interrupt: FAIL}\n"
      "timeout: {run: 2h, node: 30m}\nconcurrency: {max: 2, overlap: "
      "cancel_running}\n");
  ASSERT_EQ(loaded.diagnostics.to_text(), "");
  const Orchestration& orders = loaded.pipeline->orchestration;
  ASSERT_TRUE(orders.retries.has_value());
  EXPECT_EQ(orders.retries->max, 5);
  EXPECT_EQ(orders.retries->delay, std::chrono::minutes(1));
  EXPECT_EQ(orders.retries->backoff, 1.5);
  EXPECT_EQ(orders.retries->jitter, 0);
  EXPECT_EQ(orders.retries->on_interrupt, OnInterrupt::fail);
  EXPECT_EQ(orders.timeouts.run, std::chrono::hours(2));
  EXPECT_EQ(orders.timeouts.node, std::chrono::minutes(30));
  EXPECT_EQ(orders.concurrency.max, 2);
  EXPECT_EQ(orders.concurrency.overlap, Overlap::cancel_running);
  EXPECT_THAT(orders.written,
              ElementsAre(Field(&Name::text, "retries"), Field(&Name::text, "timeout"),
                          Field(&Name::text, "concurrency")));
}

TEST(Orchestration, TakesShortFormsAndDefaults) {
  const LoadedPipeline loaded = load_text(
      "name: p\nretries: {}\ntimeout: 45m\nconcurrency: skip\ntriggers: []\n");
  ASSERT_EQ(loaded.diagnostics.to_text(), "");
  const Orchestration& orders = loaded.pipeline->orchestration;
  EXPECT_EQ(orders.retries->max, 3);
  EXPECT_EQ(orders.retries->delay, std::chrono::seconds(30));
  EXPECT_EQ(orders.timeouts.run, std::chrono::minutes(45));
  EXPECT_FALSE(orders.timeouts.node.has_value());
  EXPECT_EQ(orders.concurrency.max, 1);
  EXPECT_EQ(orders.concurrency.overlap, Overlap::skip);
  const LoadedPipeline bare = load_text("name: p\n");
  EXPECT_FALSE(bare.pipeline->orchestration.retries.has_value());
  EXPECT_EQ(bare.pipeline->orchestration.concurrency.overlap, Overlap::queue);
  EXPECT_TRUE(bare.pipeline->orchestration.written.empty());
}

TEST(Orchestration, ReadsTheKeysOfAnOrchestratorOfItsOwnKind) {
  const LoadedPipeline loaded = load_text(
      "name: p\norchestrator:\n  type: lakemill\n  triggers: [{continuous: true}]\n"
      "  timeout: {node: 5m}\n");
  ASSERT_EQ(loaded.diagnostics.to_text(), "");
  EXPECT_TRUE(loaded.pipeline->orchestration.is_continuous());
  EXPECT_EQ(loaded.pipeline->orchestration.timeouts.node, std::chrono::minutes(5));
  EXPECT_EQ(loaded.pipeline->orchestration.triggers[0].path,
            "orchestrator.triggers[0]");
}

TEST(Orchestration, HoldsWhatServesAProject) {
  const LoadedProject loaded = load_project_text(kOperatedProject);
  ASSERT_EQ(loaded.diagnostics.to_text(), "");
  const Server& server = loaded.project->server;
  EXPECT_EQ(server.host, "0.0.0.0");
  EXPECT_EQ(server.port, 9000);
  EXPECT_EQ(server.tls->key, "key.pem");
  EXPECT_THAT(server.behind_proxy, ElementsAre("10.0.0.0/8", "::1"));
  EXPECT_EQ(server.runs_max, 4);
  EXPECT_EQ(server.sql.role, Role::editor);
  EXPECT_EQ(server.sql.rows_max, 500);
  EXPECT_EQ(server.sql.memory_limit_bytes, 1 << 30);
  EXPECT_EQ(server.ingest_bytes_max, 1 << 20);
  const Maintenance& maintenance = loaded.project->maintenance;
  EXPECT_EQ(maintenance.every->cron, "0 3 * * *");
  EXPECT_EQ(maintenance.time_zone, "Europe/Paris");
  EXPECT_EQ(maintenance.policy.retention, std::chrono::hours(14 * 24));
  EXPECT_EQ(maintenance.layers.at(Layer::bronze).vacuum, false);
  ASSERT_EQ(maintenance.tables.size(), 1U);
  EXPECT_EQ(maintenance.tables[0].table.table.schema, "gold");
  EXPECT_EQ(maintenance.tables[0].policy.optimize, false);
}

TEST(Orchestration, HoldsWhoIsToldOfWhat) {
  const LoadedProject loaded = load_project_text(kOperatedProject);
  ASSERT_EQ(loaded.diagnostics.to_text(), "");
  const auto& subscriptions = loaded.project->subscriptions;
  ASSERT_EQ(subscriptions.size(), 4U);
  const auto* webhook = std::get_if<WebhookTarget>(&*subscriptions[0].target);
  ASSERT_NE(webhook, nullptr);
  EXPECT_EQ(webhook->secret.text, "${secret.HOOK}");
  EXPECT_EQ(subscriptions[0].filter.subjects[0].text, "pipeline/*");
  EXPECT_THAT(std::get<CommandTarget>(*subscriptions[1].target).words,
              ElementsAre("logger", "-t", "lakemill"));
  EXPECT_EQ(std::get<PipelineTarget>(*subscriptions[2].target).pipeline.text, "p");
  EXPECT_EQ(std::get<OpenLineageTarget>(*subscriptions[3].target).place.text,
            "./lineage.jsonl");
  const auto& alerts = loaded.project->alerts;
  ASSERT_EQ(alerts.size(), 2U);
  EXPECT_THAT(alerts[0].on, ElementsAre(AlertRule::failure, AlertRule::recovered));
  EXPECT_THAT(alerts[0].to_subscriptions, ElementsAre(Field(&Name::text, "ops")));
  EXPECT_EQ(alerts[0].to_targets.size(), 2U);
  EXPECT_THAT(alerts[0].match.owners, ElementsAre(Field(&Name::text, "ann")));
  ASSERT_EQ(alerts[0].silence.size(), 2U);
  EXPECT_EQ(alerts[0].silence[0].lasts, std::chrono::hours(8));
  EXPECT_EQ(alerts[0].silence[0].time_zone, "Europe/Paris");
  EXPECT_EQ(alerts[0].silence[1].until, "2026-12-26T18:00:00Z");
  EXPECT_EQ(alerts[1].lag_max, std::chrono::minutes(10));
}

// -------------------------------------------------------------------------- bad input

struct BadCase {
  std::string name;
  std::string text;
  std::string expected;  // the whole text of the diagnostics
};

void PrintTo(const BadCase& bad, std::ostream* stream) { *stream << bad.name; }

class BadPipeline : public testing::TestWithParam<BadCase> {};

TEST_P(BadPipeline, IsToldWithItsPlaceAndNothingElse) {
  const Project project;
  const LoadedPipeline loaded =
      load({.files = {{"p.yaml", "name: p\n" + GetParam().text}},
            .project = &project,
            .event_types = {"run_failed", "table_committed", "expectation_failed"}});
  EXPECT_EQ(loaded.diagnostics.to_text(), GetParam().expected);
}

class BadProject : public testing::TestWithParam<BadCase> {};

TEST_P(BadProject, IsToldWithItsPlaceAndNothingElse) {
  EXPECT_EQ(load_project_text(GetParam().text).diagnostics.to_text(),
            GetParam().expected);
}

const std::vector<BadCase> kBadPipelines = {
    {"TwoKinds", "triggers:\n- {cron: '@daily', every: 5m}\n",
     "p.yaml:3:27: error: 'cron' and 'every' at triggers[0] exclude each other; make "
     "two triggers of them\n"},
    {"ContinuousBesideCron", "triggers:\n- {cron: '@daily', continuous: true}\n",
     "p.yaml:3:32: error: 'cron' and 'continuous' at triggers[0] exclude each other; a "
     "pipeline that runs without end has no other trigger\n"},
    {"ContinuousAmongOthers", "triggers: [{continuous: true}, {every: 5m}]\n",
     "p.yaml:2:32: error: the trigger at triggers[1] starts nothing: the pipeline runs "
     "without end, as at triggers[0] says; keep one of the two; a node that waits for "
     "its time in a continuous pipeline has `every`\n"},
    {"NoKind", "triggers: [{priority: 3}]\n",
     "p.yaml:2:12: error: the trigger at triggers[0] waits for nothing; give it one of "
     "cron, every, continuous, on_event, on_table, on_files and after\n"},
    {"MisspeltKind", "triggers: [{crn: '@daily'}]\n",
     "p.yaml:2:13: error: unknown key 'crn' at triggers[0]; did you mean 'cron'?\n"},
    {"NotContinuous", "triggers: [{continuous: false}]\n",
     "p.yaml:2:25: error: 'continuous' at triggers[0] is false, and so the trigger "
     "starts nothing; leave the trigger out\n"},
    {"BadCron", "triggers: [{cron: 0 25 * * *}]\n",
     "p.yaml:2:19: error: key 'cron' at triggers[0] needs a cron expression like 0 6 * "
     "* MON-FRI ('25' is no hour of a cron expression (0 to 23)), not '0 25 * * *'\n"},
    {"CronThatNeverComes", "triggers: [{cron: 0 0 30 2 *}]\n",
     "p.yaml:2:19: error: key 'cron' at triggers[0] needs a cron expression like 0 6 * "
     "* MON-FRI (no day ever fits the cron expression), not '0 0 30 2 *'\n"},
    {"DurationAsCron", "triggers: [{cron: 5m}]\n",
     "p.yaml:2:19: error: key 'cron' at triggers[0] needs a cron expression, not the "
     "duration '5m'; write every: 5m\n"},
    {"ZoneWithoutCron", "triggers: [{every: 5m, timezone: UTC}]\n",
     "p.yaml:2:34: error: 'timezone' at triggers[0] goes with cron only; leave it out: "
     "a period is as long in all zones; a time of day is cron: 0 6 * * *\n"},
    {"NoZone", "triggers: [{cron: '@daily', timezone: '+02:00'}]\n",
     "p.yaml:2:39: error: key 'timezone' at triggers[0]: there is no time zone "
     "'+02:00'; zones have names such as Europe/Berlin or UTC\n"},
    {"MisspeltZone", "triggers: [{cron: '@daily', timezone: Europe/Pari}]\n",
     "p.yaml:2:39: error: key 'timezone' at triggers[0]: there is no time zone "
     "'Europe/Pari', did you mean 'Europe/Paris'?\n"},
    {"NoPeriod", "triggers: [{every: soon}]\n",
     "p.yaml:2:20: error: key 'every' at triggers[0] needs a duration like 5m, 1h 30m "
     "or 7d, not 'soon'\n"},
    {"PeriodTooShort", "triggers: [{every: 10ms}]\n",
     "p.yaml:2:20: error: key 'every' at triggers[0] needs a duration of 1s or more, "
     "not '10ms'\n"},
    {"CatchupOfATable", "triggers: [{on_table: t, catchup: ALL}]\n",
     "p.yaml:2:35: error: 'catchup' at triggers[0] goes with cron and every only; "
     "leave "
     "it out: what else starts runs is never missed\n"},
    {"UnknownCatchup", "triggers: [{every: 1h, catchup: LATEST}]\n",
     "p.yaml:2:33: error: unknown value 'LATEST' of key 'catchup' at triggers[0]; did "
     "you mean 'LAST'?\n"},
    {"PriorityTooHigh", "triggers: [{every: 1h, priority: 1001}]\n",
     "p.yaml:2:34: error: key 'priority' at triggers[0] needs 0 to 1000, not '1001'\n"},
    {"SameTwice", "triggers: [{every: 1h}, {every: 60m}]\n",
     "p.yaml:2:25: error: the trigger at triggers[1] is the same as that at "
     "triggers[0]; remove one of the two\n"},
    {"AfterItself", "triggers: [{after: p}]\n",
     "p.yaml:2:20: error: the pipeline 'p' comes after itself at triggers[0]; name "
     "another pipeline; one that runs again and again is continuous: true\n"},
    {"UnknownEvent", "triggers: [{on_event: {type: run_faild, subject: pipeline/q}}]\n",
     "p.yaml:2:30: error: unknown type of events 'run_faild' at triggers[0].on_event; "
     "did you mean 'run_failed'?\n"},
    {"EventWithoutType", "triggers: [{on_event: {subject: pipeline/q}}]\n",
     "p.yaml:2:23: error: key 'type' is missing at triggers[0].on_event; Types of "
     "events.\n"},
    {"EventOfNoType", "triggers: [{on_event: {type: []}}]\n",
     "p.yaml:2:30: error: 'type' at triggers[0].on_event is empty; name the types of "
     "events that start a run\n"},
    {"KeysOfAFilterInAnEvent", "triggers: [{on_event: {types: [run_failed]}}]\n",
     "p.yaml:2:24: error: unknown key 'types' at triggers[0].on_event; did you mean "
     "'type'?\n"},
    {"OwnEvents", "triggers: [{on_event: {type: run_failed}}]\n",
     "p.yaml:2:30: error: each run of the pipeline may tell 'run_failed', which would "
     "start the next at triggers[0]; name the subjects that count: subject: "
     "pipeline/other\n"},
    {"OwnTable",
     "triggers: [{on_table: out}]\nnodes:\n- {name: a, source: {path: a.csv}, sink: "
     "{table_name: out}}\n",
     "p.yaml:2:23: warning: the pipeline writes 'out' itself, and each of its commits "
     "starts it again at triggers[0]; name a table that it reads\n"},
    {"BadTableName", "triggers: [{on_table: a.b.c.d}]\n",
     "p.yaml:2:23: error: 'a.b.c.d' is not a table name; write table, schema.table or "
     "catalog.schema.table\n"},
    {"FarFiles", "triggers: [{on_files: 'gs://b/x'}]\n",
     "p.yaml:2:23: error: gs:// is not supported yet at triggers[0].on_files; use a "
     "folder of this machine, or s3://bucket/folder\n"},
    {"NoFiles", "triggers: [{on_files: ''}]\n",
     "p.yaml:2:23: error: 'on_files' at triggers[0] is empty; write a file, a folder "
     "or "
     "a glob\n"},
    {"UnknownParameterOfATrigger",
     "parameters: {day: {default: x}}\ntriggers: [{every: 1h, parameters: {dai: y}}]\n",
     "p.yaml:3:37: error: unknown parameter 'dai' at triggers[0].parameters; did you "
     "mean 'day'?\n"},
    {"WrongTypeOfAParameter",
     "parameters: {n: {default: 3}}\ntriggers: [{every: 1h, parameters: {n: many}}]\n",
     "p.yaml:3:40: error: the parameter 'n' at triggers[0].parameters needs an "
     "integer, "
     "not 'many'; its default tells its type\n"},
    {"SecretParameter",
     "parameters: {n: {default: x}}\ntriggers: [{every: 1h, parameters: {n: "
     "'${secret.N}'}}]\n",
     "p.yaml:3:40: error: the parameter 'n' at triggers[0] holds a secret, and "
     "parameters are stored and shown; read the secret where it is used\n"},
    {"NegativeRetries", "retries: {max: -1}\n",
     "p.yaml:2:16: error: key 'max' at retries needs a whole number that is not "
     "negative, not '-1'\n"},
    {"RetriesOutOfBounds", "retries: {max: 101, backoff: 0.5, jitter: 2}\n",
     "p.yaml:2:16: error: key 'max' at retries needs 0 to 100, not '101'\n"
     "p.yaml:2:30: error: key 'backoff' at retries needs 1 to 100, not '0.5'\n"
     "p.yaml:2:43: error: key 'jitter' at retries needs 0 to 1, not '2'\n"},
    {"RetriesAsANumber", "retries: 3\n",
     "p.yaml:2:10: error: key 'retries' at the top level needs a mapping, not '3'\n"},
    {"UnknownOnInterrupt", "retries: {on_interrupt: RESUM}\n",
     "p.yaml:2:25: error: unknown value 'RESUM' of key 'on_interrupt' at retries; did "
     "you mean 'RESUME'?\n"},
    {"TimeoutOfNothing", "timeout: {run: 0s, node: never}\n",
     "p.yaml:2:16: error: key 'run' at timeout needs a duration above 0, not '0s'\n"
     "p.yaml:2:26: error: key 'node' at timeout needs a duration like 5m, 1h 30m or "
     "7d, "
     "not 'never'\n"},
    {"TimeoutAsAWord", "timeout: long\n",
     "p.yaml:2:10: error: key 'timeout' at the top level needs a duration like 5m, 1h "
     "30m or 7d, not 'long'\n"},
    {"TimeoutOfAContinuousPipeline", "timeout: 1h\ntriggers: [{continuous: true}]\n",
     "p.yaml:2:10: error: a continuous pipeline runs without end, and 'timeout' would "
     "stop it; leave it out, or bound each node: timeout: {node: 1h}\n"},
    {"UnknownOverlap", "concurrency: QUEU\n",
     "p.yaml:2:14: error: unknown value 'QUEU' of key 'concurrency' at the top level; "
     "did you mean 'QUEUE'?\n"},
    {"NoRunsAtAll", "concurrency: {max: 0}\n",
     "p.yaml:2:20: error: key 'max' at concurrency needs 1 to 100, not '0'\n"},
    {"UnknownRule", "alerts: [{on: [failur]}]\n",
     "p.yaml:2:16: error: unknown value 'failur' of key 'on' at alerts[0]; did you "
     "mean "
     "'FAILURE'?\n"},
    {"NoRule", "alerts: [{on: []}, {name: x}]\n",
     "p.yaml:2:15: error: 'on' at alerts[0] is empty; name what is told: failure, "
     "expectation, …\n"
     "p.yaml:2:20: error: key 'on' is missing at alerts[1]; What is told.\n"},
    {"UnknownSubscription", "alerts: [{on: failure, to: [ops]}]\n",
     "p.yaml:2:29: error: unknown subscription 'ops' at alerts[0]; name one in "
     "`subscriptions:` of lakemill.yaml, or write {webhook: URL, secret: "
     "${secret.NAME}}\n"},
    {"UrlAsSubscription", "alerts: [{on: failure, to: 'https://h/x'}]\n",
     "p.yaml:2:28: error: 'https://h/x' at alerts[0].to is no name of a subscription; "
     "write {webhook: URL, secret: ${secret.NAME}} in its place\n"},
    {"UnsignedWebhookOfAnAlert",
     "alerts: [{on: failure, to: [{webhook: 'http://h'}]}]\n",
     "p.yaml:2:29: error: the webhook at alerts[0].to[0] has no secret, and so what is "
     "sent would not be signed; write secret: ${secret.NAME}\n"},
    {"LagWithoutBound", "alerts: [{on: lag}]\n",
     "p.yaml:2:10: error: the alert at alerts[0] does not say how far behind is too "
     "far; write lag: {max: 10m}\n"},
    {"LagThatIsNotTold", "alerts: [{on: failure, lag: {max: 10m}}]\n",
     "p.yaml:2:29: error: 'lag' at alerts[0] goes with on: [lag]; add lag to `on`, or "
     "leave it out\n"},
    {"PipelineOfAPipelinesAlert", "alerts: [{on: failure, match: {pipeline: q}}]\n",
     "p.yaml:2:42: error: 'pipeline' at alerts[0].match is for alerts of the project: "
     "those of a pipeline are about it; leave it out, or write the alert in "
     "lakemill.yaml\n"},
    {"FreshnessOfNothing", "alerts: [{on: freshness}]\n",
     "p.yaml:2:10: warning: the alert at alerts[0] watches freshness, and no node says "
     "how old its table may be; write freshness: {max_age: 2h} at a node\n"},
    {"TwoAlertsOfOneName", "alerts: [{name: x, on: failure}, {name: x, on: failure}]\n",
     "p.yaml:2:41: error: two alerts are called 'x'; give each its own name\n"},
    {"SilenceOfTwoKinds",
     "alerts:\n- {on: failure, silence: [{cron: '@daily', until: "
     "'2026-01-01T00:00:00Z'}]}\n",
     "p.yaml:3:51: error: 'cron' and 'until' at alerts[0].silence[0] exclude each "
     "other; a silence has cron and for, or from and until\n"},
    {"HalfASilence", "alerts: [{on: failure, silence: {cron: '@daily'}}]\n",
     "p.yaml:2:33: error: the silence at alerts[0].silence needs cron and for, or from "
     "and until; as in cron: 0 22 * * *, for: 8h\n"},
    {"SilenceThatEndsTooEarly",
     "alerts:\n- {on: failure, silence: {from: '2026-01-02T00:00:00Z', until: "
     "'2026-01-01T00:00:00Z'}}\n- {on: failure, silence: {from: now, until: "
     "'2026-01-01T00:00:00Z'}}\n",
     "p.yaml:3:64: error: the silence at alerts[0].silence ends before it begins\n"
     "p.yaml:4:33: error: 'now' at alerts[1].silence is not an instant like "
     "2026-01-31T12:00:00Z\n"},
    {"RetentionWithoutVacuum", "maintenance: {vacuum: false, retention: 7d}\n",
     "p.yaml:2:41: error: 'retention' at maintenance is of vacuum, which is switched "
     "off beside it; leave one of the two out\n"},
    {"UpkeepTooOften", "maintenance: {every: 1s, timezone: UTC}\n",
     "p.yaml:2:22: error: key 'every' at maintenance needs a duration of 60s or more, "
     "not '1s'\n"
     "p.yaml:2:36: error: 'timezone' at maintenance goes with cron only; write a time "
     "of day: every: 0 3 * * *\n"},
    {"UnknownLayerOfUpkeep", "maintenance: {layers: {BRONSE: {vacuum: false}}}\n",
     "p.yaml:2:24: error: unknown key 'BRONSE' at maintenance.layers; did you mean "
     "'BRONZE'?\n"},
    {"UnknownKeyOfAnOrchestrator",
     "orchestrator: {type: LAKEMILL, trigers: [{every: 1h}]}\n",
     "p.yaml:2:32: error: unknown key 'trigers' at orchestrator; did you mean "
     "'triggers'?\n"},
    {"TwiceInOneFile", "timeout: 1h\norchestrator: {type: LAKEMILL, timeout: 2h}\n",
     "p.yaml:3:41: error: 'timeout' stands at the top level and at orchestrator; keep "
     "one of the two\n"},
};

const std::vector<BadCase> kBadProjects = {
    {"UnsignedWebhook", "subscriptions: [{name: a, to: {webhook: 'https://h/x'}}]\n",
     "lakemill.yaml:1:17: error: the webhook at subscriptions[0] has no secret, and so "
     "what is sent would not be signed; write secret: ${secret.NAME}\n"},
    {"MisspeltSecret",
     "subscriptions: [{name: a, to: {webhook: 'https://h/x'}, secrt: x}]\n",
     "lakemill.yaml:1:57: error: unknown key 'secrt' at subscriptions[0]; did you mean "
     "'secret'?\n"},
    {"PlainSecret",
     "subscriptions: [{name: a, to: {webhook: 'https://h/x'}, secret: hush}]\n",
     "lakemill.yaml:1:65: error: the secret at subscriptions[0] stands in the file "
     "itself; write ${secret.NAME}, and keep it in the environment or where the "
     "project's `secrets` says\n"},
    {"SecretOfACommand",
     "subscriptions: [{name: a, to: {command: x}, secret: '${secret.A}'}]\n",
     "lakemill.yaml:1:53: error: 'secret' at subscriptions[0] signs webhooks, and "
     "there "
     "is none; leave it out\n"},
    {"NotHttp",
     "subscriptions:\n- {name: a, to: {webhook: 'ftp://h'}, secret: '${secret.A}'}\n"
     "- {name: b, to: {webhook: 'https:///x'}, secret: '${secret.A}'}\n"
     "- {name: c, to: {webhook: 'https://u:hush@h/'}, secret: '${secret.A}'}\n"
     "- {name: d, to: {webhook: 'https://h/a b'}, secret: '${secret.A}'}\n"
     "- {name: e, to: {webhook: '${secret.URL}'}, secret: '${secret.A}'}\n",
     "lakemill.yaml:2:27: error: 'ftp://h' at subscriptions[0].to is no http or https "
     "URL; write https://host/path\n"
     "lakemill.yaml:3:27: error: 'https:///x' at subscriptions[1].to names no host; "
     "write https://host/path\n"
     "lakemill.yaml:4:27: error: the URL at subscriptions[2].to holds a user name or "
     "password; leave out what stands before '@'; what is sent is signed\n"
     "lakemill.yaml:5:27: error: 'https://h/a b' at subscriptions[3].to holds a space "
     "or line break; write https://host/path\n"},
    {"TwoTargets", "subscriptions: [{name: a, to: {command: x, pipeline: p}}]\n",
     "lakemill.yaml:1:54: error: 'command' and 'pipeline' at subscriptions[0].to "
     "exclude each other; each target is one of its own\n"},
    {"NoTarget", "subscriptions: [{name: a, to: {}}, {name: b}]\n",
     "lakemill.yaml:1:31: error: nobody is told at subscriptions[0].to; give it one of "
     "webhook, command and pipeline\n"
     "lakemill.yaml:1:36: error: key 'to' is missing at subscriptions[1]; Who is "
     "told.\n"},
    {"KafkaTarget", "subscriptions: [{name: a, to: {kafka: {topic: t}}}]\n",
     "lakemill.yaml:1:32: error: key 'kafka' at subscriptions[0].to is not supported "
     "yet; A Kafka topic.\n"},
    {"EmptyCommand", "subscriptions: [{name: a, to: {command: []}}]\n",
     "lakemill.yaml:1:41: error: 'command' at subscriptions[0].to names no program; "
     "write a command line, or a list: the program and its arguments\n"},
    {"EveryEventToAPipeline", "subscriptions: [{name: a, to: {pipeline: p}}]\n",
     "lakemill.yaml:1:17: error: the subscription at subscriptions[0] starts a "
     "pipeline "
     "at every event, those of its own runs among them; name the types in `filter`\n"},
    {"TwoSubscriptionsOfOneName",
     "subscriptions: [{name: a, to: {command: x}}, {name: a, to: {command: y}}]\n",
     "lakemill.yaml:1:53: error: two subscriptions are called 'a'; give each its own "
     "name\n"},
    {"NameOfNoFolder", "subscriptions: [{name: a/b, to: {command: x}}]\n",
     "lakemill.yaml:1:24: error: the name 'a/b' at subscriptions[0] cannot be that of "
     "a "
     "folder, and state is kept in one of that name; leave out '/', '\\' and line "
     "breaks\n"},
    {"UnknownTypeOfAFilter",
     "subscriptions: [{name: a, filter: {types: [run_failed, table_comitted]}, to: "
     "{command: x}}]\n",
     "lakemill.yaml:1:56: error: unknown type of events 'table_comitted' at "
     "subscriptions[0].filter; did you mean 'table_committed'?\n"},
    {"AlertToNobody",
     "subscriptions: [{name: ops, to: {command: x}}]\nalerts: [{on: failure, to: "
     "opps}]\n",
     "lakemill.yaml:2:28: error: unknown subscription 'opps' at alerts[0]; did you "
     "mean "
     "'ops'?\n"},
    {"OpenServer", "server: {listen: '0.0.0.0:80'}\n",
     "lakemill.yaml:1:18: error: other machines reach '0.0.0.0:80' at server, and "
     "nothing is encrypted; add tls: {certificate, key}, or behind_proxy with the "
     "address of a proxy that does TLS, or listen on 127.0.0.1\n"},
    {"OpenMetrics",
     "server: {listen: '0.0.0.0:80', behind_proxy: 10.0.0.1, metrics: OPEN}\n",
     "lakemill.yaml:1:65: error: metrics: OPEN at server is for loopback only, and "
     "'0.0.0.0:80' is reached by other machines; leave it out, and give the reader a "
     "token\n"},
    {"NoAddress",
     "server: {listen: 8580, behind_proxy: [proxy], webhooks: {allow: ['a b']}}\n",
     "lakemill.yaml:1:18: error: '8580' is no address and port like 127.0.0.1:8580 or "
     "[::1]:8580\n"
     "lakemill.yaml:1:39: error: 'proxy' is no address or range like 10.1.2.3, "
     "10.0.0.0/8 or fc00::/7\n"
     "lakemill.yaml:1:66: error: 'a b' at server.webhooks is no address, range or name "
     "of a host; write 10.1.2.3, 10.0.0.0/8 or hooks.example.com\n"},
    {"HalfATls", "server: {tls: {certificate: c.pem}}\n",
     "lakemill.yaml:1:15: error: key 'key' is missing at server.tls; PEM file of the "
     "private key.\n"},
    {"ServerOutOfBounds",
     "server: {runs_max: 0, sql: {timeout: 2m, rows_max: 20000, role: BOSS}}\n",
     "lakemill.yaml:1:20: error: key 'runs_max' at server needs 1 to 1000, not '0'\n"
     "lakemill.yaml:1:38: error: key 'timeout' at server.sql needs 60s at most, not "
     "'2m'\n"
     "lakemill.yaml:1:52: error: key 'rows_max' at server.sql needs 1 to 10000, not "
     "'20000'\n"
     "lakemill.yaml:1:65: error: unknown value 'BOSS' of key 'role' at server.sql; "
     "known values are VIEWER, RUNNER, EDITOR, ADMIN\n"},
};

INSTANTIATE_TEST_SUITE_P(Orchestration, BadPipeline, testing::ValuesIn(kBadPipelines),
                         [](const auto& case_info) { return case_info.param.name; });
INSTANTIATE_TEST_SUITE_P(Orchestration, BadProject, testing::ValuesIn(kBadProjects),
                         [](const auto& case_info) { return case_info.param.name; });

TEST(Orchestration, WantsAValueForEachParameterOfARunThatNobodyGivesOne) {
  MemoryFileReader reader(std::map<std::string, std::string>{
      {"p.yaml", "name: p\nparameters: {day: {}}\ntriggers: [{every: 1h}]\n"}});
  LoadOptions options;
  options.reader = &reader;
  options.allow_missing_parameters = true;
  EXPECT_EQ(
      load_pipeline("p.yaml", options).diagnostics.to_text(),
      "p.yaml:3:12: error: the trigger at triggers[0] gives no value to the "
      "parameter 'day', which has no default; write parameters: {day: …} in it\n");
}

// -------------------------------------------------------------------- across pipelines

class WholeProject : public testing::Test {
 protected:
  void project(const std::string& text) {
    LoadedProject loaded = load_project_text(text);
    ASSERT_EQ(loaded.diagnostics.to_text(), "");
    project_ = *std::move(loaded.project);
  }

  void pipeline(const std::string& name, const std::string& rest) {
    const std::string file = name + ".yaml";
    MemoryFileReader reader(
        std::map<std::string, std::string>{{file, "name: " + name + "\n" + rest}});
    LoadOptions options;
    options.reader = &reader;
    options.project = &project_;
    LoadedPipeline loaded = load_pipeline(file, options);
    ASSERT_EQ(loaded.diagnostics.to_text(), "");
    pipelines_.push_back(*std::move(loaded.pipeline));
  }

  std::string faults() {
    ProjectScope scope;
    for (const Pipeline& item : pipelines_) scope.checked.push_back(&item);
    scope.is_complete = is_complete_;
    scope.table_exists = [this](const TableReference& table, const std::string&) {
      return table.text == existing_;
    };
    Diagnostics diagnostics;
    check_project(project_, scope, diagnostics);
    return diagnostics.to_text();
  }

  Project project_;
  std::vector<Pipeline> pipelines_;
  bool is_complete_ = true;
  std::string existing_;
};

TEST_F(WholeProject, KnowsItsPipelines) {
  project(
      "subscriptions: [{name: s, filter: {types: run_failed}, to: {pipeline: lod}}]\n"
      "alerts: [{on: failure, match: {pipeline: [clan, 'cl*']}}]\n");
  pipeline("load", "");
  pipeline("clean", "triggers: [{after: laod}]\n");
  pipeline("report", "triggers: [{after: nothing_like_it}]\n");
  EXPECT_EQ(
      faults(),
      "clean.yaml:2:20: error: unknown pipeline 'laod'; did you mean 'load'?\n"
      "lakemill.yaml:1:71: error: unknown pipeline 'lod'; did you mean 'load'?\n"
      "lakemill.yaml:2:43: error: unknown pipeline 'clan'; did you mean 'clean'?\n"
      "report.yaml:2:20: error: unknown pipeline 'nothing_like_it'; the project's "
      "pipelines are clean, load, report\n");
  is_complete_ = false;  // it may be in the file that cannot be read
  EXPECT_EQ(faults(), "");
}

TEST_F(WholeProject, SaysThatAPipelineAloneKnowsNoOther) {
  pipeline("a", "triggers: [{after: b_c_d}]\n");
  EXPECT_THAT(faults(), HasSubstr("name both in `pipelines` of a lakemill.yaml"));
}

TEST_F(WholeProject, KnowsTheTablesThatItsPipelinesWriteAndRead) {
  project(
      "layers: {GOLD: {root: gold}}\n"
      "maintenance: {tables: {main.gold.sale: {vacuum: false}}}\n");
  pipeline("a",
           "nodes:\n- {name: n, layer: GOLD, source: {table_name: raw.events}, sinks: "
           "[{table_name: sales}, {path: ./out, format: DELTA}]}\n");
  pipeline(
      "b",
      "triggers: [{on_table: gold.sales}, {on_table: main.gold.sales}, {on_table: "
      "./gold/sales}, {on_table: out/}, {on_table: raw.events}, {on_table: there}, "
      "{on_table: sales}, {on_table: ./outt}]\n");
  existing_ = "there";
  EXPECT_EQ(faults(),
            "b.yaml:2:163: error: unknown table 'sales': no pipeline writes or reads "
            "it, and it is not there; did you mean 'main.gold.sales'?\n"
            "b.yaml:2:182: error: unknown table './outt': no pipeline writes or reads "
            "it, and it is not there; did you mean './out'?\n"
            "lakemill.yaml:2:24: error: unknown table 'main.gold.sale': no pipeline "
            "writes or reads it, and it is not there; did you mean "
            "'main.gold.sales'?\n");
}

TEST_F(WholeProject, TellsEachCircleOnce) {
  pipeline("a", "triggers: [{after: c}]\n");
  pipeline("b", "triggers: [{every: 1h}, {after: a}]\n");
  pipeline("c", "triggers: [{after: b}]\n");
  pipeline("d", "triggers: [{after: c}, {after: a}]\n");
  EXPECT_EQ(
      faults(),
      "a.yaml:2:20: error: pipelines come after each other in a circle: a -> c -> "
      "b -> a; take one `after` out\n");
}

TEST_F(WholeProject, WarnsOfOwnersAndTagsThatNobodyHas) {
  project("alerts: [{on: failure, match: {owner: an, tag: [dayly, daily, x1]}}]\n");
  pipeline("a",
           "tags: [x1]\nnodes:\n- {name: n, owner: ann, tags: [daily], source: "
           "{path: a.csv}}\n");
  EXPECT_EQ(
      faults(),
      "lakemill.yaml:1:39: warning: nothing has the owner 'an', which an alert is "
      "to match; did you mean 'ann'?\n"
      "lakemill.yaml:1:49: warning: nothing has the tag 'dayly', which an alert is "
      "to match; did you mean 'daily'?\n");
}

}  // namespace
}  // namespace lakemill::language
