#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lakemill/delta/clustering.h"
#include "lakemill/dml/file_bins.h"
#include "lakemill/dml/table_change.h"

// Files of clustered tables. Files that were ordered together are a cluster: they carry
// its name and the columns in their tags. A cluster that has grown large stays as it
// is; smaller ones are ordered anew together with what came since, so that a row is
// written about as often as its cluster doubles.

namespace lakemill::dml {

/// Files that are to be ordered together, in groups that are sorted at once. Files that
/// another program clustered are left to it. `rules` as for plan_bins().
std::vector<FileBin> plan_clusters(const delta::Snapshot& snapshot,
                                   const delta::ClusteringColumns& clustering,
                                   const BinRules& rules);

/// Marks `file` as one of the cluster of that name.
void mark_clustered(const std::string& cluster,
                    const delta::ClusteringColumns& clustering, delta::AddFile& file);

/// A query of the rows of `relation` (a name bound in `session`) in an order in which
/// rows that are alike in the clustering columns are near each other: by the value of
/// one column, along a Z-order curve over the ranks of several.
/// Errors: those of the engine.
Result<std::string> clustered_sql(engine::Session& session, std::string_view relation,
                                  const delta::ClusteringColumns& clustering,
                                  const data::Schema& schema);

/// Writes the rows of `relation` in that order, as `files_count` files of about equally
/// many rows. Errors: those of the engine; what was written is removed then.
Result<engine::WriteResult> write_clustered(const ChangeContext& context,
                                            std::string_view relation,
                                            const delta::ClusteringColumns& clustering,
                                            engine::TableFilesTarget target,
                                            std::int64_t files_count);

}  // namespace lakemill::dml
