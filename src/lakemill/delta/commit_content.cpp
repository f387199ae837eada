#include "lakemill/delta/commit_content.h"

#include <algorithm>
#include <string_view>

#include "lakemill/base/text.h"
#include "lakemill/delta/change_feed.h"
#include "lakemill/delta/clustering.h"
#include "lakemill/delta/file_path.h"
#include "lakemill/delta/file_statistics.h"
#include "lakemill/delta/protocol.h"

namespace lakemill::delta {

namespace {

constexpr std::string_view kEngine = "Lakemill/";  // its version follows

constexpr std::string_view kFeaturePrefix = "delta.feature.";

Error invalid(std::string message) { return {ErrorCode::invalid, std::move(message)}; }

Error unsupported(std::string message) {
  return {ErrorCode::unsupported, std::move(message)};
}

std::string physical_name(const data::Field& field) {
  return string_member(field.metadata, "delta.columnMapping.physicalName", field.name);
}

Metadata new_metadata(const NewTable& definition, Instant now, Random& random) {
  Metadata metadata;
  metadata.id = make_uuid(random);
  metadata.name = definition.name;
  metadata.description = definition.description;
  metadata.schema = definition.schema;
  metadata.partition_columns = definition.partition_columns;
  metadata.configuration = definition.configuration;
  metadata.created_time_ms = to_epoch_ms(now);
  return metadata;
}

Status check_columns(const std::vector<data::Field>& fields, const std::string& path,
                     bool mapped) {
  std::set<std::string> seen;
  for (const data::Field& field : fields) {
    const std::string name = path + field.name;
    if (!seen.insert(to_lower(field.name)).second) {
      return invalid("column '" + name + "' is there twice (case does not count)");
    }
    if (mapped && find_member(field.metadata, "delta.columnMapping.id") == nullptr) {
      return invalid("column '" + name + "' of a table with column mapping has no id");
    }
    const data::Type* type = &field.type;
    while (type->kind == data::TypeKind::array) type = &type->children[0].type;
    if (type->kind == data::TypeKind::structure) {
      LAKEMILL_TRY_OK(check_columns(type->children, name + ".", mapped));
    }
  }
  return {};
}

Status check_feed_columns(const data::Schema& schema) {
  for (const std::string_view name : {kChangeType, kCommitVersion, kCommitTimestamp}) {
    if (schema.find(name) != nullptr) {
      return invalid("column '" + std::string(name) +
                     "' has a name that the table's change data feed needs "
                     "(delta.enableChangeDataFeed)");
    }
  }
  return {};
}

Status check_partitions(const Metadata& metadata) {
  for (const std::string& name : metadata.partition_columns) {
    const data::Field* field = metadata.schema.find(name);
    if (field == nullptr)
      return invalid("partition column '" + name + "' is not there");
    switch (field->type.kind) {
      case data::TypeKind::array:
      case data::TypeKind::map:
      case data::TypeKind::structure:
      case data::TypeKind::variant:
        return invalid("column '" + name + "' of type " + data::to_text(field->type) +
                       " cannot partition a table");
      default:
        break;
    }
  }
  if (metadata.schema.fields.empty()) return invalid("a table needs a column");
  if (metadata.partition_columns.size() >= metadata.schema.fields.size()) {
    return invalid("a table needs a column that does not partition it");
  }
  return {};
}

/// One pass over the collected changes; each step adds to `content_`.
class ContentBuilder {
 public:
  ContentBuilder(const CollectedChanges& changes, Instant now)
      : changes_(changes), now_(now) {}

  Result<CommitContent> build(Random& random) {
    LAKEMILL_TRY_OK(set_ground(random));
    collect_removes();
    LAKEMILL_TRY_OK(check_files());
    LAKEMILL_TRY_OK(check_rules());
    add_actions();
    set_footprint();
    set_metrics();
    return std::move(content_);
  }

 private:
  // Protocol and metadata, and whether the commit writes them.
  Status set_ground(Random& random) {
    std::optional<Protocol> current;
    if (changes_.base) {
      current = changes_.base->protocol();
      LAKEMILL_TRY_OK(check_writable(*current, changes_.base->metadata()));
      content_.metadata = changes_.metadata.value_or(changes_.base->metadata());
    } else {
      LAKEMILL_CHECK(changes_.definition.has_value());
      content_.metadata =
          changes_.metadata.value_or(new_metadata(*changes_.definition, now_, random));
    }
    Metadata& metadata = content_.metadata;
    if (changes_.base && metadata.id.empty())
      metadata.id = changes_.base->metadata().id;
    content_.protocol = current.value_or(Protocol{});
    const std::set<std::string> further = features_of_domains();
    const bool same_features = std::ranges::all_of(further, [&](const auto& name) {
      return has_feature(content_.protocol, name);
    });
    if (changes_.base && !changes_.metadata && same_features) {
      return check_clustering();
    }
    LAKEMILL_TRY(content_.protocol, protocol_for(metadata, current, further));
    std::erase_if(metadata.configuration, [](const auto& property) {
      return property.first.starts_with(kFeaturePrefix);
    });
    const bool mapped = column_mapping_mode(content_.protocol, metadata) != "none";
    LAKEMILL_TRY_OK(check_columns(metadata.schema.fields, "", mapped));
    LAKEMILL_TRY_OK(check_partitions(metadata));
    if (change_data_feed_enabled(content_.protocol, metadata)) {
      LAKEMILL_TRY_OK(check_feed_columns(metadata.schema));
    }
    LAKEMILL_TRY_OK(check_clustering());
    return check_metadata_change();
  }

