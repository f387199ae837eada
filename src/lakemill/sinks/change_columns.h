#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lakemill/delta/action.h"
#include "lakemill/sinks/table_sink.h"

namespace lakemill::sinks {

// Columns that only relations inside this module have. Staged columns of that prefix
// (default sequences) never reach a target.
inline constexpr std::string_view kInternalPrefix = "_lakemill_";
inline constexpr std::string_view kSequence = "_lakemill_change_sequence";
inline constexpr std::string_view kOperation = "_lakemill_change_operation";
inline constexpr std::string_view kHash = "_lakemill_change_hash";
inline constexpr std::string_view kStateBatch = "_lakemill_change_batch";
inline constexpr std::string_view kFoldedAt = "_lakemill_change_folded_at";
inline constexpr std::string_view kSoftDeleted = "_deleted";

/// What a change does, as kOperation holds it. At an equal sequence the greater wins.
/// `horizon` stands in a state table only.
enum class ChangeKind : std::uint8_t { upsert, remove, truncate, horizon };

/// Which staged columns play which part in a merge, with the types of the target.
struct ChangeColumns {
  std::vector<data::Field> keys;
  std::vector<data::Field> values;   ///< the target's other columns, SCD 2's start and
                                     ///< end and the soft-delete flag left out
  std::vector<data::Field> order;    ///< of order_by, as `sequence` holds them
  data::Type sequence;               ///< one type, or a struct of `order`
  bool sequence_in_target = false;   ///< each of `order` is one of `values` or `keys`
  std::vector<std::string> tracked;  ///< SCD 2: what opens a new row
  /// Strings that partition the target: they come back null when they are empty.
  std::vector<data::Field> null_if_empty;
};

/// The columns that a target holds of staged rows, in their order; without SCD 2's
/// interval and the soft-delete flag. Errors: invalid, naming an option's column that
/// the rows lack, or options that exclude each other.
Result<data::Schema> payload_of(const data::Schema& staged,
                                const ChangeOptions& options);

/// The target's whole schema: payload, then interval and flag as the options ask.
Result<data::Schema> target_schema(const data::Schema& staged,
                                   const ChangeOptions& options);

/// The type of a sequence: that of the one order_by column, or a struct of them.
/// `held` gives the types of those columns where a table has them already.
Result<std::vector<data::Field>> order_fields(const data::Schema& staged,
                                              const data::Schema& held,
                                              const ChangeOptions& options);
data::Type sequence_type(const std::vector<data::Field>& order);

/// `target`: the target's metadata with the batch's columns in it.
Result<ChangeColumns> resolve_columns(const data::Schema& staged,
                                      const delta::Metadata& target,
                                      const ChangeOptions& options);

}  // namespace lakemill::sinks
