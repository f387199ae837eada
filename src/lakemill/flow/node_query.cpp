#include "lakemill/flow/node_query.h"

#include <algorithm>
#include <set>

#include "lakemill/base/check.h"
#include "lakemill/base/quoted_list.h"
#include "lakemill/base/text.h"
#include "lakemill/flow/bronze_columns.h"
#include "lakemill/flow/declared_rows.h"
#include "lakemill/flow/failure_place.h"
#include "lakemill/flow/found_types.h"
#include "lakemill/flow/node_frames.h"
#include "lakemill/flow/null_columns.h"
#include "lakemill/flow/rescued_columns.h"
#include "lakemill/flow/shared_views.h"
#include "lakemill/flow/source_opening.h"
#include "lakemill/flow/sql_place.h"
#include "lakemill/flow/step_sql.h"
#include "lakemill/language/graph.h"
#include "lakemill/language/method_sql.h"

namespace lakemill::flow {

namespace {

const std::string kRenameClause = "SELECT * RENAME (";

Error at(const language::Location& location, Error error) {
  return {error.code(), to_text(location) + ": " + error.message()};
}

// The source's own clauses as one SELECT each, in the order of the language.
std::vector<std::string> source_clauses(const language::Source& source,
                                        const std::vector<std::string>& kept) {
  std::vector<std::string> clauses;
  if (!source.filter.empty()) {
    clauses.push_back("SELECT * FROM {} WHERE (" + source.filter.text + "\n)");
  }
  if (!source.selects.empty()) {
    std::vector<std::string> columns;
    for (const auto& select : source.selects) {
      columns.push_back(quote_identifier(select.column) + " AS " +
                        quote_identifier(select.alias));
    }
    for (const std::string& column : kept) columns.push_back(quote_identifier(column));
    clauses.push_back("SELECT " + join(columns, ", ") + " FROM {}");
  }
  if (!source.renames.empty()) {
    std::vector<std::string> renames;
    for (const auto& rename : source.renames) {
      renames.push_back(quote_identifier(rename.column) + " AS " +
                        quote_identifier(rename.alias));
    }
    clauses.push_back(kRenameClause + join(renames, ", ") + ") FROM {}");
  }
  if (!source.drops.empty()) {
    clauses.push_back("SELECT * EXCLUDE (" + quoted_list(source.drops) + ") FROM {}");
  }
  if (source.drop_duplicates) {
    const auto& columns = source.drop_duplicates_columns;
    clauses.push_back(columns.empty() ? "SELECT DISTINCT * FROM {}"
                                      : "SELECT DISTINCT ON (" + quoted_list(columns) +
                                            ") * FROM {}");
  }
  return clauses;
}

// What a quarantine has besides the columns of its node.
data::Field failed_expectations_field() {
  return {"_failed_expectations",
          data::make_array(data::make_type(data::TypeKind::string), true)};
}

}  // namespace

bool needs_sequence(const language::Node& node) {
  return std::any_of(node.sinks.begin(), node.sinks.end(), [](const auto& sink) {
    return !sink.is_quarantine && sink.merge_cdc_options &&
           sink.merge_cdc_options->order_by.empty();
  });
}

class NodeQuery::State {
 public:
  State(const Workspace& workspace, const language::Node& node)
      : workspace_(workspace), node_(node) {}

  Status open(FlowState& state, Reading reading, const BatchPlan* known) {
    flow_state_ = &state;
    LAKEMILL_TRY(inputs_, open_inputs(workspace_, node_, state, reading, known));
    return {};
  }

  Status open_over(const GivenRelations& given) {
    is_given_ = true;
    LAKEMILL_TRY(inputs_, open_inputs_over(workspace_, node_, given));
    return {};
  }

  Result<std::string> bind(engine::Session& session, const BatchPlan& plan,
                           const ExpectedSchemas& expected) {
    session_ = &session;
    plan_ = &plan;
    expected_ = &expected;
    bytes = 0;
    bound_relations.clear();
    sequence_lost.reset();
    sequence.clear();
    begins_with_batch_ = false;
    carrying_.clear();
    return bind_frames(inputs_.root, node_, added_columns(node_), true);
  }

