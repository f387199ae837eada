#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "lakemill/language/layer.h"
#include "lakemill/language/source_text.h"

// Section 8 of the language as plain structs: when and how pipelines run, who is told
// of what, how tables are kept in order, and the server. What stands here was checked:
// cron expressions parse, zones and addresses are well-formed, bounds hold.

namespace lakemill::language {

/// A duration or a cron expression; exactly one is set.
struct Schedule {
  std::optional<std::chrono::microseconds> period;
  std::string cron;
};

/// Which events; what is empty lets all pass.
struct EventFilter {
  std::vector<Name> types;     ///< "run_failed"
  std::vector<Name> subjects;  ///< globs: "table/main.gold.*"
  SourceText where;            ///< SQL condition over an event's columns
  Location location;

  bool empty() const { return types.empty() && subjects.empty() && where.empty(); }
};

/// A table by its name, or by a path relative to the file that names it.
struct TableReference {
  std::string text;  ///< as written
  std::string path;  ///< empty: `table` names it
  TableName table;
  /// Where it is, under the name that Sink::place has where the places are equal; of a
  /// pipeline's. See table_place() (written_tables.h).
  std::string place;
  Location location;
};

// --------------------------------------------------------------------------- triggers

struct CronTrigger {
  std::string expression;         ///< as base/cron parses it
  std::string time_zone = "UTC";  ///< name in the IANA database
};

/// A grid of instants, each a period after the one before.
struct IntervalTrigger {
  std::chrono::microseconds period{0};  ///< 1 s or more
};

/// The pipeline runs without end.
struct ContinuousTrigger {};

struct EventTrigger {
  EventFilter filter;  ///< `type`, `subject` and `where`; at least one type
};

/// A commit to a table.
struct TableTrigger {
  TableReference table;
};

/// Files that are new or changed at a path or pattern.
struct FilesTrigger {
  std::string path;  ///< relative to the pipeline's folder
};

/// The success of another pipeline's run.
struct AfterTrigger {
  Name pipeline;
};

/// Which of the instants that were missed (nobody was there to start them) are made up
/// for: one run for the last of them, one for each, or none.
enum class Catchup : std::uint8_t { last, all, skip };

struct Trigger {
  std::variant<CronTrigger, IntervalTrigger, ContinuousTrigger, EventTrigger,
               TableTrigger, FilesTrigger, AfterTrigger>
      what;
  Location location;                      ///< of the trigger
  Location kind_location;                 ///< of the value of `cron`, `every`, …
  std::string path;                       ///< "triggers[0]", for messages
  Catchup catchup = Catchup::last;        ///< of cron and every
  std::int64_t priority = 0;              ///< 0 to 1,000; the higher goes first
  std::vector<NamedArgument> parameters;  ///< of the runs it starts

