#include "lakemill/dml/clustered_files.h"

#include <algorithm>
#include <map>
#include <set>

#include "lakemill/base/text.h"

namespace lakemill::dml {
namespace {

constexpr const char* kClusterTag = "lakemill.cluster";
constexpr const char* kColumnsTag = "lakemill.clusterBy";
constexpr std::int64_t kFilesOfClusterMax = 16;  // of the target's size, sorted at once
constexpr std::int64_t kFilesOfWholeCluster = 8;  // with so many it stays as it is
constexpr std::size_t kRankBitsMax = 10;
constexpr std::size_t kCurveBitsMax = 62;

std::string tag_of(const delta::AddFile& file, const char* key) {
  const auto found = file.tags.find(key);
  return found == file.tags.end() ? std::string() : found->second;
}

std::string columns_text(const delta::ClusteringColumns& clustering) {
  return json_text(Json(clustering));
}

/// A file that may be ordered anew.
struct Candidate {
  std::size_t index;
  std::int64_t live_bytes;
  std::string cluster;  ///< empty: it is in none, or must be written anew
};

bool is_worth_it(const std::vector<Candidate>& group) {
  std::set<std::string> clusters;
  for (const Candidate& candidate : group) {
    if (candidate.cluster.empty()) return true;
    clusters.insert(candidate.cluster);
  }
  return clusters.size() > 1;
}

void add_group(std::vector<Candidate>& group, std::vector<FileBin>& bins) {
  if (is_worth_it(group)) {
    FileBin bin;
    for (const Candidate& candidate : group) {
      bin.files.push_back(candidate.index);
      bin.live_bytes += candidate.live_bytes;
    }
    std::ranges::sort(bin.files);
    bins.push_back(std::move(bin));
  }
  group.clear();
}

// "b"."s"."x": a leaf of the rows named b.
std::string leaf_sql(const std::vector<std::string>& path, const data::Schema& schema) {
  std::string sql = "b";
  for (std::size_t size = 1; size <= path.size(); ++size) {
    const auto end = path.begin() + static_cast<std::ptrdiff_t>(size);
    const data::Field* field = delta::find_physical(schema, {path.begin(), end});
    sql += "." + quote_identifier(field == nullptr ? path[size - 1] : field->name);
  }
  return sql;
}

// Which values begin which share of the rows: rank 0 for the smallest.
std::string ranks_sql(const std::string& leaf, std::string_view relation,
                      std::int64_t ranks) {
  const std::string count = std::to_string(ranks);
  return "SELECT min(value) AS value, rank FROM (SELECT value, least(" + count +
         " - 1, floor(" + count +
         " * ((sum(n) OVER (ORDER BY value) - n) / sum(n) OVER ())))::BIGINT AS rank "
         "FROM (SELECT " +
         leaf + " AS value, count(*) AS n FROM " + quote_identifier(relation) +
         " AS b WHERE " + leaf + " IS NOT NULL GROUP BY ALL)) GROUP BY rank";
}

std::string rank_name(std::size_t column) { return "r" + std::to_string(column); }

// The bits of the ranks in turn, the first column's first; null comes before all.
std::string curve_sql(std::size_t columns, std::size_t bits) {
  std::vector<std::string> terms;
  for (std::size_t bit = 0; bit < bits; ++bit) {
    for (std::size_t column = 0; column < columns; ++column) {
      const std::size_t place = bit * columns + (columns - 1 - column);
      terms.push_back("(((coalesce(" + rank_name(column) + ".rank + 1, 0) >> " +
                      std::to_string(bit) + ") & 1) << " + std::to_string(place) + ")");
    }
  }
  return join(terms, " | ");
}

void discard(delta::Table& table, const engine::WriteResult& written) {
  for (const engine::WrittenFile& file : written.files) {
    (void)table.store().remove(file.path);  // best effort: vacuum finds what stays
  }
}

}  // namespace

void mark_clustered(const std::string& cluster,
                    const delta::ClusteringColumns& clustering, delta::AddFile& file) {
  file.clustering_provider = std::string(delta::kClusteringProvider);
  file.tags[kClusterTag] = cluster;
  file.tags[kColumnsTag] = columns_text(clustering);
}

std::vector<FileBin> plan_clusters(const delta::Snapshot& snapshot,
                                   const delta::ClusteringColumns& clustering,
                                   const BinRules& rules) {
  const std::string columns = columns_text(clustering);
  std::vector<Candidate> candidates;
  std::map<std::string, std::int64_t> cluster_bytes;
  const auto& files = snapshot.files();
  for (std::size_t i = 0; i < files.size(); ++i) {
    const delta::AddFile& file = files[i];
    if (delta::is_clustered_by_others(file)) continue;
    const bool is_in_order =
        file.clustering_provider && tag_of(file, kColumnsTag) == columns;
    Candidate candidate{i, live_bytes(file),
                        is_in_order ? tag_of(file, kClusterTag) : ""};
    cluster_bytes[candidate.cluster] += candidate.live_bytes;
    if (is_much_deleted(file, rules)) candidate.cluster.clear();
    candidates.push_back(std::move(candidate));
  }
  std::erase_if(candidates, [&](const Candidate& candidate) {
    return !candidate.cluster.empty() && cluster_bytes[candidate.cluster] >=
                                             kFilesOfWholeCluster * rules.target_bytes;
  });
  std::ranges::stable_sort(candidates, {}, &Candidate::cluster);
  std::vector<FileBin> bins;
  std::vector<Candidate> group;
  std::int64_t group_bytes = 0;
  for (Candidate& candidate : candidates) {
    if (!group.empty() &&
        group_bytes + candidate.live_bytes > kFilesOfClusterMax * rules.target_bytes) {
      add_group(group, bins);
      group_bytes = 0;
    }
    group_bytes += candidate.live_bytes;
    group.push_back(std::move(candidate));
  }
  add_group(group, bins);
  return bins;
}

Result<std::string> clustered_sql(engine::Session& session, std::string_view relation,
                                  const delta::ClusteringColumns& clustering,
                                  const data::Schema& schema) {
  std::vector<std::string> leaves;
  for (const auto& path : clustering) leaves.push_back(leaf_sql(path, schema));
  std::string order;
  for (const std::string& leaf : leaves) {
    order += (order.empty() ? "" : ", ") + leaf + " NULLS FIRST";
  }
  std::string sql = "SELECT b.* FROM " + quote_identifier(relation) + " AS b";
  if (leaves.size() == 1) return sql + " ORDER BY " + order;
  const std::size_t bits = std::min(kRankBitsMax, kCurveBitsMax / leaves.size());
  const std::int64_t ranks = (std::int64_t{1} << bits) - 1;  // and null
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    const std::string name = "_lakemill_ranks_" + std::to_string(i);
    engine::WriteSpec spec;
    spec.sql = ranks_sql(leaves[i], relation, ranks);
    spec.target = engine::TemporaryTarget{name};
    LAKEMILL_TRY(const auto written, session.write(spec));
    (void)written;  // the relation is all that is wanted
    sql += " ASOF LEFT JOIN " + quote_identifier(name) + " AS " + rank_name(i) +
           " ON " + leaves[i] + " >= " + rank_name(i) + ".value";
  }
  return sql + " ORDER BY " + curve_sql(leaves.size(), bits) + ", " + order;
}

