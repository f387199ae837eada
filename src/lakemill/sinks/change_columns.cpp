#include "lakemill/sinks/change_columns.h"

#include <algorithm>

#include "lakemill/base/text.h"

namespace lakemill::sinks {
namespace {

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& other) {
    return equals_ignoring_case(other, name);
  });
}

std::vector<std::string> names_of(const data::Schema& schema) {
  std::vector<std::string> names;
  for (const data::Field& field : schema.fields) names.push_back(field.name);
  return names;
}

Status check_names(const std::vector<std::string>& wanted, const data::Schema& staged,
                   std::string_view option) {
  for (const std::string& name : wanted) {
    if (staged.find(name) != nullptr) continue;
    std::string text = std::string(option) + " names column \"" + name +
                       "\", which the changes do not have";
    const std::vector<std::string> candidates = names_of(staged);
    if (const auto near = nearest(name, candidates)) {
      text += "; did you mean \"" + *near + "\"?";
    }
    return Error(ErrorCode::invalid, text);
  }
  return {};
}

Status check_options(const data::Schema& staged, const ChangeOptions& options) {
  if (options.primary_keys.empty()) {
    return Error(ErrorCode::invalid, "a merge needs primary_keys");
  }
  if (options.scd_type != 1 && options.scd_type != 2) {
    return Error(ErrorCode::invalid,
                 "scd_type is 1 or 2, not " + std::to_string(options.scd_type));
  }
  if (options.scd_type == 2 && !options.truncate_where.empty()) {
    return Error(ErrorCode::invalid, "truncate_where needs scd_type 1");
  }
  if (!options.include_columns.empty() && !options.exclude_columns.empty()) {
    return Error(ErrorCode::invalid,
                 "include_columns and exclude_columns exclude each other");
  }
  if (!options.track_history_columns.empty() &&
      !options.track_history_except_columns.empty()) {
    return Error(ErrorCode::invalid,
                 "track_history_columns and track_history_except_columns exclude each "
                 "other");
  }
  LAKEMILL_CHECK(!options.order_by.empty());
  for (const std::string& key : options.primary_keys) {
    if (!key.starts_with(kInternalPrefix)) continue;
    return Error(ErrorCode::invalid,
                 "primary_keys names column \"" + key + "\": names that begin with " +
                     std::string(kInternalPrefix) +
                     " are kept for columns that are added to rows; rename it");
  }
  LAKEMILL_TRY_OK(check_names(options.primary_keys, staged, "primary_keys"));
  LAKEMILL_TRY_OK(check_names(options.order_by, staged, "order_by"));
  LAKEMILL_TRY_OK(check_names(options.include_columns, staged, "include_columns"));
  LAKEMILL_TRY_OK(check_names(options.exclude_columns, staged, "exclude_columns"));
  LAKEMILL_TRY_OK(
      check_names(options.track_history_columns, staged, "track_history_columns"));
  return check_names(options.track_history_except_columns, staged,
                     "track_history_except_columns");
}

Status add_own_column(data::Schema& schema, const std::string& name, data::Type type) {
  if (schema.find(name) != nullptr) {
    return Error(ErrorCode::invalid, "the changes have a column \"" + name +
                                         "\", which the merge adds by itself: exclude "
                                         "or rename it");
  }
  schema.fields.push_back({name, std::move(type), true, Json::object()});
  return {};
}

bool is_tracked(const data::Field& field, const ChangeOptions& options) {
  if (!options.track_history_columns.empty()) {
    return contains(options.track_history_columns, field.name);
  }
  return !field.name.starts_with("_") && !contains(options.order_by, field.name) &&
         !contains(options.track_history_except_columns, field.name);
}

}  // namespace

Result<data::Schema> payload_of(const data::Schema& staged,
                                const ChangeOptions& options) {
  LAKEMILL_TRY_OK(check_options(staged, options));
  data::Schema payload;
  for (const data::Field& field : staged.fields) {
    const bool is_key = contains(options.primary_keys, field.name);
    const bool is_left_out = field.name.starts_with(kInternalPrefix) ||
                             (!options.include_columns.empty() &&
                              !contains(options.include_columns, field.name)) ||
                             contains(options.exclude_columns, field.name);
    if (is_key || !is_left_out) payload.fields.push_back(field);
  }
  return payload;
}

data::Type sequence_type(const std::vector<data::Field>& order) {
  return order.size() == 1 ? order.front().type : data::make_struct(order);
}

Result<std::vector<data::Field>> order_fields(const data::Schema& staged,
                                              const data::Schema& held,
                                              const ChangeOptions& options) {
  LAKEMILL_TRY_OK(check_names(options.order_by, staged, "order_by"));
  std::vector<data::Field> order;
  for (const std::string& name : options.order_by) {
    const data::Field* field = held.find(name);
    if (field == nullptr) field = staged.find(name);
    order.push_back({field->name, field->type, true, Json::object()});
  }
  return order;
}

Result<data::Schema> target_schema(const data::Schema& staged,
                                   const ChangeOptions& options) {
  LAKEMILL_TRY(data::Schema schema, payload_of(staged, options));
  if (options.scd_type == 2) {
    LAKEMILL_TRY(const auto order, order_fields(staged, {}, options));
    const data::Type type = sequence_type(order);
    LAKEMILL_TRY_OK(add_own_column(schema, options.start_at_column_name, type));
    LAKEMILL_TRY_OK(add_own_column(schema, options.end_at_column_name, type));
  }
  if (options.delete_mode == DeleteMode::soft) {
    LAKEMILL_TRY_OK(add_own_column(schema, std::string(kSoftDeleted),
                                   data::make_type(data::TypeKind::boolean)));
  }
  return schema;
}

Result<ChangeColumns> resolve_columns(const data::Schema& staged,
                                      const delta::Metadata& target,
                                      const ChangeOptions& options) {
  LAKEMILL_TRY(const data::Schema payload, payload_of(staged, options));
  ChangeColumns columns;
  for (const data::Field& field : payload.fields) {
    const data::Field* held = target.schema.find(field.name);
    LAKEMILL_CHECK(held != nullptr);
    data::Field column{held->name, held->type, true, Json::object()};
    const bool is_text = held->type.kind == data::TypeKind::string ||
                         held->type.kind == data::TypeKind::binary;
    if (is_text && contains(target.partition_columns, held->name)) {
      columns.null_if_empty.push_back(column);
    }
    if (contains(options.primary_keys, field.name)) {
      columns.keys.push_back(std::move(column));
      continue;
    }
    if (is_tracked(field, options)) columns.tracked.push_back(held->name);
    columns.values.push_back(std::move(column));
  }
  LAKEMILL_TRY(columns.order, order_fields(staged, target.schema, options));
  columns.sequence = sequence_type(columns.order);
  columns.sequence_in_target = std::all_of(
      columns.order.begin(), columns.order.end(),
      [&](const data::Field& field) { return payload.find(field.name) != nullptr; });
  return columns;
}

}  // namespace lakemill::sinks
