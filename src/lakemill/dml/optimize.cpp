#include "lakemill/dml/optimize.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "lakemill/base/text.h"
#include "lakemill/delta/file_statistics.h"
#include "lakemill/delta/protocol.h"
#include "lakemill/delta/table_properties.h"
#include "lakemill/dml/clustered_files.h"
#include "lakemill/dml/data_files.h"
#include "lakemill/dml/held_rows.h"
#include "lakemill/dml/rows_left.h"

namespace lakemill::dml {
namespace {

constexpr std::size_t kBinsPerCommitMax = 200;
constexpr int kCommitAttemptsMax = 20;

/// A bin and what was written for it.
struct RewrittenBin {
  std::string cluster;  ///< names it, where the table is clustered
  std::vector<delta::AddFile> before;
  std::vector<engine::WrittenFile> after;
};

std::string key_of(const delta::AddFile& file) {
  std::string key = file.path;
  if (file.deletion_vector) {
    key.append(1, '\0').append(file.deletion_vector->unique_id());
  }
  return key;
}

// Files that no commit names, nor will. Best effort: vacuum finds what stays.
void discard(delta::Table& table, const std::vector<engine::WrittenFile>& files) {
  for (const engine::WrittenFile& file : files) (void)table.store().remove(file.path);
}

void discard(delta::Table& table, const std::vector<RewrittenBin>& bins) {
  for (const RewrittenBin& bin : bins) discard(table, bin.after);
}

// The rows that a bin must have; nothing where a file does not tell.
std::optional<std::int64_t> live_rows(const std::vector<delta::AddFile>& files) {
  std::int64_t rows = 0;
  for (const delta::AddFile& file : files) {
    const auto records = delta::record_count(file.stats);
    if (!records) return std::nullopt;
    rows += *records - (file.deletion_vector ? file.deletion_vector->cardinality : 0);
  }
  return rows;
}

/// Writes bins and commits them.
class Optimizer {
 public:
  Optimizer(const ChangeContext& context, const TableState& state,
            delta::ClusteringColumns clustering, std::int64_t target_bytes)
      : context_(context),
        state_(state),
        clustering_(std::move(clustering)),
        target_bytes_(target_bytes) {}

  Result<RewrittenBin> rewrite(const FileBin& bin) {
    constexpr const char* kName = "_lakemill_bin";
    RewrittenBin rewritten;
    for (const std::size_t index : bin.files) {
      rewritten.before.push_back(state_.snapshot->files().at(index));
    }
    LAKEMILL_TRY_OK(context_.session.bind(
        kName, engine::TableRelation{whole_files(state_.scan, bin.files)}));
    if (!clustering_.empty()) rewritten.cluster = make_uuid(context_.random);
    LAKEMILL_TRY(engine::WriteResult written, write(kName, bin));
    rewritten.after = std::move(written.files);
    const auto expected = live_rows(rewritten.before);
    if (expected && *expected != written.written_rows) {
      discard(context_.table, rewritten.after);
      return Error(ErrorCode::corrupt,
                   "file '" + rewritten.before.front().path + "' and " +
                       std::to_string(rewritten.before.size() - 1) +
                       " others of the table hold " +
                       std::to_string(written.written_rows) +
                       " rows where the log says " + std::to_string(*expected) +
                       ": nothing was changed");
    }
    return rewritten;
  }

  /// Commits what other writers leave of the bins; `bins` keeps what could not be.
  Status commit(std::vector<RewrittenBin>& bins, OptimizeResult& result) {
    std::shared_ptr<const delta::Snapshot> base = state_.snapshot;
    for (int attempt = 0; attempt < kCommitAttemptsMax && !bins.empty(); ++attempt) {
      LAKEMILL_TRY(const delta::CommitOutcome outcome, try_commit(base, bins));
      if (const auto* committed = std::get_if<delta::Committed>(&outcome)) {
        result.version = committed->version;
        count(bins, result);
        bins.clear();
        return {};
      }
      if (const auto* undecided = std::get_if<delta::Undecided>(&outcome)) {
        bins.clear();  // the commit may yet appear: its files stay
        return Error(ErrorCode::unavailable,
                     "version " + std::to_string(undecided->version) + " of " +
                         context_.table.store().url() +
                         " was sent and not answered: optimize again");
      }
      LAKEMILL_TRY(base, context_.table.latest());
      LAKEMILL_TRY_OK(drop_lost(*base, bins, result));
    }
    return {};
  }

 private:
  Result<engine::WriteResult> write(const std::string& relation, const FileBin& bin) {
    engine::TableFilesTarget target =
        held_rows_target(context_.table, state_.snapshot->metadata(), context_.layout);
    if (!clustering_.empty()) {
      const std::int64_t files_count = (bin.live_bytes + target_bytes_ - 1) /
                                       std::max<std::int64_t>(target_bytes_, 1);
      return write_clustered(context_, relation, clustering_, std::move(target),
                             files_count);
    }
    engine::WriteSpec spec;
    spec.sql = "SELECT * FROM " + quote_identifier(relation);
    // A bin becomes one file, unless its estimate was far off.
    target.target_file_bytes = bin.live_bytes <= target_bytes_ ? 0 : target_bytes_;
    spec.target = std::move(target);
    return context_.session.write(spec);
  }

