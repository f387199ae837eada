#include <array>

#include "lakemill/language/keys_shared.h"

namespace lakemill::language {

namespace {

using enum ValueType;

// One line a key, so that it reads as a table.
// clang-format off

constexpr std::array kLayersKeys{
    KeySpec{.key = "BRONZE", .type = object, .doc = "Tables of raw rows.", .object = "layer"},
    KeySpec{.key = "SILVER", .type = object, .doc = "Tables of clean rows.", .object = "layer"},
    KeySpec{.key = "GOLD", .type = object, .doc = "Tables of answers.", .object = "layer"},
};
constexpr std::array kLayerKeys{
    KeySpec{.key = "root", .type = path, .doc = "Where the tables of the layer live; by default the project's root."},
    KeySpec{.key = "schema", .type = text, .doc = "Schema of its tables; by default the layer's name in lower case."},
    KeySpec{.key = "retention", .type = duration, .doc = "How long old versions are kept."},
};
constexpr std::array kEnvironmentKeys{
    kVariables,
    KeySpec{.key = "root", .type = path, .doc = "Root of the project in this environment."},
    KeySpec{.key = "catalog", .type = text, .doc = "Default catalog in this environment."},
};
constexpr std::array kConnectionKeys{
    KeySpec{.key = "type", .type = choice, .doc = "What is there.", .choices = "POSTGRES|KAFKA|S3", .refused = "UNITY_CATALOG|DATABRICKS", .required = true},
    KeySpec{.key = "uri", .type = text, .doc = "Address of the server."},
    KeySpec{.key = "publication", .type = text, .doc = "PostgreSQL publication; by default lakemill_<pipeline>."},
    KeySpec{.key = "slot", .type = text, .doc = "PostgreSQL replication slot; by default lakemill_<pipeline>."},
    KeySpec{.key = "create", .type = boolean, .doc = "Create publication and slot when missing.", .default_text = "true"},
    KeySpec{.key = "brokers", .type = text_list, .doc = "Kafka brokers."},
    KeySpec{.key = "options", .type = any_map, .doc = "Options of the client library."},
    KeySpec{.key = "bucket", .type = text, .doc = "S3: the bucket that is reached so; by default all that have no connection of their own."},
    KeySpec{.key = "endpoint", .type = text, .doc = "S3: URL of the store, for others than Amazon's; by default AWS_ENDPOINT_URL."},
    KeySpec{.key = "region", .type = text, .doc = "S3: region of the bucket; by default AWS_REGION, else us-east-1."},
    KeySpec{.key = "access_key_id", .type = text, .doc = "S3: by default AWS_ACCESS_KEY_ID."},
    KeySpec{.key = "secret_access_key", .type = text, .doc = "S3: write ${secret.NAME}; by default AWS_SECRET_ACCESS_KEY."},
    KeySpec{.key = "session_token", .type = text, .doc = "S3: of temporary credentials; by default AWS_SESSION_TOKEN."},
    KeySpec{.key = "path_style", .type = boolean, .doc = "S3: endpoint/bucket/key rather than bucket.endpoint/key; by default so where an endpoint is given."},
};
constexpr std::array kPostgresConnectionKeys{
    KeySpec{.key = "uri", .type = text, .doc = "postgresql://user:${secret.NAME}@host:port/database.", .required = true},
    KeySpec{.key = "publication", .type = text, .doc = "PostgreSQL publication; by default lakemill_<pipeline>."},
    KeySpec{.key = "slot", .type = text, .doc = "PostgreSQL replication slot; by default lakemill_<pipeline>."},
    KeySpec{.key = "create", .type = boolean, .doc = "Create publication and slot when missing.", .default_text = "true"},
};
constexpr std::array kSecretsKeys{
    KeySpec{.key = "environment", .type = boolean, .doc = "Look into LAKEMILL_SECRET_NAME.", .default_text = "true"},
    KeySpec{.key = "file", .type = path, .doc = "A file of lines NAME=value."},
    KeySpec{.key = "command", .type = text, .doc = "A command that prints the secret whose name it gets."},
};
constexpr std::array kEngineKeys{
    KeySpec{.key = "memory_limit", .type = size, .doc = "Memory that the engine may use; what is larger spills to disk."},
    KeySpec{.key = "threads", .type = integer, .doc = "Threads that the engine may use."},
    KeySpec{.key = "temporary_folder", .type = path, .doc = "Where spilled rows go."},
    KeySpec{.key = "temporary_limit", .type = size, .doc = "Disk space that spilled rows may use."},
    KeySpec{.key = "spark_remote", .type = text, .doc = "Spark Connect server that runs nodes with dataframe_backend: SPARK: sc://host:port/;name=value."},
    KeySpec{.key = "spark_timeout", .type = duration, .doc = "How long one statement may run on Spark.", .default_text = "1h"},
};
constexpr KeySpec kTimezone{.key = "timezone", .type = text,
    .doc = "Time zone of the cron expression: a name of the IANA database.", .default_text = "UTC"};

constexpr std::array kTriggerKeys{
    KeySpec{.key = "cron", .type = cron, .doc = "By the clock: minute, hour, day of month, month, day of week; or @daily."},
    kTimezone,
    KeySpec{.key = "every", .type = duration, .doc = "A period, 1s or more."},
    KeySpec{.key = "continuous", .type = boolean, .doc = "The pipeline runs without end; it has no other trigger then."},
    KeySpec{.key = "on_event", .type = object, .doc = "An event.", .object = "trigger_event"},
    KeySpec{.key = "on_table", .type = text, .doc = "A commit to a table: its name, or the path of its folder."},
    KeySpec{.key = "on_files", .type = path, .doc = "New or changed files: a file, folder or glob."},
    KeySpec{.key = "after", .type = text, .doc = "The success of another pipeline's run."},
    KeySpec{.key = "catchup", .type = choice, .doc = "cron, every: of the instants that were missed, LAST makes up for the newest, ALL for each, SKIP for none.",
            .default_text = "LAST", .choices = "LAST|ALL|SKIP"},
    KeySpec{.key = "priority", .type = integer, .doc = "Of two waiting runs the one with the higher priority goes first; 0 to 1000.", .default_text = "0"},
    KeySpec{.key = "parameters", .type = any_map, .doc = "Values of the pipeline's parameters in the runs that it starts."},
};
constexpr std::array kTriggerEventKeys{
    KeySpec{.key = "type", .type = text_list, .doc = "Types of events.", .required = true},
    KeySpec{.key = "subject", .type = text_list, .doc = "Subjects or globs: table/main.gold.*; by default all."},
    KeySpec{.key = "where", .type = sql, .doc = "SQL condition over the columns of an event."},
};
constexpr std::array kRetriesKeys{
    KeySpec{.key = "max", .type = integer, .doc = "How often it is tried again, 100 times at most.", .default_text = "3"},
    KeySpec{.key = "delay", .type = duration, .doc = "Before the first time.", .default_text = "30s"},
    KeySpec{.key = "backoff", .type = number, .doc = "By what the delay grows each time, 1 to 100.", .default_text = "2"},
    KeySpec{.key = "jitter", .type = number, .doc = "By what share the delay varies, 0 to 1.", .default_text = "0.2"},
    KeySpec{.key = "on_interrupt", .type = choice, .doc = "A run whose process died: RESUME goes on where it was, FAIL ends it.", .default_text = "RESUME", .choices = "RESUME|FAIL"},
};
constexpr std::array kTimeoutKeys{
    KeySpec{.key = "run", .type = duration, .doc = "How long a run may take; not of a continuous pipeline."},
    KeySpec{.key = "node", .type = duration, .doc = "How long a node may take in a run."},
};
constexpr std::array kConcurrencyKeys{
    KeySpec{.key = "max", .type = integer, .doc = "Runs of the pipeline at once, 1 to 100.", .default_text = "1"},
    KeySpec{.key = "overlap", .type = choice, .doc = "What becomes of a run that would be one too many.", .default_text = "QUEUE", .choices = kOverlaps},
};
constexpr std::array kAlertKeys{
    KeySpec{.key = "name", .type = text, .doc = "Name of the alert."},
    KeySpec{.key = "on", .type = choice_list, .doc = "What is told.", .choices = "FAILURE|EXPECTATION|FRESHNESS|LAG|SCHEMA_CHANGE|RECOVERED", .required = true},
    KeySpec{.key = "to", .type = text_or_object_list, .doc = "Who is told: names of subscriptions, or targets written in place; without it the alert is shown and is an event.", .object = "alert_target"},
    KeySpec{.key = "lag", .type = object, .doc = "When LAG is told.", .object = "alert_lag"},
    KeySpec{.key = "match", .type = object, .doc = "Whose troubles it is about; by default everybody's.", .object = "alert_match"},
    KeySpec{.key = "silence", .type = object_list, .doc = "When it is told to nobody.", .object = "silence"},
};
constexpr std::array kAlertTargetKeys{
    KeySpec{.key = "webhook", .type = text, .doc = "URL that the event is sent to, signed with secret."},
    KeySpec{.key = "command", .type = text_list, .doc = "A command line for the shell, or a program with its arguments; gets the event on its standard input."},
    KeySpec{.key = "pipeline", .type = text, .doc = "A pipeline that is started."},
    KeySpec{.key = "kafka", .type = any, .doc = "A Kafka topic.", .support = Support::later},
    KeySpec{.key = "secret", .type = text, .doc = "Key of the webhook's signature: ${secret.NAME}."},
};
constexpr std::array kAlertLagKeys{
    KeySpec{.key = "max", .type = duration, .doc = "How long what has arrived may wait.", .required = true},
};
constexpr std::array kAlertMatchKeys{
    KeySpec{.key = "owner", .type = text_list, .doc = "Owners of nodes."},
    KeySpec{.key = "tag", .type = text_list, .doc = "Tags of nodes or pipelines."},
    KeySpec{.key = "pipeline", .type = text_list, .doc = "Names of pipelines, or globs; for alerts of the project."},
};
constexpr std::array kSilenceKeys{
    KeySpec{.key = "cron", .type = cron, .doc = "When it begins, again and again; with for."},
    kTimezone,
    KeySpec{.key = "for", .type = duration, .doc = "How long it lasts."},
    KeySpec{.key = "from", .type = text, .doc = "The instant at which it begins once: 2026-12-24T18:00:00Z; with until."},
    KeySpec{.key = "until", .type = text, .doc = "The instant at which it ends."},
    KeySpec{.key = "reason", .type = text, .doc = "Why; is shown."},
};
constexpr std::array kSubscriptionKeys{
    KeySpec{.key = "name", .type = text, .doc = "Name of the subscription.", .required = true},
    KeySpec{.key = "filter", .type = object, .doc = "Which events; by default all.", .object = "event_filter"},
    KeySpec{.key = "to", .type = object, .doc = "Who is told.", .object = "target", .required = true},
    KeySpec{.key = "secret", .type = text, .doc = "Key of the webhook's signature: ${secret.NAME}."},
};
constexpr std::array kEventFilterKeys{
    KeySpec{.key = "types", .type = text_list, .doc = "Types of events; by default all."},
    KeySpec{.key = "subjects", .type = text_list, .doc = "Subjects or globs: table/main.gold.*; by default all."},
    KeySpec{.key = "where", .type = sql, .doc = "SQL condition over the columns of an event."},
};
constexpr std::array kTargetKeys{
    KeySpec{.key = "webhook", .type = text, .doc = "URL that the events are sent to, signed with secret."},
    KeySpec{.key = "command", .type = text_list, .doc = "A command line for the shell, or a program with its arguments; gets an event on its standard input."},
    KeySpec{.key = "pipeline", .type = text, .doc = "A pipeline that each event starts."},
    KeySpec{.key = "openlineage", .type = text, .doc = "URL or file that OpenLineage events go to."},
    KeySpec{.key = "kafka", .type = any, .doc = "A Kafka topic.", .support = Support::later},
};
constexpr std::array kOrchestratorKeys{
    KeySpec{.key = "type", .type = text, .doc = "LAKEMILL."},
    kTriggers,
    kRetries,
    kTimeout,
    kConcurrency,
    kAlerts,
    kMaintenance,
};

constexpr KeySpec kOptimize{.key = "optimize", .type = boolean, .doc = "Whether small files are written together.", .default_text = "true"};
constexpr KeySpec kVacuum{.key = "vacuum", .type = boolean, .doc = "Whether files that no kept version needs are removed.", .default_text = "true"};
constexpr KeySpec kRetention{.key = "retention", .type = duration, .doc = "How long vacuum keeps the files of old versions; by default what the table says."};
constexpr KeySpec kLogRetention{.key = "log_retention", .type = duration, .doc = "How long entries of the log are kept; by default what the table says."};
constexpr KeySpec kStateRetention{.key = "state_retention", .type = duration, .doc = "How long merges remember deletes and superseded history; by default what the sink says."};

constexpr std::array kMaintenanceKeys{
    KeySpec{.key = "every", .type = schedule, .doc = "When tables are looked at: a duration or cron expression.", .default_text = "1d"},
    kTimezone,
    kOptimize,
    kVacuum,
    kRetention,
    kLogRetention,
    kStateRetention,
    KeySpec{.key = "layers", .type = object, .doc = "What differs for the tables of a layer.", .object = "maintenance_layers"},
    KeySpec{.key = "tables", .type = object_map, .doc = "What differs for a table: its name, or the path of its folder.", .object = "maintenance_policy"},
};
constexpr std::array kMaintenanceLayersKeys{
    KeySpec{.key = "BRONZE", .type = object, .doc = "Tables of raw rows.", .object = "maintenance_policy"},
    KeySpec{.key = "SILVER", .type = object, .doc = "Tables of clean rows.", .object = "maintenance_policy"},
    KeySpec{.key = "GOLD", .type = object, .doc = "Tables of answers.", .object = "maintenance_policy"},
};
constexpr std::array kMaintenancePolicyKeys{kOptimize, kVacuum, kRetention, kLogRetention, kStateRetention};

constexpr std::array kServerKeys{
    KeySpec{.key = "listen", .type = text, .doc = "Address and port; one that is not loopback needs tls or behind_proxy.", .default_text = "127.0.0.1:8580"},
    KeySpec{.key = "tls", .type = object, .doc = "Certificate and key.", .object = "server_tls"},
    KeySpec{.key = "behind_proxy", .type = text_list, .doc = "Addresses or ranges of proxies that do TLS; only their X-Forwarded-For is believed."},
    KeySpec{.key = "runs_max", .type = integer, .doc = "Runs at once in this process, of all pipelines; 1 to 1000.", .default_text = "8"},
    KeySpec{.key = "continuous_max", .type = integer, .doc = "Continuous pipelines at once in this process; 1 to 1000.", .default_text = "32"},
    KeySpec{.key = "sql", .type = object, .doc = "Limits of SQL from outside.", .object = "server_sql"},
    KeySpec{.key = "webhooks", .type = object, .doc = "Where webhooks may go.", .object = "server_webhooks"},
    KeySpec{.key = "metrics", .type = choice, .doc = "Who may read /metrics: VIEWER needs a login, OPEN none and a loopback address.", .default_text = "VIEWER", .choices = "VIEWER|OPEN"},
    KeySpec{.key = "ingest", .type = object, .doc = "Limits of rows from outside.", .object = "server_ingest"},
};
constexpr std::array kServerTlsKeys{
    KeySpec{.key = "certificate", .type = path, .doc = "PEM file of the certificate and its chain.", .required = true},
    KeySpec{.key = "key", .type = path, .doc = "PEM file of the private key.", .required = true},
};
constexpr std::array kServerSqlKeys{
    KeySpec{.key = "role", .type = choice, .doc = "Who may send SQL.", .default_text = "VIEWER", .choices = "VIEWER|RUNNER|EDITOR|ADMIN"},
    KeySpec{.key = "timeout", .type = duration, .doc = "How long a query may take, 60s at most.", .default_text = "10s"},
    KeySpec{.key = "rows_max", .type = integer, .doc = "Rows of an answer, 10000 at most.", .default_text = "10000"},
    KeySpec{.key = "memory_limit", .type = size, .doc = "Memory that queries from outside may use."},
};
constexpr std::array kServerWebhooksKeys{
    KeySpec{.key = "allow", .type = text_list, .doc = "Inner addresses, ranges and host names that webhooks may reach all the same."},
};
constexpr std::array kServerIngestKeys{
    KeySpec{.key = "max_bytes", .type = size, .doc = "Size of a request.", .default_text = "32MB"},
};

constexpr std::array kObjects{
    ObjectSpec{"trigger", "What starts a run: one of cron, every, continuous, on_event, on_table, on_files and after.", kTriggerKeys},
    ObjectSpec{"trigger_event", "The events that start a run.", kTriggerEventKeys},
    ObjectSpec{"retries", "How often a run is tried again whose failure can pass.", kRetriesKeys},
    ObjectSpec{"timeout", "How long something may take.", kTimeoutKeys},
    ObjectSpec{"concurrency", "How many runs of a pipeline there are at once.", kConcurrencyKeys},
    ObjectSpec{"alert", "What is told to whom.", kAlertKeys},
    ObjectSpec{"alert_target", "Who is told: one of webhook, command and pipeline.", kAlertTargetKeys},
    ObjectSpec{"alert_lag", "How far behind a stream may be.", kAlertLagKeys},
    ObjectSpec{"alert_match", "Whose troubles an alert is about.", kAlertMatchKeys},
    ObjectSpec{"silence", "When an alert is told to nobody: cron and for, or from and until.", kSilenceKeys},
    ObjectSpec{"subscription", "Who is told of which events.", kSubscriptionKeys},
    ObjectSpec{"event_filter", "Which events.", kEventFilterKeys},
    ObjectSpec{"target", "Who is told: one of webhook, command, pipeline and openlineage.", kTargetKeys},
    ObjectSpec{"orchestrator", "When and how a pipeline runs (type LAKEMILL).", kOrchestratorKeys},
    ObjectSpec{"maintenance", "What is done to tables, and when.", kMaintenanceKeys},
    ObjectSpec{"maintenance_layers", "What differs by layer.", kMaintenanceLayersKeys, true},
    ObjectSpec{"maintenance_policy", "What is done to a table.", kMaintenancePolicyKeys},
    ObjectSpec{"server", "Where the server listens, and its limits.", kServerKeys},
    ObjectSpec{"server_tls", "How connections are encrypted.", kServerTlsKeys},
    ObjectSpec{"server_sql", "Limits of SQL from outside.", kServerSqlKeys},
    ObjectSpec{"server_webhooks", "Where webhooks may go.", kServerWebhooksKeys},
    ObjectSpec{"server_ingest", "Limits of rows from outside.", kServerIngestKeys},
    ObjectSpec{"layers", "The layers of a project.", kLayersKeys, true},
    ObjectSpec{"layer", "Where the tables of a layer live.", kLayerKeys},
    ObjectSpec{"environment", "What differs in an environment.", kEnvironmentKeys},
    ObjectSpec{"connection", "A place outside.", kConnectionKeys},
    ObjectSpec{"postgres_connection", "A PostgreSQL database.", kPostgresConnectionKeys},
    ObjectSpec{"secrets", "Where secrets are looked up.", kSecretsKeys},
    ObjectSpec{"engine", "Limits of the engine.", kEngineKeys},
};

// clang-format on

}  // namespace

std::span<const ObjectSpec> operation_objects() { return kObjects; }

}  // namespace lakemill::language
