#include "lakemill/engine_duckdb/checkpoint_statistics.h"

#include <algorithm>

#include "lakemill/base/text.h"
#include "lakemill/delta/action.h"
#include "lakemill/delta/protocol.h"
#include "lakemill/engine_duckdb/column_conformance.h"
#include "lakemill/engine_duckdb/type_mapping.h"

namespace lakemill::engine_duckdb {

namespace {

using data::Field;
using data::TypeKind;

// Digits that a number in JSON keeps even where a double was made of it.
constexpr int kExactDigits = 15;

bool has_bounds(const data::Type& type) {
  switch (type.kind) {
    case TypeKind::int8:
    case TypeKind::int16:
    case TypeKind::int32:
    case TypeKind::int64:
    case TypeKind::float32:
    case TypeKind::float64:
    case TypeKind::string:
    case TypeKind::date:
    case TypeKind::timestamp:
    case TypeKind::timestamp_ntz:
      return true;
    case TypeKind::decimal:
      return type.precision <= kExactDigits;
    default:
      return false;
  }
}

// The structures for json_transform of nullCount and of a bound.
struct Structures {
  Json counts = Json::object();
  Json bounds = Json::object();
};

Result<Structures> structures_of(const std::vector<Field>& fields, bool mapped) {
  Structures all;
  for (const Field& field : fields) {
    if (field.type.kind == TypeKind::void_type) continue;
    const std::string name = physical_name(field, mapped);
    if (field.type.kind == TypeKind::structure) {
      LAKEMILL_TRY(Structures below, structures_of(field.type.children, mapped));
      if (!below.counts.empty()) all.counts[name] = std::move(below.counts);
      if (!below.bounds.empty()) all.bounds[name] = std::move(below.bounds);
      continue;
    }
    all.counts[name] = "BIGINT";
    if (!has_bounds(field.type)) continue;
    LAKEMILL_TRY(const duckdb::LogicalType type, to_duckdb(field.type));
    all.bounds[name] = type.ToString();
  }
  return all;
}

std::string stats_sql(const Structures& structures) {
  Json whole = {{"numRecords", "BIGINT"}};
  if (!structures.counts.empty()) whole["nullCount"] = structures.counts;
  for (const char* bound : {"minValues", "maxValues"}) {
    if (!structures.bounds.empty()) whole[bound] = structures.bounds;
  }
  return "json_transform(TRY_CAST(json_extract_string(line, '$.add.stats') AS JSON), " +
         quote_literal(json_text(whole)) + ")";
}

// An empty text is null, whatever the type.
Result<std::string> partition_values_sql(const std::vector<const Field*>& columns,
                                         bool mapped) {
  Json texts = Json::object();
  std::vector<std::string> values;
  for (const Field* column : columns) texts[physical_name(*column, mapped)] = "VARCHAR";
  const std::string all =
      "json_transform(json_extract(line, '$.add.partitionValues'), " +
      quote_literal(json_text(texts)) + ")";
  for (const Field* column : columns) {
    const std::string name = physical_name(*column, mapped);
    const std::string text =
        "nullif(struct_extract(" + all + ", " + quote_literal(name) + "), '')";
    LAKEMILL_TRY(const duckdb::LogicalType type, to_duckdb(column->type));
    const bool binary = column->type.kind == TypeKind::binary;
    values.push_back(quote_identifier(name) + " := " +
                     (binary ? "encode(" + text + ")"
                             : "TRY_CAST(" + text + " AS " + type.ToString() + ")"));
  }
  return "struct_pack(" + join(values, ", ") + ")";
}

Result<TypedStatistics> of_table(const delta::Protocol& protocol,
                                 const delta::Metadata& metadata) {
  const bool mapped = delta::column_mapping_mode(protocol, metadata) != "none";
  std::vector<Field> stored;
  std::vector<const Field*> partitions;
  for (const Field& field : metadata.schema.fields) {
    const auto& names = metadata.partition_columns;
    if (std::find(names.begin(), names.end(), field.name) == names.end()) {
      stored.push_back(field);
    } else {
      partitions.push_back(&field);
    }
  }
  TypedStatistics typed;
  LAKEMILL_TRY(const Structures structures, structures_of(stored, mapped));
  typed.stats = stats_sql(structures);
  if (!partitions.empty()) {
    LAKEMILL_TRY(typed.partition_values, partition_values_sql(partitions, mapped));
  }
  const auto as_json = metadata.configuration.find("delta.checkpoint.writeStatsAsJson");
  typed.with_text = as_json == metadata.configuration.end() ||
                    !equals_ignoring_case(as_json->second, "false");
  return typed;
}

}  // namespace

Result<std::optional<TypedStatistics>> typed_statistics(std::string_view actions) {
  std::optional<delta::Protocol> protocol;
  std::optional<delta::Metadata> metadata;
  while (!actions.empty() && !(protocol && metadata)) {
    const std::size_t end = std::min(actions.find('\n'), actions.size());
    const std::string_view line = actions.substr(0, end);
    actions.remove_prefix(std::min(end + 1, actions.size()));
    if (line.empty()) continue;
    LAKEMILL_TRY(std::optional<delta::Action> action, delta::action_from_line(line));
    if (!action) continue;
    if (auto* found = std::get_if<delta::Protocol>(&*action)) {
      protocol = std::move(*found);
    } else if (auto* table = std::get_if<delta::Metadata>(&*action)) {
      metadata = std::move(*table);
    }
  }
  if (!protocol || !metadata ||
      !delta::property_is_true(*metadata, "delta.checkpoint.writeStatsAsStruct")) {
    return std::optional<TypedStatistics>();
  }
  LAKEMILL_TRY(TypedStatistics typed, of_table(*protocol, *metadata));
  return std::optional(std::move(typed));
}

}  // namespace lakemill::engine_duckdb
