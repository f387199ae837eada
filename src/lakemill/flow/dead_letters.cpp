#include "lakemill/flow/dead_letters.h"

#include <algorithm>

#include "lakemill/base/text.h"
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

// The pieces of one slice that fail by themselves.
struct Trial {
  std::vector<sources::Piece> failing;
  std::vector<Error> errors;
  bool any_passes = false;
};

Result<Trial> try_pieces(const Workspace& workspace, NodeQuery& query,
                         const BatchPlan& plan, std::size_t slice,
                         const std::vector<sources::Piece>& pieces,
                         const std::stop_token& stop) {
  Trial trial;
  for (const sources::Piece& piece : pieces) {
    BatchPlan alone = plan;
    alone.slices[slice].from = piece.from;
    alone.slices[slice].to = piece.to;
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

Leaf* leaf_of(NodeQuery& query, const std::string& id) {
  for (Leaf& leaf : query.leaves()) {
    if (leaf.id == id && leaf.source != nullptr) return &leaf;
  }
  return nullptr;
}

Result<bool> set_aside_of(const Workspace& workspace, NodeQuery& query, BatchPlan& plan,
                          std::size_t index, const std::stop_token& stop) {
  SourceSlice& slice = plan.slices[index];
  Leaf* leaf = leaf_of(query, slice.source);
  if (leaf == nullptr || !slice.incremental) return false;
  LAKEMILL_TRY(const auto pieces, leaf->source->pieces(slice.from, slice.to));
  LAKEMILL_TRY(const Trial trial,
               try_pieces(workspace, query, plan, index, pieces, stop));
  if (trial.failing.empty()) return false;
  BatchPlan rest = plan;
  rest.slices[index].to = leaf->source->without(slice.to, trial.failing);
  for (std::size_t i = 0; i < trial.failing.size(); ++i) {
    const sources::Piece& piece = trial.failing[i];
    rest.dead_letters.push_back({slice.source, piece.subject, piece.position,
                                 trial.errors[i].message(), piece.size_bytes});
  }
  if (!trial.any_passes) {
    // No file passes: is it they, or the pipeline?
    const auto tried = try_plan(workspace, query, rest, stop);
    if (!tried && will_not_pass(tried.error())) return false;
    LAKEMILL_TRY_OK(tried);
  }
  plan = std::move(rest);
  return true;
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
  for (std::size_t i = 0; i < node.sources.size(); ++i) {
    const language::Source& source = node.sources[i];
    if (!sets_aside(source)) continue;
    const std::string id = source.name.empty() ? std::to_string(i) : source.name;
    for (std::size_t slice = 0; slice < plan.slices.size(); ++slice) {
      if (plan.slices[slice].source != id) continue;
      LAKEMILL_TRY(const bool found, set_aside_of(workspace, query, plan, slice, stop));
      any = any || found;
    }
  }
  return any;
}

Status commit_dead_letters(const Workspace& workspace, engine::Session& session,
                           const Place& target, const BatchPlan& plan,
                           const sinks::Batch& batch) {
  if (plan.dead_letters.empty()) return {};
  sinks::TableSinkSpec spec;
  spec.url = target.url + "_dead_letter";
  spec.name = target.name + "_dead_letter";
  const auto sink = sinks::make_table_sink(
      spec,
      {workspace.stores, workspace.checkpoints, workspace.clock, workspace.random});
  engine::WriteSpec write;
  write.sql = rows_sql(plan);
  LAKEMILL_TRY(const auto shape, session.describe(write.sql, engine::Origin::lakemill));
  LAKEMILL_TRY(write.target, sink->stage(shape.schema, batch));
  LAKEMILL_TRY(const auto written, session.write(write));
  auto done = sink->commit(session, written, batch);
  if (!done) return std::move(done).error().while_doing(spec.name);
  return {};
}

}  // namespace lakemill::flow
