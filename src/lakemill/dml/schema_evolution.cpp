#include "lakemill/dml/schema_evolution.h"

#include <algorithm>
#include <optional>

#include "lakemill/base/text.h"

namespace lakemill::dml {
namespace {

constexpr std::string_view kMappingMode = "delta.columnMapping.mode";
constexpr std::string_view kMappingMaximum = "delta.columnMapping.maxColumnId";
constexpr std::string_view kMappingId = "delta.columnMapping.id";
constexpr std::string_view kPhysicalName = "delta.columnMapping.physicalName";

/// Digits before the point that an integer type needs; 0 for other types.
int integer_digits(data::TypeKind kind) {
  switch (kind) {
    case data::TypeKind::int8:
      return 3;
    case data::TypeKind::int16:
      return 5;
    case data::TypeKind::int32:
      return 10;
    case data::TypeKind::int64:
      return 19;
    default:
      return 0;
  }
}

bool decimal_holds(const data::Type& to, int digits, int scale) {
  return to.kind == data::TypeKind::decimal && to.scale >= scale &&
         to.precision - to.scale >= digits;
}

/// What the protocol lets a column of type `held` be widened to, so that it also holds
/// `wanted`: an integer becomes a decimal only of as many digits as it may have there.
/// Nothing if there is no such type.
std::optional<data::Type> widened_type(const data::Type& held,
                                       const data::Type& wanted) {
  constexpr int kDecimalDigitsMax = 38;
  constexpr int kDigitsOfLong = 20;
  constexpr int kDigitsOfOthers = 10;
  if (!held.children.empty() || held.kind == data::TypeKind::void_type ||
      !fits_without_loss(held, wanted)) {
    return std::nullopt;
  }
  if (integer_digits(held.kind) == 0 || wanted.kind != data::TypeKind::decimal) {
    return wanted;
  }
  const int least =
      held.kind == data::TypeKind::int64 ? kDigitsOfLong : kDigitsOfOthers;
  const int digits = std::max(wanted.precision - wanted.scale, least);
  if (digits + wanted.scale > kDecimalDigitsMax) return std::nullopt;
  return data::make_decimal(digits + wanted.scale, wanted.scale);
}

/// The same types and names all the way down; what may be null is the table's to say.
bool same_shape(const data::Type& left, const data::Type& right) {
  return left.kind == right.kind && left.precision == right.precision &&
         left.scale == right.scale &&
         std::equal(left.children.begin(), left.children.end(), right.children.begin(),
                    right.children.end(),
                    [](const data::Field& one, const data::Field& other) {
                      return one.name == other.name && same_shape(one.type, other.type);
                    });
}

std::string delta_type_name(const data::Type& type) {
  const Json json = data::to_delta_json({{{"x", type, true, Json::object()}}});
  return json["fields"][0]["type"].get<std::string>();
}

/// Appends to `metadata`, of the nearest field, how its type and those of its elements,
/// keys and values changed. Fields of structs keep their own changes.
void note_type_changes(const data::Type& before, const data::Type& now,
                       const std::string& path, Json& metadata) {
  if (before == now || before.kind == data::TypeKind::structure) return;
  if (before.children.empty()) {
    Json change = {{"fromType", delta_type_name(before)},
                   {"toType", delta_type_name(now)}};
    if (!path.empty()) change["fieldPath"] = path;
    metadata["delta.typeChanges"].push_back(std::move(change));
    return;
  }
  const bool is_map = before.kind == data::TypeKind::map;
  for (std::size_t i = 0; i < before.children.size(); ++i) {
    const std::string_view part = is_map ? (i == 0 ? "key" : "value") : "element";
    note_type_changes(before.children[i].type, now.children[i].type,
                      path + (path.empty() ? "" : ".") + std::string(part), metadata);
  }
}

/// One evolution in progress: what it walks through and what it found.
class SchemaMerger {
 public:
  SchemaMerger(const delta::Metadata& table, const EvolutionRules& rules,
               Random& random)
      : rules_(rules), random_(random) {
    const auto widening = table.configuration.find("delta.enableTypeWidening");
    may_widen_ =
        widening != table.configuration.end() && to_lower(widening->second) == "true";
    const auto mode = table.configuration.find(std::string(kMappingMode));
    mapped_ = mode != table.configuration.end() && to_lower(mode->second) != "none";
    const auto maximum = table.configuration.find(std::string(kMappingMaximum));
    if (maximum != table.configuration.end()) {
      column_id_ = std::strtoll(maximum->second.c_str(), nullptr, 10);
    }
  }

