#include "lakemill/flow/merge_edits.h"

#include "lakemill/base/text.h"

namespace lakemill::flow {

namespace {

using language::MergeCdcOptions;

const MergeCdcOptions* merge_of(const language::Node& node) {
  const language::Sink* sink = node.primary_sink();
  if (sink == nullptr || !sink->merge_cdc_options) return nullptr;
  const bool merges = sink->mode == language::SinkMode::merge ||
                      sink->mode == language::SinkMode::update;
  return merges ? &*sink->merge_cdc_options : nullptr;
}

std::string keys_of(const language::Node& node, const MergeCdcOptions& merge) {
  return join(merge.primary_keys.empty() ? node.primary_keys : merge.primary_keys,
              ", ");
}

std::string order_of(const MergeCdcOptions& merge) {
  return merge.order_by.empty() ? "the order of arrival" : join(merge.order_by, ", ");
}

}  // namespace

Status check_merge_edit(const language::Node& before, const language::Node& now) {
  const MergeCdcOptions* was = merge_of(before);
  const MergeCdcOptions* is = merge_of(now);
  if (was == nullptr || is == nullptr) return {};
  std::string changed;
  const auto compare = [&](const std::string& what, const std::string& left,
                           const std::string& right) {
    if (left != right && changed.empty()) {
      changed = what + " (" + left + " before, " + right + " now)";
    }
  };
  compare("its scd_type", std::to_string(was->scd_type), std::to_string(is->scd_type));
  compare("its keys", keys_of(before, *was), keys_of(now, *is));
  compare("its order_by", order_of(*was), order_of(*is));
  compare("its start_at_column_name", was->start_at_column_name,
          is->start_at_column_name);
  compare("its end_at_column_name", was->end_at_column_name, is->end_at_column_name);
  compare("its delete_mode",
          was->delete_mode == language::DeleteMode::soft ? "SOFT" : "HARD",
          is->delete_mode == language::DeleteMode::soft ? "SOFT" : "HARD");
  if (changed.empty()) return {};
  return Error(ErrorCode::invalid,
               to_text(now.primary_sink()->location) + ": the merge of node " +
                   now.name + " was edited: " + changed +
                   "; rows that were merged by the one cannot be gone on with by the "
                   "other: run with --full-refresh --select " +
                   now.name);
}

}  // namespace lakemill::flow
