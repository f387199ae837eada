#pragma once

#include <memory>

#include "lakemill/data/table_scan.h"
#include "lakemill/delta/replay.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::delta {

/// The rows of `files` under the schema of `metadata`. Deletion vectors are loaded
/// here, each once in the life of its LogicalFile. Errors: unsupported (a reader
/// feature that is not implemented, by name), corrupt (a deletion vector or a partition
/// value that cannot be read).
Result<std::shared_ptr<const data::TableScan>> make_table_scan(
    std::shared_ptr<storage::ObjectStore> store, const Protocol& protocol,
    const Metadata& metadata, Version version,
    std::shared_ptr<const LogicalFiles> files);

}  // namespace lakemill::delta