  /// Errors: invalid. `where` is the path of the fields' parent, "" or "a.".
  Result<std::vector<data::Field>> merge_fields(const std::vector<data::Field>& table,
                                                const std::vector<data::Field>& query,
                                                const std::string& where);

  std::vector<data::Field> replace_fields(const std::vector<data::Field>& table,
                                          const std::vector<data::Field>& query);

  void give_mapping(data::Field& field);

  std::vector<std::string> changes;
  bool mapped() const { return mapped_; }
  std::int64_t column_id() const { return column_id_; }

 private:
  Result<data::Type> merge_types(const data::Field& table, const data::Type& query,
                                 const std::string& column);
  Error mismatch(const std::string& column, const data::Type& table,
                 const data::Type& query) const;
  void give_mapping(data::Type& type);

  EvolutionRules rules_;
  Random& random_;
  bool may_widen_ = false;
  bool mapped_ = false;
  std::int64_t column_id_ = 0;
};

const data::Field* find_field(const std::vector<data::Field>& fields,
                              std::string_view name) {
  const auto found = std::find_if(fields.begin(), fields.end(), [&](const auto& field) {
    return equals_ignoring_case(field.name, name);
  });
  return found == fields.end() ? nullptr : &*found;
}

void SchemaMerger::give_mapping(data::Field& field) {
  if (!mapped_) return;
  if (!field.metadata.contains(kMappingId)) {
    field.metadata[std::string(kMappingId)] = ++column_id_;
  }
  if (!field.metadata.contains(kPhysicalName)) {
    field.metadata[std::string(kPhysicalName)] = "col-" + make_uuid(random_);
  }
  give_mapping(field.type);
}

// The element of an array, key and value of a map are no columns of their own.
void SchemaMerger::give_mapping(data::Type& type) {
  for (data::Field& child : type.children) {
    if (type.kind == data::TypeKind::structure) {
      give_mapping(child);
    } else {
      give_mapping(child.type);
    }
  }
}

Error SchemaMerger::mismatch(const std::string& column, const data::Type& table,
                             const data::Type& query) const {
  std::string text = "column \"" + column + "\" is " + data::to_text(table) +
                     " in the table and " + data::to_text(query) + " in the batch";
  if (!rules_.may_change) {
    text +=
        ", and schema_evolution is STRICT: cast it in the node's SQL, or write "
        "schema_evolution: EVOLVE";
  } else if (!may_widen_ && widened_type(table, query)) {
    text +=
        ": cast it in the node's SQL, or set the table property "
        "delta.enableTypeWidening to true (its readers must know that feature), or "
        "write the table anew with --full-refresh";
  } else {
    text +=
        ", which does not fit: cast it in the node's SQL, or write the table anew with "
        "--full-refresh";
  }
  return Error(ErrorCode::invalid, text);
}

Result<data::Type> SchemaMerger::merge_types(const data::Field& table,
                                             const data::Type& query,
                                             const std::string& column) {
  const data::Type& held = table.type;
  if (held == query) return held;
  if (held.kind == query.kind && !held.children.empty()) {
    data::Type merged = held;
    if (held.kind == data::TypeKind::structure) {
      LAKEMILL_TRY(merged.children,
                   merge_fields(held.children, query.children, column + "."));
      return merged;
    }
    for (std::size_t i = 0; i < held.children.size(); ++i) {
      LAKEMILL_TRY(merged.children[i].type,
                   merge_types(held.children[i], query.children[i].type,
                               column + "." + held.children[i].name));
    }
    return merged;
  }
  if (!rules_.may_change) return mismatch(column, held, query);
  if (fits_without_loss(query, held)) return held;
  const std::optional<data::Type> widened = widened_type(held, query);
  if (may_widen_ && widened) {
    changes.push_back("column " + column + " widened (" + data::to_text(held) + " to " +
                      data::to_text(*widened) + ")");
    return *widened;
  }
  return mismatch(column, held, query);
}

Result<std::vector<data::Field>> SchemaMerger::merge_fields(
    const std::vector<data::Field>& table, const std::vector<data::Field>& query,
    const std::string& where) {
  std::vector<data::Field> merged;
  for (const data::Field& held : table) {
    const data::Field* given = find_field(query, held.name);
    data::Field field = held;
    if (given == nullptr) {
      if (!rules_.may_change) {
        return Error(ErrorCode::invalid, "column \"" + where + held.name +
                                             "\" of the table is missing in the batch, "
                                             "and schema_evolution is STRICT: give it "
                                             "in the node's SQL, or write "
                                             "schema_evolution: EVOLVE, which fills it "
                                             "with null");
      }
      if (!held.nullable) {
        return Error(
            ErrorCode::invalid,
            "column \"" + where + held.name +
                "\" of the table may not hold nulls, and the batch lacks it: give "
                "it in the node's SQL");
      }
    } else {
      LAKEMILL_TRY(field.type, merge_types(held, given->type, where + held.name));
      note_type_changes(held.type, field.type, "", field.metadata);
    }
    merged.push_back(std::move(field));
  }
  for (const data::Field& given : query) {
    if (find_field(table, given.name) != nullptr) continue;
    if (!rules_.may_change) {
      return Error(ErrorCode::invalid, "column \"" + where + given.name +
                                           "\" of the batch is not in the table, and "
                                           "schema_evolution is STRICT: leave it out "
                                           "in the node's SQL, or write "
                                           "schema_evolution: EVOLVE, which adds it");
    }
    data::Field field = given;
    field.nullable = true;
    give_mapping(field);
    changes.push_back("column " + where + given.name + " added (" +
                      data::to_text(given.type) + ")");
    merged.push_back(std::move(field));
  }
  return merged;
}

std::vector<data::Field> SchemaMerger::replace_fields(
    const std::vector<data::Field>& table, const std::vector<data::Field>& query) {
  std::vector<data::Field> replaced;
  for (const data::Field& given : query) {
    const data::Field* held = find_field(table, given.name);
    if (held == nullptr) {
      changes.push_back("column " + given.name + " added (" +
                        data::to_text(given.type) + ")");
    } else if (same_shape(held->type, given.type)) {
      replaced.push_back(
          *held);  // with what the table says of nulls and names below it
      continue;
    } else {
      changes.push_back("column " + given.name + " changed (" +
                        data::to_text(held->type) + " to " + data::to_text(given.type) +
                        ")");
    }
    data::Field field = given;
    if (held != nullptr && held->metadata.contains("comment")) {
      field.metadata["comment"] = held->metadata["comment"];
    }
    give_mapping(field);
    replaced.push_back(std::move(field));
  }
  for (const data::Field& held : table) {
    if (find_field(query, held.name) == nullptr) {
      changes.push_back("column " + held.name + " dropped");
    }
  }
  return replaced;
}

void keep_name(data::Field& field);

void keep_names(data::Type& type) {
  for (data::Field& child : type.children) {
    if (type.kind == data::TypeKind::structure) {
      keep_name(child);
    } else {
      keep_names(child.type);
    }
  }
}

void keep_name(data::Field& field) {
  if (!field.metadata.contains(kPhysicalName)) {
    field.metadata[std::string(kPhysicalName)] = field.name;
  }
  keep_names(field.type);
}

}  // namespace

bool fits_without_loss(const data::Type& from, const data::Type& to) {
  using data::TypeKind;
  if (from == to || from.kind == TypeKind::void_type) return true;
  const int digits = integer_digits(from.kind);
  switch (to.kind) {
    case TypeKind::int16:
    case TypeKind::int32:
    case TypeKind::int64:
      return digits > 0 && digits < integer_digits(to.kind);
    case TypeKind::float64:
      return from.kind == TypeKind::float32 || (digits > 0 && digits <= 10);
    case TypeKind::decimal:
      if (digits > 0) return decimal_holds(to, digits, 0);
      return from.kind == TypeKind::decimal &&
             decimal_holds(to, from.precision - from.scale, from.scale);
    case TypeKind::timestamp_ntz:
      return from.kind == TypeKind::date;
    default:
      return false;
  }
}

Result<Evolution> evolve_schema(const delta::Metadata& table, const data::Schema& query,
                                const EvolutionRules& rules, Random& random) {
  SchemaMerger merger(table, rules, random);
  Evolution evolution{table, {}};
  if (rules.replaces_rows && rules.may_change) {
    evolution.metadata.schema.fields =
        merger.replace_fields(table.schema.fields, query.fields);
  } else {
    LAKEMILL_TRY(evolution.metadata.schema.fields,
                 merger.merge_fields(table.schema.fields, query.fields, ""));
  }
  evolution.changes = std::move(merger.changes);
  if (merger.mapped()) {
    evolution.metadata.configuration[std::string(kMappingMaximum)] =
        std::to_string(merger.column_id());
  }
  return evolution;
}

void map_columns(delta::Metadata& metadata, const data::Schema& held, Random& random) {
  SchemaMerger merger(metadata, {}, random);
  if (!merger.mapped()) return;
  for (data::Field& field : metadata.schema.fields) {
    const bool has_id = field.metadata.contains(kMappingId);
    if (!has_id && held.find(field.name) != nullptr) keep_name(field);
    merger.give_mapping(field);
  }
  metadata.configuration[std::string(kMappingMaximum)] =
      std::to_string(merger.column_id());
}

}  // namespace lakemill::dml
