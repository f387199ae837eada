#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include <unistd.h>

#include "lakemill/app/query.h"
#include "lakemill/app/tables.h"
#include "lakemill/cli/commands.h"
#include "lakemill/cli/output.h"

namespace lakemill::cli {

namespace {

constexpr std::int64_t kTableRowsMax =
    10'000;  // shown of a query unless more are asked for
constexpr std::size_t kCellWidthMax = 60;
constexpr std::int64_t kHistoryMax = 1'000;

int show(const Result<data::Rows>& rows, bool json) {
  if (!rows) return report_error(rows.error(), json);
  if (json) {
    std::printf("%s\n", rows_to_json(*rows).c_str());
  } else {
    print_table(stdout, *rows, 0);
  }
  return kSuccess;
}

int show_facts(app::Workbench& workbench, const std::string& table, bool json) {
  const auto facts = app::table_facts(workbench, table);
  if (!facts) return report_error(facts.error(), json);
  OrderedJson object = OrderedJson::object();
  for (const auto& [name, value] : *facts) {
    if (json) {
      object[name] = value;
      continue;
    }
    const std::string text = value.is_string() ? value.get<std::string>()
                             : value.is_null() ? "unknown"
                                               : json_text(value);
    std::printf("%-16s %s\n", name.c_str(), text.c_str());
  }
  if (json) std::printf("%s\n", json_text(object).c_str());
  return kSuccess;
}

int drop(app::Workbench& workbench, const TableOptions& options, bool json) {
  if (!options.yes) {
    return report_error(
               Error(ErrorCode::invalid,
                     "dropping removes the table and its files for good; say so "
                     "with --yes"),
               json),
           kUsage;
  }
  const auto dropped = app::table_drop(workbench, options.table);
  if (!dropped) return report_error(dropped.error(), json);
  std::printf("dropped %s\n", options.table.c_str());
  return kSuccess;
}

// A folder of its own for a result on its way to standard output.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "lakemill-XXXXXX");
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

int copy_to_output(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 1 << 16> buffer{};
  while (file) {
    file.read(buffer.data(), buffer.size());
    const auto size = static_cast<std::size_t>(file.gcount());
    if (size > 0 && std::fwrite(buffer.data(), 1, size, stdout) != size)
      return kFailure;
  }
  return std::fflush(stdout) == 0 ? kSuccess : kFailure;
}

int export_to_output(app::Workbench& workbench, const QueryOptions& options,
                     const app::Versions& versions, std::stop_token stop, bool json) {
  const ScratchFolder scratch;
  if (scratch.path().empty()) {
    return report_error(
        Error(ErrorCode::unavailable, "no temporary folder can be made"), json);
  }
  const std::string path = scratch.path() + "/result";
  const auto done =
      app::export_query(workbench, options.sql, versions, options.format, path, stop);
  if (!done) {
    // Of a file that nobody has asked for.
    std::string message = done.error().message();
    const std::string activity = "write " + path + ": ";
    if (message.starts_with(activity)) message.erase(0, activity.size());
    return report_error(Error(done.error().code(), std::move(message)), json);
  }
  return copy_to_output(path);
}

}  // namespace

int table_command(const CommonOptions& common, const std::string& action,
                  const TableOptions& options) {
  int code = kSuccess;
  const auto workbench = open_workbench(common, false, code);
  if (workbench == nullptr) return code;
  if (action == "list") return show(app::list_tables(*workbench), common.json);
  if (action == "show") return show_facts(*workbench, options.table, common.json);
  if (action == "history") {
    const auto count =
        static_cast<std::size_t>(options.limit > 0 ? options.limit : kHistoryMax);
    return show(app::table_history(*workbench, options.table, count), common.json);
  }
  if (action == "schema") {
    return show(app::table_schema(*workbench, options.table), common.json);
  }
  if (action == "files") {
    return show(app::table_files(*workbench, options.table), common.json);
  }
  if (action == "diff") return diff_command(*workbench, options, common.json);
  return drop(*workbench, options, common.json);
}

int query_command(const CommonOptions& common, const QueryOptions& options) {
  const std::stop_token stop = stop_on_interrupt();
  int code = kSuccess;
  const auto workbench = open_workbench(common, options.consistent, code);
  if (workbench == nullptr) return code;
  app::Versions versions;
  if (options.consistent) {
    const auto common_ones = app::common_versions(*workbench, options.sql);
    if (!common_ones) return report_error(common_ones.error(), common.json);
    versions = *common_ones;
    for (const auto& [table, version] : versions) {
      std::fprintf(stderr, "%s at version %s\n", table.c_str(),
                   std::to_string(version).c_str());
    }
  }
  if (!options.format.empty() && options.format != "table") {
    return export_to_output(*workbench, options, versions, stop, common.json);
  }
  const std::int64_t rows_max = options.rows_max > 0 ? options.rows_max : kTableRowsMax;
  const auto rows = app::query(*workbench, options.sql, versions, rows_max, stop);
  if (!rows) return report_error(rows.error(), common.json);
  print_table(stdout, *rows, is_terminal(stdout) ? kCellWidthMax : 0);
  if (static_cast<std::int64_t>(rows->rows.size()) == rows_max) {
    std::fprintf(stderr, "the first %s rows; --limit shows more, -o csv all\n",
                 with_thousands(rows_max).c_str());
  }
  return kSuccess;
}

}  // namespace lakemill::cli
