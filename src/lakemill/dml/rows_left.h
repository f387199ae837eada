#pragma once

#include <memory>
#include <vector>

#include "lakemill/data/table_scan.h"
#include "lakemill/engine/engine.h"

namespace lakemill::dml {

/// The files of `whole` that `removed` names, without the rows that it names: what a
/// rewrite of those files must write.
std::shared_ptr<const data::TableScan> rows_left(
    const std::shared_ptr<const data::TableScan>& whole,
    const std::vector<engine::FileRows>& removed);

/// Only the rows that `named` names.
std::shared_ptr<const data::TableScan> rows_named(
    const std::shared_ptr<const data::TableScan>& whole,
    const std::vector<engine::FileRows>& named);

/// The files of `whole` at those indexes, with all of their rows.
std::shared_ptr<const data::TableScan> whole_files(
    const std::shared_ptr<const data::TableScan>& whole,
    const std::vector<std::size_t>& indexes);

}  // namespace lakemill::dml
