#include <cstdio>

#include "lakemill/app/table_maintenance.h"
#include "lakemill/cli/commands.h"
#include "lakemill/cli/output.h"
#include "lakemill/language/quantity.h"

namespace lakemill::cli {

namespace {

constexpr std::int64_t kChangesMax = 10'000;  // shown unless more are asked for

int usage_error(std::string message, bool json) {
  return report_error(Error(ErrorCode::invalid, std::move(message)), json), kUsage;
}

void print_json(const Json& json) { std::printf("%s\n", json_text(json).c_str()); }

int optimize(app::Workbench& workbench, const MaintenanceOptions& options, bool json) {
  std::int64_t target_bytes = 0;
  if (!options.target_size.empty()) {
    const auto size = language::parse_size(options.target_size);
    if (!size) return report_error(size.error(), json), kUsage;
    target_bytes = *size;
  }
  const auto done = app::table_optimize(workbench, options.table, target_bytes);
  if (!done) return report_error(done.error(), json);
  if (json) {
    print_json({{"version", done->version},
                {"files_removed", done->files_removed},
                {"files_added", done->files_added},
                {"bytes_removed", done->bytes_removed},
                {"bytes_added", done->bytes_added},
                {"bins_lost", done->bins_lost}});
    return kSuccess;
  }
  if (done->version < 0) {
    std::printf("nothing to do\n");
  } else {
    std::printf("version %s: %s files became %s (%s bytes, %s before)\n",
                std::to_string(done->version).c_str(),
                with_thousands(done->files_removed).c_str(),
                with_thousands(done->files_added).c_str(),
                with_thousands(done->bytes_added).c_str(),
                with_thousands(done->bytes_removed).c_str());
  }
  if (done->bins_lost > 0) {
    std::printf("%s groups of files were left alone: another writer changed them\n",
                with_thousands(done->bins_lost).c_str());
  }
  return kSuccess;
}

int vacuum(app::Workbench& workbench, const MaintenanceOptions& options, bool json) {
  delta::VacuumRequest request;
  request.force = options.force;
  request.dry_run = options.dry_run;
  if (!options.retain.empty()) {
    const auto retain = language::parse_duration(options.retain);
    if (!retain) return report_error(retain.error(), json), kUsage;
    request.retain_ms = retain->count() / 1000;
  }
  const auto done = app::table_vacuum(workbench, options.table, request);
  if (!done) return report_error(done.error(), json);
  const auto count = static_cast<std::int64_t>(done->paths.size());
  if (json) {
    print_json({{"files", count},
                {"size_bytes", done->size_bytes},
                {"dry_run", options.dry_run},
                {"paths", done->paths}});
    return kSuccess;
  }
  if (options.dry_run) {
    for (const std::string& path : done->paths) std::printf("%s\n", path.c_str());
  }
  std::printf("%s files of %s bytes %s\n", with_thousands(count).c_str(),
              with_thousands(done->size_bytes).c_str(),
              options.dry_run ? "would be removed" : "removed");
  return kSuccess;
}

int restore(app::Workbench& workbench, const MaintenanceOptions& options, bool json) {
  delta::RestoreRequest request;
  if (options.version >= 0) request.version = options.version;
  if (!options.timestamp.empty()) {
    const auto instant = parse_instant(options.timestamp);
    if (!instant) return report_error(instant.error(), json), kUsage;
    request.timestamp = *instant;
  }
  if (request.version.has_value() == request.timestamp.has_value()) {
    return usage_error("say --version or --timestamp", json);
  }
  const auto done = app::table_restore(workbench, options.table, request);
  if (!done) return report_error(done.error(), json);
  if (json) {
    print_json({{"version", done->version},
                {"restored", done->restored},
                {"files_added", done->files_added},
                {"files_removed", done->files_removed}});
    return kSuccess;
  }
  std::printf("version %s is as version %s was: %s files came back, %s went\n",
              std::to_string(done->version).c_str(),
              std::to_string(done->restored).c_str(),
              with_thousands(done->files_added).c_str(),
              with_thousands(done->files_removed).c_str());
  return kSuccess;
}

int changes(app::Workbench& workbench, const MaintenanceOptions& options, bool json) {
  app::ChangesRequest request;
  request.table = options.table;
  request.from = options.from;
  if (options.to >= 0) request.to = options.to;
  request.rows_max = options.limit > 0 ? options.limit : kChangesMax;
  const auto rows = app::table_changes(workbench, request);
  if (!rows) return report_error(rows.error(), json);
  if (json) {
    std::printf("%s\n", rows_to_json(*rows).c_str());
  } else {
    print_table(stdout, *rows, 0);
  }
  return kSuccess;
}

}  // namespace

bool is_maintenance(const std::string& action) {
  return action == "optimize" || action == "vacuum" || action == "restore" ||
         action == "changes";
}

int maintenance_command(const CommonOptions& common, const std::string& action,
                        const MaintenanceOptions& options) {
  int code = kSuccess;
  const auto workbench = open_workbench(common, false, code);
  if (workbench == nullptr) return code;
  if (action == "optimize") return optimize(*workbench, options, common.json);
  if (action == "vacuum") return vacuum(*workbench, options, common.json);
  if (action == "restore") return restore(*workbench, options, common.json);
  return changes(*workbench, options, common.json);
}

}  // namespace lakemill::cli
