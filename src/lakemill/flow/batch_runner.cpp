#include "lakemill/flow/batch_runner.h"

#include <algorithm>
#include <atomic>
#include <map>

#include "lakemill/base/text.h"
#include "lakemill/flow/dead_letters.h"
#include "lakemill/flow/declared_rows.h"
#include "lakemill/flow/failure_place.h"
#include "lakemill/flow/flow_position.h"
#include "lakemill/flow/rescued_columns.h"
#include "lakemill/flow/row_expectations.h"
#include "lakemill/flow/table_expectations.h"
#include "lakemill/flow/written_schema.h"

namespace lakemill::flow {

namespace {

constexpr std::int64_t kReadAgainBytesMax = std::int64_t{1} << 30;
constexpr std::string_view kFailedExpectations = "_failed_expectations";

// A refresh of bronze is only done where it is named.
std::string naming_node(std::string message, const std::string& node) {
  constexpr std::string_view kRefresh = "--full-refresh";
  if (const std::size_t found = message.find(kRefresh); found != std::string::npos) {
    message.insert(found + kRefresh.size(), " --select " + node);
  }
  return message;
}

// What a merge refuses is, more often than not, what the pipeline says of it.
Error with_place_of_merge(const NodeSink& sink, const std::string& node, Error error) {
  const auto& merge = sink.spec->merge_cdc_options;
  if (error.code() != ErrorCode::invalid || !merge) return error;
  language::Location place = sink.spec->location;
  if (!merge->truncate_where.text.empty()) place = merge->truncate_where.location;
  if (!merge->delete_where.text.empty()) place = merge->delete_where.location;
  const bool of_condition = error.message().find("_where") != std::string::npos;
  return {error.code(), to_text(of_condition ? place : sink.spec->location) + ": " +
                            naming_node(error.message(), node)};
}

// What a sink's table does not take, with the sink's place.
Error with_place_of_sink(const NodeSink& sink, const std::string& node, Error error) {
  const bool of_pipeline =
      error.code() == ErrorCode::invalid || error.code() == ErrorCode::unsupported;
  if (!of_pipeline) return error;
  return {error.code(),
          to_text(sink.spec->location) + ": " + naming_node(error.message(), node)};
}

// The target of a sink that may take rows of this schema.
Result<engine::WriteTarget> stage_in(NodeSink& sink, const data::Schema& schema,
                                     const sinks::Batch& batch,
                                     const std::string& node) {
  auto target = sink.sink->stage(schema, batch);
  if (!target) return with_place_of_sink(sink, node, std::move(target).error());
  return target;
}

// One batch on its way: what is bound, staged and judged.
class Batch {
 public:
  Batch(BatchRun& run, NodeReport& report) : run_(run), report_(report) {}

  Status execute() {
    identity_ = batch_identity(run_.workspace, run_.node, run_.plan, run_.run_id);
    if (!run_.bound) {
      LAKEMILL_TRY(run_.bound, bind_rows(run_.workspace, run_.query, run_.plan, {},
                                         session_options(run_.workspace, run_.plan,
                                                         run_.stop, run_.on_progress)));
    }
    session_ = std::move(run_.bound->session);
    rows_ = std::move(run_.bound->relation);
    schema_ = std::move(run_.bound->shape.schema);
    LAKEMILL_TRY_OK(keep_replaced());
    LAKEMILL_TRY(auto schema_results, judge_schema(run_.node, schema_));
    results_ = std::move(schema_results);
    LAKEMILL_TRY(const std::string own_after, own_table_after());
    LAKEMILL_TRY(checks_, row_expectations(run_.workspace, run_.node, *session_,
                                           schema_, run_.plan, own_after));
    if (failed()) return finish_failed();
    return needs_holding_back() ? held_back() : straight_through();
  }

 private:
  // Of a backfill: only the rows that it replaces.
  Status keep_replaced() {
    if (run_.plan.replace_where.empty()) return {};
    const std::string name = run_.node.name + ".replaced";
    LAKEMILL_TRY_OK(session_->bind_query(name,
                                         "SELECT * FROM " + quote_identifier(rows_) +
                                             " WHERE (" + run_.plan.replace_where +
                                             "\n)",
                                         engine::Origin::pipeline));
    rows_ = name;
    return {};
  }

