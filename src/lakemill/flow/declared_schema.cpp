#include "lakemill/flow/declared_schema.h"

#include <algorithm>

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

}  // namespace

Result<std::optional<data::Schema>> declared_schema(const Workspace& workspace,
                                                    const language::Source& source) {
  if (!source.schema_location.empty()) {
    LAKEMILL_TRY(data::Schema schema, schema_in_file(workspace, source));
    return std::optional<data::Schema>(std::move(schema));
  }
  if (source.schema.empty()) return std::optional<data::Schema>();
  data::Schema schema;
  for (const language::ColumnSpec& column : source.schema) {
    auto type = data::type_from_text(column.type);
    if (!type) {
      return at(column.location,
                "column " + column.name + ": " + type.error().message());
    }
    schema.fields.push_back({column.name, *std::move(type), column.nullable});
  }
  return std::optional<data::Schema>(std::move(schema));
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
  if (data.is_list()) {
    for (const language::Tree& row : data.items) {
      if (!row.is_mapping())
        return at(row.location, "a row of `data` must be a mapping");
    }
    return json_text(to_ordered_json(data));
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
  OrderedJson rows = OrderedJson::array();
  for (std::size_t i = 0; i < count; ++i) {
    OrderedJson row = OrderedJson::object();
    for (const language::TreeEntry& column : data.entries) {
      if (column.value.items.size() != count) {
        return at(column.value.location, "column '" + column.key + "' has " +
                                             std::to_string(column.value.items.size()) +
                                             " values, another has " +
                                             std::to_string(count));
      }
      row[column.key] = to_ordered_json(column.value.items[i]);
    }
    rows.push_back(std::move(row));
  }
  return json_text(rows);
}

}  // namespace lakemill::flow
