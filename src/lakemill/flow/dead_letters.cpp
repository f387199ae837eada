#include "lakemill/flow/dead_letters.h"

#include <algorithm>

#include "lakemill/base/text.h"
#include "lakemill/flow/bronze_columns.h"
#include "lakemill/flow/flow_position.h"
#include "lakemill/sinks/table_sink.h"

namespace lakemill::flow {

namespace {

bool sets_aside(const language::Source& source) {
  return source.kind == language::SourceKind::file &&
         source.on_error == language::OnError::dead_letter;
}

bool will_not_pass(const Error& error) {
  return error.code() == ErrorCode::invalid || error.code() == ErrorCode::corrupt ||
         error.code() == ErrorCode::unsupported;
}

// Computes all rows of a plan and keeps none.
Status try_plan(const Workspace& workspace, NodeQuery& query, const BatchPlan& plan,
                const std::stop_token& stop) {
  LAKEMILL_TRY(const BoundRows bound,
               bind_rows(workspace, query, plan, {},
                         session_options(workspace, plan, stop, {})));
  engine::WriteSpec spec;
  spec.sql = "SELECT * FROM " + quote_identifier(bound.relation);
  spec.target = engine::TemporaryTarget{"_lakemill_tried"};
  LAKEMILL_TRY(const auto written, bound.session->write(spec));
  (void)written;  // that it could be computed is all
  return {};
}

// By its place in the definition: its id is the name that it had first.
const Leaf* leaf_of(NodeQuery& query, const language::Source& source) {
  for (const Leaf& leaf : query.leaves()) {
    if (leaf.declared == &source) return &leaf;
  }
  return nullptr;
}

Leaf* leaf_of(NodeQuery& query, const std::string& id) {
  for (Leaf& leaf : query.leaves()) {
    if (leaf.id == id && leaf.source != nullptr) return &leaf;
  }
  return nullptr;
}

// The pieces of one slice that fail by themselves. Those that did are none of the files
// before the next, by which columns of nulls get their types.
struct Trial {
  std::vector<sources::Piece> failing;
  std::vector<Error> errors;
  bool any_passes = false;
};

Result<Trial> try_pieces(const Workspace& workspace, NodeQuery& query,
                         const BatchPlan& plan, std::size_t slice,
                         const std::vector<sources::Piece>& pieces,
                         const std::stop_token& stop) {
  sources::Source& source = *leaf_of(query, plan.slices[slice].source)->source;
  Trial trial;
  for (const sources::Piece& piece : pieces) {
    BatchPlan alone = plan;
    alone.slices[slice].from = piece.from;
    alone.slices[slice].to = source.without(piece.to, trial.failing);
    const auto tried = try_plan(workspace, query, alone, stop);
    if (tried) {
      trial.any_passes = true;
      continue;
    }
    if (!will_not_pass(tried.error())) return tried.error();
    trial.failing.push_back(piece);
    trial.errors.push_back(tried.error());
  }
  return trial;
}

// Takes those pieces of a slice out of `plan`.
void leave_out(const Trial& trial, std::size_t index, sources::Source& source,
               BatchPlan& plan) {
  SourceSlice& slice = plan.slices[index];
  slice.to = source.without(slice.to, trial.failing);
  for (std::size_t i = 0; i < trial.failing.size(); ++i) {
    const sources::Piece& piece = trial.failing[i];
    plan.dead_letters.push_back({slice.source, piece.subject, piece.position,
                                 trial.errors[i].message(), piece.size_bytes});
  }
}

// Where no file of a slice passes: is it they, or the pipeline? Nothing at all tells,
// or else the first file behind them that passes, which then is of the batch too.
Result<bool> files_are_at_fault(const Workspace& workspace, NodeQuery& query,
                                BatchPlan& rest, std::size_t index,
                                const std::stop_token& stop) {
  sources::Source& source = *leaf_of(query, rest.slices[index].source)->source;
  while (true) {
    const auto tried = try_plan(workspace, query, rest, stop);
    if (tried) return true;
    if (!will_not_pass(tried.error())) return tried.error();
    SourceSlice& slice = rest.slices[index];
    LAKEMILL_TRY(auto further, source.latest(slice.to));
    LAKEMILL_TRY(const auto pieces, source.pieces(slice.to, further));
    if (pieces.empty()) return false;
    BatchPlan behind = rest;
    behind.slices[index].from = slice.to;
    LAKEMILL_TRY(const Trial trial,
                 try_pieces(workspace, query, behind, index, pieces, stop));
    slice.to = std::move(further);
    leave_out(trial, index, source, rest);
    if (trial.any_passes) return true;
  }
}

Result<bool> set_aside_of(const Workspace& workspace, NodeQuery& query, BatchPlan& plan,
                          std::size_t index, const std::stop_token& stop) {
  const SourceSlice& slice = plan.slices[index];
  Leaf* leaf = leaf_of(query, slice.source);
  if (leaf == nullptr || !slice.incremental) return false;
  LAKEMILL_TRY(const auto pieces, leaf->source->pieces(slice.from, slice.to));
  LAKEMILL_TRY(const Trial trial,
               try_pieces(workspace, query, plan, index, pieces, stop));
  if (trial.failing.empty()) return false;
  BatchPlan rest = plan;
  leave_out(trial, index, *leaf->source, rest);
  if (!trial.any_passes) {
    LAKEMILL_TRY(const bool they_are,
                 files_are_at_fault(workspace, query, rest, index, stop));
    if (!they_are) return false;
  }
  plan = std::move(rest);
  return true;
}

std::unique_ptr<sinks::Sink> letters_sink(const Workspace& workspace,
                                          const Place& target) {
  sinks::TableSinkSpec spec;
  spec.url = target.url + "_dead_letter";
  spec.name = target.name + "_dead_letter";
  return sinks::make_table_sink(
      spec, {workspace.stores, workspace.catalog, workspace.clock, workspace.random});
}

std::string row_sql(const DeadLetter& letter) {
  return "(" + quote_literal(letter.source) + ", " + quote_literal(letter.file) + ", " +
         quote_literal(letter.offset) + ", " + std::to_string(letter.size_bytes) +
         ", " + quote_literal(letter.error) + ")";
}

std::string rows_sql(const BatchPlan& plan) {
  std::vector<std::string> rows;
  for (const DeadLetter& letter : plan.dead_letters) rows.push_back(row_sql(letter));
  return "SELECT \"_source\", \"_source_file\", \"_source_offset\", "
         "CAST(\"_size_bytes\" AS BIGINT) AS \"_size_bytes\", \"_error\", "
         "CAST(" +
         std::to_string(plan.transaction_version()) + " AS BIGINT) AS \"_batch_id\", " +
         quote_literal(plan.run_id) + " AS \"_run_id\", CAST(" +
         quote_literal(format_instant(plan.now)) +
         " AS TIMESTAMP WITH TIME ZONE) AS \"_ingested_at\" FROM (VALUES " +
         join(rows, ", ") +
         ") AS letters(\"_source\", \"_source_file\", \"_source_offset\", "
         "\"_size_bytes\", \"_error\")";
}

}  // namespace

bool may_set_aside(const language::Node& node, const Error& error) {
  return will_not_pass(error) &&
         std::any_of(node.sources.begin(), node.sources.end(), sets_aside);
}

Result<bool> set_aside(const Workspace& workspace, const language::Node& node,
                       NodeQuery& query, BatchPlan& plan, const std::stop_token& stop) {
  bool any = false;
  for (const language::Source& source : node.sources) {
    const Leaf* leaf = leaf_of(query, source);
    if (!sets_aside(source) || leaf == nullptr) continue;
    const std::size_t before = plan.dead_letters.size();
    for (std::size_t slice = 0; slice < plan.slices.size(); ++slice) {
      if (plan.slices[slice].source != leaf->id) continue;
      LAKEMILL_TRY(const bool found, set_aside_of(workspace, query, plan, slice, stop));
      any = any || found;
    }
    // As `_source` of the rows names it.
    for (std::size_t letter = before; letter < plan.dead_letters.size(); ++letter) {
      plan.dead_letters[letter].source = source_label(source);
    }
  }
  return any;
}

Status commit_dead_letters(const Workspace& workspace, engine::Session& session,
                           const Place& target, const BatchPlan& plan,
                           const sinks::Batch& batch) {
  if (plan.dead_letters.empty()) return {};
  const auto sink = letters_sink(workspace, target);
  engine::WriteSpec write;
  write.sql = rows_sql(plan);
  LAKEMILL_TRY(const auto shape, session.describe(write.sql, engine::Origin::lakemill));
  LAKEMILL_TRY(write.target, sink->stage(shape.schema, batch));
  LAKEMILL_TRY(const auto written, session.write(write));
  auto done = sink->commit(session, written, batch);
  if (!done) {
    return std::move(done).error().while_doing(target.name + "_dead_letter");
  }
  return {};
}

Status complete_dead_letters(const Workspace& workspace, const language::Node& node,
                             const BatchPlan& plan, const std::string& run_id) {
  if (plan.dead_letters.empty()) return {};
  LAKEMILL_TRY(const Place target, place_of(workspace, node, *node.primary_sink()));
  LAKEMILL_TRY(const auto held,
               letters_sink(workspace, target)->last_batch(flow_id(workspace, node)));
  if (held && *held >= plan.transaction_version()) return {};
  LAKEMILL_TRY(const auto session,
               workspace.engine.open_session(session_options(workspace, plan, {}, {})));
  return commit_dead_letters(workspace, *session, target, plan,
                             batch_identity(workspace, node, plan, run_id));
}

}  // namespace lakemill::flow
