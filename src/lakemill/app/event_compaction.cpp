#include "lakemill/app/event_compaction.h"

namespace lakemill::app {

Result<dml::OptimizeResult> compact_events(Workbench& workbench,
                                           std::size_t files_min) {
  LAKEMILL_TRY(events::EventLog * log, workbench.event_log());
  LAKEMILL_TRY(const delta::Version newest, log->newest_version());
  if (newest < 0) return dml::OptimizeResult();
  LAKEMILL_TRY(const auto table, workbench.catalog().open_url(log->url()));
  engine::SessionOptions options;
  options.now = workbench.clock().now();
  LAKEMILL_TRY(const auto session, workbench.engine().open_session(std::move(options)));
  const dml::ChangeContext context{
      *session, *table, workbench.clock(), workbench.random(), "", 0, {}};
  dml::OptimizeRequest request;
  request.bins.files_min = files_min;
  request.bins.tiered = true;
  return dml::optimize(context, request);
}

}  // namespace lakemill::app
