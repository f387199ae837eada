#include "lakemill/flow/kept_schema.h"

#include "lakemill/base/json.h"

namespace lakemill::flow {

Result<std::optional<data::Schema>> kept_schema(storage::ObjectStore& store,
                                                const std::string& path) {
  const auto text = store.get(path);
  if (!text && text.error().code() == ErrorCode::not_found) {
    return std::optional<data::Schema>();
  }
  if (!text) return text.error();
  LAKEMILL_TRY(const Json json, parse_json(*text));
  LAKEMILL_TRY(data::Schema schema, data::schema_from_delta_json(json));
  return std::optional<data::Schema>(std::move(schema));
}

Status keep_schema(storage::ObjectStore& store, const std::string& path,
                   const data::Schema& schema) {
  return store.put(path, json_text(data::to_delta_json(schema)) + "\n");
}

}  // namespace lakemill::flow
