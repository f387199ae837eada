#include "lakemill/delta/clustering.h"

#include <algorithm>

#include "lakemill/base/text.h"

namespace lakemill::delta {

namespace {

constexpr const char* kColumns = "clusteringColumns";

std::string physical_name(const data::Field& field) {
  return string_member(field.metadata, "delta.columnMapping.physicalName", field.name);
}

// Kinds of which files have a minimum and a maximum, and which Spark clusters by.
bool has_bounds(data::TypeKind kind) {
  switch (kind) {
    case data::TypeKind::int8:
    case data::TypeKind::int16:
    case data::TypeKind::int32:
    case data::TypeKind::int64:
    case data::TypeKind::float32:
    case data::TypeKind::float64:
    case data::TypeKind::decimal:
    case data::TypeKind::string:
    case data::TypeKind::date:
    case data::TypeKind::timestamp:
    case data::TypeKind::timestamp_ntz:
      return true;
    default:
      return false;
  }
}

Error corrupt(const std::string& configuration) {
  return {ErrorCode::corrupt, "the table's clustering columns cannot be read: " +
                                  configuration.substr(0, 200)};
}

// The protocol's example has a text for a column; Spark writes the list of its parts.
std::optional<std::vector<std::string>> path_of(const Json& column) {
  if (column.is_string()) return std::vector{column.get<std::string>()};
  if (!column.is_array() || column.empty()) return std::nullopt;
  std::vector<std::string> path;
  for (const Json& part : column) {
    if (!part.is_string()) return std::nullopt;
    path.push_back(part.get<std::string>());
  }
  return path;
}

}  // namespace

Result<ClusteringColumns> clustering_columns(const Snapshot& snapshot) {
  ClusteringColumns columns;
  for (const DomainMetadata& domain : snapshot.domains()) {
    if (domain.domain != kClusteringDomain || domain.removed) continue;
    const auto json = parse_json(domain.configuration);
    if (!json) return corrupt(domain.configuration);
    const Json* held = find_member(*json, kColumns);
    if (held == nullptr || !held->is_array()) return corrupt(domain.configuration);
    for (const Json& column : *held) {
      auto path = path_of(column);
      if (!path) return corrupt(domain.configuration);
      columns.push_back(*std::move(path));
    }
  }
  return columns;
}

DomainMetadata clustering_domain(const ClusteringColumns& columns) {
  const Json configuration = {{kColumns, Json(columns)},
                              {"domainName", std::string(kClusteringDomain)}};
  return {std::string(kClusteringDomain), json_text(configuration), false};
}

const data::Field* find_physical(const data::Schema& schema,
                                 const std::vector<std::string>& path) {
  const std::vector<data::Field>* fields = &schema.fields;
  const data::Field* found = nullptr;
  for (const std::string& part : path) {
    const auto field = std::ranges::find_if(*fields, [&](const data::Field& candidate) {
      return physical_name(candidate) == part;
    });
    if (field == fields->end()) return nullptr;
    found = &*field;
    fields = &field->type.children;
  }
  return found;
}

std::vector<std::string> clustering_names(const ClusteringColumns& columns,
                                          const data::Schema& schema) {
  std::vector<std::string> names;
  for (const std::vector<std::string>& path : columns) {
    std::vector<std::string> parts;
    for (std::size_t size = 1; size <= path.size(); ++size) {
      const auto end = path.begin() + static_cast<std::ptrdiff_t>(size);
      const data::Field* field = find_physical(schema, {path.begin(), end});
      parts.push_back(field == nullptr ? path[size - 1] : field->name);
    }
    names.push_back(join(parts, "."));
  }
  return names;
}

Result<ClusteringColumns> resolve_clustering(const std::vector<std::string>& names,
                                             const data::Schema& schema) {
  ClusteringColumns columns;
  for (const std::string& name : names) {
    const data::Field* field = schema.find(name);
    if (field == nullptr) {
      std::vector<std::string> known;
      for (const data::Field& other : schema.fields) known.push_back(other.name);
      const auto meant = nearest(name, known);
      return Error(ErrorCode::invalid,
                   "cluster_by names column \"" + name +
                       "\", which the table does not have" +
                       (meant ? "; did you mean \"" + *meant + "\"?" : ""));
    }
    if (!has_bounds(field->type.kind)) {
      return Error(ErrorCode::invalid,
                   "column \"" + field->name + "\" of type " +
                       data::to_text(field->type) +
                       " cannot cluster a table: files have no bounds of it; cluster "
                       "by columns of numbers, texts, dates or timestamps");
    }
    columns.push_back({physical_name(*field)});
  }
  return columns;
}

bool is_clustered_by_others(const AddFile& file) {
  return file.clustering_provider && *file.clustering_provider != kClusteringProvider;
}

bool has_statistics_of(const AddFile& file, const ClusteringColumns& columns) {
  if (columns.empty()) return true;
  const auto statistics = parse_json(file.stats);
  if (!statistics) return false;
  const Json* nulls = find_member(*statistics, "nullCount");
  return std::ranges::all_of(columns, [&](const std::vector<std::string>& path) {
    const Json* found = nulls;
    for (const std::string& part : path) {
      if (found == nullptr) return false;
      found = find_member(*found, part);
    }
    return found != nullptr;
  });
}

}  // namespace lakemill::delta
