#pragma once

#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "lakemill/engine/engine.h"
#include "lakemill/flow/given_rows.h"
#include "lakemill/flow/workspace.h"
#include "lakemill/sources/source.h"

namespace lakemill::flow {

/// Whether sources that can be read by what is new are.
enum class Reading : std::uint8_t { as_declared, whole };

/// One outside relation that a node's rows come from: a source of its own, or of a view
/// that it reads.
struct Leaf {
  std::string id;  ///< in the flow: "orders", "view/0"; stays where it is renamed
  std::unique_ptr<sources::Source>
      source;                    ///< null: an upstream node that has not run yet
  std::string upstream_node;     ///< of which node it is the output, or empty
  bool stream_declared = false;  ///< without a source: it will be read incrementally
  bool of_quarantine = false;    ///< without a source: it will hold quarantined rows
  std::string reads = {};        ///< as SourceSlice::reads
  std::string writer = {};       ///< as SourceSlice::writer
  const language::Source* declared = nullptr;  ///< null: only named in a step

  bool incremental() const {
    return source == nullptr ? stream_declared : source->incremental();
  }
};

/// What a plan says of each leaf, by its id.
using Slices = std::map<std::string, SourceSlice>;

/// The schemas of upstream nodes that have not run yet, by name.
using ExpectedSchemas = std::map<std::string, data::Schema>;

/// The name of the column that orders changes where the pipeline names none.
inline constexpr std::string_view kSequenceColumn = "_lakemill_sequence";

/// A relation that bind() bound, and where the pipeline says what it is; without a
/// place for what is read from outside.
struct BoundRelation {
  std::string name;
  std::optional<language::Location> step;
};

/// The SQL of a node over its sources, those of the views that it reads included.
///
/// Not thread-safe.
class NodeQuery {
 public:
  /// Opens the sources; `known` is the flow's last batch (null: none), by which it
  /// knows sources again that have another name now. Errors: invalid, with file, line
  /// and column; denied; not_found.
  static Result<std::unique_ptr<NodeQuery>> open(const Workspace& workspace,
                                                 const language::Node& node,
                                                 FlowState& state, Reading reading,
                                                 const BatchPlan* known);
  /// The same over given relations, without touching storage. Errors: invalid, naming a
  /// source that `given` lacks.
  static Result<std::unique_ptr<NodeQuery>> open_over(const Workspace& workspace,
                                                      const language::Node& node,
                                                      const GivenRelations& given);
  ~NodeQuery();

  std::vector<Leaf>& leaves();
  /// The size of the files that bind() bound.
  std::int64_t bytes() const;
  /// What bind() bound, each after all that it reads.
  const std::vector<BoundRelation>& bound() const;
  /// Where the default sequence of changes that a merge needs was lost on its way
  /// through the steps, if it was: rows then have the batch's number for it.
  const std::optional<language::Location>& sequence_lost() const;
  /// What the default sequence of the rows that bind() bound says: BatchPlan::sequence.
  const std::string& sequence() const;
  bool any_incremental();
  bool all_incremental();

  /// Binds what the plan covers, and the node's steps over it, in `session`; gives the
  /// name of the relation that holds the node's rows (a BRONZE node's metadata columns
  /// and kSequenceColumn, where a merge needs it, included). `expected` stands in for
  /// upstream nodes that have not run.
  /// Errors: invalid, with the place of the step; those of the sources.
  Result<std::string> bind(engine::Session& session, const BatchPlan& plan,
                           const ExpectedSchemas& expected);

  /// Keeps the types that were found in files without a schema for batches of the
  /// generation to come; to be called once the batch stands. Errors: those of the
  /// store.
  Status keep_types(std::int64_t generation) const;

  /// Writes into `plan` the moments of the views that other nodes of the run use too
  /// and that are read as a whole.
  void share_views(BatchPlan& plan);
  /// Computes those views, unless another node of the run did; bind() then reads what
  /// they gave. Errors: those of bind() and of writing.
  Status compute_views(const BatchPlan& plan, std::stop_token stop);

 private:
  class State;
  explicit NodeQuery(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// True if a sink of the node merges without an `order_by` of its own.
bool needs_sequence(const language::Node& node);

}  // namespace lakemill::flow