  // Domains that belong to a feature bring it with them.
  std::set<std::string> features_of_domains() const {
    std::set<std::string> features;
    for (const DomainMetadata& domain : changes_.domains) {
      if (domain.domain != kClusteringDomain) continue;
      features.insert({"clustering", "domainMetadata"});
    }
    return features;
  }

  // The protocol: no table is both.
  Status check_clustering() const {
    if (content_.metadata.partition_columns.empty() ||
        !has_feature(content_.protocol, "clustering")) {
      return {};
    }
    return invalid("a clustered table cannot be partitioned (by " +
                   join(content_.metadata.partition_columns, ", ") + ")");
  }

  Status check_metadata_change() const {
    if (!changes_.base) return {};
    const Metadata& before = changes_.base->metadata();
    if (before.partition_columns != content_.metadata.partition_columns &&
        !changes_.remove_all) {
      return invalid("a table's partition columns change only with all of its rows");
    }
    LAKEMILL_TRY_OK(check_mapping_change(before));
    if (!in_commit_timestamps_enabled(changes_.base->protocol(), before) &&
        in_commit_timestamps_enabled(content_.protocol, content_.metadata)) {
      return unsupported(
          "delta.enableInCommitTimestamps can be set only when a table is created");
    }
    return {};
  }

  // Files that are there have their columns under the names that they had.
  Status check_mapping_change(const Metadata& before) const {
    const std::string old_mode = column_mapping_mode(changes_.base->protocol(), before);
    const std::string new_mode =
        column_mapping_mode(content_.protocol, content_.metadata);
    if (old_mode == new_mode || changes_.remove_all) return {};
    if (old_mode != "none" || new_mode != "name") {
      return unsupported("delta.columnMapping.mode cannot change from " + old_mode +
                         " to " + new_mode);
    }
    for (const data::Field& field : before.schema.fields) {
      const data::Field* now = content_.metadata.schema.find(field.name);
      if (now != nullptr && physical_name(*now) != field.name) {
        return invalid("column '" + field.name +
                       "' must keep its name as its physical name");
      }
    }
    return {};
  }

  void collect_removes() {
    removes_ = changes_.removes;
    if (changes_.remove_all && changes_.base) {
      std::set<std::string> named;
      for (const RemoveFile& remove : removes_) named.insert(remove.path);
      for (const AddFile& file : changes_.base->files()) {
        if (!named.contains(file.path)) removes_.push_back(removal_of(file));
      }
    }
    for (RemoveFile& remove : removes_) {
      if (!remove.deletion_timestamp_ms) {
        remove.deletion_timestamp_ms = to_epoch_ms(now_);
      }
    }
  }

  Status check_files() const {
    std::set<std::string> partitions;
    for (const std::string& name : content_.metadata.partition_columns) {
      const data::Field* field = content_.metadata.schema.find(name);
      partitions.insert(physical_name(*field));
    }
    std::set<std::string> added;
    for (const AddFile& file : changes_.adds) {
      if (!added.insert(file.path).second) {
        return invalid("file '" + file.path + "' is added twice");
      }
      std::set<std::string> names;
      for (const auto& [name, value] : file.partition_values) names.insert(name);
      if (names != partitions) {
        return invalid("file '" + file.path +
                       "' does not have the values of the table's partition columns");
      }
    }
    std::set<std::string> removed;
    for (const RemoveFile& file : removes_) {
      if (!removed.insert(file.path).second) {
        return invalid("file '" + file.path + "' is removed twice");
      }
    }
    return {};
  }

  Status check_rules() const {
    const bool removes_rows = std::ranges::any_of(
        removes_, [](const auto& file) { return file.data_change; });
    if (removes_rows && append_only(content_.protocol, content_.metadata)) {
      return unsupported(
          "rows cannot be removed: the table is append-only "
          "(delta.appendOnly)");
    }
    LAKEMILL_TRY_OK(check_vectors());
    const bool adds_rows = std::ranges::any_of(
        changes_.adds, [](const auto& file) { return file.data_change; });
    if (removes_rows && adds_rows && !changes_.remove_all &&
        changes_.cdc_files.empty() && !changes_.follow_from_files &&
        change_data_feed_enabled(content_.protocol, content_.metadata)) {
      return invalid(
          "the table keeps a change data feed (delta.enableChangeDataFeed), and the "
          "commit that changes rows comes without change files");
    }
    if (!changes_.domains.empty() &&
        !has_feature(content_.protocol, "domainMetadata")) {
      return unsupported("the table does not have the feature domainMetadata");
    }
    return {};
  }

