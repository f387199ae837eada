#include "lakemill/dml/file_bins.h"

#include <algorithm>
#include <map>

#include "lakemill/delta/clustering.h"
#include "lakemill/delta/file_statistics.h"

namespace lakemill::dml {
namespace {

double deleted_share(const delta::AddFile& file) {
  if (!file.deletion_vector) return 0;
  const auto records = delta::record_count(file.stats);
  if (!records || *records <= 0) return 0;
  return static_cast<double>(file.deletion_vector->cardinality) /
         static_cast<double>(*records);
}

struct Candidate {
  std::size_t index;
  std::int64_t live_bytes;
  bool must_go;  // for its deleted rows
};

/// Packs the candidates of one partition, smallest first.
class Packer {
 public:
  Packer(const BinRules& rules, std::vector<FileBin>& bins)
      : rules_(rules), bins_(bins) {}

  void add(const Candidate& candidate) {
    if (!fits(candidate)) flush();
    bin_.files.push_back(candidate.index);
    bin_.live_bytes += candidate.live_bytes;
    must_go_ = must_go_ || candidate.must_go;
  }

  void flush() {
    if (must_go_ || bin_.files.size() >= std::max<std::size_t>(rules_.files_min, 2)) {
      std::ranges::sort(bin_.files);
      bins_.push_back(std::move(bin_));
    }
    bin_ = {};
    must_go_ = false;
  }

 private:
  bool fits(const Candidate& candidate) const {
    if (bin_.files.empty()) return true;
    if (bin_.live_bytes + candidate.live_bytes > rules_.target_bytes) return false;
    return !rules_.tiered || candidate.must_go ||
           bin_.files.size() < rules_.files_min ||
           candidate.live_bytes <= bin_.live_bytes;
  }

  const BinRules& rules_;
  std::vector<FileBin>& bins_;
  FileBin bin_;
  bool must_go_ = false;
};

}  // namespace

std::int64_t live_bytes(const delta::AddFile& file) {
  return static_cast<std::int64_t>(static_cast<double>(file.size_bytes) *
                                   (1 - std::min(deleted_share(file), 1.0)));
}

bool is_much_deleted(const delta::AddFile& file, const BinRules& rules) {
  const double share = deleted_share(file);
  return share > rules.deleted_share_max &&
         share * static_cast<double>(file.size_bytes) >=
             static_cast<double>(rules.deleted_bytes_min);
}

std::vector<FileBin> plan_bins(const delta::Snapshot& snapshot, const BinRules& rules) {
  std::map<std::map<std::string, std::optional<std::string>>, std::vector<Candidate>>
      partitions;
  const auto& files = snapshot.files();
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (delta::is_clustered_by_others(files[i])) continue;
    const Candidate candidate{i, live_bytes(files[i]),
                              is_much_deleted(files[i], rules)};
    if (candidate.live_bytes >= rules.target_bytes && !candidate.must_go) continue;
    partitions[files[i].partition_values].push_back(candidate);
  }
  std::vector<FileBin> bins;
  for (auto& [values, candidates] : partitions) {
    std::ranges::stable_sort(candidates, {}, &Candidate::live_bytes);
    Packer packer(rules, bins);
    for (const Candidate& candidate : candidates) packer.add(candidate);
    packer.flush();
  }
  return bins;
}

bool has_much_deleted(const delta::Snapshot& snapshot, const BinRules& rules) {
  return std::ranges::any_of(snapshot.files(), [&](const delta::AddFile& file) {
    return !delta::is_clustered_by_others(file) && is_much_deleted(file, rules);
  });
}

std::size_t small_files(const delta::Snapshot& snapshot, std::int64_t target_bytes) {
  return static_cast<std::size_t>(
      std::ranges::count_if(snapshot.files(), [&](const delta::AddFile& file) {
        return !delta::is_clustered_by_others(file) && live_bytes(file) < target_bytes;
      }));
}

}  // namespace lakemill::dml