Result<engine::WriteResult> write_clustered(const ChangeContext& context,
                                            std::string_view relation,
                                            const delta::ClusteringColumns& clustering,
                                            engine::TableFilesTarget target,
                                            std::int64_t files_count) {
  constexpr const char* kOrdered = "_lakemill_clustered";
  LAKEMILL_TRY(const std::string ordered,
               clustered_sql(context.session, relation, clustering, target.schema));
  target.target_file_bytes = 0;  // each of them is one file
  engine::WriteSpec spec;
  if (files_count <= 1) {
    spec.sql = ordered;
    spec.target = std::move(target);
    return context.session.write(spec);
  }
  spec.sql =
      "SELECT *, row_number() OVER () AS _lakemill_position FROM (" + ordered + ")";
  spec.target = engine::TemporaryTarget{kOrdered};
  LAKEMILL_TRY(const engine::WriteResult kept, context.session.write(spec));
  engine::WriteResult written;
  std::int64_t from = 0;
  for (std::int64_t file = 1; file <= files_count; ++file) {
    const std::int64_t to = kept.written_rows * file / files_count;
    spec.sql = "SELECT * EXCLUDE (_lakemill_position) FROM " + std::string(kOrdered) +
               " WHERE _lakemill_position > " + std::to_string(from) +
               " AND _lakemill_position <= " + std::to_string(to) +
               " ORDER BY _lakemill_position";
    spec.target = target;
    auto part = context.session.write(spec);
    if (!part) {
      discard(context.table, written);
      return std::move(part).error();
    }
    written.schema = std::move(part->schema);
    written.written_rows += part->written_rows;
    written.files.insert(written.files.end(), part->files.begin(), part->files.end());
    from = to;
  }
  return written;
}

}  // namespace lakemill::dml