  Status keep_types(std::int64_t generation) const {
    for (const auto& [source, types] : types_to_keep_) {
      LAKEMILL_TRY_OK(keep_found_types(*flow_state_, generation, source, types));
    }
    return {};
  }

  void share_views(BatchPlan& plan) {
    if (workspace_.views != nullptr) share_views_in(inputs_.root, plan);
  }

  std::vector<Leaf>& leaves() { return inputs_.leaves; }

  Status compute_views(const BatchPlan& plan, const std::stop_token& stop) {
    if (plan.views.empty() || workspace_.views == nullptr) return {};
    return compute_views_in(inputs_.root, plan, stop);
  }

  std::int64_t bytes = 0;                      // of the files that are bound
  std::vector<BoundRelation> bound_relations;  // each after all that it reads
  std::optional<language::Location> sequence_lost;
  std::string sequence;  // what the default one says

 private:
  static std::int64_t size_of(const engine::Relation& relation) {
    std::int64_t size = 0;
    if (const auto* files = std::get_if<engine::FilesRelation>(&relation)) {
      for (const engine::InputFile& file : files->files) size += file.size_bytes;
    } else if (const auto* table = std::get_if<engine::TableRelation>(&relation)) {
      for (const data::DataFile& file : table->scan->files()) size += file.size_bytes;
    } else if (const auto* rows = std::get_if<engine::TextRowsRelation>(&relation)) {
      for (const engine::TextRowsBlock& block : rows->blocks) size += block.size_bytes;
    }
    return size;
  }

  template <typename Call>
  static Status for_each_view(Frames& frames, const Call& call) {
    for (Frame& frame : frames.sources) {
      if (frame.view != nullptr) LAKEMILL_TRY_OK(call(frame));
    }
    for (auto& [name, frame] : frames.nodes) {
      if (frame.view != nullptr) LAKEMILL_TRY_OK(call(frame));
    }
    return {};
  }

  // What is new of a stream is read once by each of its readers as it is.
  bool is_read_whole(const Frame& frame) const {
    const auto found = leaves_of(frame);
    return std::none_of(found.begin(), found.end(), [this](std::size_t leaf) {
      return inputs_.leaves[leaf].incremental();
    });
  }

  void share_views_in(Frames& frames, BatchPlan& plan) {
    const auto shared = for_each_view(frames, [&](Frame& frame) -> Status {
      const std::string& name = frame.view->name;
      if (workspace_.views->is_shared(name) && is_read_whole(frame)) {
        plan.views[name] = workspace_.views->moment(name, {plan.now, plan.seed});
      }
      share_views_in(*frame.inner, plan);
      return {};
    });
    LAKEMILL_CHECK(shared.has_value());
  }

  Status compute_views_in(Frames& frames, const BatchPlan& plan,
                          const std::stop_token& stop) {
    return for_each_view(frames, [&](Frame& frame) -> Status {
      LAKEMILL_TRY_OK(compute_views_in(*frame.inner, plan, stop));
      const auto moment = plan.views.find(frame.view->name);
      if (moment == plan.views.end() || !is_read_whole(frame)) return {};
      auto computed = compute_view(frame, plan, moment->second, stop);
      if (computed) {
        frame.computed = *std::move(computed);
        return {};
      }
      // Rows that no file can hold (intervals, say) are computed in place.
      const ErrorCode code = computed.error().code();
      if (code == ErrorCode::invalid || code == ErrorCode::unsupported) return {};
      return std::move(computed).error();
    });
  }

  Result<engine::FilesRelation> compute_view(Frame& frame, const BatchPlan& plan,
                                             const ViewMoment& moment,
                                             const std::stop_token& stop) {
    BatchPlan at_moment = plan;
    at_moment.now = moment.now;
    at_moment.seed = moment.seed;
    LAKEMILL_TRY(const auto session, workspace_.engine.open_session(session_options(
                                         workspace_, at_moment, stop, {})));
    const ExpectedSchemas none;
    session_ = session.get();
    plan_ = &at_moment;
    expected_ = &none;
    LAKEMILL_TRY(const std::string rows,
                 bind_frames(*frame.inner, *frame.view, {}, false));
    const std::string sql = "SELECT * FROM " + quote_identifier(rows);
    LAKEMILL_TRY(const auto shape, session->describe(sql, engine::Origin::lakemill));
    return workspace_.views->rows(content_of(frame, at_moment, shape.relations),
                                  [&](const engine::FileTarget& target) -> Status {
                                    engine::WriteSpec spec;
                                    spec.sql = sql;
                                    spec.target = target;
                                    LAKEMILL_TRY(const auto written,
                                                 session->write(spec));
                                    (void)written;  // the file is all that is wanted
                                    return {};
                                  });
  }

