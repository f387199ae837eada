#include "lakemill/dml/maintenance.h"

#include <algorithm>

#include "lakemill/delta/table_properties.h"

namespace lakemill::dml {

Result<OptimizeResult> maintain(const ChangeContext& context,
                                const MaintenancePolicy& policy) {
  LAKEMILL_TRY(const auto snapshot, context.table.latest());
  const std::int64_t target_bytes =
      delta::target_file_bytes(snapshot->metadata(), context.layout.target_file_bytes);
  OptimizeRequest request;
  request.target_file_bytes = target_bytes;
  request.bins.files_min = std::max<std::size_t>(policy.small_files_max / 2, 2);
  request.bins.deleted_share_max = policy.deleted_share_max;
  request.bins.deleted_bytes_min = policy.deleted_bytes_min;
  request.bins.tiered = true;
  const bool many_small = snapshot->files().size() > policy.small_files_max &&
                          small_files(*snapshot, target_bytes) > policy.small_files_max;
  if (!many_small && !has_much_deleted(*snapshot, request.bins)) {
    return OptimizeResult{};
  }
  return optimize(context, request);
}

}  // namespace lakemill::dml
