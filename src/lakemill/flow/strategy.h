#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace lakemill::flow {

/// What a node does with its target in one batch. Source: design.md, section 6.
enum class Strategy : std::uint8_t {
  skip,     ///< nothing changed
  replace,  ///< recompute, and swap in one commit
  append,   ///< row-wise SQL over new rows
  merge,    ///< keys and changes
  view,     ///< nothing is written: computed where it is used
};

/// Why; the closed list that `lakemill plan` prints from.
enum class StrategyReason : std::uint8_t {
  nothing_new,     ///< no source version and no definition changed
  no_new_rows,     ///< the sources hold no row after the last batch
  edited_no_rows,  ///< the same, and what makes rows of them was edited since
  edited_append,   ///< no new version of sources that are appended whole, but an edit
  target_exists,   ///< mode IGNORE and the target is there
  first_batch,     ///< the target does not exist yet
  whole_sources,   ///< the sources are read as a whole
  mode_overwrite,  ///< the sink asks for it
  mode_append,
  mode_merge,
  refresh_key,    ///< the node's `refresh` asks for it
  row_wise,       ///< each output row comes from one new input row
  not_row_wise,   ///< the SQL needs all rows: aggregate, join, window, …
  mixed_sources,  ///< new rows of one source meet all rows of another
  full_refresh,
  backfill,  ///< asked for on the command line
  no_sink,   ///< the node is a view
};

std::string_view to_text(Strategy strategy);
std::optional<Strategy> strategy_from_text(std::string_view text);

/// The short name of the list: "row_wise".
std::string_view to_text(StrategyReason reason);
std::optional<StrategyReason> reason_from_text(std::string_view text);

/// A sentence for people.
std::string_view explain(StrategyReason reason);

}  // namespace lakemill::flow