  // A file that was overwritten while it was read may have given rows of both.
  Status recheck() {
    auto unchanged = recheck_sources(run_.plan, run_.query);
    if (!unchanged) remove_staged();
    return unchanged;
  }

  // Several sinks, or checks over the whole target: the rows are kept in the session
  // until all is judged, then written once for each sink.
  bool needs_holding_back() const {
    const auto targets =
        std::count_if(run_.sinks.begin(), run_.sinks.end(),
                      [](const NodeSink& sink) { return !sink.spec->is_quarantine; });
    return targets > 1 || has_table_expectations(run_.node);
  }

  NodeSink* quarantine() {
    for (NodeSink& sink : run_.sinks) {
      if (sink.spec->is_quarantine) return &sink;
    }
    return nullptr;
  }

  NodeSink& primary() { return run_.sinks.back(); }

  // What only a merge needs: what orders its changes.
  static void leave_out_ours(data::Schema& schema) {
    std::erase_if(schema.fields, [](const data::Field& field) {
      return field.name.starts_with("_lakemill_");
    });
  }

  data::Schema quarantine_schema() const {
    data::Schema schema = schema_;
    leave_out_ours(schema);
    schema.fields.push_back(
        {std::string(kFailedExpectations),
         data::make_array(data::make_type(data::TypeKind::string), true)});
    return schema;
  }

  engine::WriteSpec checked_write() {
    engine::WriteSpec spec;
    spec.sql = "SELECT * FROM " + quote_identifier(rows_);
    spec.checks = checks_.checks;
    return spec;
  }

  Status stage_quarantine(engine::WriteSpec& spec) {
    if (NodeSink* sink = quarantine()) {
      LAKEMILL_TRY(spec.quarantine,
                   stage_in(*sink, quarantine_schema(), identity_, run_.node.name));
    }
    return {};
  }

  // The pass in which the node's steps are computed.
  Result<engine::WriteResult> compute(const engine::WriteSpec& spec) {
    auto written = session_->write(spec);
    if (written) return written;
    const std::string message = written.error().message();
    Error error = with_failing_step(*session_, run_.query, std::move(written).error());
    const bool may_be_check = error.code() == ErrorCode::invalid &&
                              error.message() == message &&
                              run_.query.bytes() <= kReadAgainBytesMax;
    if (!may_be_check) return error;
    return with_failing_check(*session_, rows_, checks_, std::move(error));
  }

  // One pass: the engine writes what the sinks then commit.
  Status straight_through() {
    engine::WriteSpec spec = checked_write();
    LAKEMILL_TRY(spec.target, stage_in(primary(), schema_, identity_, run_.node.name));
    LAKEMILL_TRY_OK(stage_quarantine(spec));
    LAKEMILL_TRY(const engine::WriteResult written, compute(spec));
    remember_staged(spec, written);
    LAKEMILL_TRY_OK(recheck());
    count(written);
    if (failed()) return finish_failed();
    LAKEMILL_TRY_OK(keep_written_schema(run_.workspace, run_.node, schema_));
    LAKEMILL_TRY_OK(commit_quarantine(written));
    LAKEMILL_TRY_OK(commit(primary(), written));
    return finish();
  }