  Status check_vectors() const {
    std::map<std::string, std::string> removed;  // path → its vector's id
    for (const RemoveFile& file : removes_) {
      removed[file.path] =
          file.deletion_vector ? file.deletion_vector->unique_id() : "";
    }
    for (const AddFile& file : changes_.adds) {
      if (!file.deletion_vector) continue;
      if (!has_feature(content_.protocol, "deletionVectors")) {
        return unsupported("the table does not have the feature deletionVectors");
      }
      if (!record_count(file.stats)) {
        return invalid("file '" + file.path +
                       "' has a deletion vector and no numRecords in its statistics");
      }
      const auto before = removed.find(file.path);
      const bool is_new = before != removed.end() &&
                          before->second != file.deletion_vector->unique_id();
      if (is_new && !changes_.follow_from_files &&
          !deletion_vectors_enabled(content_.protocol, content_.metadata)) {
        return unsupported(
            "the table forbids new deletion vectors (delta.enableDeletionVectors)");
      }
    }
    return {};
  }

  void add_actions() {
    std::vector<Action>& actions = content_.actions;
    const bool created = changes_.base == nullptr;
    if (created || content_.protocol != changes_.base->protocol()) {
      actions.emplace_back(content_.protocol);
    }
    if (created || content_.metadata != changes_.base->metadata()) {
      actions.emplace_back(content_.metadata);
    }
    for (const SetTransaction& transaction : changes_.transactions) {
      SetTransaction dated = transaction;
      dated.last_updated_ms = to_epoch_ms(now_);
      actions.emplace_back(std::move(dated));
    }
    for (const DomainMetadata& domain : changes_.domains) actions.emplace_back(domain);
    for (const RemoveFile& remove : removes_) actions.emplace_back(remove);
    for (const AddFile& add : changes_.adds) actions.emplace_back(add);
    for (const AddCdcFile& file : changes_.cdc_files) actions.emplace_back(file);
  }

  void set_footprint() {
    CommitFootprint& footprint = content_.footprint;
    footprint.scope = changes_.scope.value_or(changes_.remove_all ? ReadScope::table
                                                                  : ReadScope::none);
    footprint.conjuncts = changes_.conjuncts;
    for (const RemoveFile& file : removes_) {
      footprint.touched_files.insert(decoded_path(file.path));
    }
    for (const AddFile& file : changes_.adds) {
      footprint.touched_files.insert(decoded_path(file.path));
    }
    for (const SetTransaction& transaction : changes_.transactions) {
      footprint.transactions[transaction.app_id] = transaction.version;
    }
    for (const DomainMetadata& domain : changes_.domains) {
      footprint.domains.insert(domain.domain);
    }
    content_.blind_append = footprint.scope == ReadScope::none && removes_.empty();
  }

  void set_metrics() {
    std::int64_t rows = 0;
    std::int64_t bytes = 0;
    for (const AddFile& file : changes_.adds) {
      rows += record_count(file.stats).value_or(0);
      bytes += file.size_bytes;
    }
    content_.metrics["numFiles"] = std::to_string(changes_.adds.size());
    content_.metrics["numOutputRows"] = std::to_string(rows);
    content_.metrics["numOutputBytes"] = std::to_string(bytes);
    if (!removes_.empty()) {
      content_.metrics["numRemovedFiles"] = std::to_string(removes_.size());
    }
  }

  const CollectedChanges& changes_;
  Instant now_;
  std::vector<RemoveFile> removes_;
  CommitContent content_;
};

// Delta for Spark reads these members as maps of text to text.
Json text_map(const Json& json) {
  Json texts = Json::object();
  if (!json.is_object()) return texts;
  for (const auto& [key, value] : json.items()) {
    texts[key] = value.is_string() ? value : Json(json_text(value));
  }
  return texts;
}

}  // namespace

Result<CommitContent> make_content(const CollectedChanges& changes, Instant now,
                                   Random& random) {
  return ContentBuilder(changes, now).build(random);
}

Json make_commit_info(std::string_view operation, const Json& details,
                      const CommitContent& content) {
  Json info = details.is_object() ? details : Json::object();
  const Json* parameters = find_member(info, "operationParameters");
  info["operationParameters"] =
      parameters == nullptr ? Json::object() : text_map(*parameters);
  Json metrics = content.metrics;
  if (const Json* given = find_member(info, "operationMetrics")) {
    metrics.update(text_map(*given));
  }
  info["operationMetrics"] = std::move(metrics);
  info["operation"] = operation;
  info["isolationLevel"] = "Serializable";
  info["isBlindAppend"] = content.blind_append;
  info["engineInfo"] = std::string(kEngine) + LAKEMILL_VERSION;
  info.erase("inCommitTimestamp");
  return info;
}

bool HistoryEntry::is_foreign() const {
  const std::string engine = string_member(commit_info, "engineInfo", "");
  return !engine.empty() && !engine.starts_with(kEngine);
}

}  // namespace lakemill::delta