  // All that the rows of a view depend on, whoever reads it.
  std::string content_of(const Frame& frame, const BatchPlan& plan,
                         const std::vector<std::string>& read_tables) const {
    Json content = {{"view", frame.view->name},
                    {"now", format_instant(plan.now)},
                    {"seed", plan.seed}};
    for (const std::size_t leaf : leaves_of(frame)) {
      for (const SourceSlice& slice : plan.slices) {
        if (slice.source == inputs_.leaves[leaf].id) {
          content["slices"][inputs_.defined_ids[leaf].substr(frame.id.size())] =
              slice.to;
        }
      }
    }
    for (const std::string& relation : read_tables) {
      const auto pinned = plan.pinned_tables.find(relation);
      if (pinned != plan.pinned_tables.end())
        content["tables"][relation] = pinned->second;
    }
    return json_text(content);
  }

  // Binds all that the node reads, then its steps; gives the last relation's name.
  Result<std::string> bind_frames(Frames& frames, const language::Node& node,
                                  const AddedColumns& added, bool is_main) {
    for (std::size_t i = 0; i < frames.sources.size(); ++i) {
      LAKEMILL_TRY_OK(
          bind_frame(frames.sources[i], node, i == 0 ? added : AddedColumns{}));
    }
    for (auto& [name, frame] : frames.nodes) {
      LAKEMILL_TRY_OK(bind_frame(frame, node, {}));
    }
    std::string current = frames.sources.empty() ? "" : frames.sources.front().relation;
    const FrameNames names = [&](const language::FrameReference& reference) {
      return relation_of(frames, current, reference);
    };
    const std::vector<language::Step> steps = language::fused_steps(node.steps);
    const bool carries = added.sequence && !is_given_ && !current.empty();
    if (carries) note_sequence(current, node.location);
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const std::string name =
          frames.prefix + node.name + ".step" + std::to_string(i + 1);
      LAKEMILL_TRY(const bool hands_on,
                   bind_step(*session_, steps[i], current, name, names,
                             carries ? kSequenceColumn : std::string_view()));
      if (hands_on) carrying_.insert(name);
      const language::Location& place =
          steps[i].is_sql() ? steps[i].sql().location : steps[i].method().location;
      bound_relations.push_back({name, place});
      current = name;
      if (carries) note_sequence(current, place);
    }
    if (!is_main) return current;
    if (sequence_lost) {  // rows of bronze may bring one of their own
      LAKEMILL_TRY(const bool is_told, has_column(current, "_source_offset"));
      if (is_told) sequence_lost.reset();
    }
    if (needs_sequence(node_)) {
      LAKEMILL_TRY(const bool has_offset, has_column(current, "_source_offset"));
      const bool by_row =
          carrying_.contains(current) ? !begins_with_batch_ : has_offset;
      sequence = by_row ? "arrival" : "batch";
    }
    LAKEMILL_TRY(current, add_batch_columns(*session_, node_, *plan_, current,
                                            carrying_.contains(current)));
    const language::Sink* sink = node_.primary_sink();
    if (is_given_ || sink == nullptr) return current;  // a test touches no table
    LAKEMILL_TRY(current,
                 with_types_of_nulls(*session_, workspace_, node_, *sink, current));
    LAKEMILL_TRY(current,
                 rescue_misfits(*session_, workspace_, node_, *sink, *plan_, current));
    return hold_to_declared(*session_, node_, *sink, current);
  }

  // Where the default sequence was lost on the way to `relation`, which `place` makes.
  void note_sequence(const std::string& relation, const language::Location& place) {
    if (carrying_.contains(relation)) {
      sequence_lost.reset();
    } else if (!sequence_lost) {
      sequence_lost = place;
    }
  }

