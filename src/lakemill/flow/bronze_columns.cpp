#include "lakemill/flow/bronze_columns.h"

#include <algorithm>
#include <array>

#include "lakemill/base/text.h"
#include "lakemill/flow/node_query.h"

namespace lakemill::flow {

namespace {

constexpr std::string_view kSourceFile = "_source_file";
constexpr std::string_view kSourceOffset = "_source_offset";

// Added to the rows of a source, before its columns are renamed.
constexpr std::array<std::string_view, 2> kSourceColumns = {kSourceFile, kSourceOffset};

// Added behind all steps.
struct BatchColumn {
  std::string_view name;
  std::string (*value_sql)(const language::Node& node, const BatchPlan& plan);
};
constexpr std::array<BatchColumn, 4> kBatchColumns = {{
    {"_ingested_at",
     [](const language::Node&, const BatchPlan& plan) {
       return "TIMESTAMPTZ " + quote_literal(format_instant(plan.now));
     }},
    {"_run_id", [](const language::Node&,
                   const BatchPlan& plan) { return quote_literal(plan.run_id); }},
    {"_batch_id",
     [](const language::Node&, const BatchPlan& plan) {
       return std::to_string(plan.transaction_version()) + "::BIGINT";
     }},
    {"_source",
     [](const language::Node& node, const BatchPlan&) {
       return quote_literal(node.sources.empty() ? std::string()
                                                 : source_label(node.sources.front()));
     }},
}};

bool is_bronze(const language::Node& node) {
  return node.layer == language::Layer::bronze;
}

// {batch} in the offset of a source without a log of its own.
std::string with_batch(std::string sql, std::int64_t number) {
  constexpr std::string_view kHole = "{batch}";
  for (std::size_t hole = sql.find(kHole); hole != std::string::npos;
       hole = sql.find(kHole)) {
    sql.replace(hole, kHole.size(), std::to_string(number));
  }
  return sql;
}

// The default sequence over the output: carried through the steps, or a bronze offset,
// or the batch.
std::string sequence_sql(const data::Schema& output, const BatchPlan& plan,
                         bool carries_sequence) {
  if (carries_sequence) return quote_identifier(kSequenceColumn);
  if (output.find(kSourceOffset) != nullptr) return quote_identifier(kSourceOffset);
  return "printf('%012d', " + std::to_string(plan.number) + ")";
}

// Tables hand on the metadata columns of the bronze table before them; what files and
// records bring under such a name would take their place.
bool brings_payload(const language::Source& source) {
  if (source.kind == language::SourceKind::dataframe) return true;
  return source.kind == language::SourceKind::file &&
         source.format != language::FileFormat::delta;
}

Status refuse_metadata_names(const data::Schema& schema,
                             const language::Source& source) {
  if (!brings_payload(source)) return {};
  for (const data::Field& field : schema.fields) {
    const std::string name = to_lower(field.name);
    const bool early = std::ranges::find(kSourceColumns, name) != kSourceColumns.end();
    const bool late = std::ranges::find(kBatchColumns, name, &BatchColumn::name) !=
                      kBatchColumns.end();
    const bool renamed =
        std::any_of(source.renames.begin(), source.renames.end(),
                    [&](const auto& entry) { return entry.column == field.name; });
    if (!early && (!late || renamed)) continue;
    return Error(ErrorCode::invalid,
                 language::to_text(source.location) + ": the source has a column '" +
                     field.name +
                     "', a name that BRONZE gives to a column of its own; " +
                     (early ? "rename it where the files are written"
                            : "give it another one: renames: {" + field.name + ": …}"));
  }
  return {};
}

}  // namespace

std::string source_label(const language::Source& source) {
  if (!source.name.empty()) return source.name;
  switch (source.kind) {
    case language::SourceKind::file:
      return source.path;
    case language::SourceKind::table:
    case language::SourceKind::postgres:
      return source.table.to_text();
    case language::SourceKind::pipeline_node:
      return source.node_name;
    case language::SourceKind::dataframe:
      break;
  }
  return "dataframe";
}

AddedColumns added_columns(const language::Node& node) {
  return {is_bronze(node), needs_sequence(node)};
}

std::vector<std::string> kept_columns(const language::Node& node,
                                      const AddedColumns& added) {
  std::vector<std::string> kept;
  if (added.metadata) {
    kept.assign(kSourceColumns.begin(), kSourceColumns.end());
    const bool tells_operations =
        !node.sources.empty() &&
        node.sources.front().kind == language::SourceKind::postgres;
    if (tells_operations) kept.insert(kept.end(), {"_op", "_unchanged", "_rescued"});
  }
  return kept;
}

Result<std::string> add_source_columns(engine::Session& session, const BatchPlan& plan,
                                       const language::Source* source,
                                       const std::string& relation,
                                       const SourceColumns& columns,
                                       const AddedColumns& added) {
  if (!added.any()) return relation;
  LAKEMILL_TRY(const auto shape,
               session.describe("SELECT * FROM " + quote_identifier(relation),
                                engine::Origin::lakemill));
  if (added.metadata && source != nullptr) {
    LAKEMILL_TRY_OK(refuse_metadata_names(shape.schema, *source));
  }
  const bool has_offset = shape.schema.find(kSourceOffset) != nullptr;
  const std::string offset = with_batch(columns.offset_sql, plan.number) + "::VARCHAR";
  std::string sql = "SELECT *";
  if (added.metadata) {
    if (shape.schema.find(kSourceFile) == nullptr) {
      sql += ", " + columns.file_sql + "::VARCHAR AS _source_file";
    }
    if (!has_offset) sql += ", " + offset + " AS _source_offset";
  }
  const std::string from = " FROM " + quote_identifier(relation);
  std::string name = relation;
  if (added.metadata) {
    name += ".loaded";
    LAKEMILL_TRY_OK(session.bind_query(name, sql + from, engine::Origin::lakemill));
  }
  if (added.sequence) {
    const std::string sequence =
        with_batch(columns.sequence_sql, plan.number) + "::VARCHAR";
    sql += ", " + (has_offset ? std::string(kSourceOffset) : sequence) + " AS " +
           std::string(kSequenceColumn);
    LAKEMILL_TRY_OK(session.bind_query(engine::carrying_name(name, kSequenceColumn),
                                       sql + from, engine::Origin::lakemill));
  }
  return name;
}

Result<std::string> add_batch_columns(engine::Session& session,
                                      const language::Node& node, const BatchPlan& plan,
                                      const std::string& relation,
                                      bool carries_sequence) {
  if (!is_bronze(node) && !needs_sequence(node)) return relation;
  const std::string from =
      " FROM " + quote_identifier(carries_sequence
                                      ? engine::carrying_name(relation, kSequenceColumn)
                                      : relation);
  LAKEMILL_TRY(const auto shape,
               session.describe("SELECT *" + from, engine::Origin::lakemill));
  const data::Schema& output = shape.schema;
  std::vector<std::string> columns;
  for (const data::Field& field : output.fields) {
    const bool ours =
        field.name == kSequenceColumn ||
        (is_bronze(node) && (field.name == kSourceFile || field.name == kSourceOffset));
    if (!ours) columns.push_back(quote_identifier(field.name));
  }
  if (is_bronze(node)) {
    for (const BatchColumn& added : kBatchColumns) {
      if (output.find(added.name) != nullptr) continue;
      columns.push_back(added.value_sql(node, plan) + " AS " + std::string(added.name));
    }
    for (const std::string_view name : kSourceColumns) {
      columns.push_back(output.find(name) != nullptr
                            ? quote_identifier(name)
                            : "NULL::VARCHAR AS " + std::string(name));
    }
  }
  if (needs_sequence(node)) {
    columns.push_back(sequence_sql(output, plan, carries_sequence) + " AS " +
                      std::string(kSequenceColumn));
  }
  const std::string name = node.name + ".output";
  LAKEMILL_TRY_OK(session.bind_query(name, "SELECT " + join(columns, ", ") + from,
                                     engine::Origin::lakemill));
  return name;
}

}  // namespace lakemill::flow
