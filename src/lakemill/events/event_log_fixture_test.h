// A log whose files hold their rows as JSON: this module leaves Parquet to an engine.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <tuple>

#include <gtest/gtest.h>

#include "lakemill/base/text.h"
#include "lakemill/delta/change_feed.h"
#include "lakemill/events/event_log.h"
#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::events {

inline constexpr const char* kRoot = "memory://lake";

class JsonFiles final : public EventFiles {
 public:
  explicit JsonFiles(storage::StoreProvider& stores) : stores_(stores) {}

  Result<EventFile> write(std::string_view folder_url, std::string_view file_name,
                          const data::Schema& schema, std::string_view rows) override {
    EXPECT_EQ(schema, event_schema());
    ++writes;
    if (refuse) return Error(ErrorCode::unavailable, "the disk is full");
    LAKEMILL_TRY(auto store, stores_.open(folder_url));
    LAKEMILL_TRY_OK(store->put(file_name, rows));
    return EventFile{std::string(file_name), std::ssize(rows),
                     std::ssize(split(rows, '\n')) - 1};
  }

  std::atomic<bool> refuse = false;
  std::atomic<int> writes = 0;

 private:
  storage::StoreProvider& stores_;
};

class NoCheckpoints final : public delta::CheckpointFormat {
 public:
  Result<std::string> read(std::string_view url) override {
    return Error(ErrorCode::not_found, std::string(url));
  }
  Result<std::int64_t> write(std::string_view, std::string_view) override {
    return Error(ErrorCode::unavailable, "no checkpoints in this test");
  }
};

// What the type's fields demand.
inline Json some_details(EventType type) {
  Json details = Json::object();
  for (const FieldInfo& field : describe(type).fields) {
    if (!field.is_required) continue;
    Json& value = details[std::string(field.name)];
    if (field.type == FieldType::text) value = "x";
    if (field.type == FieldType::integer || field.type == FieldType::number) value = 1;
    if (field.type == FieldType::texts || field.type == FieldType::list) {
      value = Json::array();
    }
  }
  return details;
}

inline Event event_of(EventType type, std::int64_t batch) {
  Event event;
  event.type = type;
  event.batch = batch;
  event.node = "n";
  event.details = some_details(type);
  return event;
}

/// Reads what JsonFiles wrote.
class JsonRows final : public EventRows {
 public:
  explicit JsonRows(storage::StoreProvider& stores) : stores_(stores) {}

  Result<data::Rows> read(const AddedEvents& added, std::int64_t rows_max) override {
    ++reads;
    if (refuse) return Error(ErrorCode::unavailable, "no engine");
    LAKEMILL_TRY(auto store, stores_.open(added.scan->table_url()));
    data::Rows found{added.scan->schema(), {}};
    if (!added.groups.empty()) {
      found.schema.fields.push_back({.name = std::string(delta::kCommitVersion),
                                     .type = data::make_type(data::TypeKind::int64)});
    }
    for (const data::DataFile& file : added.scan->files()) {
      LAKEMILL_TRY(const std::string text, store->get(file.path));
      for (const auto& line : split(text, '\n')) {
        if (line.empty()) continue;
        LAKEMILL_TRY(Json json, parse_json(line));
        if (!is_meant(added.groups, json)) continue;
        found.rows.push_back(row_of_json(json, found.schema, file));
      }
    }
    const auto place = [&found](const char* name) {
      return static_cast<std::size_t>(found.schema.find(name) -
                                      found.schema.fields.data());
    };
    std::sort(found.rows.begin(), found.rows.end(),
              [version = place("_commit_version"), writer = place("writer"),
               sequence = place("sequence")](const auto& left, const auto& right) {
                const auto key = [&](const auto& row) {
                  return std::tuple(std::get<std::int64_t>(row[version]),
                                    data::to_text(row[writer]),
                                    std::get<std::int64_t>(row[sequence]));
                };
                return key(left) < key(right);
              });
    const auto count = std::min(found.rows.size(), static_cast<std::size_t>(rows_max));
    found.rows.resize(count);
    return found;
  }

  std::atomic<bool> refuse = false;
  std::atomic<int> reads = 0;

 private:
  // True if the event is of one of the groups, whose version it gets.
  static bool is_meant(const std::vector<AddedGroup>& groups, Json& json) {
    for (const AddedGroup& group : groups) {
      const auto sequence = integer_member(json, "sequence", -1);
      if (string_member(json, "writer", "") != group.writer ||
          sequence < group.first || sequence > group.last) {
        continue;
      }
      json[std::string(delta::kCommitVersion)] = group.version;
      return true;
    }
    return groups.empty();
  }

  static std::vector<data::Value> row_of_json(const Json& json,
                                              const data::Schema& schema,
                                              const data::DataFile& file) {
    std::vector<data::Value> row;
    for (const data::Field& field : schema.fields) {
      const auto constant = file.constants.find(field.name);
      const Json* value = find_member(json, field.name);
      if (constant != file.constants.end()) {
        row.push_back(constant->second);
      } else if (value == nullptr || value->is_null()) {
        row.emplace_back();
      } else if (value->is_number()) {
        row.emplace_back(value->get<std::int64_t>());
      } else if (field.name == "time") {
        const auto time = parse_instant(value->get<std::string>());
        row.emplace_back(data::Timestamp{time->time_since_epoch().count()});
      } else {
        row.emplace_back(value->get<std::string>());
      }
    }
    return row;
  }

  storage::StoreProvider& stores_;
};

}  // namespace lakemill::events