  Status held_back() {
    const std::string kept = run_.node.name + ".kept";
    engine::WriteSpec spec = checked_write();
    spec.target = engine::TemporaryTarget{kept};
    LAKEMILL_TRY_OK(stage_quarantine(spec));
    LAKEMILL_TRY(const engine::WriteResult written, compute(spec));
    remember_staged(spec, written);
    LAKEMILL_TRY_OK(recheck());
    count(written);
    if (has_table_expectations(run_.node)) {
      LAKEMILL_TRY_OK(judge_table_after(kept));
    }
    if (failed()) return finish_failed();
    LAKEMILL_TRY_OK(keep_written_schema(run_.workspace, run_.node, schema_));
    LAKEMILL_TRY_OK(commit_quarantine(written));
    for (NodeSink& sink : run_.sinks) {
      if (sink.spec->is_quarantine) continue;
      if (!sink.is_primary || !previewed_) {
        LAKEMILL_TRY(const engine::WriteResult copied, stage_kept(sink, kept));
        LAKEMILL_TRY_OK(commit(sink, copied));
      } else {
        LAKEMILL_TRY_OK(commit(sink, *previewed_));
      }
    }
    return finish();
  }

  Result<engine::WriteResult> stage_kept(NodeSink& sink, const std::string& kept) {
    std::string rows = kept;
    data::Schema schema = schema_;
    if (!sink.is_primary) {  // the rows were held to the table of the primary sink
      LAKEMILL_TRY(rows, rescue_misfits(*session_, run_.workspace, run_.node,
                                        *sink.spec, run_.plan, kept));
      LAKEMILL_TRY(rows, hold_to_declared(*session_, run_.node, *sink.spec, rows));
    }
    engine::WriteSpec copy;
    copy.sql = "SELECT * FROM " + quote_identifier(rows);
    if (rows != kept) {
      LAKEMILL_TRY(auto shape, session_->describe(copy.sql, engine::Origin::lakemill));
      schema = std::move(shape.schema);
    }
    if (!sink.spec->merge_cdc_options) {
      leave_out_ours(schema);
      std::vector<std::string> columns;
      for (const data::Field& field : schema.fields) {
        columns.push_back(quote_identifier(field.name));
      }
      copy.sql = "SELECT " + join(columns, ", ") + " FROM " + quote_identifier(rows);
    }
    LAKEMILL_TRY(copy.target, stage_in(sink, schema, identity_, run_.node.name));
    LAKEMILL_TRY(auto written, session_->write(copy));
    remember_staged(copy, written);
    return written;
  }

  // What the target holds now, for checks that look at it whole; empty for nothing that
  // will be left.
  Result<std::string> bind_target() {
    const NodeSink& sink = primary();
    const bool starts_over = run_.plan.generation > 0 && run_.plan.number == 1 &&
                             run_.plan.replace_where.empty();
    if (run_.plan.strategy == Strategy::replace || !sink.place.is_delta ||
        (starts_over && !sink.spec->shared)) {
      return std::string();
    }
    LAKEMILL_TRY(const auto snapshot, newest_snapshot(run_.workspace, sink.place));
    if (snapshot == nullptr) return std::string();
    LAKEMILL_TRY(auto scan, snapshot->scan());
    std::string name = run_.node.name + ".target";
    LAKEMILL_TRY_OK(session_->bind(name, engine::TableRelation{std::move(scan)}));
    return name;
  }

  // The relation of what stays of the target, and of what comes to it.
  Result<std::string> with_target(const std::string& coming, const std::string& name) {
    LAKEMILL_TRY(const std::string target, bind_target());
    if (target.empty()) return coming;
    LAKEMILL_TRY_OK(session_->bind_query(
        name,
        "SELECT * FROM " + quote_identifier(target) + without_replaced() +
            " UNION ALL BY NAME SELECT * FROM " + quote_identifier(coming),
        engine::Origin::lakemill));
    return name;
  }

  // What a REFERENCE to the node's own table looks at; empty where there is none. Rows
  // refer to others of their batch, too, be they kept or not.
  Result<std::string> own_table_after() {
    const bool any = std::any_of(
        run_.node.expectations.begin(), run_.node.expectations.end(),
        [&](const auto& expectation) {
          return refers_to_own_table(run_.workspace, run_.node, expectation);
        });
    if (!any) return std::string();
    return with_target(rows_, run_.node.name + ".referred");
  }

