#include "lakemill/flow/merge_edits.h"

#include "lakemill/base/text.h"

namespace lakemill::flow {

namespace {

using language::MergeCdcOptions;

// True if both are the same table or path, as far as the pipeline says.
bool same_target(const language::Sink& left, const language::Sink& right) {
  return left.kind == right.kind && left.path == right.path &&
         left.table.to_text() == right.table.to_text();
}

// The sink of `before` that is the one of `now`; of the primary one, its primary one.
const language::Sink* sink_before(const language::Node& before,
                                  const language::Node& now,
                                  const language::Sink& sink) {
  if (&sink == now.primary_sink()) return before.primary_sink();
  for (const language::Sink& other : before.sinks) {
    if (same_target(other, sink)) return &other;
  }
  return nullptr;
}

std::string keys_of(const language::Node& node, const MergeCdcOptions& merge) {
  return join(merge.primary_keys.empty() ? node.primary_keys : merge.primary_keys,
              ", ");
}

std::string order_of(const MergeCdcOptions& merge) {
  return merge.order_by.empty() ? "the order of arrival" : join(merge.order_by, ", ");
}

Status check_sink_edit(const language::Node& before, const language::Node& now,
                       const language::Sink& sink) {
  const language::Sink* old = sink_before(before, now, sink);
  if (old == nullptr || !old->merge_cdc_options || !sink.merge_cdc_options) return {};
  const MergeCdcOptions* was = &*old->merge_cdc_options;
  const MergeCdcOptions* is = &*sink.merge_cdc_options;
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
               to_text(sink.location) + ": the merge of node " + now.name +
                   " was edited: " + changed +
                   "; rows that were merged by the one cannot be gone on with by the "
                   "other: run with --full-refresh --select " +
                   now.name);
}

}  // namespace

Status check_merge_edit(const language::Node& before, const language::Node& now) {
  for (const language::Sink& sink : now.sinks) {
    LAKEMILL_TRY_OK(check_sink_edit(before, now, sink));
  }
  return {};
}

Status check_merge_sequence(const std::string& before, const std::string& now,
                            const language::Node& node) {
  if (before.empty() || now.empty() || before == now) return {};
  const auto explained = [](const std::string& sequence) {
    return sequence == "batch" ? "by the batches that brought them"
                               : "by the order in which their rows came";
  };
  for (const language::Sink& sink : node.sinks) {
    if (!sink.merge_cdc_options || !sink.merge_cdc_options->order_by.empty()) continue;
    return Error(ErrorCode::invalid,
                 to_text(sink.location) + ": the changes that node " + node.name +
                     " merges were told apart " + explained(before) +
                     ", and by its sources and steps of now they are " +
                     explained(now) +
                     "; the ones cannot be compared with the others: run with "
                     "--full-refresh --select " +
                     node.name);
  }
  return {};
}

}  // namespace lakemill::flow
