#pragma once

#include <vector>

#include "lakemill/dml/table_change.h"

namespace lakemill::dml {

/// Takes rows (positions in state.scan) out of a table: by deletion vectors where the
/// table has `delta.enableDeletionVectors`, else by writing the files that hold them
/// anew without them.
///
/// New files get statistics of `clustering` always. Gives the Remove and Add actions. Errors: those of the engine and the store.
Result<std::vector<delta::Action>> remove_rows(
    const ChangeContext& context, const TableState& state,
    const std::vector<engine::FileRows>& rows,
    const delta::ClusteringColumns& clustering);

}  // namespace lakemill::dml
