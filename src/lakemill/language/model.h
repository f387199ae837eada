#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "lakemill/language/layer.h"
#include "lakemill/language/location.h"
#include "lakemill/language/orchestration.h"
#include "lakemill/language/source_text.h"
#include "lakemill/language/tree.h"

// The pipeline language as plain structs: what the loader makes of the files once
// includes, variables and parameters are resolved. Source: language.md. Text may still
// hold `${secret.NAME}`: call resolve_secrets() (variables.h) at the moment of use, and
// never print what it gives.

namespace lakemill::language {

enum class Backend : std::uint8_t { unset, polars, duckdb, pyspark, spark };
enum class DataframeApi : std::uint8_t { narwhals, native };
enum class Refresh : std::uint8_t { automatic, append, merge, replace, incremental };
enum class FileFormat : std::uint8_t {
  csv,
  delta,
  json,
  jsonl,
  parquet,
  text,
  binaryfile
};

/// A column of the node's output that an option names.
struct NamedColumn {
  std::string option;  ///< "order_by"
  Name column;
};

/// A dataframe method: `func_name`, `func_args`, `func_kwargs`.
struct MethodCall {
  std::string name;  ///< "join", "laktory.groupby_and_agg", …
  std::vector<Tree> arguments;
  std::vector<NamedArgument> named_arguments;
  DataframeApi api = DataframeApi::narwhals;  ///< inherited from node and pipeline
  Location location;                          ///< of the name
};

/// One step of a transformer.
struct Step {
  std::variant<SourceText, MethodCall> what;
  Location location;

  bool is_sql() const { return std::holds_alternative<SourceText>(what); }
  const SourceText& sql() const { return std::get<SourceText>(what); }
  const MethodCall& method() const { return std::get<MethodCall>(what); }
};

// ---------------------------------------------------------------------------- columns

/// A column of a declared schema (`schema` of a file source or a sink).
struct ColumnSpec {
  std::string name;
  std::string type;  ///< as written: "bigint", "nw.Int64", "decimal(10,2)"
  bool nullable = true;
  std::string comment;
  Location location;
};

/// `selects`: a column, and the name it gets (the same where none was given).
struct ColumnSelection {
  std::string column;
  std::string alias;
};

// ---------------------------------------------------------------------------- sources

enum class SourceKind : std::uint8_t {
  file,
  table,
  pipeline_node,
  dataframe,
  postgres
};
enum class SnapshotMode : std::uint8_t { initial, never, only };
enum class OnChange : std::uint8_t { ignore, read };
enum class OnError : std::uint8_t { fail, dead_letter };

/// What a batch of an incremental source holds at most.
struct BatchLimits {
  std::optional<std::int64_t> max_rows;
  std::optional<std::int64_t> max_bytes;
  std::optional<std::int64_t> max_files;
};

/// Where a POSTGRES source reads: the name of a connection of the project, or one
/// written in place (then `uri` is set).
struct PostgresPlace {
  std::string connection;
  std::string uri;
  std::string publication;
  std::string slot;
  bool create = true;
  Location location;
};

struct Source {
  SourceKind kind = SourceKind::file;
  Location location;
  std::string name;  ///< `{sources.name}`; may be empty
  /// As written; nothing: false, except that file and change sources of a BRONZE node
  /// are incremental.
  std::optional<bool> as_stream;

  // Applied in this order.
  SourceText filter;
  std::vector<ColumnSelection> selects;
  std::vector<ColumnSelection> renames;  ///< column → alias
  std::vector<std::string> drops;
  bool drop_duplicates = false;
  std::vector<std::string> drop_duplicates_columns;  ///< empty: all columns

  // FILE
  std::string path;
  FileFormat format = FileFormat::delta;
  bool has_header = true;
  bool infer_schema = false;
  std::vector<ColumnSpec> schema;
  std::string schema_location;
  std::vector<NamedArgument> reader_options;  ///< reader_kwargs
  std::vector<MethodCall> reader_methods;     ///< `.option("delimiter", ";")` …

