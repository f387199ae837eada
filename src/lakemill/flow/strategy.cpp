#include "lakemill/flow/strategy.h"

#include <array>

#include "lakemill/base/check.h"

namespace lakemill::flow {

namespace {

struct StrategyName {
  Strategy strategy;
  std::string_view name;
};

constexpr std::array kStrategies = {
    StrategyName{Strategy::skip, "skip"},
    StrategyName{Strategy::replace, "replace"},
    StrategyName{Strategy::append, "append"},
    StrategyName{Strategy::merge, "merge"},
    StrategyName{Strategy::view, "view"},
};

struct ReasonName {
  StrategyReason reason;
  std::string_view name;
  std::string_view sentence;
};

constexpr std::array kReasons = {
    ReasonName{StrategyReason::nothing_new, "nothing_new",
               "no source version and no definition changed"},
    ReasonName{StrategyReason::no_new_rows, "no_new_rows",
               "the sources hold nothing after the last batch"},
    ReasonName{StrategyReason::edited_no_rows, "edited_no_rows",
               "the sources hold nothing after the last batch; the definition changed, "
               "and rows already loaded keep the old one: --full-refresh makes them "
               "anew"},
    ReasonName{StrategyReason::edited_append, "edited_append",
               "no source version changed; the definition did, and mode APPEND goes on "
               "when a source has a new version: rows already loaded keep the old "
               "definition, --full-refresh makes them anew"},
    ReasonName{StrategyReason::target_exists, "target_exists",
               "mode IGNORE, and the target exists"},
    ReasonName{StrategyReason::first_batch, "first_batch",
               "the target does not exist yet"},
    ReasonName{StrategyReason::whole_sources, "whole_sources",
               "the sources are read as a whole (as_stream: false)"},
    ReasonName{StrategyReason::mode_overwrite, "mode_overwrite",
               "the sink's mode asks for it"},
    ReasonName{StrategyReason::mode_append, "mode_append",
               "the sink's mode asks for it"},
    ReasonName{StrategyReason::mode_merge, "mode_merge", "the sink's mode asks for it"},
    ReasonName{StrategyReason::refresh_key, "refresh_key",
               "the node's refresh key asks for it"},
    ReasonName{StrategyReason::row_wise, "row_wise",
               "each output row comes from one new input row"},
    ReasonName{StrategyReason::not_row_wise, "not_row_wise",
               "the SQL needs all rows, not only the new ones"},
    ReasonName{StrategyReason::mixed_sources, "mixed_sources",
               "new rows of one source meet all rows of another"},
    ReasonName{StrategyReason::full_refresh, "full_refresh",
               "a full refresh was asked for"},
    ReasonName{StrategyReason::backfill, "backfill",
               "a part of the rows is derived again"},
    ReasonName{StrategyReason::no_sink, "no_sink",
               "a node without sinks is computed where it is used"},
};

const ReasonName& entry(StrategyReason reason) {
  for (const ReasonName& known : kReasons) {
    if (known.reason == reason) return known;
  }
  LAKEMILL_CHECK(false);
  return kReasons.front();
}

}  // namespace

std::string_view to_text(Strategy strategy) {
  for (const StrategyName& known : kStrategies) {
    if (known.strategy == strategy) return known.name;
  }
  LAKEMILL_CHECK(false);
  return {};
}

std::optional<Strategy> strategy_from_text(std::string_view text) {
  for (const StrategyName& known : kStrategies) {
    if (known.name == text) return known.strategy;
  }
  return std::nullopt;
}

std::string_view to_text(StrategyReason reason) { return entry(reason).name; }

std::optional<StrategyReason> reason_from_text(std::string_view text) {
  for (const ReasonName& known : kReasons) {
    if (known.name == text) return known.reason;
  }
  return std::nullopt;
}

std::string_view explain(StrategyReason reason) { return entry(reason).sentence; }

}  // namespace lakemill::flow