  template <typename Kind>
  const Kind* as() const {
    return std::get_if<Kind>(&what);
  }
};

/// What makes the trigger another one when it is edited, and so another cursor: its
/// kind, that kind's values, and the parameters. "cron 0 6 * * * Europe/Berlin".
std::string identity_of(const Trigger& trigger);

// ------------------------------------------------------------------------------- runs

/// What becomes of a run whose process died: the next attempt goes on where it was, or
/// it has failed.
enum class OnInterrupt : std::uint8_t { resume, fail };

/// Of failures that can pass: attempt k (from 1) waits delay * backoff^(k - 1), give or
/// take the share `jitter` of that.
struct Retries {
  std::int64_t max = 3;  ///< 0 to 100; further attempts
  std::chrono::microseconds delay = std::chrono::seconds(30);
  double backoff = 2;   ///< 1 to 100
  double jitter = 0.2;  ///< 0 to 1
  OnInterrupt on_interrupt = OnInterrupt::resume;
};

struct Timeouts {
  std::optional<std::chrono::microseconds> run;
  std::optional<std::chrono::microseconds> node;
};

/// What becomes of a run that would be one too many.
enum class Overlap : std::uint8_t { skip, queue, cancel_running };

struct Concurrency {
  std::int64_t max = 1;  ///< 1 to 100 runs of the pipeline at once
  Overlap overlap = Overlap::queue;
};

// ---------------------------------------------------------------- alerts,
// subscriptions

/// CloudEvents over HTTP, signed.
struct WebhookTarget {
  Name url;     ///< http or https; may hold ${secret.NAME}
  Name secret;  ///< the key of the signature: ${secret.NAME}
};

/// A program that gets the event on its standard input.
struct CommandTarget {
  std::vector<std::string> words;  ///< not empty; a single one is for `/bin/sh -c`
};

/// A run of a pipeline.
struct PipelineTarget {
  Name pipeline;
};

/// OpenLineage events.
struct OpenLineageTarget {
  Name place;  ///< http(s) URL, or a file relative to the project's folder
};

using Target =
    std::variant<WebhookTarget, CommandTarget, PipelineTarget, OpenLineageTarget>;

struct Subscription {
  std::string name;  ///< unique in the project; may be that of a folder
  Location location;
  std::string path;  ///< "subscriptions[0]", for messages
  EventFilter filter;
  std::optional<Target> target;  ///< always set where the project has no errors
};

enum class AlertRule : std::uint8_t {
  failure,
  expectation,
  freshness,
  lag,
  schema_change,
  recovered
};

/// Whose troubles an alert is about: one of each list that is not empty must fit.
struct AlertMatch {
  std::vector<Name> owners;
  std::vector<Name> tags;       ///< of the node
  std::vector<Name> pipelines;  ///< names or globs; of a project's alert
};

/// When an alert is told to nobody: from each instant of `cron` on for `lasts`, or once
/// from `from` until `until` (ISO instants).
struct SilenceWindow {
  std::string cron;  ///< empty: once
  std::string time_zone = "UTC";
  std::chrono::microseconds lasts{0};
  std::string from;
  std::string until;
  std::string reason;
};

struct Alert {
  std::string name;  ///< may be empty; else unique in its list
  Location location;
  std::string path;  ///< "alerts[0]", for messages
  std::vector<AlertRule> on;
  /// Names of subscriptions, whatever those filter, and targets of its own. Empty: the
  /// alert is an event and shown.
  std::vector<Name> to_subscriptions;
  std::vector<Target> to_targets;
  std::optional<std::chrono::microseconds>
      lag_max;  ///< set exactly with AlertRule::lag
  AlertMatch match;
  std::vector<SilenceWindow> silence;
};

// ------------------------------------------------------------------------ maintenance

/// What is done to tables; what is not set is left to the wider policy, in the end to
/// the table's properties.
struct MaintenancePolicy {
  std::optional<bool> optimize;
  std::optional<bool> vacuum;
  std::optional<std::chrono::microseconds> retention;  ///< of files, for vacuum
  std::optional<std::chrono::microseconds> log_retention;
  std::optional<std::chrono::microseconds> state_retention;
};

struct TablePolicy {
  TableReference table;
  MaintenancePolicy policy;
};

/// A table's own policy goes before that of its layer, that before the one for all;
/// those of a pipeline before those of the project.
struct Maintenance {
  std::optional<Schedule> every;
  std::string time_zone = "UTC";  ///< of a cron expression
  MaintenancePolicy policy;
  std::map<Layer, MaintenancePolicy> layers;
  std::vector<TablePolicy> tables;
};

// --------------------------------------------------------------------- of one pipeline

/// Of a pipeline: its own keys, or those of `orchestrator: {type: LAKEMILL}`.
struct Orchestration {
  std::vector<Trigger> triggers;
  std::optional<Retries> retries;
  Timeouts timeouts;
  Concurrency concurrency;
  std::vector<Alert> alerts;
  Maintenance maintenance;
  std::vector<Name> written;  ///< the keys that the file has, with the places of values

  bool is_continuous() const;
};

// ---------------------------------------------------------------------- of the project

enum class Role : std::uint8_t { viewer, runner, editor, admin };

struct ServerTls {
  std::string certificate;  ///< PEM files, relative to the project's folder
  std::string key;
};

/// Limits of SQL from outside.
struct ServerSql {
  Role role = Role::viewer;                                      ///< who may send it
  std::chrono::microseconds timeout = std::chrono::seconds(10);  ///< 60 s at most
  std::int64_t rows_max = 10'000;
  std::optional<std::int64_t> memory_limit_bytes;
};

struct Server {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8580;
  std::optional<ServerTls> tls;
  std::vector<std::string> behind_proxy;  ///< addresses or ranges ("10.0.0.0/8")
  std::int64_t runs_max = 8;              ///< at once, of all pipelines
  std::int64_t continuous_max = 32;
  ServerSql sql;
  std::vector<std::string> webhook_allow;  ///< ranges and host names
  bool metrics_are_open = false;           ///< without a login
  std::int64_t ingest_bytes_max = 32LL << 20;
};

}  // namespace lakemill::language
