#include "lakemill/flow/node_sinks.h"

#include "lakemill/flow/change_states.h"
#include "lakemill/flow/declared_rows.h"
#include "lakemill/flow/file_arguments.h"
#include "lakemill/flow/node_query.h"
#include "lakemill/flow/rescued_columns.h"
#include "lakemill/flow/source_opening.h"
#include "lakemill/sinks/file_sink.h"
#include "lakemill/sinks/table_sink.h"
#include "lakemill/sources/file_listing.h"

namespace lakemill::flow {

namespace {

sinks::WriteMode write_mode(const language::Sink& sink, const SinkPurpose& purpose) {
  if (sink.is_quarantine) {  // what is read anew is judged anew
    const bool anew = purpose.starts_over ||
                      (purpose.reads_whole && purpose.strategy != Strategy::append);
    return anew ? sinks::WriteMode::replace : sinks::WriteMode::append;
  }
  if (purpose.copies_rows) return sinks::WriteMode::replace;
  if (sink.merge_cdc_options) return sinks::WriteMode::merge;
  if (purpose.replace_where.empty() && purpose.reads_whole &&
      sink.mode != language::SinkMode::append) {
    return sinks::WriteMode::replace;
  }
  // Never others' rows of a shared table.
  return purpose.starts_over && !sink.shared ? sinks::WriteMode::replace
                                             : sinks::WriteMode::append;
}

// The batch that the sink must hold for this one to be added to it; 0: none.
std::int64_t batch_behind(const Place& place, const SinkPurpose& purpose) {
  return purpose.holding.contains(place.url) ? purpose.follows_batch : 0;
}

sinks::SchemaEvolution schema_evolution(const language::Node& node,
                                        const language::Sink& sink) {
  switch (sink.schema_evolution) {
    case language::SchemaEvolution::strict:
      return sinks::SchemaEvolution::strict;
    case language::SchemaEvolution::rescue:
      return sinks::SchemaEvolution::rescue;
    case language::SchemaEvolution::evolve:
      return sinks::SchemaEvolution::evolve;
    case language::SchemaEvolution::unset:
      break;
  }
  return node.layer == language::Layer::bronze ? sinks::SchemaEvolution::rescue
                                               : sinks::SchemaEvolution::evolve;
}

// The table beside the target that takes what cannot be applied.
std::string rejected_url(const Place& place) { return place.url + "_rejected"; }

sinks::ChangeOptions change_options(const language::Node& node,
                                    const language::Sink& sink, const Place& place,
                                    std::string state_url) {
  const language::MergeCdcOptions& given = *sink.merge_cdc_options;
  sinks::ChangeOptions options;
  options.primary_keys =
      given.primary_keys.empty() ? node.primary_keys : given.primary_keys;
  options.scd_type = given.scd_type;
  options.order_by = given.order_by;
  if (options.order_by.empty()) {
    options.order_by = {std::string(kSequenceColumn)};
    options.equal_sequences_fail = true;
  }
  options.delete_where = given.delete_where.text;
  options.truncate_where = given.truncate_where.text;
  options.include_columns = given.include_columns;
  if (!options.include_columns.empty() && rescues_misfits(node, sink)) {
    options.include_columns.emplace_back(kRescuedColumn);
  }
  options.exclude_columns = given.exclude_columns;
  options.ignore_null_updates = given.ignore_null_updates;
  options.null_equals_null = given.null_equals_null;
  options.start_at_column_name = given.start_at_column_name;
  options.end_at_column_name = given.end_at_column_name;
  options.track_history_columns = given.track_history_columns;
  options.track_history_except_columns = given.track_history_except_columns;
  options.delete_mode = given.delete_mode == language::DeleteMode::soft
                            ? sinks::DeleteMode::soft
                            : sinks::DeleteMode::hard;
  options.state_url = std::move(state_url);
  options.rejected_url = rejected_url(place);
  options.state_retention =
      std::chrono::duration_cast<std::chrono::hours>(given.state_retention);
  return options;
}

Result<std::unique_ptr<sinks::Sink>> make_sink(const Workspace& workspace,
                                               const language::Node& node,
                                               const language::Sink& sink,
                                               const Place& place, FlowState& state,
                                               const SinkPurpose& purpose) {
  const sinks::SinkServices services{workspace.stores, workspace.catalog,
                                     workspace.clock, workspace.random};
  const sinks::WriteMode mode = write_mode(sink, purpose);
  if (!place.is_delta) {
    sinks::FileSinkSpec spec;
    spec.url = place.url;
    spec.format = engine_format(place.format);
    spec.kind = sink.mode == language::SinkMode::append
                    ? sinks::FileSinkKind::folder_of_batches
                    : sinks::FileSinkKind::single;
    spec.options = file_options(sink.writer_options);
    spec.adopt_app_id = purpose.adopt_app_id;
    spec.shared = sink.shared;
    return sinks::make_file_sink(std::move(spec), services);
  }
  sinks::TableSinkSpec spec;
  spec.url = place.url;
  spec.name = place.name;
  spec.mode = mode;
  if (mode == sinks::WriteMode::merge) {
    spec.changes =
        change_options(node, sink, place,
                       state.url(std::to_string(purpose.generation) + "/change_state/" +
                                 change_state_folder(workspace, node, sink, place,
                                                     purpose.change_states)));
  }
  if (mode == sinks::WriteMode::append) {
    spec.replace_where = purpose.replace_where;
    spec.follows = purpose.follows;
  }
  spec.partition_by = sink.partition_by;
  spec.cluster_by = sink.cluster_by;
  LAKEMILL_TRY(spec.schema, declared_schema(node, sink));
  spec.drops_on_reset = sink.reset_mode == language::ResetMode::drop;
  spec.properties = sink.properties;
  spec.column_comments = sink.metadata.column_comments;
  for (const language::ColumnContract& column : node.columns) {
    if (!column.comment.empty()) spec.column_comments[column.name] = column.comment;
  }
  const std::string& comment =
      sink.metadata.comment.empty() ? node.comment : sink.metadata.comment;
  if (!comment.empty()) spec.comment = comment;
  spec.schema_evolution = schema_evolution(node, sink);
  spec.shared = sink.shared;
  spec.adopt_app_id = purpose.adopt_app_id;
  spec.follows_batch = batch_behind(place, purpose);
  if (workspace.engine_commits && mode != sinks::WriteMode::merge) {
    return sinks::make_engine_sink(std::move(spec), services);
  }
  return sinks::make_table_sink(std::move(spec), services);
}

// Quarantine first, the primary sink last: batch N is done when all hold it.
int commit_rank(const language::Node& node, const language::Sink& sink) {
  if (sink.is_quarantine) return 0;
  return &sink == node.primary_sink() ? 2 : 1;
}

}  // namespace

SinkPurpose purpose_of(const BatchPlan& plan) {
  SinkPurpose purpose;
  purpose.strategy = plan.strategy;
  purpose.generation = plan.generation;
  purpose.replace_where = plan.replace_where;
  purpose.follows = plan.follows;
  purpose.change_states = plan.change_states;
  return purpose;
}

Result<std::vector<NodeSink>> open_sinks(const Workspace& workspace,
                                         const language::Node& node, FlowState& state,
                                         const SinkPurpose& purpose) {
  std::vector<NodeSink> opened;
  for (int rank = 0; rank <= 2; ++rank) {
    for (const language::Sink& sink : node.sinks) {
      if (sink.is_view() || commit_rank(node, sink) != rank) continue;
      LAKEMILL_TRY(Place place, place_of(workspace, node, sink));
      NodeSink item;
      item.spec = &sink;
      LAKEMILL_TRY(item.sink, make_sink(workspace, node, sink, place, state, purpose));
      item.is_primary = rank == 2;
      item.remembers = place.is_delta || sink.mode == language::SinkMode::append;
      item.lacks_last = item.remembers && purpose.follows_batch > 0 &&
                        batch_behind(place, purpose) == 0;
      item.place = std::move(place);
      opened.push_back(std::move(item));
    }
  }
  return opened;
}

Result<bool> target_exists(const Workspace& workspace, const Place& place) {
  if (place.is_delta) {
    LAKEMILL_TRY(const auto store, workspace.stores.open(place.url));
    return delta::table_exists(*store);
  }
  LAKEMILL_TRY(const auto files, sources::list_files(workspace.stores, place.url));
  return !files.empty();
}

Result<bool> leaves_targets_alone(const Workspace& workspace,
                                  const language::Node& node) {
  bool leaves_alone = false;
  for (const language::Sink& sink : node.sinks) {
    const bool ignores = sink.mode == language::SinkMode::ignore;
    if ((!ignores && sink.mode != language::SinkMode::error) || sink.is_view())
      continue;
    LAKEMILL_TRY(const Place place, place_of(workspace, node, sink));
    LAKEMILL_TRY(const bool exists, target_exists(workspace, place));
    if (!exists) continue;
    if (!ignores) {
      return Error(ErrorCode::invalid,
                   to_text(sink.location) + ": " + place.name +
                       " exists already, and the sink's mode is ERROR; drop it, or "
                       "choose another mode");
    }
    leaves_alone = leaves_alone || !sink.is_quarantine;
  }
  return leaves_alone;
}

}  // namespace lakemill::flow
