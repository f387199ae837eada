#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <vector>

#include <editline/readline.h>

#include "lakemill/app/query.h"
#include "lakemill/app/tables.h"
#include "lakemill/base/text.h"
#include "lakemill/cli/commands.h"
#include "lakemill/cli/output.h"
#include "lakemill/language/sql_text.h"

namespace lakemill::cli {

namespace {

constexpr std::int64_t kShellRowsMax = 1'000;
constexpr int kHistoryLinesMax = 5'000;

constexpr const char* kHelp =
    "SELECT statements, each ended by ';'. Besides:\n"
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

// False if there is an error to show instead.
bool show(const Result<data::Rows>& rows) {
  if (!rows) {
    report_error(rows.error(), false);
    return false;
  }
  print_table(stdout, *rows, 60);
  std::printf("%zu %s\n\n", rows->rows.size(), rows->rows.size() == 1 ? "row" : "rows");
  return true;
}

bool is_comment(language::TextRegion region) {
  return region == language::TextRegion::line_comment ||
         region == language::TextRegion::block_comment;
}

// True if the text is nothing but space and comments that have ended.
bool says_nothing(std::string_view sql) {
  for (const language::RegionSpan& span : language::sql_regions(sql)) {
    const std::string_view text = sql.substr(span.begin, span.end - span.begin);
    const bool goes_on = span.region == language::TextRegion::block_comment &&
                         (text.size() < 4 || !text.ends_with("*/"));
    const bool says = is_comment(span.region) ? goes_on : !trim(text).empty();
    if (says) return false;
  }
  return true;
}

// Takes the statements that have ended off `text`; those that say something.
std::vector<std::string> take_statements(std::string& text) {
  std::vector<std::string> statements;
  std::size_t begin = 0;
  for (const language::RegionSpan& span : language::sql_regions(text)) {
    if (span.region != language::TextRegion::code) continue;
    for (std::size_t i = span.begin; i < span.end; ++i) {
      if (text[i] != ';') continue;
      std::string statement = text.substr(begin, i - begin);
      begin = i + 1;
      if (!says_nothing(statement)) statements.push_back(std::move(statement));
    }
  }
  text.erase(0, begin);
  if (says_nothing(text)) text.clear();
  return statements;
}

enum class Ended : std::uint8_t { well, failed, leaving };

// A line that begins with a dot.
Ended run_dot_command(app::Workbench& workbench, const std::string& line) {
  const std::size_t space = line.find(' ');
  const std::string name = line.substr(0, space);
  const std::string argument =
      space == std::string::npos ? "" : std::string(trim(line.substr(space)));
  if (name == ".quit" || name == ".exit") return Ended::leaving;
  bool well = true;
  if (name == ".tables") {
    well = show(app::list_tables(workbench));
  } else if (name == ".schema") {
    well = show(app::table_schema(workbench, argument));
  } else if (name == ".history") {
    well = show(app::table_history(workbench, argument, 100));
  } else if (name == ".help") {
    std::fputs(kHelp, stdout);
  } else {
    report_error(Error(ErrorCode::invalid, "no command '" + name + "'; .help for help"),
                 false);
    well = false;
  }
  return well ? Ended::well : Ended::failed;
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
  bool all_well = true;
  std::string statement;
  std::string line;
  while (
      read_line(statement.empty() ? "lakemill> " : "     ...> ", interactive, line)) {
    const std::string_view trimmed = trim(line);
    if (statement.empty() && trimmed.empty()) continue;
    if (statement.empty() && trimmed.starts_with('.')) {
      const Ended ended = run_dot_command(*workbench, std::string(trimmed));
      if (ended == Ended::leaving) break;
      all_well = all_well && ended == Ended::well;
      continue;
    }
    statement += line + "\n";
    for (const std::string& ended : take_statements(statement)) {
      if (interactive) add_history((std::string(trim(ended)) + ";").c_str());
      all_well = show(app::query(*workbench, ended, {}, kShellRowsMax, {})) && all_well;
    }
  }
  if (!says_nothing(statement)) {
    all_well =
        show(app::query(*workbench, statement, {}, kShellRowsMax, {})) && all_well;
  }
  if (interactive && !history.empty()) write_history(history.c_str());
  // Whoever sits before it has seen what failed; a script is told at the end.
  return interactive || all_well ? kSuccess : kFailure;
}

}  // namespace lakemill::cli
