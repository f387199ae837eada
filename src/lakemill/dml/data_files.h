#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/delta/clustering.h"
#include "lakemill/engine/write_spec.h"

namespace lakemill::dml {

/// A file path as Delta's log writes it: percent-encoded but for letters, digits and
/// "-_.~/=". Source: PROTOCOL.md, "Add File and Remove File".
std::string encode_path(std::string_view path);

/// Files that an engine wrote below a table's root as the log's actions: encoded path,
/// partition values as text by physical name, statistics (of `clustering` always).
/// Files without rows are left out: nothing names them, vacuum takes them. Errors:
/// invalid, when a column that may not hold nulls holds some (named).
Result<std::vector<delta::AddFile>> to_add_files(
    const std::vector<engine::WrittenFile>& files, const delta::Metadata& metadata,
    const delta::ClusteringColumns& clustering, Instant modified);

}  // namespace lakemill::dml