  Result<std::string> relation_of(const Frames& frames, const std::string& current,
                                  const language::FrameReference& reference) const {
    using Kind = language::FrameReference::Kind;
    if (reference.kind == Kind::flow && !current.empty()) return current;
    if (reference.kind == Kind::node) {
      for (const Frame& frame : frames.sources) {
        if (frame.source->node_name == reference.name) return frame.relation;
      }
      const auto found = frames.nodes.find(reference.name);
      if (found != frames.nodes.end()) return found->second.relation;
    }
    std::vector<std::string> known;
    for (const Frame& frame : frames.sources) {
      known.push_back(frame.source->name);
      if (reference.kind == Kind::source && frame.source->name == reference.name) {
        return frame.relation;
      }
    }
    if (reference.kind == Kind::flow) {
      return Error(ErrorCode::invalid,
                   "{df} stands for the first source, but the node "
                   "has none");
    }
    const auto guess = nearest(reference.name, known);
    return Error(ErrorCode::invalid,
                 "no source '" + reference.name + "'" +
                     (guess ? "; did you mean '" + *guess + "'?" : ""));
  }

  Status bind_frame(Frame& frame, const language::Node& node,
                    const AddedColumns& added) {
    if (frame.computed) {
      frame.relation = frame.id;
      LAKEMILL_TRY_OK(session_->bind(frame.id, *frame.computed));
    } else if (frame.view != nullptr) {
      LAKEMILL_TRY(frame.relation, bind_frames(*frame.inner, *frame.view,
                                               {false, added.sequence}, false));
    } else {
      LAKEMILL_TRY_OK(bind_leaf(frame, added));
    }
    if (frame.source == nullptr) return {};
    AddedColumns kept = added;
    if (frame.view != nullptr) kept.metadata = false;
    return bind_clauses(frame, kept_columns(node, kept));
  }

  Result<bool> has_column(const std::string& relation, std::string_view column) {
    LAKEMILL_TRY(const auto shape,
                 session_->describe("SELECT * FROM " + quote_identifier(relation),
                                    engine::Origin::lakemill));
    return shape.schema.find(column) != nullptr;
  }

  Status bind_leaf(Frame& frame, const AddedColumns& added) {
    Leaf& leaf = inputs_.leaves[frame.leaf];
    frame.relation = frame.id;
    if (const auto given = inputs_.given.find(frame.leaf);
        given != inputs_.given.end()) {
      return session_->bind(frame.id, given->second);
    }
    if (leaf.source == nullptr) {
      const auto found = expected_->find(leaf.upstream_node);
      if (found == expected_->end()) {
        return Error(ErrorCode::not_found, "node " + node_.name + " reads node " +
                                               leaf.upstream_node +
                                               ", which has not run yet; run it first");
      }
      data::Schema schema = found->second;
      if (leaf.of_quarantine) schema.fields.push_back(failed_expectations_field());
      LAKEMILL_TRY_OK(
          session_->bind(frame.id, engine::RowsRelation{"[]", std::move(schema)}));
      LAKEMILL_TRY(frame.relation,
                   add_source_columns(*session_, *plan_, nullptr, frame.id,
                                      {"NULL", "NULL", "NULL"}, added));
      if (added.sequence) carrying_.insert(frame.relation);
      return {};
    }
    const auto slice =
        std::find_if(plan_->slices.begin(), plan_->slices.end(),
                     [&](const SourceSlice& item) { return item.source == leaf.id; });
    if (slice == plan_->slices.end()) {
      return Error(ErrorCode::corrupt,
                   "the plan of batch " + std::to_string(plan_->number) + " of node " +
                       node_.name + " does not cover source '" + leaf.id + "'");
    }
    LAKEMILL_TRY(sources::Slice read, leaf.source->read(slice->from, slice->to));
    LAKEMILL_TRY_OK(give_columns(leaf, *slice, read));
    LAKEMILL_TRY(auto found, remember_types(leaf.id, read.relation));
    LAKEMILL_TRY_OK(bind_slice(frame.id, read));
    LAKEMILL_TRY(const auto shape,
                 session_->describe("SELECT * FROM " + quote_identifier(frame.id),
                                    engine::Origin::lakemill));
    if (found) find_types(leaf.id, *found, shape.schema);
    LAKEMILL_TRY_OK(refuse_our_names(frame, shape.schema));
    if (added.sequence && read.sequence_sql.find("{batch}") != std::string::npos) {
      const bool has_offset = shape.schema.find("_source_offset") != nullptr;
      begins_with_batch_ = begins_with_batch_ || !has_offset;
    }
    bound_relations.push_back({frame.id, std::nullopt});
    LAKEMILL_TRY(
        frame.relation,
        add_source_columns(
            *session_, *plan_, frame.source, frame.id,
            {read.source_offset_sql, read.source_file_sql, read.sequence_sql}, added));
    if (added.sequence) carrying_.insert(frame.relation);
    return {};
  }

