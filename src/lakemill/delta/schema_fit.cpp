#include "lakemill/delta/schema_fit.h"

#include "lakemill/base/text.h"

namespace lakemill::delta {

namespace {

using data::Field;
using data::Type;
using data::TypeKind;
using Reason = std::optional<std::string>;

constexpr const char* kPhysicalName = "delta.columnMapping.physicalName";

bool is_integer(TypeKind kind) {
  return kind == TypeKind::int8 || kind == TypeKind::int16 || kind == TypeKind::int32 ||
         kind == TypeKind::int64;
}

// Source: PROTOCOL.md, "Type Widening".
bool is_wider(const Type& from, const Type& to) {
  if (is_integer(from.kind) && is_integer(to.kind)) return from.kind <= to.kind;
  if (to.kind == TypeKind::float64) {
    return from.kind == TypeKind::float32 ||
           (is_integer(from.kind) && from.kind != TypeKind::int64);
  }
  if (to.kind == TypeKind::decimal) {
    const int digits = from.kind == TypeKind::decimal ? from.precision - from.scale
                       : from.kind == TypeKind::int64 ? 20
                       : is_integer(from.kind)        ? 10
                                                      : 100;
    const int scale = from.kind == TypeKind::decimal ? from.scale : 0;
    return to.precision - to.scale >= digits && to.scale >= scale;
  }
  return from.kind == TypeKind::date && to.kind == TypeKind::timestamp_ntz;
}

const Field* find_same(const std::vector<Field>& fields, const Field& wanted) {
  const std::string physical = string_member(wanted.metadata, kPhysicalName, "");
  for (const Field& field : fields) {
    const std::string other = string_member(field.metadata, kPhysicalName, "");
    // A table whose columns were mapped later has the old names as physical ones.
    const bool same =
        physical.empty()
            ? equals_ignoring_case(other.empty() ? field.name : other, wanted.name)
            : physical == other;
    if (same) return &field;
  }
  return nullptr;
}

Reason fields_unfit(const std::vector<Field>& before, const std::vector<Field>& now,
                    const std::string& path);

Reason type_unfit(const Type& before, const Type& now, const std::string& name) {
  if (before.kind != now.kind || before.children.empty()) {
    if (before == now || before.kind == TypeKind::void_type || is_wider(before, now)) {
      return std::nullopt;
    }
    return "column " + name + " became " + to_text(now) + ", it was " + to_text(before);
  }
  if (before.kind == TypeKind::structure) {
    return fields_unfit(before.children, now.children, name + ".");
  }
  for (std::size_t i = 0; i < before.children.size(); ++i) {
    if (auto reason = type_unfit(before.children[i].type, now.children[i].type, name)) {
      return reason;
    }
  }
  return std::nullopt;
}

Reason fields_unfit(const std::vector<Field>& before, const std::vector<Field>& now,
                    const std::string& path) {
  for (const Field& field : before) {
    const std::string name = path + field.name;
    const Field* held = find_same(now, field);
    if (held == nullptr) return "column " + name + " was dropped";
    if (auto reason = type_unfit(field.type, held->type, name)) return reason;
  }
  return std::nullopt;
}

}  // namespace

Reason why_unfit(const Metadata& before, const Metadata& now) {
  if (before.partition_columns != now.partition_columns) {
    return "the table became partitioned by (" + join(now.partition_columns, ", ") +
           "), it was by (" + join(before.partition_columns, ", ") + ")";
  }
  return fields_unfit(before.schema.fields, now.schema.fields, "");
}

}  // namespace lakemill::delta