  // TABLE
  TableName table;
  std::optional<std::int64_t> version;
  std::string timestamp;

  // PIPELINE_NODE
  std::string node_name;
  Location node_name_location;

  /// FILE and TABLE: the other nodes of the pipeline whose sinks write what is read,
  /// and whether it is the quarantine of one of them.
  std::vector<std::string> written_by;
  bool reads_quarantine = false;
  /// It reads the place of a sink of its own node, or a folder or pattern that takes in
  /// what that sink writes.
  bool reads_own_sink = false;

  // POSTGRES; `table` has schema and table
  PostgresPlace postgres;
  SnapshotMode snapshot = SnapshotMode::initial;
  std::int64_t snapshot_parallelism = 2;

  // DATAFRAME: a list of records, or a mapping of columns to lists
  Tree data;

  // incremental
  BatchLimits limits;
  bool read_changes = false;
  OnChange on_change = OnChange::ignore;
  OnError on_error = OnError::fail;
};

// ---------------------------------------------------------------------- expectations

enum class ExpectationType : std::uint8_t {
  row,
  aggregate,
  unique,
  reference,
  freshness,
  schema
};
enum class ExpectationAction : std::uint8_t { warn, drop, quarantine, fail };

/// How many rows may fail before the status says so; at most one is set.
struct Tolerance {
  std::optional<std::int64_t> rows;  ///< `abs`
  std::optional<double> share;       ///< `rel`, 0 to 1
};

/// What language an expectation's `expr` is in: told by its `type`, else by its text.
enum class ExpressionLanguage : std::uint8_t { detect, sql, dataframe };

struct Expectation {
  std::string name;
  Location location;
  ExpectationType type = ExpectationType::row;
  ExpectationAction action = ExpectationAction::warn;
  SourceText expression;  ///< ROW and AGGREGATE
  ExpressionLanguage expression_language = ExpressionLanguage::detect;
  Tolerance tolerance;
  std::vector<std::string> columns;        ///< UNIQUE, REFERENCE
  std::vector<NamedColumn> named_columns;  ///< `columns` or `column`, with their places
  // REFERENCE: exactly one of to_node and to_table is set
  std::string to_node;
  TableName to_table;
  std::vector<Name> to_columns;  ///< as many as `columns`, with their places
  // FRESHNESS
  std::string freshness_column;
  std::chrono::microseconds max_age{0};
  std::vector<ColumnSpec> schema_columns;  ///< SCHEMA
};

// ------------------------------------------------------------------------------ sinks

enum class SinkKind : std::uint8_t { file, table, pipeline_view };
enum class SinkMode : std::uint8_t {
  unset,  ///< what the node's strategy says
  overwrite,
  append,
  ignore,
  error,  ///< also ERRORIFEXISTS
  complete,
  update,
  merge
};
enum class SchemaEvolution : std::uint8_t { unset, evolve, strict, rescue };
enum class ResetMode : std::uint8_t { drop, truncate };
enum class TableType : std::uint8_t { table, view };
enum class DeleteMode : std::uint8_t { hard, soft };

struct MergeCdcOptions {
  Location location;
  std::vector<std::string> primary_keys;  ///< the node's where the sink names none
  int scd_type = 1;
  std::vector<std::string> order_by;
  SourceText delete_where;
  SourceText truncate_where;
  std::vector<std::string> include_columns;
  std::vector<std::string> exclude_columns;
  bool ignore_null_updates = false;
  bool null_equals_null = false;
  std::string start_at_column_name = "__start_at";
  std::string end_at_column_name = "__end_at";
  std::vector<std::string> track_history_columns;
  std::vector<std::string> track_history_except_columns;
  DeleteMode delete_mode = DeleteMode::hard;
  std::chrono::microseconds state_retention = std::chrono::hours(24 * 30);
};

struct TableMetadata {
  std::string comment;
  std::string owner;
  std::map<std::string, std::string> properties;
  std::map<std::string, std::string> tags;
  std::map<std::string, std::string> column_comments;
};

struct Sink {
  SinkKind kind = SinkKind::file;
  Location location;
  SinkMode mode = SinkMode::unset;
  bool is_quarantine = false;
  bool shared = false;
  std::string checkpoint_path;
  ResetMode reset_mode = ResetMode::drop;
  std::optional<MergeCdcOptions> merge_cdc_options;  ///< set whenever it merges
  std::vector<NamedColumn> named_columns;            ///< by partition_by and the merge
  std::vector<std::string> partition_by;
  /// Empty: clustered by nothing; nothing: as the table is.
  std::optional<std::vector<std::string>> cluster_by;
  std::map<std::string, std::string> properties;  ///< of the table; metadata's too
  std::vector<Name> property_places;              ///< their names, where values stand
  SchemaEvolution schema_evolution = SchemaEvolution::unset;
  std::vector<ColumnSpec> schema;             ///< what a new table's columns are
  std::vector<NamedArgument> writer_options;  ///< writer_kwargs
  std::vector<MethodCall> writer_methods;

