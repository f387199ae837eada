#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include <editline/readline.h>

#include "lakemill/app/query.h"
#include "lakemill/app/tables.h"
#include "lakemill/base/text.h"
#include "lakemill/cli/commands.h"
#include "lakemill/cli/output.h"

namespace lakemill::cli {

namespace {

constexpr std::int64_t kShellRowsMax = 1'000;
constexpr int kHistoryLinesMax = 5'000;

constexpr const char* kHelp =
    "One SELECT, ended by ';'. Besides:\n"
    "  .tables          tables and views of the catalog\n"
    "  .schema TABLE    columns of a table, by path or name\n"
    "  .history TABLE   its versions\n"
    "  .help            this\n"
    "  .quit            or Ctrl-D\n";

std::string history_path() {
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  if (state != nullptr) return std::string(state) + "/lakemill_history";
  return home == nullptr ? "" : std::string(home) + "/.lakemill_history";
}

// A line from the terminal with editing, or from a pipe without; false at the end.
bool read_line(const char* prompt, bool interactive, std::string& line) {
  if (!interactive) return static_cast<bool>(std::getline(std::cin, line));
  char* text = readline(prompt);
  if (text == nullptr) return false;
  line = text;
  std::free(text);
  return true;
}

void show(const Result<data::Rows>& rows) {
  if (!rows) {
    report_error(rows.error(), false);
    return;
  }
  print_table(stdout, *rows, 60);
  std::printf("%zu rows\n\n", rows->rows.size());
}

// A line that begins with a dot; false to leave.
bool run_dot_command(app::Workbench& workbench, const std::string& line) {
  const std::size_t space = line.find(' ');
  const std::string name = line.substr(0, space);
  const std::string argument =
      space == std::string::npos ? "" : std::string(trim(line.substr(space)));
  if (name == ".quit" || name == ".exit") return false;
  if (name == ".tables") {
    show(app::list_tables(workbench));
  } else if (name == ".schema") {
    show(app::table_schema(workbench, argument));
  } else if (name == ".history") {
    show(app::table_history(workbench, argument, 100));
  } else {
    std::fputs(kHelp, stdout);
  }
  return true;
}

}  // namespace

int shell_command(const CommonOptions& common) {
  int code = kSuccess;
  const auto workbench = open_workbench(common, false, code);
  if (workbench == nullptr) return code;
  const bool interactive = is_terminal(stdin);
  const std::string history = history_path();
  if (interactive) {
    std::printf("lakemill SQL shell; .help for help\n");
    stifle_history(kHistoryLinesMax);
    if (!history.empty()) read_history(history.c_str());
  }
  std::string statement;
  std::string line;
  while (
      read_line(statement.empty() ? "lakemill> " : "     ...> ", interactive, line)) {
    const std::string_view trimmed = trim(line);
    if (statement.empty() && trimmed.empty()) continue;
    if (statement.empty() && trimmed.starts_with('.')) {
      if (!run_dot_command(*workbench, std::string(trimmed))) break;
      continue;
    }
    statement += line + "\n";
    if (!trimmed.ends_with(';')) continue;
    if (interactive) add_history(std::string(trim(statement)).c_str());
    show(app::query(*workbench, statement, kShellRowsMax, {}));
    statement.clear();
  }
  if (!trim(statement).empty()) {
    show(app::query(*workbench, statement, kShellRowsMax, {}));
  }
  if (interactive && !history.empty()) write_history(history.c_str());
  return kSuccess;
}

}  // namespace lakemill::cli
