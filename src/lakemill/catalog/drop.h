#pragma once

#include <string>

#include "lakemill/storage/object_store.h"

namespace lakemill::catalog {

/// Removes the table in the folder `table` of `parent` with all its files, so that a
/// process that dies on the way leaves a table or none:
///
/// 1. The object `_dropped/<table>` is put beside the table. From here on the table is
///    gone for this catalog; whoever meets the mark ends the work (finish_drop).
/// 2. The log goes, oldest entry first. So readers that know nothing of marks see the
///    newest version until its last checkpoint goes, then a log without a beginning,
///    which they refuse: never an older version.
/// 3. Data files go only after the log, then the mark.
///
/// A writer who commits meanwhile loses its commit. Errors: not_found (no table
/// there), invalid (other tables lie inside the folder), denied, unavailable.
Status drop_table(storage::ObjectStore& parent, const std::string& table);

/// Ends a drop that was begun and did not end; true if there was one.
Result<bool> finish_drop(storage::ObjectStore& parent, const std::string& table);

/// True if the folder `table` of `parent` holds a Delta log that is not being dropped.
Result<bool> holds_table(storage::ObjectStore& parent, const std::string& table);

}  // namespace lakemill::catalog