  // FILE
  std::string path;
  FileFormat format = FileFormat::delta;

  // TABLE
  TableName table;
  TableType table_type = TableType::table;
  TableMetadata metadata;

  // PIPELINE_VIEW
  std::string view_name;

  /// FILE and TABLE: where it writes, under a name that is equal where the places are.
  std::string place;

  /// True for a sink that writes a Delta table.
  bool is_delta() const {
    return kind == SinkKind::table
               ? table_type == TableType::table
               : kind == SinkKind::file && format == FileFormat::delta;
  }
  /// True for a sink that keeps a query instead of rows.
  bool is_view() const {
    return kind == SinkKind::pipeline_view ||
           (kind == SinkKind::table && table_type == TableType::view);
  }
  bool asks_to_replace() const {
    return mode == SinkMode::overwrite || mode == SinkMode::complete;
  }
  bool asks_to_merge() const {
    return mode == SinkMode::merge || mode == SinkMode::update;
  }
  bool asks_to_append() const { return mode == SinkMode::append; }
  /// What it holds goes on with what comes, rather than being replaced.
  bool keeps_rows() const { return asks_to_append() || merge_cdc_options.has_value(); }
};

// ------------------------------------------------------------------------------- node

/// A promise about one column of a node's output; its tests are in the node's
/// expectations too.
struct ColumnContract {
  std::string name;
  std::string type;  ///< empty: any
  bool nullable = true;
  std::string comment;
  Location location;
};

struct Freshness {
  std::chrono::microseconds max_age{0};
  std::string column;  ///< empty: the time of the last commit
  Location location;
};

struct Node {
  std::string name;
  Location location;
  std::vector<Source> sources;  ///< the first is {df}
  std::vector<Step> steps;
  std::vector<Expectation> expectations;
  std::vector<Sink> sinks;
  std::vector<std::string> primary_keys;
  std::vector<Name> depends_on;
  std::vector<std::string> tags;
  std::string comment;
  std::string description;
  std::string owner;
  std::string time_column;
  std::string execution_task_name;
  Backend backend = Backend::unset;                     ///< the pipeline's if unset
  DataframeApi dataframe_api = DataframeApi::narwhals;  ///< inherited
  std::string root_path;
  Layer layer = Layer::none;
  Refresh refresh = Refresh::automatic;
  bool strict = false;
  std::optional<Schedule> every;  ///< when its time comes in a continuous pipeline
  std::optional<Freshness> freshness;
  std::vector<ColumnContract> columns;

  /// The node's mapping with everything resolved and inherited, as JSON with sorted
  /// keys: what its identity for a plan is hashed from.
  Json definition;

