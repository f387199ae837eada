#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "lakemill/base/clock.h"
#include "lakemill/flow/batch_plan.h"
#include "lakemill/sources/arrival_log.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::flow {

/// The folder of one flow: what it planned, with which definitions, in which
/// generation.
///
///   definitions/<hash>.json     content-addressed
///   arrivals/<source>/…         see sources::ArrivalLog
///   <g>/plans/<N>.json          written with put-if-absent, before the batch runs
///   <g>/plans/<N>-r<k>.json     revision k of a plan that no sink had held when it
///                               was made anew
///   <g>/done/<N>.json           that batch N stands, and by which plan, where no sink
///                               can tell by itself
///   <g>/claimed/<N>.json        the plan by which a folder of files gets batch N
///   <g>/types/<source>.json     see found_types.h
///   <g>/change_state/<sink>/    see sinks::ChangeOptions
///
/// Correctness rests on the sinks' txn, never on this folder alone.
/// Not thread-safe; any number of processes may share a folder.
class FlowState {
 public:
  /// `folder` is relative to the root of `store`.
  FlowState(std::shared_ptr<storage::ObjectStore> store, std::string folder);

  const std::shared_ptr<storage::ObjectStore>& store() const { return store_; }
  const std::string& folder() const { return folder_; }
  /// Absolute.
  std::string url(const std::string& relative) const;

  /// The newest generation that has a plan or was begun; 0 for a new flow.
  Result<std::int64_t> newest_generation();
  /// The newest one of those before `generation`.
  Result<std::int64_t> generation_before(std::int64_t generation);
  /// Makes `generation` exist. Errors: those of the store.
  Status begin_generation(std::int64_t generation);

  /// The plan of a batch, in its newest revision. Errors: corrupt.
  Result<std::optional<BatchPlan>> find_plan(std::int64_t generation,
                                             std::int64_t number);
  /// The plan with the highest number.
  Result<std::optional<BatchPlan>> last_plan(std::int64_t generation);
  /// Writes a plan; if there is one of its number, a revision of it.
  /// Gives the plan that stands: another runner's if it was first.
  Result<BatchPlan> save_plan(const BatchPlan& plan);

  /// Takes back a plan that no sink holds, so that nobody goes by it: the revisions
  /// that hold it, unless another one came after them. Those before stand again.
  Status withdraw_plan(const BatchPlan& plan);

  /// Stores a definition, and gives its hash.
  Result<std::string> save_definition(const Json& definition);
  Result<Json> load_definition(const std::string& hash);

  /// Removes plans of before `cutoff`, but never of batch `number` - 1 and later ones.
  Status forget_plans(std::int64_t generation, std::int64_t number, Instant cutoff);

  /// The files that a source of the flow has seen. One object for all who ask, which
  /// keeps what it has read.
  std::shared_ptr<sources::ArrivalLog> arrivals(const std::string& source,
                                                const sources::FileBase& base);

  /// Notes that the batch of `plan` stands, in place of the one before.
  Status mark_done(const BatchPlan& plan);
  /// The highest batch marked as done, by whatever plan.
  Result<std::optional<std::int64_t>> last_marked(std::int64_t generation);
  /// The highest batch that is done by the plan that stands for it: a mark of another
  /// plan tells of the batch before.
  Result<std::optional<std::int64_t>> last_done(std::int64_t generation);

  /// Settles by which plan files of a batch come to be that cannot tell it themselves:
  /// gives `plan`, or another runner's if it was first. To be asked by one who does not
  /// see the batch there: a plan that was carried out before gives way to `plan`.
  /// Errors: unavailable (not known), corrupt.
  Result<BatchPlan> claim(const BatchPlan& plan);
  /// The plan that claim() settled; nothing for batches before the last one.
  /// Errors: corrupt.
  Result<std::optional<BatchPlan>> claimed_plan(std::int64_t generation,
                                                std::int64_t number);
  /// The highest batch that was claimed and not marked as done; 0: none.
  Result<std::int64_t> claimed_only(std::int64_t generation);

  /// The folder of a generation, relative to the root of the store.
  std::string generation_folder(std::int64_t generation) const;

 private:
  std::string plan_path(std::int64_t generation, std::int64_t number,
                        int revision) const;
  Result<std::optional<std::int64_t>> highest_in(const std::string& folder);

  std::shared_ptr<storage::ObjectStore> store_;
  std::string folder_;
  std::map<std::string, std::shared_ptr<sources::ArrivalLog>> arrivals_;
};

/// The hash of a definition, by which plans name it.
std::string definition_hash(const Json& definition);

/// The hash of a plan, which commits carry.
std::string plan_hash(const BatchPlan& plan);

}  // namespace lakemill::flow