  Result<delta::CommitOutcome> try_commit(
      const std::shared_ptr<const delta::Snapshot>& base,
      const std::vector<RewrittenBin>& bins) {
    delta::Transaction transaction(context_.table, base);
    OptimizeResult counted;
    count(bins, counted);
    for (const RewrittenBin& bin : bins) {
      for (const delta::AddFile& file : bin.before) {
        delta::RemoveFile remove = delta::removal_of(file);
        remove.data_change = false;
        transaction.remove(std::move(remove));
      }
      LAKEMILL_TRY(
          std::vector<delta::AddFile> added,
          to_add_files(bin.after, base->metadata(), clustering_, context_.clock.now()));
      for (delta::AddFile& file : added) {
        file.data_change = false;
        if (!clustering_.empty()) mark_clustered(bin.cluster, clustering_, file);
        transaction.add(std::move(file));
      }
    }
    Json parameters = {{"predicate", "[]"}, {"auto", "false"}, {"zOrderBy", "[]"}};
    if (!clustering_.empty()) {
      parameters["clusterBy"] = json_text(
          Json(delta::clustering_names(clustering_, base->metadata().schema)));
    }
    const Json details = {{"operationParameters", parameters},
                          {"operationMetrics",
                           {{"numRemovedFiles", std::to_string(counted.files_removed)},
                            {"numRemovedBytes", std::to_string(counted.bytes_removed)},
                            {"numAddedFiles", std::to_string(counted.files_added)},
                            {"numAddedBytes", std::to_string(counted.bytes_added)}}}};
    return transaction.commit("OPTIMIZE", details, context_.clock, context_.random);
  }

  static void count(const std::vector<RewrittenBin>& bins, OptimizeResult& result) {
    for (const RewrittenBin& bin : bins) {
      result.files_removed += std::ssize(bin.before);
      for (const auto& file : bin.before) result.bytes_removed += file.size_bytes;
      for (const auto& file : bin.after) {
        if (file.row_count == 0) continue;
        ++result.files_added;
        result.bytes_added += file.size_bytes;
      }
    }
  }

  // Bins of which a file is no longer what it was; all, when the table has become
  // another.
  Status drop_lost(const delta::Snapshot& now, std::vector<RewrittenBin>& bins,
                   OptimizeResult& result) {
    LAKEMILL_TRY(const auto clustering, delta::clustering_columns(now));
    const delta::Metadata& before = state_.snapshot->metadata();
    const delta::Metadata& after = now.metadata();
    const bool is_another =
        before.id != after.id || before.schema != after.schema ||
        before.partition_columns != after.partition_columns ||
        clustering != clustering_ ||
        delta::column_mapping_mode(state_.snapshot->protocol(), before) !=
            delta::column_mapping_mode(now.protocol(), after);
    std::set<std::string> held;
    for (const delta::AddFile& file : now.files()) held.insert(key_of(file));
    std::vector<RewrittenBin> left;
    for (RewrittenBin& bin : bins) {
      const bool is_whole =
          !is_another && std::ranges::all_of(bin.before, [&](const auto& file) {
            return held.contains(key_of(file));
          });
      if (is_whole) {
        left.push_back(std::move(bin));
      } else {
        discard(context_.table, bin.after);
        ++result.bins_lost;
      }
    }
    bins = std::move(left);
    return {};
  }

  const ChangeContext& context_;
  const TableState& state_;
  delta::ClusteringColumns clustering_;
  std::int64_t target_bytes_;
};

}  // namespace

Result<OptimizeResult> optimize(const ChangeContext& context,
                                const OptimizeRequest& request) {
  LAKEMILL_TRY(const auto snapshot, context.table.latest());
  LAKEMILL_TRY_OK(delta::check_writable(snapshot->protocol(), snapshot->metadata()));
  const std::int64_t target_bytes =
      request.target_file_bytes > 0
          ? request.target_file_bytes
          : delta::target_file_bytes(snapshot->metadata(),
                                     context.layout.target_file_bytes);
  BinRules rules = request.bins;
  rules.target_bytes = target_bytes;
  LAKEMILL_TRY(const auto clustering, delta::clustering_columns(*snapshot));
  const std::vector<FileBin> bins = clustering.empty() || rules.tiered
                                        ? plan_bins(*snapshot, rules)
                                        : plan_clusters(*snapshot, clustering, rules);
  OptimizeResult result;
  if (bins.empty()) return result;
  LAKEMILL_TRY(const auto scan, snapshot->scan());
  const TableState readable{snapshot, scan};
  Optimizer optimizer(context, readable, clustering, target_bytes);
  for (std::size_t begin = 0; begin < bins.size(); begin += kBinsPerCommitMax) {
    const std::size_t end = std::min(begin + kBinsPerCommitMax, bins.size());
    std::vector<RewrittenBin> rewritten;
    for (std::size_t i = begin; i < end; ++i) {
      auto bin = optimizer.rewrite(bins[i]);
      if (!bin) {
        discard(context.table, rewritten);
        return std::move(bin).error().while_doing("optimize " +
                                                  context.table.store().url());
      }
      rewritten.push_back(std::move(*bin));
    }
    const Status committed = optimizer.commit(rewritten, result);
    discard(context.table, rewritten);
    if (!committed) {
      return Error(committed.error())
          .while_doing("optimize " + context.table.store().url());
    }
    if (result.version >= 0) (void)delta::maintain_log(context.table, result.version);
  }
  return result;
}

}  // namespace lakemill::dml
