#include "lakemill/engine_duckdb/written_statistics.h"

#include <charconv>
#include <map>
#include <optional>

#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/type_mapping.h"

namespace lakemill::engine_duckdb {

namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;

struct Leaf {
  std::vector<std::string> path;
  LogicalType type;
};

// Leaves that have no list or map above them, by their path as DuckDB quotes it.
void collect_leaves(const std::vector<std::string>& path, const LogicalType& type,
                    std::map<std::string, Leaf>& leaves) {
  if (type.id() == LogicalTypeId::STRUCT) {
    for (const auto& child : duckdb::StructType::GetChildTypes(type)) {
      std::vector<std::string> inner = path;
      inner.push_back(child.first);
      collect_leaves(inner, child.second, leaves);
    }
    return;
  }
  if (type.id() == LogicalTypeId::LIST || type.id() == LogicalTypeId::MAP) return;
  std::vector<std::string> quoted;
  quoted.reserve(path.size());
  for (const std::string& name : path) quoted.push_back(quote_identifier(name));
  leaves.emplace(join(quoted, "."), Leaf{path, type});
}

data::Value typed(const std::string& text, const LogicalType& type) {
  duckdb::Value value;
  if (!duckdb::Value(text).DefaultTryCastAs(type, value, nullptr)) return {};
  return from_duckdb(value);
}

std::optional<std::int64_t> to_integer(const std::string& text) {
  std::int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc()) return std::nullopt;
  return number;
}

std::map<std::string, std::string> to_texts(const duckdb::Value& map) {
  std::map<std::string, std::string> texts;
  for (const duckdb::Value& entry : duckdb::MapValue::GetChildren(map)) {
    const auto& pair = duckdb::StructValue::GetChildren(entry);
    if (!pair[1].IsNull()) {
      texts.emplace(duckdb::StringValue::Get(pair[0]),
                    duckdb::StringValue::Get(pair[1]));
    }
  }
  return texts;
}

}  // namespace

std::vector<engine::WrittenColumn> parse_statistics(
    const duckdb::Value& statistics, const std::vector<FileColumn>& columns) {
  std::vector<engine::WrittenColumn> written;
  if (statistics.IsNull()) return written;
  std::map<std::string, Leaf> leaves;
  for (const FileColumn& column : columns) {
    collect_leaves({column.physical_name}, column.type, leaves);
  }
  for (const duckdb::Value& entry : duckdb::MapValue::GetChildren(statistics)) {
    const auto& pair = duckdb::StructValue::GetChildren(entry);
    const auto leaf = leaves.find(duckdb::StringValue::Get(pair[0]));
    if (leaf == leaves.end()) continue;
    const LogicalType& type = leaf->second.type;
    const std::map<std::string, std::string> texts = to_texts(pair[1]);
    const auto text = [&](const char* key) {
      const auto found = texts.find(key);
      return found == texts.end() ? std::optional<std::string>() : found->second;
    };
    engine::WrittenColumn column{leaf->second.path, {}, {}, {}};
    if (const auto nulls = text("null_count")) column.null_count = to_integer(*nulls);
    const bool bounded = type.id() != LogicalTypeId::BLOB;
    if (const auto minimum = text("min"); minimum && bounded) {
      column.minimum = typed(*minimum, type);
    }
    const bool has_nan = text("has_nan") == "true";
    if (const auto maximum = text("max"); maximum && bounded && !has_nan) {
      column.maximum = typed(*maximum, type);
    }
    written.push_back(std::move(column));
  }
  return written;
}

}  // namespace lakemill::engine_duckdb
