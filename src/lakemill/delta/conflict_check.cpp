#include "lakemill/delta/conflict_check.h"

#include "lakemill/delta/clustering.h"
#include "lakemill/delta/file_path.h"
#include "lakemill/delta/table_scan.h"

namespace lakemill::delta {

namespace {

using Reason = std::optional<std::string>;

}  // namespace

Result<Reason> ConflictCheck::against(Version version,
                                      const std::vector<Action>& winner) const {
  Reason reason = changed_ground(winner);
  if (!reason) reason = changed_marks(winner);
  if (!reason) reason = removed_ours(winner);
  if (!reason) {
    LAKEMILL_TRY(reason, changed_what_was_read(version, winner));
  }
  if (reason) reason = "version " + std::to_string(version) + " " + *reason;
  return reason;
}

// What every commit stands on, whatever it read.
Reason ConflictCheck::changed_ground(const std::vector<Action>& winner) const {
  for (const Action& action : winner) {
    if (std::holds_alternative<Protocol>(action)) {
      return "changed the table's protocol";
    }
    if (std::holds_alternative<Metadata>(action)) {
      return "changed the table's schema or properties";
    }
    // Files must have statistics of the columns that the table is clustered by.
    const auto* domain = std::get_if<DomainMetadata>(&action);
    if (domain != nullptr && domain->domain == kClusteringDomain) {
      return "changed the table's clustering columns";
    }
  }
  return std::nullopt;
}

Reason ConflictCheck::changed_marks(const std::vector<Action>& winner) const {
  for (const Action& action : winner) {
    if (const auto* transaction = std::get_if<SetTransaction>(&action)) {
      const auto ours = footprint_.transactions.find(transaction->app_id);
      if (ours != footprint_.transactions.end() &&
          transaction->version >= ours->second) {
        return "holds transaction " + std::to_string(transaction->version) + " of '" +
               transaction->app_id + "', and this is " + std::to_string(ours->second);
      }
    }
    if (const auto* domain = std::get_if<DomainMetadata>(&action)) {
      if (footprint_.domains.contains(domain->domain)) {
        return "changed the domain '" + domain->domain + "', which this commit changes";
      }
    }
  }
  return std::nullopt;
}

Reason ConflictCheck::removed_ours(const std::vector<Action>& winner) const {
  for (const Action& action : winner) {
    const auto* removed = std::get_if<RemoveFile>(&action);
    if (removed != nullptr &&
        footprint_.touched_files.contains(decoded_path(removed->path))) {
      return "removed file '" + removed->path + "', which this commit changes";
    }
  }
  return std::nullopt;
}

Result<Reason> ConflictCheck::changed_what_was_read(
    Version version, const std::vector<Action>& winner) const {
  if (footprint_.scope == ReadScope::none) return Reason();
  std::vector<AddFile> added;
  std::set<std::string> removed_paths;
  for (const Action& action : winner) {
    const auto* add = std::get_if<AddFile>(&action);
    if (add != nullptr && add->data_change) added.push_back(*add);
    const auto* remove = std::get_if<RemoveFile>(&action);
    if (remove != nullptr) removed_paths.insert(decoded_path(remove->path));
  }
  std::vector<AddFile> removed;
  if (!removed_paths.empty()) {
    for (const AddFile& file : base_.files()) {
      if (removed_paths.contains(decoded_path(file.path))) removed.push_back(file);
    }
  }
  LAKEMILL_TRY(const Reason lost, first_that_may_match(version, removed));
  if (lost) return Reason("removed file '" + *lost + "', which this commit read");
  LAKEMILL_TRY(const Reason unseen, first_that_may_match(version, added));
  if (unseen) {
    return Reason("added file '" + *unseen +
                  "', which may hold rows that this commit should have read");
  }
  return Reason();
}

// The first file that may hold a row that the transaction asked for.
Result<Reason> ConflictCheck::first_that_may_match(
    Version version, const std::vector<AddFile>& files) const {
  if (files.empty()) return Reason();
  if (footprint_.scope == ReadScope::table || footprint_.conjuncts.empty()) {
    return Reason(files.front().path);
  }
  auto logical = std::make_shared<LogicalFiles>();
  for (AddFile file : files) {
    file.deletion_vector.reset();  // without it more may match, never less
    logical->push_back(make_logical_file(std::move(file), version));
  }
  // The store is borrowed for the length of this call only.
  const std::shared_ptr<storage::ObjectStore> store(std::shared_ptr<void>(),
                                                    &table_.store());
  LAKEMILL_TRY(
      const std::shared_ptr<const data::TableScan> scan,
      make_table_scan(store, base_.protocol(), base_.metadata(), version, logical));
  const std::vector<std::size_t> matches = scan->may_match(footprint_.conjuncts);
  if (matches.empty()) return Reason();
  return Reason(scan->files()[matches.front()].path);
}

}  // namespace lakemill::delta
