#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/flow/strategy.h"
#include "lakemill/sources/source.h"

namespace lakemill::flow {

/// What a batch covers of one source.
struct SourceSlice {
  std::string source;    ///< the id of the source in its node
  sources::Offset from;  ///< null: the beginning, or a source read as a whole
  sources::Offset to;
  bool incremental = false;
  /// What it reads, by which a source whose name has changed is known again; see
  /// source_identity.h. Empty: not told.
  std::string reads = {};
  /// Of the output of a node: the id of its flow, which may come to write elsewhere.
  std::string writer = {};
};

/// A file that a batch leaves out, because it cannot be read or computed.
struct DeadLetter {
  std::string source;  ///< the name of the source, or its path
  std::string file;
  std::string offset;  ///< its `_source_offset`, without the row
  std::string error;
  std::int64_t size_bytes = 0;
};

/// When a view was computed that several nodes of a run use: what now() and random()
/// in it give.
struct ViewMoment {
  Instant now;
  std::uint64_t seed = 0;
};

/// The folders in which merges remember their changes, by the names of their targets.
using ChangeStates = std::map<std::string, std::string>;

/// The immutable record of what batch N covers: enough to make the batch again, equal.
struct BatchPlan {
  std::int64_t generation = 0;
  std::int64_t number = 1;  ///< N, from 1 in each generation
  std::string definition;   ///< hash of the node's resolved definition
  Instant now;              ///< what now() returns
  std::uint64_t seed = 0;
  std::string run_id;
  Strategy strategy = Strategy::replace;
  StrategyReason reason = StrategyReason::whole_sources;
  std::vector<SourceSlice> slices;
  /// Of sources that earlier batches read by what is new and this definition does not
  /// have: one that comes back goes on where it was.
  std::vector<SourceSlice> former_slices;
  std::map<std::string, std::int64_t> pinned_tables;  ///< other tables read → version
  std::map<std::string, ViewMoment> views;  ///< shared with other nodes of the run
  /// Of a backfill: SQL over the node's rows. Only rows for which it holds are made,
  /// and they replace those of the targets for which it holds. Empty: all, added.
  std::string replace_where;
  /// Of a backfill: the transaction version of the batch that it follows. A target that
  /// holds a later one of the flow refuses it. 0: not told.
  std::int64_t follows = 0;
  /// Of the first batch of a replay from the middle: the transaction version of the
  /// batch of the live flow whose rows, as they were after it, are those of this one.
  /// 0: the rows come from the sources.
  std::int64_t copy_of = 0;
  /// What the default sequence of a merge says of a change: "arrival" (its place among
  /// all), or "batch" (the batch that brought it). Empty: there is none, or it was not
  /// told.
  std::string sequence;
  std::vector<DeadLetter> dead_letters;  ///< with on_error: DEAD_LETTER
  /// Where the state of each merge is, of those that were taken out too; see
  /// change_states.h. Empty: by the places of the definition's sinks.
  ChangeStates change_states;

  /// generation · 2^32 + N: what Delta's txn carries.
  std::int64_t transaction_version() const;
};

Json to_json(const BatchPlan& plan);
/// Errors: corrupt.
Result<BatchPlan> plan_from_json(const Json& json);

/// The parts of a transaction version.
std::int64_t generation_of(std::int64_t transaction_version);
std::int64_t number_of(std::int64_t transaction_version);

}  // namespace lakemill::flow