  /// The sink that downstream nodes read: the first that is not a quarantine sink; null
  /// pointer for a view.
  const Sink* primary_sink() const;
  const Sink* quarantine_sink() const;
  /// The first sink, of those that take the node's rows, of which `asks` is true.
  const Sink* sink_that(bool (Sink::*asks)() const) const;
  /// True if nothing of the node is written as rows (it has no sink, or only views):
  /// it is computed where it is used.
  bool is_view() const;
};

// ------------------------------------------------------------------------------ tests

/// Rows of a test: written in place (`rows`), or a file.
struct TestRows {
  Tree rows;         ///< a list of records or a mapping of columns; null with a file
  std::string path;  ///< relative to the pipeline's folder
  Location location;
};

struct GivenRows {
  std::string name;  ///< of an upstream node or of a source
  TestRows rows;
};

/// A test of one node's transformer and expectations.
struct PipelineTest {
  std::string name;
  Location location;
  std::string node;
  std::vector<GivenRows> given;
  std::map<std::string, std::string> variables;
  std::string now;  ///< ISO instant, or empty
  std::optional<TestRows> expect;
  std::optional<TestRows> expect_quarantine;
  std::optional<std::string> expect_error;  ///< part of the message
};

// --------------------------------------------------------------------------- pipeline

struct Parameter {
  std::string name;
  Location location;
  std::optional<Tree> default_value;
  bool is_given = false;    ///< by --param
  bool is_default = false;  ///< the value is the default
  Tree value;               ///< of this load
};

/// `engine` of a project or a pipeline.
struct EngineOptions {
  std::optional<std::int64_t> memory_limit_bytes;
  std::optional<std::int64_t> threads;
  std::string temporary_folder;
  std::optional<std::int64_t> temporary_bytes_max;
  std::string spark_remote;  ///< sc://host:port/;name=value; empty: none
  std::optional<std::chrono::microseconds> spark_timeout;  ///< of one statement

  bool operator==(const EngineOptions&) const = default;
};

struct Pipeline {
  std::string name;
  Location location;
  std::string file;         ///< as given to load_pipeline
  std::string folder;       ///< its folder: what relative paths are relative to
  std::vector<Node> nodes;  ///< in document order
  Backend backend = Backend::unset;
  DataframeApi dataframe_api = DataframeApi::narwhals;
  std::string root_path;  ///< empty: under the project's root
  std::vector<Parameter> parameters;
  /// The pipeline's own variables with those of the command line and environment.
  std::vector<NamedArgument> variables;
  EngineOptions engine;
  std::vector<PipelineTest> tests;
  std::vector<std::string> tags;
  Orchestration orchestration;

  /// Null pointer when no node has this name.
  const Node* find_node(std::string_view name) const;
};

// ---------------------------------------------------------------------------- project

struct LayerOptions {
  std::string root;    ///< empty: the project's
  std::string schema;  ///< empty: the layer's name in lower case
  std::optional<std::chrono::microseconds> retention;
};

struct ProjectEnvironment {
  std::string name;
  std::vector<NamedArgument> variables;
  std::string root;  ///< empty: the project's
  std::optional<std::string> catalog;
  Location location;
};

/// Where `${secret.NAME}` is looked up: the environment, then `file`, then `command`.
struct SecretSources {
  bool environment = true;  ///< LAKEMILL_SECRET_NAME
  std::string file;         ///< lines `NAME=value`
  std::string command;      ///< run with the name as its argument
};

/// lakemill.yaml. Paths are as written, relative to `folder`.
struct Project {
  std::string name;
  std::string file;  ///< empty when there is none: then `folder` is the pipeline's
  std::string folder;
  std::string root;  ///< where tables and state live; with --env the environment's
  std::string catalog = "main";
  std::map<Layer, LayerOptions> layers;
  std::vector<std::string> roots;      ///< further folders that may be read
  std::vector<std::string> pipelines;  ///< files or globs
  std::vector<NamedArgument> variables;
  std::vector<ProjectEnvironment> environments;
  std::string environment;  ///< the chosen one, or empty
  SecretSources secrets;
  EngineOptions engine;
  Server server;
  std::vector<Subscription> subscriptions;
  std::vector<Alert> alerts;  ///< of all pipelines
  Maintenance maintenance;
  std::vector<Name> operation;  ///< which of these keys the file has, with their places

  /// Accepted and checked in shape: null when not written.
  Tree connections;
};

}  // namespace lakemill::language
