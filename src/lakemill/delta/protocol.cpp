#include "lakemill/delta/protocol.h"

#include <algorithm>
#include <array>
#include <set>

#include "lakemill/base/text.h"

namespace lakemill::delta {

namespace {

constexpr int kReaderVersionMax = 3;
constexpr int kWriterVersionMax = 7;
constexpr int kFeatureReaderVersion = 3;
constexpr int kFeatureWriterVersion = 7;

enum class Audience : std::uint8_t { writers, readers_and_writers };

/// One table feature: what it was before features had names, and what we do about it.
struct Feature {
  std::string_view name;
  Audience audience;
  int legacy_reader_version;  ///< 0: none; lists of features only
  int legacy_writer_version;
  bool readable;
  bool writable;              ///< we keep its rules, or refuse the tables that use them
  std::string_view property;  ///< switches it on when "true"
};

constexpr Audience kWriters = Audience::writers;
constexpr Audience kBoth = Audience::readers_and_writers;

constexpr std::array kFeatures = {
    Feature{"appendOnly", kWriters, 0, 2, true, true, "delta.appendOnly"},
    Feature{"invariants", kWriters, 0, 2, true, true, ""},
    Feature{"checkConstraints", kWriters, 0, 3, true, true, ""},
    Feature{"changeDataFeed", kWriters, 0, 4, true, true, "delta.enableChangeDataFeed"},
    Feature{"generatedColumns", kWriters, 0, 4, true, true, ""},
    Feature{"columnMapping", kBoth, 2, 5, true, true, ""},
    Feature{"identityColumns", kWriters, 0, 6, true, true, ""},
    Feature{"allowColumnDefaults", kWriters, 0, 0, true, true, ""},
    Feature{"deletionVectors", kBoth, 0, 0, true, true, "delta.enableDeletionVectors"},
    Feature{"timestampNtz", kBoth, 0, 0, true, true, ""},
    Feature{"domainMetadata", kWriters, 0, 0, true, true, ""},
    Feature{"v2Checkpoint", kBoth, 0, 0, true, true, ""},
    Feature{"vacuumProtocolCheck", kBoth, 0, 0, true, true, ""},
    Feature{"inCommitTimestamp", kWriters, 0, 0, true, true,
            "delta.enableInCommitTimestamps"},
    Feature{"typeWidening", kBoth, 0, 0, true, true, "delta.enableTypeWidening"},
    Feature{"typeWidening-preview", kBoth, 0, 0, true, true, ""},
    Feature{"rowTracking", kWriters, 0, 0, true, false, "delta.enableRowTracking"},
    Feature{"clustering", kWriters, 0, 0, true, true, ""},
    Feature{"icebergCompatV1", kWriters, 0, 0, true, false,
            "delta.enableIcebergCompatV1"},
    Feature{"icebergCompatV2", kWriters, 0, 0, true, false,
            "delta.enableIcebergCompatV2"},
    Feature{"variantType", kBoth, 0, 0, false, false, ""},
};

const Feature* find_feature(std::string_view name) {
  const auto* found = std::ranges::find(kFeatures, name, &Feature::name);
  return found == kFeatures.end() ? nullptr : found;
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

Error unsupported(std::string_view what, const std::set<std::string>& names) {
  const std::vector<std::string> sorted(names.begin(), names.end());
  return {ErrorCode::unsupported, std::string(what) + ": " + join(sorted, ", ")};
}

std::string mode_property(const Metadata& metadata) {
  const auto found = metadata.configuration.find("delta.columnMapping.mode");
  return found == metadata.configuration.end() ? "none" : to_lower(found->second);
}

/// Field metadata that asks writers for something, and the feature that it belongs to.
struct FieldRule {
  std::string_view key_prefix;
  std::string_view feature;
  std::string_view what;
};
constexpr std::array kFieldRules = {
    FieldRule{"delta.invariants", "invariants", "invariant"},
    FieldRule{"delta.generationExpression", "generatedColumns", "generated column"},
    FieldRule{"delta.identity.", "identityColumns", "identity column"},
    FieldRule{"CURRENT_DEFAULT", "allowColumnDefaults", "column default"},
};

struct FieldNeeds {
  std::set<std::string> features;
  std::set<std::string> rules;  ///< that we do not evaluate, for people
};

void collect_needs(const data::Field& field, const std::string& path,
                   FieldNeeds& needs) {
  if (field.type.kind == data::TypeKind::timestamp_ntz) {
    needs.features.insert("timestampNtz");
  }
  if (field.type.kind == data::TypeKind::variant) needs.features.insert("variantType");
  for (const auto& [key, value] : field.metadata.items()) {
    for (const FieldRule& rule : kFieldRules) {
      if (!key.starts_with(rule.key_prefix)) continue;
      needs.features.insert(std::string(rule.feature));
      needs.rules.insert(std::string(rule.what) + " '" + path + "'");
    }
  }
  for (const data::Field& child : field.type.children) {
    collect_needs(child, path + "." + child.name, needs);
  }
}

// What the schema and the properties ask for.
FieldNeeds needs_of(const Metadata& metadata) {
  FieldNeeds needs;
  for (const data::Field& field : metadata.schema.fields) {
    collect_needs(field, field.name, needs);
  }
  for (const auto& [key, value] : metadata.configuration) {
    if (key.starts_with("delta.constraints.")) {
      needs.features.insert("checkConstraints");
      needs.rules.insert("CHECK constraint '" +
                         key.substr(std::string_view("delta.constraints.").size()) +
                         "'");
    }
  }
  for (const Feature& feature : kFeatures) {
    if (!feature.property.empty() && property_is_true(metadata, feature.property)) {
      needs.features.insert(std::string(feature.name));
    }
  }
  if (mode_property(metadata) != "none") needs.features.insert("columnMapping");
  return needs;
}

// The features that a writer must respect.
std::set<std::string> writer_features_of(const Protocol& protocol) {
  std::set<std::string> features(protocol.writer_features.begin(),
                                 protocol.writer_features.end());
  if (protocol.min_writer_version >= kFeatureWriterVersion) return features;
  features.clear();
  for (const Feature& feature : kFeatures) {
    if (feature.legacy_writer_version > 0 &&
        feature.legacy_writer_version <= protocol.min_writer_version) {
      features.insert(std::string(feature.name));
    }
  }
  return features;
}

// The lowest versions before lists of features that respect all of `needed`; nothing
// when one of them only exists by its name.
std::optional<Protocol> legacy_protocol(const std::set<std::string>& needed,
                                        const Protocol& at_least) {
  Protocol protocol = at_least;
  for (const std::string& name : needed) {
    const Feature* feature = find_feature(name);
    LAKEMILL_CHECK(feature != nullptr);
    if (feature->legacy_writer_version == 0) return std::nullopt;
    protocol.min_reader_version =
        std::max(protocol.min_reader_version, feature->legacy_reader_version);
    protocol.min_writer_version =
        std::max(protocol.min_writer_version, feature->legacy_writer_version);
  }
  return protocol;
}

Protocol with_features(const std::set<std::string>& features, int reader_version) {
  Protocol protocol{reader_version, kFeatureWriterVersion, {}, {}};
  for (const std::string& name : features) {
    const Feature* feature = find_feature(name);
    if (feature != nullptr && feature->audience == Audience::readers_and_writers &&
        (feature->legacy_reader_version == 0 ||
         feature->legacy_reader_version > reader_version)) {
      protocol.min_reader_version = kFeatureReaderVersion;
    }
  }
  for (const std::string& name : features) {
    const Feature* feature = find_feature(name);
    protocol.writer_features.push_back(name);
    if (protocol.min_reader_version == kFeatureReaderVersion && feature != nullptr &&
        feature->audience == Audience::readers_and_writers) {
      protocol.reader_features.push_back(name);
    }
  }
  return protocol;
}

}  // namespace

bool property_is_true(const Metadata& metadata, std::string_view name) {
  const auto found = metadata.configuration.find(std::string(name));
  return found != metadata.configuration.end() &&
         equals_ignoring_case(found->second, "true");
}

Status check_readable(const Protocol& protocol) {
  if (protocol.min_reader_version < 1 ||
      protocol.min_reader_version > kReaderVersionMax) {
    return Error(ErrorCode::unsupported,
                 "the table needs reader version " +
                     std::to_string(protocol.min_reader_version) +
                     " of the Delta protocol; versions 1 to " +
                     std::to_string(kReaderVersionMax) + " are implemented");
  }
  std::set<std::string> missing;
  if (protocol.min_reader_version >= kFeatureReaderVersion) {
    for (const std::string& name : protocol.reader_features) {
      const Feature* feature = find_feature(name);
      if (feature == nullptr || !feature->readable) missing.insert(name);
    }
  }
  if (missing.empty()) return {};
  return unsupported("the table needs Delta reader features that are not implemented",
                     missing);
}

Status check_writable(const Protocol& protocol, const Metadata& metadata) {
  LAKEMILL_TRY_OK(check_readable(protocol));
  if (protocol.min_writer_version < 1 ||
      protocol.min_writer_version > kWriterVersionMax) {
    return Error(ErrorCode::unsupported,
                 "the table needs writer version " +
                     std::to_string(protocol.min_writer_version) +
                     " of the Delta protocol; versions 1 to " +
                     std::to_string(kWriterVersionMax) + " are implemented");
  }
  std::set<std::string> missing;
  for (const std::string& name : writer_features_of(protocol)) {
    const Feature* feature = find_feature(name);
    if (feature == nullptr || !feature->writable) missing.insert(name);
  }
  if (!missing.empty()) {
    return unsupported("the table needs Delta writer features that are not implemented",
                       missing);
  }
  const FieldNeeds needs = needs_of(metadata);
  if (needs.rules.empty()) return {};
  return unsupported("the table has rules for rows that are not implemented",
                     needs.rules);
}

bool has_reader_feature(const Protocol& protocol, std::string_view feature) {
  if (protocol.min_reader_version < kFeatureReaderVersion) {
    return feature == "columnMapping" && protocol.min_reader_version == 2;
  }
  return contains(protocol.reader_features, feature);
}

bool has_feature(const Protocol& protocol, std::string_view feature) {
  return writer_features_of(protocol).contains(std::string(feature)) ||
         contains(protocol.reader_features, feature);
}

Result<Protocol> protocol_for(const Metadata& metadata,
                              const std::optional<Protocol>& current) {
  return protocol_for(metadata, current, {});
}

Result<Protocol> protocol_for(const Metadata& metadata,
                              const std::optional<Protocol>& current,
                              const std::set<std::string>& further) {
  FieldNeeds needs = needs_of(metadata);
  needs.features.insert(further.begin(), further.end());
  std::set<std::string> refused = needs.rules;
  for (const std::string& name : needs.features) {
    if (!find_feature(name)->writable) refused.insert("feature " + name);
  }
  if (!refused.empty()) {
    return unsupported("the table would need what is not implemented", refused);
  }
  if (!current) {
    if (auto legacy = legacy_protocol(needs.features, Protocol{})) return *legacy;
    return with_features(needs.features, 1);
  }
  std::set<std::string> features = writer_features_of(*current);
  features.insert(current->reader_features.begin(), current->reader_features.end());
  if (std::ranges::includes(features, needs.features)) return *current;
  if (current->min_writer_version < kFeatureWriterVersion) {
    if (auto legacy = legacy_protocol(needs.features, *current)) return *legacy;
  }
  features.insert(needs.features.begin(), needs.features.end());
  return with_features(features, current->min_reader_version);
}

bool append_only(const Protocol& protocol, const Metadata& metadata) {
  return has_feature(protocol, "appendOnly") &&
         property_is_true(metadata, "delta.appendOnly");
}

bool change_data_feed_enabled(const Protocol& protocol, const Metadata& metadata) {
  return has_feature(protocol, "changeDataFeed") &&
         property_is_true(metadata, "delta.enableChangeDataFeed");
}

bool deletion_vectors_enabled(const Protocol& protocol, const Metadata& metadata) {
  return has_feature(protocol, "deletionVectors") &&
         property_is_true(metadata, "delta.enableDeletionVectors");
}

bool in_commit_timestamps_enabled(const Protocol& protocol, const Metadata& metadata) {
  return has_feature(protocol, "inCommitTimestamp") &&
         property_is_true(metadata, "delta.enableInCommitTimestamps");
}

std::string column_mapping_mode(const Protocol& protocol, const Metadata& metadata) {
  return has_reader_feature(protocol, "columnMapping") ? mode_property(metadata)
                                                       : "none";
}

}  // namespace lakemill::delta
