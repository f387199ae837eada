#include "lakemill/flow/kept_schema.h"

#include "lakemill/base/json.h"
#include "lakemill/storage/find_object.h"

namespace lakemill::flow {

Result<std::optional<data::Schema>> kept_schema(storage::ObjectStore& store,
                                                const std::string& path) {
  LAKEMILL_TRY(const auto text, storage::find_object(store, path));
  if (!text) return std::optional<data::Schema>();
  LAKEMILL_TRY(const Json json, parse_json(*text));
  LAKEMILL_TRY(data::Schema schema, data::schema_from_delta_json(json));
  return std::optional<data::Schema>(std::move(schema));
}

Status keep_schema(storage::ObjectStore& store, const std::string& path,
                   const data::Schema& schema) {
  return store.put(path, json_text(data::to_delta_json(schema)) + "\n");
}

}  // namespace lakemill::flow
