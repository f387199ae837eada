#include "lakemill/flow/declared_schema.h"

#include <algorithm>
#include <cmath>

#include "lakemill/data/type_text.h"

namespace lakemill::flow {

namespace {

Error at(const language::Location& location, const std::string& message) {
  return {ErrorCode::invalid, to_text(location) + ": " + message};
}

Result<data::Schema> schema_in_file(const Workspace& workspace,
                                    const language::Source& source) {
  LAKEMILL_TRY(const std::string url, absolute_path(workspace, source.schema_location));
  const std::size_t slash = url.rfind('/');
  LAKEMILL_TRY(const auto store, workspace.stores.open(url.substr(0, slash)));
  auto text = store->get(url.substr(slash + 1));
  if (!text) return at(source.location, "schema_location: " + text.error().message());
  auto json = parse_json(*text);
  if (!json) return at(source.location, "schema_location: " + json.error().message());
  auto schema = data::schema_from_delta_json(*json);
  if (!schema) {
    return at(source.location, "schema_location: " + schema.error().message());
  }
  return schema;
}

// A number with all the digits that it was written with, as JSON writes numbers; and
// the words that engines take in JSON where it has no number.
std::string json_number(const language::Tree& tree) {
  if (std::isnan(tree.number)) return "NaN";
  if (std::isinf(tree.number)) return tree.number < 0 ? "-Infinity" : "Infinity";
  const bool is_negative = tree.text.starts_with('-');
  const bool is_signed = is_negative || tree.text.starts_with('+');
  std::string digits = tree.text.substr(is_signed ? 1 : 0);
  if (digits.starts_with('.')) digits.insert(0, "0");  // ".5" is 0.5, "5." is 5.0
  const std::size_t point = digits.find('.');
  const bool is_open = point != std::string::npos &&
                       (point + 1 == digits.size() || digits[point + 1] == 'e' ||
                        digits[point + 1] == 'E');
  if (is_open) digits.insert(point + 1, "0");
  while (digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' &&
         digits[1] <= '9') {
    digits.erase(0, 1);
  }
  return (is_negative ? "-" : "") + digits;
}

void append_json(const language::Tree& tree, std::string& json) {
  if (tree.kind == language::TreeKind::number) {
    json += json_number(tree);
  } else if (tree.is_list()) {
    json += '[';
    for (std::size_t i = 0; i < tree.items.size(); ++i) {
      if (i > 0) json += ',';
      append_json(tree.items[i], json);
    }
    json += ']';
  } else if (tree.is_mapping()) {
    json += '{';
    bool is_first = true;
    for (const language::TreeEntry& entry : tree.entries) {
      if (!is_first) json += ',';
      is_first = false;
      json += json_text(Json(entry.key)) + ":";
      append_json(entry.value, json);
    }
    json += '}';
  } else {
    json += json_text(language::to_json(tree));
  }
}

}  // namespace

Result<std::optional<data::Schema>> declared_schema(const Workspace& workspace,
                                                    const language::Source& source) {
  if (!source.schema_location.empty()) {
    LAKEMILL_TRY(data::Schema schema, schema_in_file(workspace, source));
    return std::optional<data::Schema>(std::move(schema));
  }
  if (source.schema.empty()) return std::optional<data::Schema>();
  LAKEMILL_TRY(data::Schema schema, schema_of(source.schema, ""));
  return std::optional<data::Schema>(std::move(schema));
}

Result<data::Schema> schema_of(const std::vector<language::ColumnSpec>& columns,
                               const std::string& subject) {
  data::Schema schema;
  for (const language::ColumnSpec& column : columns) {
    auto type = data::type_from_text(column.type);
    if (!type) {
      return at(column.location,
                subject + "column " + column.name + ": " + type.error().message());
    }
    schema.fields.push_back({column.name, *std::move(type), column.nullable});
  }
  return schema;
}

Result<std::optional<data::Schema>> contract_schema(const language::Node& node) {
  data::Schema schema;
  for (const language::ColumnContract& column : node.columns) {
    if (column.type.empty()) return std::optional<data::Schema>();
    auto type = data::type_from_text(column.type);
    if (!type) {
      return at(column.location,
                "column " + column.name + ": " + type.error().message());
    }
    schema.fields.push_back({column.name, *std::move(type), true});
  }
  if (schema.fields.empty()) return std::optional<data::Schema>();
  return std::optional<data::Schema>(std::move(schema));
}

Result<std::string> dataframe_rows(const language::Tree& data) {
  std::string rows = "[";
  const auto begin_row = [&] { rows += rows.size() > 1 ? "," : ""; };
  if (data.is_list()) {
    for (const language::Tree& row : data.items) {
      if (!row.is_mapping())
        return at(row.location, "a row of `data` must be a mapping");
      begin_row();
      append_json(row, rows);
    }
    return rows + "]";
  }
  if (!data.is_mapping()) {
    return at(data.location, "`data` must be a list of rows or a mapping of columns");
  }
  std::size_t count = 0;
  for (const language::TreeEntry& column : data.entries) {
    if (!column.value.is_list()) {
      return at(column.value.location, "column '" + column.key + "' must be a list");
    }
    count = std::max(count, column.value.items.size());
  }
  for (std::size_t i = 0; i < count; ++i) {
    language::Tree row;
    row.kind = language::TreeKind::mapping;
    for (const language::TreeEntry& column : data.entries) {
      if (column.value.items.size() != count) {
        return at(column.value.location, "column '" + column.key + "' has " +
                                             std::to_string(column.value.items.size()) +
                                             " values, another has " +
                                             std::to_string(count));
      }
      row.entries.push_back({column.key, column.key_location, column.value.items[i]});
    }
    begin_row();
    append_json(row, rows);
  }
  return rows + "]";
}

}  // namespace lakemill::flow