  // The relation of what the target would hold after the batch. What changes make of it
  // only the sink can tell.
  Result<std::string> table_after(const std::string& kept) {
    NodeSink& sink = primary();
    if (run_.plan.strategy == Strategy::merge && sink.place.is_delta &&
        sink.spec->merge_cdc_options) {
      LAKEMILL_TRY(previewed_, stage_kept(sink, kept));
      auto preview = sink.sink->preview(*session_, identity_);
      if (!preview) {
        return std::move(preview).error().while_doing(sink.place.name);
      }
      if (*preview) return **std::move(preview);
    }
    return with_target(kept, run_.node.name + ".after");
  }

  std::string without_replaced() const {
    if (run_.plan.replace_where.empty()) return "";
    return " WHERE (" + run_.plan.replace_where + "\n) IS NOT TRUE";
  }

  Status judge_table_after(const std::string& kept) {
    LAKEMILL_TRY(const std::string after, table_after(kept));
    LAKEMILL_TRY(auto judged, judge_table(run_.node, *session_, after, run_.plan.now));
    results_.insert(results_.end(), judged.begin(), judged.end());
    return {};
  }

  void count(const engine::WriteResult& written) {
    report_.input_rows += written.input_rows;
    report_.kept_rows += written.written_rows;
    report_.dropped_rows += written.dropped_rows;
    report_.quarantined_rows += written.quarantined_rows;
    auto judged = judge_rows(checks_, written.failed_rows, written.input_rows);
    results_.insert(results_.end(), judged.begin(), judged.end());
  }

  Status commit_quarantine(const engine::WriteResult& written) {
    NodeSink* sink = quarantine();
    if (sink == nullptr) return {};
    engine::WriteResult part;
    part.schema = quarantine_schema();
    part.files = written.quarantine_files;
    part.input_rows = part.written_rows = written.quarantined_rows;
    return commit(*sink, part);
  }

  Error planned_otherwise(const NodeSink& sink) const {
    return {ErrorCode::exists, sink.place.name + " holds batch " +
                                   std::to_string(run_.plan.number) +
                                   " by the plan of another runner: run again"};
  }

  // Files tell neither by which plan they came to be, nor a runner that stood still
  // meanwhile that it comes too late.
  Status check_turn(const NodeSink& sink) const {
    if (!sink.remembers) return check_not_passed(sink);
    LAKEMILL_TRY(const BatchPlan claimed, run_.state.claim(run_.plan));
    if (plan_hash(claimed) == plan_hash(run_.plan)) return {};
    return planned_otherwise(sink);
  }

  Status check_not_passed(const NodeSink& sink) const {
    LAKEMILL_TRY(const auto done, run_.state.last_marked(run_.plan.generation));
    LAKEMILL_TRY(const auto generation, run_.state.newest_generation());
    if (done.value_or(0) <= run_.plan.number && generation <= run_.plan.generation) {
      LAKEMILL_TRY(const auto standing,
                   run_.state.find_plan(run_.plan.generation, run_.plan.number));
      const bool is_ours = !standing || plan_hash(*standing) == plan_hash(run_.plan);
      return is_ours ? Status() : planned_otherwise(sink);
    }
    return Error(ErrorCode::exists,
                 "another process went on with node " + run_.node.name +
                     " behind batch " + std::to_string(run_.plan.number) +
                     ", which was not written to " + sink.place.name + ": run again");
  }

  Status commit(NodeSink& sink, const engine::WriteResult& written) {
    LAKEMILL_TRY(const auto before, foreign_version(sink));
    sinks::Batch identity = identity_;
    if (!sink.place.is_delta) {
      identity.before_visible = [this, &sink] { return check_turn(sink); };
    }
    auto result = sink.sink->commit(*session_, written, identity);
    if (!result) {
      return with_place_of_merge(sink, run_.node.name, std::move(result).error())
          .while_doing(sink.place.name);
    }
    if (result->already_held) LAKEMILL_TRY_OK(check_same_plan(sink));
    if (run_.on_commit && !result->already_held && result->version >= 0) {
      run_.on_commit({sink.place.name, sink.place.url, result->version,
                      run_.plan.number, run_.plan.generation,
                      result->rows_added + result->rows_updated,
                      result->rows_deleted, identity_of(sink.place)});
    }
    tell_of(*result, sink, before);
    if (!sink.is_primary) return {};
    report_.version = result->version;
    report_.written_rows += result->rows_added + result->rows_updated;
    report_.rejected_rows += result->rows_rejected;
    report_.schema_changes.insert(report_.schema_changes.end(),
                                  result->schema_changes.begin(),
                                  result->schema_changes.end());
    return {};
  }

