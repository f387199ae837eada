#pragma once

#include <string>
#include <utility>
#include <vector>

#include "lakemill/engine_duckdb/session_fixture.h"

namespace lakemill::engine_duckdb {

/// A session whose tests read files that they write.
class FilesFixture : public SessionFixture {
 protected:
  engine::FilesRelation files(
      engine::FileFormat format,
      const std::vector<std::pair<std::string, std::string>>& contents) {
    engine::FilesRelation relation;
    relation.format = format;
    for (const auto& [name, bytes] : contents) {
      write_file(name, bytes);
      const auto arrival = static_cast<std::int64_t>(relation.files.size()) + 7;
      relation.files.push_back(
          {folder() + "/" + name, arrival, static_cast<std::int64_t>(bytes.size())});
    }
    return relation;
  }

  // Binds the files as `f` and gives the rows of `sql` as text, or what went wrong.
  std::string rows(const engine::FilesRelation& relation, const std::string& sql) {
    if (auto bound = session().bind("f", relation); !bound) {
      return "bind: " + bound.error().message();
    }
    const auto answer = session().query(sql, engine::Origin::pipeline, 1000);
    if (!answer) return answer.error().message();
    std::string all;
    for (const auto& row : answer->rows) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        all += (i == 0 ? "" : ",") + data::to_text(row[i]);
      }
      all += ";";
    }
    return all;
  }

  std::string schema(const engine::FilesRelation& relation) {
    const auto found = schema_of_files(session(), relation);
    if (!found) return found.error().message();
    std::string all;
    for (const auto& field : found->fields) {
      all += field.name + ":" + to_text(field.type) + " ";
    }
    return all;
  }
};

inline data::Schema make_schema(
    const std::vector<std::pair<std::string, data::Type>>& columns) {
  data::Schema schema;
  for (const auto& [name, type] : columns) {
    schema.fields.push_back({.name = name, .type = type});
  }
  return schema;
}

}  // namespace lakemill::engine_duckdb