  // Columns of such names are ours: rows that bring one would be taken for others.
  Status refuse_our_names(const Frame& frame, const data::Schema& schema) const {
    for (const data::Field& field : schema.fields) {
      if (!to_lower(field.name).starts_with("_lakemill_")) continue;
      const language::Location& place =
          frame.source == nullptr ? node_.location : frame.source->location;
      return Error(ErrorCode::invalid,
                   to_text(place) + ": the source has a column '" + field.name +
                       "': names that begin with _lakemill_ are kept for Lakemill's "
                       "own use; rename it where the rows are written");
    }
    return {};
  }

  // True if it hands on the default sequence, as it may where that `is_carried`.
  Result<bool> bind_view(const std::string& name, const std::string& sql,
                         engine::Origin origin, bool is_carried) {
    if (is_carried) {
      return session_->bind_carrying(name, sql, kSequenceColumn, origin);
    }
    LAKEMILL_TRY_OK(session_->bind_query(name, sql, origin));
    return false;
  }

  Status bind_slice(const std::string& name, sources::Slice& slice) {
    if (slice.parts.empty()) {
      bytes += size_of(slice.relation);
      return session_->bind(name, std::move(slice.relation));
    }
    std::vector<std::string> queries;
    for (sources::SlicePart& part : slice.parts) {
      const std::string inner = name + ".part" + std::to_string(queries.size());
      bytes += size_of(part.relation);
      LAKEMILL_TRY_OK(session_->bind(inner, std::move(part.relation)));
      queries.push_back("SELECT " + part.select_list + " FROM " +
                        quote_identifier(inner) +
                        (part.condition.empty() ? "" : " WHERE " + part.condition));
    }
    return session_->bind_query(name, join(queries, " UNION ALL "),
                                engine::Origin::lakemill);
  }

  // Gives files whose types are found out those that they had before, and a copy.
  Result<std::optional<data::Schema>> remember_types(const std::string& source,
                                                     engine::Relation& relation) const {
    auto* files = std::get_if<engine::FilesRelation>(&relation);
    if (files == nullptr || flow_state_ == nullptr || !finds_out_types(*files) ||
        files->known_types) {
      return std::optional<data::Schema>();
    }
    LAKEMILL_TRY(files->remembered_types,
                 found_types(*flow_state_, plan_->generation, source));
    return std::optional(files->remembered_types.value_or(data::Schema()));
  }

  void find_types(const std::string& source, const data::Schema& before,
                  const data::Schema& found) {
    data::Schema after = types_after(before, found);
    if (after != before) types_to_keep_[source] = std::move(after);
  }

  // An empty slice of raw files has the columns of the files before it.
  Status give_columns(Leaf& leaf, const SourceSlice& slice, sources::Slice& read) {
    auto* files = std::get_if<engine::FilesRelation>(&read.relation);
    if (!read.empty || files == nullptr || files->schema) return {};
    LAKEMILL_TRY(const auto sample, leaf.source->sample(slice.to));
    if (!sample) return {};
    LAKEMILL_TRY(files->schema, workspace_.engine.schema_of(*sample));
    return {};
  }

