#include "lakemill/app/table_maintenance.h"

#include <algorithm>

namespace lakemill::app {

namespace {

Result<std::shared_ptr<delta::Table>> open(Workbench& workbench,
                                           const std::string& table) {
  LAKEMILL_TRY(const std::string url, workbench.table_url(table));
  return workbench.catalog().open_url(url);
}

Result<std::unique_ptr<engine::Session>> session_of(Workbench& workbench) {
  engine::SessionOptions options;
  options.now = workbench.clock().now();
  return workbench.engine().open_session(std::move(options));
}

}  // namespace

Result<dml::OptimizeResult> table_optimize(Workbench& workbench,
                                           const std::string& table,
                                           std::int64_t target_file_bytes) {
  LAKEMILL_TRY(const auto opened, open(workbench, table));
  LAKEMILL_TRY(const auto session, session_of(workbench));
  const dml::ChangeContext context{
      *session, *opened, workbench.clock(), workbench.random(), "", 0, {}};
  dml::OptimizeRequest request;
  request.target_file_bytes = target_file_bytes;
  return dml::optimize(context, request);
}

Result<delta::VacuumResult> table_vacuum(Workbench& workbench, const std::string& table,
                                         const delta::VacuumRequest& request) {
  LAKEMILL_TRY(const auto opened, open(workbench, table));
  return delta::vacuum(*opened, request, workbench.clock(), workbench.random());
}

Result<delta::RestoreResult> table_restore(Workbench& workbench,
                                           const std::string& table,
                                           const delta::RestoreRequest& request) {
  LAKEMILL_TRY(const auto opened, open(workbench, table));
  return delta::restore(*opened, request, workbench.clock(), workbench.random());
}

Result<data::Rows> table_changes(Workbench& workbench, const ChangesRequest& request) {
  LAKEMILL_TRY(const auto opened, open(workbench, request.table));
  delta::Version to = 0;
  if (request.to) {
    to = *request.to;
  } else {
    LAKEMILL_TRY(const auto snapshot, opened->latest());
    to = std::max(request.from, snapshot->version());
  }
  LAKEMILL_TRY(auto scan, opened->changes(request.from, to));
  LAKEMILL_TRY(const auto session, session_of(workbench));
  LAKEMILL_TRY_OK(session->bind("changes", engine::TableRelation{std::move(scan)}));
  return session->query(
      "SELECT * FROM changes ORDER BY _commit_version, CASE _change_type WHEN "
      "'update_preimage' THEN 0 WHEN 'delete' THEN 1 WHEN 'update_postimage' THEN 2 "
      "ELSE 3 END LIMIT " +
          std::to_string(request.rows_max),
      engine::Origin::lakemill, request.rows_max);
}

}  // namespace lakemill::app
