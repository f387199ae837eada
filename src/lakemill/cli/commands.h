#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lakemill/app/table_diff.h"
#include "lakemill/app/workbench.h"

namespace lakemill::cli {

/// What a process ends with. Source: the README's table of exit codes.
enum ExitCode : int {
  kSuccess = 0,
  kFailure = 1,  ///< a run or a request failed
  kUsage = 2,    ///< bad usage, or an invalid pipeline
  kExpectationFailed = 3,
};

/// What most commands share.
struct CommonOptions {
  std::string pipeline;
  std::string environment;
  std::vector<std::string> variables;  ///< k=v
  std::vector<std::string> variable_files;
  std::vector<std::string> parameters;  ///< p=v
  bool json = false;
  bool with_test_files = false;
  bool check_project = false;
  bool allow_missing_parameters = false;
  bool confined = false;  ///< user SQL is held to the project's roots
  bool follows_events = false;  ///< they are to be seen soon after they happen
};

struct RunOptions {
  std::vector<std::string> select;
  bool full_refresh = false;
  bool continuous = false;
  std::string adopt;
};

struct QueryOptions {
  std::string sql;
  std::string format;  ///< table, csv, json, jsonl, parquet
  std::int64_t rows_max = 0;
  bool consistent = false;
};

struct TableOptions {
  std::string table;
  std::string other;
  std::optional<std::int64_t> version;
  std::optional<std::int64_t> other_version;
  std::vector<std::string> keys;
  std::int64_t limit = 0;
  bool yes = false;
};

/// Of table optimize, vacuum, restore and changes.
struct MaintenanceOptions {
  std::string table;
  std::string target_size;  ///< "128mb"
  std::string retain;       ///< "168h"
  bool dry_run = false;
  bool force = false;
  std::int64_t version = -1;
  std::string timestamp;
  std::int64_t from = 0;
  std::int64_t to = -1;
  std::int64_t limit = 0;
};

struct ReplayOptions {
  std::string node;
  std::string from;
  std::string into;
};

struct BackfillOptions {
  std::string node;
  std::string column;
  std::string from;
  std::string to;
  std::string where;
};

struct ScheduleOptions {
  std::string from;
  std::string to;
  std::string format;  ///< table, json
  std::int64_t count = 10;
};

struct ServeOptions {
  std::string listen;  ///< "127.0.0.1:8580"; empty: as the project says
  bool dev = false;    ///< this machine alone, without a login
};

struct StatusOptions {
  std::vector<std::string> select;
  bool follow = false;
};

struct EventOptions {
  std::vector<std::string> types;
  std::string run_id;
  std::string node;
  std::string level;
  std::int64_t limit = 0;
  std::string after;  ///< a position; empty: from now on
  bool verify = false;
  bool rebuild = false;
  bool compact = false;
  bool follow = false;
};

// Each does one command and gives the exit code; results go to standard output, all
// else to standard error.
int init_command(const std::string& folder, bool json);
int validate_command(const CommonOptions& common);
int plan_command(const CommonOptions& common, const RunOptions& options);
int run_command(const CommonOptions& common, const RunOptions& options);
int preview_command(const CommonOptions& common, const std::string& node,
                    std::int64_t rows_max);
int test_command(const CommonOptions& common, const std::vector<std::string>& names);
int query_command(const CommonOptions& common, const QueryOptions& options);
int shell_command(const CommonOptions& common);
int table_command(const CommonOptions& common, const std::string& action,
                  const TableOptions& options);
/// `action`: optimize, vacuum, restore, changes.
int maintenance_command(const CommonOptions& common, const std::string& action,
                        const MaintenanceOptions& options);
bool is_maintenance(const std::string& action);
int status_command(const CommonOptions& common, const StatusOptions& options);
int schedule_command(const CommonOptions& common, const ScheduleOptions& options);
int serve_command(const CommonOptions& common, const ServeOptions& options,
                  const std::string& version);
int replay_command(const CommonOptions& common, const ReplayOptions& options);
int backfill_command(const CommonOptions& common, const BackfillOptions& options);
int graph_command(const CommonOptions& common);
int events_command(const CommonOptions& common, const EventOptions& options);
int schema_command(bool markdown);
int event_schema_command(bool markdown);

// What the commands share.

/// The request that the options make. Errors: invalid (no '=' in a variable).
Result<app::OpenRequest> make_request(const CommonOptions& common);

/// Prints "error: …" to standard error (as JSON with `json`), and gives the exit code
/// of the error's kind.
int report_error(const Error& error, bool json);

/// `table diff` of two tables, or of all tables of two schemas.
int diff_command(app::Workbench& workbench, const TableOptions& options, bool json);
OrderedJson difference_json(const app::TableDifference& difference);
/// "2 rows only in the first, 3 only in the second; …".
std::string difference_text(const app::TableDifference& difference);

/// Opens the workbench with its pipelines, printing faults and notices; null after an
/// error, with the exit code in `code`.
std::unique_ptr<app::Workbench> open_workbench(const CommonOptions& common,
                                               bool with_pipelines, int& code);

/// Turns Ctrl-C into a stop request; a second one ends the process.
std::stop_token stop_on_interrupt();

}  // namespace lakemill::cli
