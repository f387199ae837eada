#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/delta/snapshot.h"

namespace lakemill::delta {

/// The domain in which a table says by which columns its rows are clustered.
/// Source: PROTOCOL.md, "Clustered Table".
inline constexpr std::string_view kClusteringDomain = "delta.clustering";

/// What `clusteringProvider` of files that we clustered says.
inline constexpr std::string_view kClusteringProvider = "lakemill";

/// Spark refuses more.
inline constexpr std::size_t kClusteringColumnsMax = 4;

/// Clustering columns by their physical names, outermost first; empty: none.
using ClusteringColumns = std::vector<std::vector<std::string>>;

/// The clustering columns of a table. Errors: corrupt (a domain that cannot be read).
Result<ClusteringColumns> clustering_columns(const Snapshot& snapshot);

/// What a commit says that makes them `columns`; with none the table stays a clustered
/// one that is clustered by nothing, as after Spark's CLUSTER BY NONE.
DomainMetadata clustering_domain(const ClusteringColumns& columns);

/// The names that columns with these physical names have in a schema: "a", "s.x". A
/// column that is not there gives its physical name.
std::vector<std::string> clustering_names(const ClusteringColumns& columns,
                                          const data::Schema& schema);

/// The physical names of top-level columns. Errors: invalid, naming a column that is
/// not there (with the nearest there is) or whose type has no bounds.
Result<ClusteringColumns> resolve_clustering(const std::vector<std::string>& names,
                                             const data::Schema& schema);

/// The leaf of a schema with these physical names; null pointer for none.
const data::Field* find_physical(const data::Schema& schema,
                                 const std::vector<std::string>& path);

/// True for a file that another program clustered, which is its to rearrange.
bool is_clustered_by_others(const AddFile& file);

/// True if the statistics of `file` say something of each of `columns`, as the protocol
/// wants of every file of a clustered table.
bool has_statistics_of(const AddFile& file, const ClusteringColumns& columns);

}  // namespace lakemill::delta
