#include <algorithm>
#include <cstdio>

#include <CLI/CLI.hpp>

#include "lakemill/base/text.h"
#include "lakemill/cli/commands.h"

#ifndef LAKEMILL_VERSION
#error "the build gives the version"
#endif

namespace lakemill::cli {
namespace {

// Which command the line names, and what it takes. Filled by CLI11.
struct CommandLine {
  CommonOptions common;
  RunOptions run;
  QueryOptions query;
  TableOptions table;
  MaintenanceOptions maintenance;
  EventOptions events;
  StatusOptions status;
  ScheduleOptions schedule;
  ServeOptions serve;
  ReplayOptions replay;
  BackfillOptions backfill;
  std::string node;
  std::string folder;
  std::int64_t limit = 20;
  std::vector<std::string> tests;
  bool markdown = false;
  bool schema_of_events = false;
  std::int64_t version = -1;
  std::int64_t other_version = -1;
};

void add_json(CLI::App& command, CommonOptions& common) {
  command.add_flag("--json", common.json, "print JSON, for machines");
}

void add_environment(CLI::App& command, CommonOptions& common) {
  command.add_option("--env", common.environment, "an environment of lakemill.yaml");
}

void add_pipeline(CLI::App& command, CommonOptions& common) {
  command.add_option("pipeline", common.pipeline,
                     "a pipeline file or name; all of the project if left out");
  command.add_option("--var", common.variables, "a variable: name=value")
      ->allow_extra_args(false);
  command.add_option("--var-file", common.variable_files, "a YAML file of variables")
      ->allow_extra_args(false);
  command.add_option("--param", common.parameters, "a parameter: name=value")
      ->allow_extra_args(false);
  add_environment(command, common);
  add_json(command, common);
}

void add_selection(CLI::App& command, RunOptions& run) {
  command
      .add_option("--select,-s", run.select,
                  "nodes: name, *name (and all before it), name* (and all after it), "
                  "tag:x, group:x")
      ->allow_extra_args(false);
  command.add_flag("--full-refresh", run.full_refresh,
                   "begin anew; BRONZE tables only if --select names them");
}

CLI::App* add_command(CLI::App& app, const char* name, const char* what,
                      const char* examples) {
  CLI::App* command = app.add_subcommand(name, what);
  command->footer(std::string("Examples:\n") + examples);
  return command;
}

void add_pipeline_commands(CLI::App& app, CommandLine& line) {
  auto* init = add_command(app, "init", "make a new project with an example",
                           "  lakemill init my-lakehouse");
  init->add_option("folder", line.folder, "where; the current folder if left out");
  auto* validate = add_command(app, "validate", "check pipeline files",
                               "  lakemill validate pipelines/orders.yaml");
  add_pipeline(*validate, line.common);
  auto* plan = add_command(
      app, "plan", "show what a run would do, and why",
      "  lakemill plan orders\n  lakemill plan orders --select 'slv_orders*'");
  add_pipeline(*plan, line.common);
  add_selection(*plan, line.run);
  auto* run = add_command(
      app, "run", "run pipelines until they have caught up",
      "  lakemill run\n  lakemill run orders --select '*gld_revenue'\n"
      "  lakemill run orders --continuous\n"
      "  lakemill run orders --var day=2024-01-01 --env prod --json\n"
      "Ends with 0 (ok), 1 (failed), 2 (invalid), 3 (an expectation failed).");
  add_pipeline(*run, line.common);
  add_selection(*run, line.run);
  run->add_flag("--continuous", line.run.continuous,
                "go on with what arrives, until Ctrl-C");
  run->add_option("--adopt", line.run.adopt,
                  "take over the tables of a node that had this name before");
  auto* preview =
      add_command(app, "preview", "show a node's first rows; writes nothing",
                  "  lakemill preview slv_orders --limit 5\n"
                  "  lakemill preview slv_orders pipelines/orders.yaml");
  preview->add_option("node", line.node, "the node")->required();
  add_pipeline(*preview, line.common);
  preview->add_option("--limit,-n", line.limit, "rows")->check(CLI::NonNegativeNumber);
  auto* test = add_command(app, "test", "run the tests of pipelines",
                           "  lakemill test\n  lakemill test orders --name my_test");
  add_pipeline(*test, line.common);
  test->add_option("--name", line.tests, "only this test")->allow_extra_args(false);
  auto* graph = add_command(app, "graph", "print the graph as a Mermaid flowchart",
                            "  lakemill graph orders");
  add_pipeline(*graph, line.common);
  auto* schema = add_command(app, "schema", "print the JSON Schema of pipeline files",
                             "  lakemill schema > .lakemill/schema.json\n"
                             "  lakemill schema --events --markdown");
  schema->add_flag("--events", line.schema_of_events, "of events instead");
  schema->add_flag("--markdown", line.markdown,
                   "the reference of all keys, or types of events, instead");
}

// What goes on between runs: watching, and making tables anew.
void add_operation_commands(CLI::App& app, CommandLine& line) {
  auto* status =
      add_command(app, "status", "show how far each flow has come, and what waits",
                  "  lakemill status orders\n  lakemill status orders --follow\n"
                  "  lakemill status --json\n"
                  "Looks at tables, plans and events; writes nothing.");
  add_pipeline(*status, line.common);
  status
      ->add_option("--select,-s", line.status.select,
                   "nodes: name, *name, name*, tag:x, group:x")
      ->allow_extra_args(false);
  status->add_flag("--follow,-f", line.status.follow,
                   "again every two seconds, until Ctrl-C; with --json a line each");
  auto* schedule = add_command(
      app, "schedule", "print when triggers of `cron` and `every` fire next",
      "  lakemill schedule orders\n"
      "  lakemill schedule orders -n 3 --from 2026-03-28 -o json\n"
      "  lakemill schedule --from 2026-10-25 --to 2026-10-26 -n 100\n"
      "Reads pipeline files only. Of `every`, counted from --from.");
  add_pipeline(*schedule, line.common);
  schedule
      ->add_option("-n,--count", line.schedule.count,
                   "instants of each trigger, else 10")
      ->check(CLI::Range(1, 100'000));
  schedule->add_option("--from", line.schedule.from,
                       "the first instant, as 2026-03-28 or 2026-03-28T06:00+01:00; "
                       "now if left out");
  schedule->add_option("--to", line.schedule.to, "the instant that ends it, not in it");
  schedule->add_option("-o,--output", line.schedule.format, "table, json")
      ->check(CLI::IsMember({"table", "json"}));
  auto* serve = add_command(
      app, "serve", "run pipelines by their triggers, with an API and a web view",
      "  lakemill serve --dev\n"
      "  lakemill serve --dev --listen 127.0.0.1:0\n"
      "Serves the project of the current folder until Ctrl-C. Port 0 is a free one, "
      "which is printed.");
  serve->add_flag("--dev", line.serve.dev,
                  "for this machine alone, without a login (there is no other way yet)");
  serve->add_option("--listen", line.serve.listen,
                    "host:port; else `server.listen` of the project, 127.0.0.1:8580");
  add_environment(*serve, line.common);
  serve->add_option("--var", line.common.variables, "a variable: name=value")
      ->allow_extra_args(false);
  serve->add_option("--var-file", line.common.variable_files, "a YAML file of variables")
      ->allow_extra_args(false);
  auto* replay = add_command(
      app, "replay", "make tables anew from the tables before them",
      "  lakemill replay orders\n"
      "  lakemill replay orders --into check\n"
      "  lakemill replay orders --node slv_orders --from version:120\n"
      "  lakemill replay orders --node slv_orders --from timestamp:2026-01-31\n"
      "  lakemill table diff silver check --key order_id\n"
      "No source is asked again: BRONZE tables, and what reads outside, stay as they "
      "are.");
  add_pipeline(*replay, line.common);
  replay->add_option("--node", line.replay.node,
                     "this node and all after it; else all behind the bronze tables");
  replay->add_option("--from", line.replay.from,
                     "beginning, batch:N, version:N, offset:X or timestamp:T; all but "
                     "the first need --node");
  replay->add_option("--into", line.replay.into,
                     "a schema beside the live ones, compared with them at the end");
  auto* backfill = add_command(
      app, "backfill", "derive a range of a node's rows again, and replace them",
      "  lakemill backfill orders --from 2026-01-01 --to 2026-02-01\n"
      "  lakemill backfill orders --node slv_orders --column order_date "
      "--from 2026-01-01\n"
      "  lakemill backfill orders --node slv_orders --where \"region = 'EU'\"\n"
      "Of nodes that append what is new of tables; nodes behind follow.");
  add_pipeline(*backfill, line.common);
  BackfillOptions& range = line.backfill;
  backfill->add_option("--node", range.node,
                       "the node; else those that have a time_column");
  backfill->add_option("--column", range.column, "else the node's time_column");
  backfill->add_option("--from", range.from, "the first value of the column");
  backfill->add_option("--to", range.to, "the value that ends the range, not in it");
  backfill->add_option("--where", range.where, "a condition over the node's columns");
}

void add_table_command(CLI::App& table, CommandLine& line, const char* name,
                       const char* what, const char* examples) {
  CLI::App* command = add_command(table, name, what, examples);
  add_environment(*command, line.common);
  add_json(*command, line.common);
  const std::string_view action = name;
  if (action == "list") return;
  command->add_option("table", line.table.table, "a path or a name")->required();
  if (action == "history" || action == "diff") {
    command->add_option("--limit,-n", line.table.limit, "rows")
        ->check(CLI::NonNegativeNumber);
  }
  if (action == "diff") {
    command->add_option("other", line.table.other, "the same table if left out");
    command
        ->add_option("--key,-k", line.table.keys,
                     "columns that make rows of both the same one: counts what was "
                     "removed, added, changed")
        ->delimiter(',');
    command->add_option("--version", line.version, "version of the first");
    command->add_option("--other-version", line.other_version, "version of the second");
  }
  if (action == "drop") command->add_flag("--yes", line.table.yes, "really");
}

CLI::App* add_maintenance_command(CLI::App& table, CommandLine& line, const char* name,
                                  const char* what, const char* examples) {
  CLI::App* command = add_command(table, name, what, examples);
  add_environment(*command, line.common);
  add_json(*command, line.common);
  command->add_option("table", line.maintenance.table, "a path or a name")->required();
  return command;
}

void add_maintenance_commands(CLI::App& table, CommandLine& line) {
  MaintenanceOptions& options = line.maintenance;
  add_maintenance_command(table, line, "optimize",
                          "write small files together, clustered rows in order",
                          "  lakemill table optimize main.silver.orders")
      ->add_option("--target-size", options.target_size,
                   "of a file: 128mb; delta.targetFileSize if left out");
  auto* vacuum = add_maintenance_command(
      table, line, "vacuum", "remove files that no kept version needs",
      "  lakemill table vacuum main.silver.orders --dry-run\n"
      "  lakemill table vacuum lake/main/silver/orders --retain 240h");
  vacuum->add_option("--retain", options.retain,
                     "keep what versions of this time need: 168h; "
                     "delta.deletedFileRetentionDuration if left out");
  vacuum->add_flag("--force", options.force, "also for less than the table says");
  vacuum->add_flag("--dry-run", options.dry_run, "only print what would go");
  auto* restore = add_maintenance_command(
      table, line, "restore", "make a table what it was, by a new version",
      "  lakemill table restore main.silver.orders --version 12\n"
      "  lakemill table restore main.silver.orders --timestamp 2026-01-31T12:00:00Z");
  restore->add_option("--version", options.version, "to this version");
  restore->add_option("--timestamp", options.timestamp, "to this time");
  auto* changes = add_maintenance_command(
      table, line, "changes", "rows that versions changed",
      "  lakemill table changes main.silver.orders --from 12 --to 14");
  changes->add_option("--from", options.from, "the first version")->required();
  changes->add_option("--to", options.to, "the last version; the newest if left out");
  changes->add_option("--limit,-n", options.limit, "rows")
      ->check(CLI::NonNegativeNumber);
}

void add_lakehouse_commands(CLI::App& app, CommandLine& line) {
  auto* query = add_command(
      app, "query", "run a SELECT over tables and files",
      "  lakemill query \"SELECT * FROM main.gold.revenue_by_day\"\n"
      "  lakemill query \"FROM delta_scan('lake/t', version => 3)\" -o csv\n"
      "  lakemill query \"FROM 'data/*.csv' LIMIT 5\"\n"
      "  lakemill query --consistent --pipeline orders \"SELECT … FROM a JOIN b …\"");
  query->add_option("sql", line.query.sql, "one SELECT")->required();
  query
      ->add_option("-o,--output", line.query.format, "table, csv, json, jsonl, parquet")
      ->check(CLI::IsMember({"table", "csv", "json", "jsonl", "parquet"}));
  query->add_option("--limit,-n", line.query.rows_max, "rows of a table")
      ->check(CLI::NonNegativeNumber);
  query->add_flag("--consistent", line.query.consistent,
                  "all tables of pipelines at one source position: none ahead of "
                  "another");
  query->add_option(
      "--pipeline", line.common.pipeline,
      "with --consistent: a file or name; all of the project if left out");
  query->add_flag("--confined", line.common.confined, "read only inside the project");
  add_environment(*query, line.common);
  auto* shell =
      add_command(app, "shell", "an interactive SQL shell", "  lakemill shell");
  shell->add_flag("--confined", line.common.confined, "read only inside the project");
  add_environment(*shell, line.common);
  auto* table =
      add_command(app, "table", "look at a table or maintain it, by path or name",
                  "  lakemill table show main.silver.orders\n"
                  "  lakemill table diff lake/main/silver/orders --version 1");
  table->require_subcommand(1);
  add_table_command(*table, line, "list", "all tables and views",
                    "  lakemill table list --json");
  add_table_command(*table, line, "show", "facts",
                    "  lakemill table show main.silver.orders");
  add_table_command(*table, line, "history", "versions",
                    "  lakemill table history main.silver.orders --limit 5");
  add_table_command(*table, line, "schema", "columns",
                    "  lakemill table schema lake/main/silver/orders");
  add_table_command(*table, line, "files", "data files",
                    "  lakemill table files main.silver.orders");
  add_table_command(
      *table, line, "diff", "compare two tables, versions or schemas",
      "  lakemill table diff main.silver.orders --version 1\n"
      "  lakemill table diff lake/a lake/b --key id\n"
      "  lakemill table diff main.silver main.check\n"
      "Ends with 0 (equal), 1 (they differ, or it failed), 2 (wrong command line).");
  add_table_command(*table, line, "drop", "remove a table and its files",
                    "  lakemill table drop main.silver.orders --yes");
  add_maintenance_commands(*table, line);
  auto* events = add_command(app, "events", "show what happened",
                             "  lakemill events --type node_failed\n"
                             "  lakemill events --run 1234… --json\n"
                             "  lakemill events --follow\n"
                             "  lakemill events --follow --after 0.0 --json\n"
                             "  lakemill events verify\n"
                             "  lakemill events rebuild\n"
                             "  lakemill events compact");
  events->add_option("--type", line.events.types, "a type, such as run_failed")
      ->allow_extra_args(false);
  events->add_option("--run", line.events.run_id, "of one run");
  events->add_option("--node", line.events.node, "of one node");
  events->add_option("--limit,-n", line.events.limit, "the newest so many")
      ->check(CLI::NonNegativeNumber);
  auto* follow = events->add_flag(
      "--follow,-f", line.events.follow,
      "events as they come, by any process, until Ctrl-C or --limit of them; with "
      "--json a line each");
  events
      ->add_option("--after", line.events.after,
                   "with --follow: from this position on (`position` in --json); 0.0: "
                   "from the first event on")
      ->needs(follow);
  events->add_flag(
      "--verify", line.events.verify,
      "check that no event was altered, put in or taken out; it cannot see "
      "that a writer's newest events were removed");
  add_environment(*events, line.common);
  add_json(*events, line.common);
  events->add_subcommand("verify", "the same as --verify")
      ->fallthrough()
      ->final_callback([&line] { line.events.verify = true; });
  auto* rebuild = events->add_subcommand(
      "rebuild", "tell of commits that no event tells of, by the tables' logs");
  add_pipeline(*rebuild, line.common);
  rebuild->fallthrough()->final_callback([&line] { line.events.rebuild = true; });
  events->add_subcommand("compact", "write small files of the log together")
      ->fallthrough()
      ->final_callback([&line] { line.events.compact = true; });
  add_command(app, "version", "print the version", "  lakemill version");
}

int dispatch(const CLI::App& app, CommandLine& line) {
  const CLI::App* command = app.get_subcommands().front();
  const std::string name = command->get_name();
  if (line.version >= 0) line.table.version = line.version;
  if (line.other_version >= 0) line.table.other_version = line.other_version;
  if (name == "init") return init_command(line.folder, false);
  if (name == "validate") return validate_command(line.common);
  if (name == "plan") return plan_command(line.common, line.run);
  if (name == "run") return run_command(line.common, line.run);
  if (name == "preview") return preview_command(line.common, line.node, line.limit);
  if (name == "test") return test_command(line.common, line.tests);
  if (name == "replay") return replay_command(line.common, line.replay);
  if (name == "backfill") return backfill_command(line.common, line.backfill);
  if (name == "serve") return serve_command(line.common, line.serve, LAKEMILL_VERSION);
  if (name == "schedule") return schedule_command(line.common, line.schedule);
  if (name == "status") return status_command(line.common, line.status);
  if (name == "graph") return graph_command(line.common);
  if (name == "schema") {
    return line.schema_of_events ? event_schema_command(line.markdown)
                                 : schema_command(line.markdown);
  }
  if (name == "query") return query_command(line.common, line.query);
  if (name == "shell") return shell_command(line.common);
  if (name == "events") return events_command(line.common, line.events);
  if (name == "table") {
    const std::string action = command->get_subcommands().front()->get_name();
    if (is_maintenance(action)) {
      return maintenance_command(line.common, action, line.maintenance);
    }
    return table_command(line.common, action, line.table);
  }
  std::printf("lakemill %s\n", LAKEMILL_VERSION);
  return kSuccess;
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) {
    names.push_back(command->get_name());
  }
  return names;
}

bool has_command(const CLI::App& app, const std::string& name) {
  const auto names = command_names(app);
  return std::find(names.begin(), names.end(), name) != names.end();
}

// How `app` is called: "lakemill table".
std::string full_name(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return (parent == nullptr ? "" : full_name(*parent) + " ") + app.get_name();
}

int unknown_command(const CLI::App& app, const std::string& name) {
  const auto guess = nearest(name, command_names(app));
  std::fprintf(stderr, "error: no command '%s'%s; `%s --help` lists them all\n",
               name.c_str(), guess ? (", did you mean '" + *guess + "'?").c_str() : "",
               full_name(app).c_str());
  return kUsage;
}

// Tells of the first word that the command on the line does not know.
int unknown_word(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* command = &app;
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
  }
  std::vector<std::string> known;
  for (const CLI::Option* option : command->get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  for (const std::string& word : app.remaining(true)) {
    if (!word.starts_with("--")) continue;
    const auto guess = nearest(word.substr(0, word.find('=')), known);
    std::fprintf(stderr, "error: %s has no option %s%s; `%s --help` lists them all\n",
                 full_name(*command).c_str(), word.c_str(),
                 guess ? (", did you mean " + *guess + "?").c_str() : "",
                 full_name(*command).c_str());
    return kUsage;
  }
  return app.exit(error) == 0 ? kSuccess : kUsage;
}

// What was printed must have come out: a full disk or a closed pipe is a failure.
int with_output_written(int code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  std::fprintf(stderr, "error: standard output could not be written\n");
  return code == kSuccess ? kFailure : code;
}

int run(int argc, char** argv) {
  CLI::App app(
      "Lakemill: a lakehouse in one binary. Declare bronze, silver and gold in "
      "YAML and SQL; every table is a Delta table.");
  app.name("lakemill");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("lakemill ") + LAKEMILL_VERSION);
  app.footer(
      "Examples:\n  lakemill init my-lakehouse && cd my-lakehouse\n"
      "  lakemill run\n  lakemill query \"SELECT * FROM main.gold.revenue_by_day\"\n"
      "lakemill COMMAND --help tells more.");
  CommandLine line;
  add_pipeline_commands(app, line);
  add_operation_commands(app, line);
  add_lakehouse_commands(app, line);
  if (argc > 1 && argv[1][0] != '-' && !has_command(app, argv[1])) {
    return unknown_command(app, argv[1]);
  }
  if (argc > 2 && argv[2][0] != '-' && has_command(app, argv[1])) {
    const CLI::App& command = *app.get_subcommand(argv[1]);
    const bool has_inner = !command.get_subcommands({}).empty();
    if (has_inner && !has_command(command, argv[2])) {
      return unknown_command(command, argv[2]);
    }
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ExtrasError& error) {
    return unknown_word(app, error);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kSuccess : kUsage;
  }
  return with_output_written(dispatch(app, line));
}

}  // namespace
}  // namespace lakemill::cli

int main(int argc, char** argv) { return lakemill::cli::run(argc, argv); }