  // The version of a table to which others have committed, and of which a full refresh
  // that begins replaces all rows.
  Result<std::optional<delta::Version>> foreign_version(const NodeSink& sink) const {
    constexpr std::size_t kLookedThrough = 1'000;
    const std::optional<delta::Version> none;
    const bool begins = run_.plan.generation > 0 && run_.plan.number == 1;
    if (!begins || !sink.place.is_delta || sink.spec->shared) return none;
    LAKEMILL_TRY(const auto table, open_table(run_.workspace, sink.place));
    const auto history = table->history(kLookedThrough);
    if (!history || history->empty()) return none;  // commit() says why
    const bool any = std::any_of(
        history->begin(), history->end(),
        [](const delta::HistoryEntry& entry) { return entry.is_foreign(); });
    return any ? std::optional(history->front().version) : none;
  }

  void tell_of(const sinks::SinkResult& result, const NodeSink& sink,
               std::optional<delta::Version> foreign) {
    using Kind = sources::Notice::Kind;
    if (foreign && !result.already_held) {
      report_.add_notice({Kind::foreign_rows_replaced, sink.place.name,
                          "the full refresh replaced all rows of " + sink.place.name +
                              ", those that others had written included; version " +
                              std::to_string(*foreign) + " still has them"});
    }
    if (!result.upkeep_error.empty()) {
      report_.add_notice({Kind::upkeep_failed, sink.place.name,
                          "the batch is in " + sink.place.name +
                              ", but its log and files were not tidied (the next batch "
                              "tries again): " +
                              result.upkeep_error});
    }
    const bool adds =
        run_.plan.strategy == Strategy::append || run_.plan.strategy == Strategy::merge;
    const bool is_new = result.version == 0;
    const bool begins_late = (is_new || sink.lacks_last) && adds &&
                             run_.plan.number > 1 && !result.already_held &&
                             !sink.is_primary && !sink.spec->is_quarantine;
    if (begins_late) {
      report_.add_notice(
          {Kind::begins_late, sink.place.name,
           sink.place.name +
               (is_new
                    ? " is new and begins with batch "
                    : " was not a sink of the batch before and goes on with batch ") +
               std::to_string(run_.plan.number) + ": rows of " +
               (is_new ? "the batches before" : "batches that were not written to it") +
               " are not in it; run node " + run_.node.name +
               " with --full-refresh to have them in all its sinks"});
    }
  }

  // What a sink holds of the batch must be of this very plan: rows of two plans do not
  // make a batch. Where it holds a later generation it does not hold the batch.
  Status check_same_plan(const NodeSink& sink) {
    LAKEMILL_TRY(const auto held, sink.sink->last_batch(identity_.app_id));
    if (held && generation_of(*held) > run_.plan.generation) {
      return Error(ErrorCode::exists, sink.place.name + " holds generation " +
                                          std::to_string(generation_of(*held)) +
                                          ", which another runner began: run again");
    }
    LAKEMILL_TRY(const bool other, holds_other_plan(run_.workspace, run_.state, sink,
                                                    identity_.app_id, run_.plan));
    return other ? planned_otherwise(sink) : Status();
  }

  bool failed() const {
    return std::any_of(results_.begin(), results_.end(), [](const auto& result) {
      return result.status == ExpectationStatus::failed;
    });
  }

  void remember_staged(const engine::WriteSpec& spec,
                       const engine::WriteResult& written) {
    remember_staged(spec.target, written.files);
    if (spec.quarantine) remember_staged(*spec.quarantine, written.quarantine_files);
  }

