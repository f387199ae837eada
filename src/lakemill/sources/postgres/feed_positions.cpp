#include "lakemill/sources/postgres/feed_positions.h"

#include <algorithm>

#include "lakemill/storage/find_object.h"

namespace lakemill::sources::postgres {

namespace {

Error damaged(const std::string& path) {
  return Error(ErrorCode::corrupt,
               "the state file " + path +
                   " was altered and cannot be read: it says up to where a "
                   "replication slot was read; restore it from a copy, or remove it "
                   "if the slot has not moved since the last run");
}

}  // namespace

bool FeedPositions::same_readers(const FeedPositions& other) const {
  return std::equal(readers.begin(), readers.end(), other.readers.begin(),
                    other.readers.end(), [](const auto& a, const auto& b) {
                      const TableIdentity& before = a.second.table;
                      const TableIdentity& after = b.second.table;
                      return a.first == b.first && before.relation == after.relation &&
                             before.publishing == after.publishing;
                    });
}

Result<std::optional<FeedPositions>> load_positions(storage::ObjectStore& store,
                                                    const std::string& path) {
  LAKEMILL_TRY(const auto text, storage::find_object(store, path));
  if (!text) return std::optional<FeedPositions>();
  const auto json = parse_json(*text);
  if (!json) return damaged(path);
  const Json* readers = find_member(*json, "readers");
  if (readers == nullptr || !readers->is_object()) return damaged(path);
  FeedPositions positions;
  positions.slot = string_member(*json, "slot", "");
  positions.system = string_member(*json, "system", "");
  positions.timeline = integer_member(*json, "timeline", 0);
  for (const auto& [id, item] : readers->items()) {
    const auto acknowledged = parse_hex(string_member(item, "acknowledged", ""));
    const auto released = parse_hex(string_member(item, "released", ""));
    if (!acknowledged || !released) return damaged(path);
    ReaderPosition position{*acknowledged, *released, {}, {}};
    position.table.relation = static_cast<Oid>(integer_member(item, "relation", 0));
    position.table.publishing = static_cast<Oid>(integer_member(item, "publishing", 0));
    if (const Json* seen = find_member(item, "snapshot")) {
      LAKEMILL_TRY(position.seen, visibility_from_json(*seen));
    }
    positions.readers.emplace(id, std::move(position));
  }
  return std::optional(std::move(positions));
}

Status save_positions(storage::ObjectStore& store, const std::string& path,
                      const FeedPositions& positions) {
  Json readers = Json::object();
  for (const auto& [id, position] : positions.readers) {
    Json item{{"acknowledged", to_hex(position.acknowledged)},
              {"released", to_hex(position.released)}};
    if (position.seen) item["snapshot"] = to_json(*position.seen);
    if (position.table.relation != 0) {
      item["relation"] = position.table.relation;
      item["publishing"] = position.table.publishing;
    }
    readers[id] = std::move(item);
  }
  const Json json{{"slot", positions.slot},
                  {"system", positions.system},
                  {"timeline", positions.timeline},
                  {"readers", std::move(readers)}};
  return store.put(path, json_text(json));
}

}  // namespace lakemill::sources::postgres