  Status bind_clauses(Frame& frame, const std::vector<std::string>& kept) {
    int number = 0;
    for (std::string sql : source_clauses(*frame.source, kept)) {
      if (sql.starts_with(kRenameClause)) {  // the engine passes over what is not there
        const auto there = check_renames(*session_, *frame.source, frame.relation);
        if (!there) return at(frame.source->location, there.error());
      }
      const std::size_t hole = sql.find("{}");
      sql.replace(hole, 2, quote_identifier(frame.relation));
      const std::string name = frame.id + ".clause" + std::to_string(++number);
      const auto origin = frame.source->filter.empty() || number > 1
                              ? engine::Origin::lakemill
                              : engine::Origin::pipeline;
      const bool carries = carrying_.contains(frame.relation);
      const auto made = bind_view(name, sql, origin, carries);
      if (!made && origin == engine::Origin::pipeline) {
        const language::SourceText& filter = frame.source->filter;
        return at_place_in_file(filter, sql, sql.find(filter.text), made.error());
      }
      if (!made) {
        return at(frame.source->location,
                  with_missing_column(*session_, *frame.source, frame.relation,
                                      made.error()));
      }
      if (*made) carrying_.insert(name);
      const bool is_filter = number == 1 && !frame.source->filter.empty();
      bound_relations.push_back(
          {name, is_filter ? frame.source->filter.location : frame.source->location});
      frame.relation = name;
    }
    return {};
  }

  const Workspace& workspace_;
  const language::Node& node_;
  const FlowState* flow_state_ = nullptr;  // null: relations are given
  OpenInputs inputs_;
  std::map<std::string, data::Schema> types_to_keep_;  // by the leaf's id
  bool is_given_ = false;  // relations of a test stand in for what is read
  engine::Session* session_ = nullptr;
  const BatchPlan* plan_ = nullptr;
  const ExpectedSchemas* expected_ = nullptr;
  bool begins_with_batch_ = false;  // the default sequence of a source does
  std::set<std::string> carrying_;  // relations that carry the default sequence
};

NodeQuery::NodeQuery(std::unique_ptr<State> state) : state_(std::move(state)) {}
NodeQuery::~NodeQuery() = default;

Result<std::unique_ptr<NodeQuery>> NodeQuery::open(const Workspace& workspace,
                                                   const language::Node& node,
                                                   FlowState& state, Reading reading,
                                                   const BatchPlan* known) {
  auto content = std::make_unique<State>(workspace, node);
  LAKEMILL_TRY_OK(content->open(state, reading, known));
  return std::unique_ptr<NodeQuery>(new NodeQuery(std::move(content)));
}

Result<std::unique_ptr<NodeQuery>> NodeQuery::open_over(const Workspace& workspace,
                                                        const language::Node& node,
                                                        const GivenRelations& given) {
  auto content = std::make_unique<State>(workspace, node);
  LAKEMILL_TRY_OK(content->open_over(given));
  return std::unique_ptr<NodeQuery>(new NodeQuery(std::move(content)));
}

std::vector<Leaf>& NodeQuery::leaves() { return state_->leaves(); }

std::int64_t NodeQuery::bytes() const { return state_->bytes; }

const std::vector<BoundRelation>& NodeQuery::bound() const {
  return state_->bound_relations;
}

const std::optional<language::Location>& NodeQuery::sequence_lost() const {
  return state_->sequence_lost;
}

const std::string& NodeQuery::sequence() const { return state_->sequence; }

bool NodeQuery::any_incremental() {
  return std::any_of(leaves().begin(), leaves().end(),
                     [](const Leaf& leaf) { return leaf.incremental(); });
}

bool NodeQuery::all_incremental() {
  return std::all_of(leaves().begin(), leaves().end(),
                     [](const Leaf& leaf) { return leaf.incremental(); });
}

Result<std::string> NodeQuery::bind(engine::Session& session, const BatchPlan& plan,
                                    const ExpectedSchemas& expected) {
  return state_->bind(session, plan, expected);
}

Status NodeQuery::keep_types(std::int64_t generation) const {
  return state_->keep_types(generation);
}

void NodeQuery::share_views(BatchPlan& plan) { state_->share_views(plan); }

Status NodeQuery::compute_views(const BatchPlan& plan, std::stop_token stop) {
  return state_->compute_views(plan, stop);
}

}  // namespace lakemill::flow