  void remember_staged(const engine::WriteTarget& target,
                       const std::vector<engine::WrittenFile>& files) {
    const auto* table = std::get_if<engine::TableFilesTarget>(&target);
    if (table == nullptr) return;
    std::vector<std::string>& paths = staged_[table->folder_url];
    for (const engine::WrittenFile& file : files) paths.push_back(file.path);
  }

  // Nothing was committed, and nothing will be. Best effort: what stays behind is named
  // by no commit, and vacuum removes it.
  void remove_staged() {
    for (const auto& [folder, paths] : staged_) {
      const auto store = run_.workspace.stores.open(folder);
      if (!store) continue;
      for (const std::string& path : paths) (void)(*store)->remove(path);
    }
    staged_.clear();
  }

  Status finish_failed() {
    remove_staged();
    report_.expectations = std::move(results_);
    report_.status = NodeStatus::expectation_failed;
    return {};
  }

  Status finish() {
    LAKEMILL_TRY_OK(commit_dead_letters(run_.workspace, *session_, primary().place,
                                        run_.plan, identity_));
    report_.expectations = std::move(results_);
    report_.batch = run_.plan.number;
    report_.generation = run_.plan.generation;
    ++report_.batches;
    const bool any_files =
        std::any_of(run_.sinks.begin(), run_.sinks.end(),
                    [](const NodeSink& sink) { return !sink.place.is_delta; });
    if (any_files) LAKEMILL_TRY_OK(run_.state.mark_done(run_.plan));
    return acknowledge();
  }

  // Every sink holds the batch: its sources need not be able to give it again.
  Status acknowledge() {
    for (Leaf& leaf : run_.query.leaves()) {
      if (leaf.source == nullptr) continue;
      for (const SourceSlice& slice : run_.plan.slices) {
        if (slice.source != leaf.id || !slice.incremental) continue;
        LAKEMILL_TRY_OK(leaf.source->acknowledge(slice.to));
      }
    }
    return {};
  }

  BatchRun& run_;
  NodeReport& report_;
  sinks::Batch identity_;
  std::unique_ptr<engine::Session> session_;
  std::string rows_;
  data::Schema schema_;
  RowExpectations checks_;
  std::vector<ExpectationResult> results_;
  // Paths in folders of tables, which no commit names yet.
  std::map<std::string, std::vector<std::string>> staged_;
  std::optional<engine::WriteResult> previewed_;  // staged rows of the primary sink
};

}  // namespace

Result<BoundRows> bind_rows(const Workspace& workspace, NodeQuery& query,
                            const BatchPlan& plan, const ExpectedSchemas& expected,
                            engine::SessionOptions options) {
  BoundRows bound;
  const auto bytes = std::make_shared<std::atomic<std::int64_t>>(0);
  if (options.on_progress) {
    options.on_progress = [bytes, tell = std::move(options.on_progress)](
                              const engine::Progress& progress) {
      engine::Progress sized = progress;
      sized.bytes_total = bytes->load();
      tell(sized);
    };
  }
  LAKEMILL_TRY(bound.session, workspace.engine.open_session(std::move(options)));
  LAKEMILL_TRY(bound.relation, query.bind(*bound.session, plan, expected));
  bytes->store(query.bytes());
  LAKEMILL_TRY(bound.shape, bound.session->describe(
                                "SELECT * FROM " + quote_identifier(bound.relation),
                                engine::Origin::lakemill));
  return bound;
}

Status recheck_sources(const BatchPlan& plan, NodeQuery& query) {
  for (Leaf& leaf : query.leaves()) {
    if (leaf.source == nullptr) continue;
    for (const SourceSlice& slice : plan.slices) {
      if (slice.source != leaf.id || slice.incremental != leaf.source->incremental()) {
        continue;
      }
      LAKEMILL_TRY_OK(leaf.source->recheck(slice.from, slice.to));
    }
  }
  return {};
}

Status run_batch(BatchRun& run, NodeReport& report) {
  if (run.on_plan) run.on_plan(run.plan);
  return Batch(run, report).execute();
}

}  // namespace lakemill::flow
