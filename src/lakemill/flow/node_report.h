#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lakemill/base/result.h"
#include "lakemill/flow/strategy.h"
#include "lakemill/sources/source.h"

namespace lakemill::flow {

enum class NodeStatus : std::uint8_t {
  succeeded,
  skipped,  ///< nothing to do
  failed,
  expectation_failed,  ///< an expectation with action FAIL did not hold
  blocked,             ///< something it depends on failed
  cancelled,
};

std::string_view to_text(NodeStatus status);

enum class ExpectationStatus : std::uint8_t { passed, warned, failed };

std::string_view to_text(ExpectationStatus status);

struct ExpectationResult {
  std::string name;
  ExpectationStatus status = ExpectationStatus::passed;
  std::int64_t failed_rows = 0;  ///< of an aggregate: 1 if it does not hold
  std::int64_t checked_rows = 0;
  std::string message;  ///< empty when passed
};

/// What a batch committed to the table of a sink.
struct TableCommit {
  std::string table;  ///< for people
  std::string url;
  std::int64_t version = 0;
  std::int64_t batch = 0;
  std::int64_t generation = 0;
  std::int64_t rows = 0;  ///< added or updated
  std::int64_t removed_rows = 0;
  std::string identity;  ///< as identity_of() its place
};

/// What one node did in one run. Rows are sums over its batches.
struct NodeReport {
  std::string node;
  NodeStatus status = NodeStatus::succeeded;
  Strategy strategy = Strategy::skip;
  StrategyReason reason = StrategyReason::nothing_new;
  std::int64_t batches = 0;
  std::int64_t input_rows = 0;  ///< = kept + dropped + quarantined
  std::int64_t kept_rows = 0;
  std::int64_t dropped_rows = 0;
  std::int64_t quarantined_rows = 0;
  std::int64_t written_rows = 0;  ///< added or updated in the primary sink
  std::int64_t rejected_rows = 0;
  double seconds = 0;
  std::int64_t version =
      -1;  ///< of the primary sink's table; -1: no table or nothing committed
  std::int64_t batch = 0;  ///< the last batch's N
  std::int64_t generation = 0;
  std::string target;                           ///< the primary sink, for people
  std::string target_identity;                  ///< as identity_of() its place
  std::vector<ExpectationResult> expectations;  ///< of the last batch
  std::vector<std::string> schema_changes;
  std::vector<sources::Notice> notices;
  std::string engine_notice;  ///< why it ran on another engine than the pipeline wants
  std::optional<Error> error;
  /// Tables that the node reads without one of its sources: those that its SQL names.
  std::vector<std::string> named_tables;

  /// Tells something once, however many batches say it.
  void add_notice(sources::Notice notice);
};

}  // namespace lakemill::flow
