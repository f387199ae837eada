#include "lakemill/flow/rescued_columns.h"

#include <algorithm>

#include "lakemill/base/text.h"
#include "lakemill/flow/checked_cast.h"
#include "lakemill/flow/declared_rows.h"

namespace lakemill::flow {

namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& item) {
    return equals_ignoring_case(item, name);
  });
}

// A column as it goes into the table, and what is kept of it beside.
class HeldColumns {
 public:
  void keep(const std::string& name) { columns_.push_back(quote_identifier(name)); }

  void hold(const data::Field& field, const data::Field& target) {
    const std::string name = quote_identifier(field.name);
    const CheckedCast cast = checked_cast(field, target.type);
    if (cast.misfit.empty()) {
      columns_.push_back(cast.value + " AS " + name);
      return;
    }
    const std::string otherwise = spelled_otherwise_sql(field, target.type);
    const std::string misfit =
        otherwise.empty() ? cast.misfit : cast.misfit + " OR " + otherwise;
    columns_.push_back("CASE WHEN " + misfit + " THEN NULL ELSE " + cast.value +
                       " END AS " + name);
    rescue(field, misfit);
  }

  void rescue(const data::Field& field, const std::string& misfit) {
    any_.push_back("(" + misfit + ")");
    entries_.push_back("{'k': " + quote_literal(field.name) + ", 'v': CASE WHEN " +
                       misfit + " THEN " + value_text_sql(field) + " END}");
  }

  // `has_rescued`: the rows bring what was rescued before them.
  std::string select(const std::string& relation, bool has_rescued) const {
    const std::string before = has_rescued ? std::string(kRescuedColumn) : "";
    std::string now = before.empty() ? "CAST(NULL AS VARCHAR)" : before;
    if (!entries_.empty()) {
      const std::string found = "CAST(to_json(map_from_entries(list_filter([" +
                                join(entries_, ", ") +
                                "], lambda _lakemill_entry: _lakemill_entry.v IS NOT "
                                "NULL))) AS VARCHAR)";
      const std::string both = before.empty()
                                   ? found
                                   : "CASE WHEN " + before + " IS NULL THEN " + found +
                                         " ELSE CAST(json_merge_patch(" + before +
                                         ", " + found + ") AS VARCHAR) END";
      now =
          "CASE WHEN " + join(any_, " OR ") + " THEN " + both + " ELSE " + now + " END";
    }
    std::vector<std::string> columns = columns_;
    columns.push_back(now + " AS " + std::string(kRescuedColumn));
    return "SELECT " + join(columns, ", ") + " FROM " + quote_identifier(relation);
  }

 private:
  std::vector<std::string> columns_;
  std::vector<std::string> any_;
  std::vector<std::string> entries_;
};

struct Target {
  data::Schema schema;  // of the table; what is declared if it is yet to come
  bool is_new = false;
};

Result<Target> target_of(const Workspace& workspace, const language::Node& node,
                         const language::Sink& sink, const BatchPlan& plan) {
  LAKEMILL_TRY(const auto declared, declared_schema(node, sink));
  const Target new_table{declared.value_or(data::Schema()), true};
  const bool begins_anew = plan.generation > 0 && plan.number == 1;
  if (begins_anew && !sink.shared) return new_table;
  LAKEMILL_TRY(const Place place, place_of(workspace, node, sink));
  LAKEMILL_TRY(const auto snapshot, newest_snapshot(workspace, place));
  if (snapshot == nullptr) return new_table;
  return Target{snapshot->metadata().schema, false};
}

}  // namespace

bool is_of_the_change(const language::Node& node, const language::Sink& sink,
                      const std::string& name) {
  if (name.starts_with("_lakemill_")) return true;
  if (!sink.merge_cdc_options) return false;
  const language::MergeCdcOptions& merge = *sink.merge_cdc_options;
  const bool left_out =
      !merge.include_columns.empty() && !contains(merge.include_columns, name);
  return left_out || contains(merge.exclude_columns, name) ||
         contains(merge.order_by, name) || contains(merge.primary_keys, name) ||
         contains(node.primary_keys, name);
}

bool is_added(const language::Node& node, const std::string& column) {
  if (equals_ignoring_case(column, kRescuedColumn)) return true;
  return column.starts_with("_lakemill_") ||
         (node.layer == language::Layer::bronze && column.starts_with("_"));
}

bool rescues_misfits(const language::Node& node, const language::Sink& sink) {
  if (!sink.is_delta() || sink.is_quarantine) return false;
  if (sink.schema_evolution != language::SchemaEvolution::unset) {
    return sink.schema_evolution == language::SchemaEvolution::rescue;
  }
  // What a file's reader rescues, and what the author's steps make, is settled.
  const bool whole_payload =
      std::all_of(node.sources.begin(), node.sources.end(), [](const auto& source) {
        const bool is_raw_file = source.kind == language::SourceKind::file &&
                                 source.format != language::FileFormat::delta;
        return !is_raw_file && source.selects.empty() && source.renames.empty() &&
               source.drops.empty();
      });
  return node.layer == language::Layer::bronze && node.steps.empty() && whole_payload;
}

Result<std::string> rescue_misfits(engine::Session& session, const Workspace& workspace,
                                   const language::Node& node,
                                   const language::Sink& sink, const BatchPlan& plan,
                                   const std::string& relation) {
  if (!rescues_misfits(node, sink)) return relation;
  LAKEMILL_TRY(const Target held_to, target_of(workspace, node, sink, plan));
  const data::Schema& target = held_to.schema;
  LAKEMILL_TRY(const auto shape,
               session.describe("SELECT * FROM " + quote_identifier(relation),
                                engine::Origin::lakemill));
  HeldColumns held;
  bool has_rescued = false;
  for (const data::Field& field : shape.schema.fields) {
    const data::Field* place = target.find(field.name);
    if (equals_ignoring_case(field.name, kRescuedColumn)) {
      has_rescued = true;
    } else if (place != nullptr && to_text(place->type) != to_text(field.type)) {
      held.hold(field, *place);
    } else if (place != nullptr || target.fields.empty() ||
               is_of_the_change(node, sink, field.name) ||
               (held_to.is_new && is_added(node, field.name))) {
      held.keep(field.name);
    } else {
      held.rescue(field, quote_identifier(field.name) + " IS NOT NULL");
    }
  }
  std::string name = relation + ".rescued";
  LAKEMILL_TRY_OK(session.bind_query(name, held.select(relation, has_rescued),
                                     engine::Origin::lakemill));
  return name;
}

}  // namespace lakemill::flow
