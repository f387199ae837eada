#include "lakemill/language/keys.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "lakemill/base/check.h"
#include "lakemill/base/text.h"
#include "lakemill/language/keys_shared.h"

namespace lakemill::language {

namespace {

using enum ValueType;

// One line a key, so that it reads as a table.
// clang-format off

constexpr std::string_view kBackends = "POLARS|PYSPARK|DUCKDB|SPARK";
constexpr std::string_view kFormats = "CSV|DELTA|JSON|JSONL|NDJSON|PARQUET|TEXT|BINARYFILE";
constexpr std::string_view kWrittenFormats = "CSV|DELTA|JSON|JSONL|NDJSON|PARQUET";
constexpr std::string_view kLaterFormats = "AVRO|IPC|EXCEL|ORC|XML";
constexpr std::string_view kTableKinds = "UNITY_CATALOG|HIVE_METASTORE|TABLE";

constexpr KeySpec kBackend{.key = "dataframe_backend", .type = choice,
    .doc = "Which engine runs the nodes; SPARK and PYSPARK need a Spark remote, else the embedded engine is used.",
    .choices = kBackends};
constexpr KeySpec kApi{.key = "dataframe_api", .type = choice,
    .doc = "Which names the method expressions use.", .default_text = "NARWHALS", .choices = "NARWHALS|NATIVE"};
constexpr KeySpec kRootPath{.key = "root_path", .type = path,
    .doc = "Where the state is kept; by default under the project's root."};

constexpr std::array kProjectKeys{
    KeySpec{.key = "name", .type = text, .doc = "Name of the project."},
    KeySpec{.key = "root", .type = path, .doc = "Where tables and state live: a folder.", .default_text = "."},
    KeySpec{.key = "catalog", .type = text, .doc = "The default catalog.", .default_text = "main"},
    KeySpec{.key = "layers", .type = object, .doc = "Root, schema and retention of each layer.", .object = "layers"},
    KeySpec{.key = "roots", .type = text_list, .doc = "Further folders that may be read."},
    KeySpec{.key = "pipelines", .type = text_list, .doc = "Pipeline files, or globs that match them."},
    KeySpec{.key = "environments", .type = object_map, .doc = "What differs by environment; chosen with --env.", .object = "environment"},
    KeySpec{.key = "connections", .type = object_map, .doc = "Named places outside.", .object = "connection"},
    KeySpec{.key = "secrets", .type = object, .doc = "Where ${secret.NAME} is looked up.", .object = "secrets"},
    kEngine,
    kVariables,
    KeySpec{.key = "server", .type = object, .doc = "Settings of the server.", .object = "server"},
    KeySpec{.key = "subscriptions", .type = object_list, .doc = "Who is told of which events.", .object = "subscription"},
    KeySpec{.key = "alerts", .type = object_list, .doc = "What is told to whom when something is wrong in any pipeline.", .object = "alert"},
    KeySpec{.key = "maintenance", .type = object, .doc = "Policy for compaction, vacuum, log and state retention of all pipelines' tables.", .object = "maintenance"},
};
constexpr std::array kPipelineKeys{
    KeySpec{.key = "name", .type = text, .doc = "Name of the pipeline.", .required = true},
    KeySpec{.key = "nodes", .type = object_list, .doc = "Its nodes.", .object = "node"},
    kBackend,
    kApi,
    kRootPath,
    KeySpec{.key = "dependencies", .type = any_list, .doc = "Python packages for custom functions.", .support = Support::ignored},
    KeySpec{.key = "imports", .type = any_list, .doc = "Python modules for custom functions.", .support = Support::ignored},
    KeySpec{.key = "orchestrator", .type = any_map, .doc = "When the pipeline runs; kinds of other products are ignored with a notice."},
    kVariables,
    KeySpec{.key = "parameters", .type = object_map, .doc = "Values given per run with --param.", .object = "parameter"},
    kEngine,
    kTriggers,
    kRetries,
    kTimeout,
    kConcurrency,
    kAlerts,
    kMaintenance,
    KeySpec{.key = "tests", .type = object_list, .doc = "Tests of nodes over given rows.", .object = "test", .ours = true},
    KeySpec{.key = "tags", .type = text_list, .doc = "Words to find the pipeline by."},
    KeySpec{.key = "comment", .type = text, .doc = "Documentation."},
    KeySpec{.key = "description", .type = text, .doc = "Documentation.", .ours = true},
};
constexpr std::array kParameterKeys{
    KeySpec{.key = "default", .type = any, .doc = "Value of a run that gives none; also tells the type."},
    KeySpec{.key = "description", .type = text, .doc = "Documentation."},
};
constexpr std::array kNodeKeys{
    KeySpec{.key = "name", .type = text, .doc = "Name of the node.", .required = true},
    KeySpec{.key = "sources", .type = object_list, .doc = "What it reads; the first is {df}.", .object = "source"},
    KeySpec{.key = "source", .type = object, .doc = "What it reads, if it is one thing.", .object = "source"},
    KeySpec{.key = "transformer", .type = object, .doc = "What it does with the rows.", .object = "transformer"},
    KeySpec{.key = "expectations", .type = object_list, .doc = "What must hold of the rows.", .object = "expectation"},
    KeySpec{.key = "sinks", .type = object_list, .doc = "Where the rows go; downstream nodes read the first that is not a quarantine sink.", .object = "sink"},
    KeySpec{.key = "sink", .type = object, .doc = "Where the rows go, if it is one place.", .object = "sink"},
    KeySpec{.key = "primary_keys", .type = text_list, .doc = "Default keys of merge sinks."},
    KeySpec{.key = "depends_on", .type = text_list, .doc = "Nodes that must run before, without data from them."},
    KeySpec{.key = "tags", .type = text_list, .doc = "Words to select the node by."},
    KeySpec{.key = "comment", .type = text, .doc = "Documentation."},
    KeySpec{.key = "time_column", .type = text, .doc = "The column that tells when a row happened."},
    KeySpec{.key = "execution_task_name", .type = text, .doc = "Groups nodes; a group never runs before what any member needs."},
    kBackend,
    kApi,
    kVariables,
    kRootPath,
    KeySpec{.key = "expectations_checkpoint_path", .type = path, .doc = "Accepted; the state is kept under the project's root."},
    KeySpec{.key = "layer", .type = choice, .doc = "BRONZE adds the metadata columns; all show in lineage.", .choices = "BRONZE|SILVER|GOLD", .ours = true},
    KeySpec{.key = "refresh", .type = choice, .doc = "Forces a strategy; AUTO decides.", .default_text = "AUTO", .choices = "AUTO|APPEND|MERGE|REPLACE", .refused = "INCREMENTAL", .ours = true},
    KeySpec{.key = "strict", .type = boolean, .doc = "The plan fails rather than recompute everything.", .default_text = "false", .ours = true},
    KeySpec{.key = "every", .type = schedule, .doc = "The node waits for its time inside a continuous pipeline: a duration or cron expression.", .ours = true},
    KeySpec{.key = "freshness", .type = object, .doc = "How old the table may be before an alert.", .object = "freshness", .ours = true},
    KeySpec{.key = "owner", .type = text, .doc = "Who answers for the table.", .ours = true},
    KeySpec{.key = "description", .type = text, .doc = "Documentation.", .ours = true},
    KeySpec{.key = "columns", .type = columns, .doc = "Contract of each column: type, nullability, comment, tests.", .object = "column_contract", .ours = true},
};
constexpr std::array kTransformerKeys{
    KeySpec{.key = "nodes", .type = object_list, .doc = "The steps, in order.", .object = "step"},
    kBackend,
    kApi,
    kVariables,
};
constexpr std::array kStepKeys{
    KeySpec{.key = "expr", .type = sql, .doc = "One SQL statement; {df} is what flows, {sources.x} a named source, {nodes.x} an upstream node."},
    KeySpec{.key = "func_name", .type = text, .doc = "A dataframe method."},
    KeySpec{.key = "func_args", .type = any_list, .doc = "Its arguments."},
    KeySpec{.key = "func_kwargs", .type = any_map, .doc = "Its named arguments."},
    kBackend,
    kApi,
    kVariables,
};
constexpr std::array kSourceKeys{
    KeySpec{.key = "type", .type = choice, .doc = "Kind of the source; by default told by its keys.",
            .choices = "FILE|UNITY_CATALOG|HIVE_METASTORE|TABLE|PIPELINE_NODE|DATAFRAME|POSTGRES", .refused = "CUSTOM|KAFKA|EVENTS|DELTA_SHARING"},
    KeySpec{.key = "name", .type = text, .doc = "Its name in {sources.name}."},
    KeySpec{.key = "as_stream", .type = boolean, .doc = "True: only what is new; false: read as a whole.", .default_text = "false"},
    KeySpec{.key = "filter", .type = sql, .doc = "SQL condition of the rows that are read."},
    KeySpec{.key = "selects", .type = selection, .doc = "Columns that are read, or column: alias."},
    KeySpec{.key = "renames", .type = text_map, .doc = "New names of columns."},
    KeySpec{.key = "drops", .type = text_list, .doc = "Columns that are left out."},
    KeySpec{.key = "drop_duplicates", .type = flag_or_list, .doc = "Equal rows once: true, or the columns that make rows equal."},
    KeySpec{.key = "path", .type = path, .doc = "File, folder or glob.", .kinds = "FILE"},
    KeySpec{.key = "format", .type = choice, .doc = "Format of the files.", .choices = kFormats, .refused = kLaterFormats, .kinds = "FILE"},
    KeySpec{.key = "has_header", .type = boolean, .doc = "CSV: the first line names the columns.", .default_text = "true", .kinds = "FILE"},
    KeySpec{.key = "infer_schema", .type = boolean, .doc = "CSV: guess types; false: columns are strings.", .default_text = "false", .kinds = "FILE"},
    KeySpec{.key = "schema", .type = columns, .doc = "Columns and their types.", .object = "column", .kinds = "FILE"},
    KeySpec{.key = "schema_location", .type = path, .doc = "Where a found schema is kept.", .kinds = "FILE"},
    KeySpec{.key = "reader_kwargs", .type = any_map, .doc = "Options of the reader; of Delta tables versionAsOf, timestampAsOf, readChangeFeed, maxFilesPerTrigger and maxBytesPerTrigger.", .kinds = "FILE|UNITY_CATALOG|HIVE_METASTORE|TABLE"},
    KeySpec{.key = "reader_methods", .type = object_list, .doc = "Methods called on the reader.", .object = "method", .kinds = "FILE|UNITY_CATALOG|HIVE_METASTORE|TABLE"},
    KeySpec{.key = "catalog_name", .type = text, .doc = "Catalog of the table.", .kinds = kTableKinds},
    KeySpec{.key = "schema_name", .type = text, .doc = "Schema of the table.", .kinds = kTableKinds},
    KeySpec{.key = "table_name", .type = text, .doc = "Name of the table; dots split catalog, schema and name.", .kinds = kTableKinds},
    KeySpec{.key = "version", .type = integer, .doc = "Version of the table to read.", .kinds = "FILE|UNITY_CATALOG|HIVE_METASTORE|TABLE", .ours = true},
    KeySpec{.key = "timestamp", .type = text, .doc = "Instant whose version of the table is read.", .kinds = "FILE|UNITY_CATALOG|HIVE_METASTORE|TABLE", .ours = true},
    KeySpec{.key = "node_name", .type = text, .doc = "The upstream node.", .kinds = "PIPELINE_NODE"},
    KeySpec{.key = "data", .type = any, .doc = "Rows written in place: columns or records.", .kinds = "DATAFRAME"},
    KeySpec{.key = "connection", .type = text_or_object, .doc = "Name of a connection of the project, or one written in place.", .object = "postgres_connection", .kinds = "POSTGRES", .ours = true},
    KeySpec{.key = "table", .type = text, .doc = "The PostgreSQL table: schema.table, or one of schema public.", .kinds = "POSTGRES", .ours = true},
    KeySpec{.key = "snapshot", .type = choice, .doc = "INITIAL: the rows that are there, then the changes; NEVER: the changes from now on; ONLY: the rows that are there, once.", .default_text = "INITIAL", .choices = "INITIAL|NEVER|ONLY", .kinds = "POSTGRES", .ours = true},
    KeySpec{.key = "snapshot_parallelism", .type = integer, .doc = "Connections that read the rows that are there.", .default_text = "2", .kinds = "POSTGRES", .ours = true},
    KeySpec{.key = "max_rows", .type = integer, .doc = "Rows per batch at most.", .ours = true},
    KeySpec{.key = "max_bytes", .type = size, .doc = "Bytes per batch at most.", .ours = true},
    KeySpec{.key = "max_files", .type = integer, .doc = "Files per batch at most.", .ours = true},
    KeySpec{.key = "max_delay", .type = duration, .doc = "How long a batch may wait to be filled; max_rows, max_files and max_bytes bound it.", .ours = true, .support = Support::later},
    KeySpec{.key = "start", .type = any, .doc = "Where an incremental source begins; it is read from its beginning.", .ours = true, .support = Support::later},
    KeySpec{.key = "read_changes", .type = boolean, .doc = "Read the change feed of a Delta table.", .default_text = "false", .ours = true},
    KeySpec{.key = "on_change", .type = choice, .doc = "What becomes of a file that changed after it was read.", .default_text = "IGNORE", .choices = "IGNORE|READ", .kinds = "FILE", .ours = true},
    KeySpec{.key = "on_error", .type = choice, .doc = "What becomes of a record that cannot be read.", .default_text = "FAIL", .choices = "FAIL|DEAD_LETTER", .ours = true},
    KeySpec{.key = "watermark", .type = any_map, .doc = "How late rows may come.", .ours = true, .support = Support::later},
    KeySpec{.key = "custom_reader", .type = any, .doc = "A Python function.", .support = Support::later},
    kBackend,
    kApi,
    kVariables,
};
constexpr std::array kMethodKeys{
    KeySpec{.key = "name", .type = text, .doc = "Name of the method.", .required = true},
    KeySpec{.key = "args", .type = any_list, .doc = "Its arguments."},
    KeySpec{.key = "kwargs", .type = any_map, .doc = "Its named arguments."},
};
constexpr std::array kColumnKeys{
    KeySpec{.key = "name", .type = text, .doc = "Name of the column."},
    KeySpec{.key = "type", .type = text, .doc = "Its type."},
    KeySpec{.key = "dtype", .type = text, .doc = "The same as type."},
    KeySpec{.key = "nullable", .type = boolean, .doc = "Whether it may be null.", .default_text = "true"},
    KeySpec{.key = "comment", .type = text, .doc = "Documentation."},
};
constexpr std::array kContractKeys{
    KeySpec{.key = "name", .type = text, .doc = "Name of the column."},
    KeySpec{.key = "type", .type = text, .doc = "Its type."},
    KeySpec{.key = "nullable", .type = boolean, .doc = "Whether it may be null.", .default_text = "true"},
    KeySpec{.key = "comment", .type = text, .doc = "Documentation."},
    KeySpec{.key = "tests", .type = text_list, .doc = "UNIQUE, NOT_NULL, or SQL conditions that every row must meet; a failing one fails the run."},
};
constexpr std::array kExpectationKeys{
    KeySpec{.key = "name", .type = text, .doc = "Name of the expectation.", .required = true},
    KeySpec{.key = "type", .type = choice, .doc = "What is looked at.", .default_text = "ROW", .choices = "ROW|AGGREGATE|UNIQUE|REFERENCE|FRESHNESS|SCHEMA"},
    KeySpec{.key = "expr", .type = text_or_object, .doc = "SQL or a dataframe expression; {expr, type} says which.", .object = "expression", .kinds = "ROW|AGGREGATE"},
    KeySpec{.key = "action", .type = choice, .doc = "What becomes of failing rows, or of the run.", .default_text = "WARN", .choices = "WARN|FAIL|DROP|QUARANTINE"},
    KeySpec{.key = "tolerance", .type = object, .doc = "How much may fail before the status says so.", .object = "tolerance"},
    KeySpec{.key = "columns", .type = columns, .doc = "Columns that are unique, that refer, or that must be there.", .object = "column", .kinds = "UNIQUE|REFERENCE|SCHEMA", .ours = true},
    KeySpec{.key = "to", .type = object, .doc = "Where the referred rows are.", .object = "reference", .kinds = "REFERENCE", .ours = true},
    KeySpec{.key = "column", .type = text, .doc = "The column that tells the age.", .kinds = "FRESHNESS", .ours = true},
    KeySpec{.key = "max_age", .type = duration, .doc = "How old the newest row may be.", .kinds = "FRESHNESS", .ours = true},
    KeySpec{.key = "comment", .type = text, .doc = "Documentation."},
    kVariables,
};
constexpr std::array kExpressionKeys{
    KeySpec{.key = "expr", .type = sql, .doc = "The text.", .required = true},
    KeySpec{.key = "type", .type = choice, .doc = "Its language.", .choices = "SQL|DF"},
};
constexpr std::array kToleranceKeys{
    KeySpec{.key = "abs", .type = integer, .doc = "Rows that may fail."},
    KeySpec{.key = "rel", .type = number, .doc = "Share of the rows that may fail, from 0 to 1."},
};
constexpr std::array kReferenceKeys{
    KeySpec{.key = "node", .type = text, .doc = "A node of this pipeline."},
    KeySpec{.key = "table", .type = text, .doc = "A table."},
    KeySpec{.key = "columns", .type = text_list, .doc = "Its columns; by default of the same names."},
};
constexpr std::array kFreshnessKeys{
    KeySpec{.key = "max_age", .type = duration, .doc = "How old the table may be.", .required = true},
    KeySpec{.key = "column", .type = text, .doc = "The column that tells the age; by default the last commit does."},
};
constexpr std::array kSinkKeys{
    KeySpec{.key = "type", .type = choice, .doc = "Kind of the sink; by default told by its keys.",
            .choices = "FILE|UNITY_CATALOG|HIVE_METASTORE|TABLE|PIPELINE_VIEW", .refused = "CUSTOM|KAFKA"},
    KeySpec{.key = "mode", .type = choice, .doc = "How rows are written; by default what the node's strategy says.",
            .choices = "OVERWRITE|APPEND|IGNORE|ERROR|ERRORIFEXISTS|COMPLETE|UPDATE|MERGE"},
    KeySpec{.key = "merge_cdc_options", .type = object, .doc = "How changes become rows.", .object = "merge_cdc_options"},
    KeySpec{.key = "is_quarantine", .type = boolean, .doc = "Takes the rows that QUARANTINE expectations refuse.", .default_text = "false"},
    KeySpec{.key = "checkpoint_path", .type = path, .doc = "Accepted; the state is kept under the project's root."},
    KeySpec{.key = "schema", .type = columns, .doc = "Columns and their types.", .object = "column"},
    KeySpec{.key = "writer_kwargs", .type = any_map, .doc = "Options of the writer; of Delta tables mergeSchema, overwriteSchema, schema_mode and delta.* properties."},
    KeySpec{.key = "writer_methods", .type = object_list, .doc = "Methods called on the writer.", .object = "method"},
    KeySpec{.key = "custom_writer", .type = any, .doc = "A Python function.", .support = Support::later},
    KeySpec{.key = "reset_mode", .type = choice, .doc = "What a full refresh makes of a Delta table. DROP: all is as declared now; TRUNCATE: properties and partitioning that are not declared stay.", .default_text = "DROP", .choices = "DROP|TRUNCATE"},
    KeySpec{.key = "shared", .type = boolean, .doc = "Other flows may write here too.", .default_text = "false"},
    KeySpec{.key = "partition_by", .type = text_list, .doc = "Partition columns.", .ours = true},
    KeySpec{.key = "cluster_by", .type = text_list, .doc = "Columns by which rows are clustered (four at most, not with partition_by); [] for none.", .ours = true},
    KeySpec{.key = "properties", .type = text_map, .doc = "Delta table properties.", .ours = true},
    KeySpec{.key = "schema_evolution", .type = choice, .doc = "What becomes of rows whose columns differ; RESCUE is the default of BRONZE.",
            .default_text = "EVOLVE", .choices = "EVOLVE|STRICT|RESCUE", .ours = true},
    KeySpec{.key = "path", .type = path, .doc = "File or folder.", .kinds = "FILE"},
    KeySpec{.key = "format", .type = choice, .doc = "Format of what is written.", .choices = kWrittenFormats, .refused = kLaterFormats, .kinds = "FILE"},
    KeySpec{.key = "catalog_name", .type = text, .doc = "Catalog of the table.", .kinds = kTableKinds},
    KeySpec{.key = "schema_name", .type = text, .doc = "Schema of the table.", .kinds = kTableKinds},
    KeySpec{.key = "table_name", .type = text, .doc = "Name of the table; dots split catalog, schema and name.", .kinds = kTableKinds},
    KeySpec{.key = "table_type", .type = choice, .doc = "A table, or a view on the node's query.", .default_text = "TABLE", .choices = "TABLE|VIEW", .kinds = kTableKinds},
    KeySpec{.key = "metadata", .type = object, .doc = "Documentation of the table.", .object = "table_metadata", .kinds = kTableKinds},
    KeySpec{.key = "pipeline_view_name", .type = text, .doc = "Name of the view within the pipeline.", .kinds = "PIPELINE_VIEW"},
    kBackend,
    kApi,
    kVariables,
};
constexpr std::array kMergeKeys{
    KeySpec{.key = "primary_keys", .type = text_list, .doc = "Match keys; by default the node's."},
    KeySpec{.key = "scd_type", .type = integer, .doc = "1 keeps the last state, 2 keeps history and needs order_by.", .default_text = "1"},
    KeySpec{.key = "order_by", .type = text_list, .doc = "The sequence of the changes; the highest wins."},
    KeySpec{.key = "delete_where", .type = sql, .doc = "True: the change is a delete."},
    KeySpec{.key = "include_columns", .type = text_list, .doc = "What the target holds besides the keys."},
    KeySpec{.key = "exclude_columns", .type = text_list, .doc = "What the target does not hold."},
    KeySpec{.key = "ignore_null_updates", .type = boolean, .doc = "A null keeps the old value.", .default_text = "false"},
    KeySpec{.key = "null_equals_null", .type = boolean, .doc = "Null keys match.", .default_text = "false"},
    KeySpec{.key = "start_at_column_name", .type = text, .doc = "SCD 2: where a row begins to hold.", .default_text = "__start_at"},
    KeySpec{.key = "end_at_column_name", .type = text, .doc = "SCD 2: where it ends; null is the current row.", .default_text = "__end_at"},
    KeySpec{.key = "truncate_where", .type = sql, .doc = "SCD 1: the change empties the table.", .ours = true},
    KeySpec{.key = "track_history_columns", .type = text_list, .doc = "SCD 2: columns that open a new row.", .ours = true},
    KeySpec{.key = "track_history_except_columns", .type = text_list, .doc = "SCD 2: columns that open none.", .ours = true},
    KeySpec{.key = "delete_mode", .type = choice, .doc = "SOFT keeps deleted rows with a flag.", .default_text = "HARD", .choices = "HARD|SOFT", .ours = true},
    KeySpec{.key = "state_retention", .type = duration, .doc = "How long deletes and superseded history are remembered.", .default_text = "30d", .ours = true},
    kVariables,
};
constexpr std::array kMetadataKeys{
    KeySpec{.key = "comment", .type = text, .doc = "Comment of the table."},
    KeySpec{.key = "owner", .type = text, .doc = "Who answers for it."},
    KeySpec{.key = "properties", .type = text_map, .doc = "Delta table properties."},
    KeySpec{.key = "tags", .type = any, .doc = "Tags of the table: names to values."},
    KeySpec{.key = "columns", .type = columns, .doc = "Comments of the columns.", .object = "column"},
    kVariables,
};
constexpr std::array kTestKeys{
    KeySpec{.key = "name", .type = text, .doc = "Name of the test.", .required = true},
    KeySpec{.key = "node", .type = text, .doc = "The node that is tested.", .required = true},
    KeySpec{.key = "given", .type = any_map, .doc = "Rows or a file for each node or source that it reads."},
    KeySpec{.key = "variables", .type = text_map, .doc = "Variables of the test."},
    KeySpec{.key = "now", .type = text, .doc = "The batch instant."},
    KeySpec{.key = "expect", .type = any, .doc = "The rows that must come out, or a file."},
    KeySpec{.key = "expect_quarantine", .type = any, .doc = "The rows that must be quarantined, or a file."},
    KeySpec{.key = "expect_error", .type = text, .doc = "Part of the error that must come."},
};
constexpr std::array kObjects{
    ObjectSpec{"project", "The file lakemill.yaml.", kProjectKeys},
    ObjectSpec{"pipeline", "A pipeline file.", kPipelineKeys},
    ObjectSpec{"parameter", "A value given per run.", kParameterKeys},
    ObjectSpec{"node", "One table or view of a pipeline.", kNodeKeys},
    ObjectSpec{"source", "What a node reads.", kSourceKeys},
    ObjectSpec{"method", "A method of a reader or writer.", kMethodKeys},
    ObjectSpec{"column", "A column of a schema.", kColumnKeys},
    ObjectSpec{"column_contract", "What a node promises of a column.", kContractKeys},
    ObjectSpec{"transformer", "The steps of a node.", kTransformerKeys},
    ObjectSpec{"step", "SQL, or a dataframe method.", kStepKeys},
    ObjectSpec{"expectation", "What must hold of the rows.", kExpectationKeys},
    ObjectSpec{"expression", "A text and its language.", kExpressionKeys},
    ObjectSpec{"tolerance", "How much may fail: abs or rel.", kToleranceKeys},
    ObjectSpec{"reference", "What a REFERENCE expectation refers to: node or table.", kReferenceKeys},
    ObjectSpec{"freshness", "How old a table may be.", kFreshnessKeys},
    ObjectSpec{"sink", "Where the rows of a node go.", kSinkKeys},
    ObjectSpec{"merge_cdc_options", "How changes become rows.", kMergeKeys},
    ObjectSpec{"table_metadata", "Documentation of a table.", kMetadataKeys},
    ObjectSpec{"test", "A test of a node.", kTestKeys},
};

// clang-format on

}  // namespace

std::span<const ObjectSpec> language_objects() {
  static const std::vector<ObjectSpec> all = [] {
    std::vector<ObjectSpec> objects(kObjects.begin(), kObjects.end());
    std::ranges::copy(operation_objects(), std::back_inserter(objects));
    return objects;
  }();
  return all;
}

const ObjectSpec& object_spec(std::string_view name) {
  const std::span<const ObjectSpec> objects = language_objects();
  const auto found =
      std::find_if(objects.begin(), objects.end(),
                   [&](const ObjectSpec& object) { return object.name == name; });
  LAKEMILL_CHECK(found != objects.end());
  return *found;
}

const KeySpec* find_key(const ObjectSpec& object, std::string_view key) {
  for (const KeySpec& spec : object.keys) {
    if (spec.key == key ||
        (object.ignores_case && equals_ignoring_case(spec.key, key))) {
      return &spec;
    }
  }
  return nullptr;
}

std::vector<std::string> choices_of(std::string_view text) {
  if (text.empty()) return {};
  return split(text, '|');
}

std::optional<std::string> find_choice(std::string_view choices,
                                       std::string_view text) {
  for (std::string& choice : choices_of(choices)) {
    if (equals_ignoring_case(choice, text)) return std::move(choice);
  }
  return std::nullopt;
}

}  // namespace lakemill::language
