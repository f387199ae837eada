#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/delta/conflict_check.h"
#include "lakemill/delta/transaction.h"

namespace lakemill::delta {

/// What a transaction collected, before it is made into a commit.
struct CollectedChanges {
  std::shared_ptr<const Snapshot> base;  ///< null: the table is created
  std::optional<NewTable> definition;    ///< if it is
  std::vector<AddFile> adds;
  std::vector<RemoveFile> removes;
  bool remove_all = false;
  std::optional<Metadata> metadata;
  std::vector<SetTransaction> transactions;
  std::vector<DomainMetadata> domains;
  std::vector<AddCdcFile> cdc_files;
  bool follow_from_files = false;
  std::optional<ReadScope> scope;
  std::vector<data::Comparison> conjuncts;
};

/// A commit but for its commitInfo and its version.
struct CommitContent {
  Protocol protocol;  ///< of the table once this is committed
  Metadata metadata;
  std::vector<Action> actions;
  CommitFootprint footprint;
  bool blind_append = false;
  Json metrics = Json::object();  ///< operationMetrics
};

/// Makes actions of what was collected and checks them against the table's rules.
/// Errors: unsupported (a writer feature; a change that the table's properties forbid
/// or that we cannot make), invalid (actions that contradict each other or the schema).
Result<CommitContent> make_content(const CollectedChanges& changes, Instant now,
                                   Random& random);

/// The first line of a commit. `details`: {operationParameters, operationMetrics, and
/// further members}; members that the protocol or Delta for Spark give a meaning are
/// made to fit it.
Json make_commit_info(std::string_view operation, const Json& details,
                      const CommitContent& content);

}  // namespace lakemill::delta
