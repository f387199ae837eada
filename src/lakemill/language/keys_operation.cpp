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
constexpr std::array kTriggerKeys{
    KeySpec{.key = "cron", .type = schedule, .doc = "A cron expression."},
    KeySpec{.key = "timezone", .type = text, .doc = "Its time zone.", .default_text = "UTC"},
    KeySpec{.key = "every", .type = duration, .doc = "A period."},
    KeySpec{.key = "continuous", .type = boolean, .doc = "The pipeline never stops."},
    KeySpec{.key = "on_event", .type = any_map, .doc = "An event: type, subject."},
    KeySpec{.key = "on_table", .type = text, .doc = "A commit to a table."},
    KeySpec{.key = "on_files", .type = path, .doc = "New files."},
    KeySpec{.key = "after", .type = text, .doc = "The end of another pipeline's run."},
};
constexpr std::array kRetriesKeys{
    KeySpec{.key = "max", .type = integer, .doc = "How often it is tried again."},
    KeySpec{.key = "delay", .type = duration, .doc = "Before the first time."},
    KeySpec{.key = "backoff", .type = number, .doc = "By what the delay grows."},
    KeySpec{.key = "jitter", .type = any, .doc = "How much the delay varies."},
};
constexpr std::array kAlertKeys{
    KeySpec{.key = "on", .type = text_list, .doc = "failure, expectation, freshness, lag, schema_change, recovered."},
    KeySpec{.key = "to", .type = any, .doc = "Who is told."},
    KeySpec{.key = "name", .type = text, .doc = "Name of the alert."},
};
constexpr std::array kSubscriptionKeys{
    KeySpec{.key = "name", .type = text, .doc = "Name of the subscription.", .required = true},
    KeySpec{.key = "filter", .type = any_map, .doc = "Which events: types, subjects, where."},
    KeySpec{.key = "to", .type = any_map, .doc = "webhook, kafka, command or pipeline."},
    KeySpec{.key = "secret", .type = text, .doc = "Signs what is sent."},
};
constexpr std::array kOrchestratorKeys{
    KeySpec{.key = "type", .type = text, .doc = "LAKEMILL."},
    KeySpec{.key = "triggers", .type = object_list, .doc = "What starts a run.", .object = "trigger"},
    KeySpec{.key = "retries", .type = object, .doc = "How often a run is tried again.", .object = "retries"},
    KeySpec{.key = "timeout", .type = any, .doc = "How long a run or a node may take."},
    KeySpec{.key = "concurrency", .type = any, .doc = "What becomes of a run that would overlap."},
    KeySpec{.key = "alerts", .type = object_list, .doc = "What is told to whom.", .object = "alert"},
    KeySpec{.key = "maintenance", .type = any_map, .doc = "Policy for compaction, vacuum, log and state retention."},
};

constexpr std::array kObjects{
    ObjectSpec{"trigger", "What starts a run.", kTriggerKeys},
    ObjectSpec{"retries", "How often a run is tried again.", kRetriesKeys},
    ObjectSpec{"alert", "What is told to whom.", kAlertKeys},
    ObjectSpec{"subscription", "Who is told of which events.", kSubscriptionKeys},
    ObjectSpec{"orchestrator", "When and how a pipeline runs (type LAKEMILL).", kOrchestratorKeys},
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
