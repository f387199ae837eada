// Actions to and from the lines of the log. Reading walks the text with a cursor: the
// members that are known are taken, all others skipped, as the protocol asks of
// readers.
#include <algorithm>
#include <array>

#include "lakemill/delta/action.h"
#include "lakemill/delta/json_cursor.h"

namespace lakemill::delta {

namespace {

using PartitionValues = std::map<std::string, std::optional<std::string>>;

// ---- writing ----

void append_text(std::string& out, std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x80;
  });
  if (!plain) {
    out += json_text(Json(text));
    return;
  }
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
}

// Writes the members of one object in the order of the calls.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_.push_back('{'); }
  void end() { out_.push_back('}'); }

  // `key`, a colon, and then what the caller appends.
  std::string& member(std::string_view key) {
    if (!first_) out_.push_back(',');
    first_ = false;
    append_text(out_, key);
    out_.push_back(':');
    return out_;
  }
  void text(std::string_view key, std::string_view value) {
    append_text(member(key), value);
  }
  void text(std::string_view key, const std::optional<std::string>& value) {
    if (value) text(key, std::string_view(*value));
  }
  void number(std::string_view key, std::int64_t value) {
    member(key) += std::to_string(value);
  }
  void number(std::string_view key, const std::optional<std::int64_t>& value) {
    if (value) number(key, *value);
  }
  void flag(std::string_view key, bool value) {
    member(key) += value ? "true" : "false";
  }
  void json(std::string_view key, const Json& value) {
    member(key) += json_text(value);
  }

 private:
  std::string& out_;
  bool first_ = true;
};

void write_map(ObjectWriter& object, std::string_view key, const PartitionValues& map) {
  ObjectWriter inner(object.member(key));
  for (const auto& [name, value] : map) {
    if (value) {
      inner.text(name, std::string_view(*value));
    } else {
      inner.member(name) += "null";
    }
  }
  inner.end();
}

void write_map(ObjectWriter& object, std::string_view key,
               const std::map<std::string, std::string>& map) {
  ObjectWriter inner(object.member(key));
  for (const auto& [name, value] : map) inner.text(name, std::string_view(value));
  inner.end();
}

void write_vector(ObjectWriter& object,
                  const std::optional<DeletionVectorDescriptor>& vector) {
  if (!vector) return;
  ObjectWriter inner(object.member("deletionVector"));
  inner.text("storageType", std::string_view(vector->storage_type));
  inner.text("pathOrInlineDv", std::string_view(vector->path_or_inline));
  if (vector->offset) inner.number("offset", std::int64_t{*vector->offset});
  inner.number("sizeInBytes", std::int64_t{vector->size_bytes});
  inner.number("cardinality", vector->cardinality);
  inner.end();
}

void write_body(ObjectWriter& object, const Protocol& protocol) {
  object.number("minReaderVersion", std::int64_t{protocol.min_reader_version});
  object.number("minWriterVersion", std::int64_t{protocol.min_writer_version});
  if (protocol.min_reader_version >= 3) {
    object.json("readerFeatures", protocol.reader_features);
  }
  if (protocol.min_writer_version >= 7) {
    object.json("writerFeatures", protocol.writer_features);
  }
}

void write_body(ObjectWriter& object, const Metadata& metadata) {
  object.text("id", std::string_view(metadata.id));
  object.text("name", metadata.name);
  object.text("description", metadata.description);
  object.member("format") += R"({"provider":"parquet","options":{}})";
  object.text("schemaString",
              std::string_view(json_text(data::to_delta_json(metadata.schema))));
  object.json("partitionColumns", metadata.partition_columns);
  write_map(object, "configuration", metadata.configuration);
  object.number("createdTime", metadata.created_time_ms);
}

void write_body(ObjectWriter& object, const AddFile& add) {
  object.text("path", std::string_view(add.path));
  write_map(object, "partitionValues", add.partition_values);
  object.number("size", add.size_bytes);
  object.number("modificationTime", add.modification_time_ms);
  object.flag("dataChange", add.data_change);
  if (!add.stats.empty()) object.text("stats", std::string_view(add.stats));
  if (!add.tags.empty()) write_map(object, "tags", add.tags);
  write_vector(object, add.deletion_vector);
  object.number("baseRowId", add.base_row_id);
  object.number("defaultRowCommitVersion", add.default_row_commit_version);
  object.text("clusteringProvider", add.clustering_provider);
}

void write_body(ObjectWriter& object, const RemoveFile& remove) {
  object.text("path", std::string_view(remove.path));
  object.number("deletionTimestamp", remove.deletion_timestamp_ms);
  object.flag("dataChange", remove.data_change);
  if (remove.size_bytes) {
    object.flag("extendedFileMetadata", true);
    write_map(object, "partitionValues", remove.partition_values);
    object.number("size", remove.size_bytes);
  }
  write_vector(object, remove.deletion_vector);
}

void write_body(ObjectWriter& object, const SetTransaction& transaction) {
  object.text("appId", std::string_view(transaction.app_id));
  object.number("version", transaction.version);
  object.number("lastUpdated", transaction.last_updated_ms);
}

void write_body(ObjectWriter& object, const DomainMetadata& domain) {
  object.text("domain", std::string_view(domain.domain));
  object.text("configuration", std::string_view(domain.configuration));
  object.flag("removed", domain.removed);
}

void write_body(ObjectWriter& object, const AddCdcFile& cdc) {
  object.text("path", std::string_view(cdc.path));
  write_map(object, "partitionValues", cdc.partition_values);
  object.number("size", cdc.size_bytes);
  object.flag("dataChange", false);
}

void write_body(ObjectWriter& object, const CheckpointMetadata& checkpoint) {
  object.number("version", checkpoint.version);
}

void write_body(ObjectWriter& object, const Sidecar& sidecar) {
  object.text("path", std::string_view(sidecar.path));
  object.number("sizeInBytes", sidecar.size_bytes);
  object.number("modificationTime", sidecar.modification_time_ms);
}

std::string_view name_of(const Action& action) {
  // In the order of the variant.
  constexpr std::array<std::string_view, 10> kNames = {
      "protocol", "metaData",   "add",
      "remove",   "txn",        "domainMetadata",
      "cdc",      "commitInfo", "checkpointMetadata",
      "sidecar"};
  static_assert(std::variant_size_v<Action> == kNames.size());
  return kNames.at(action.index());
}

// ---- reading: each function reads one value, false after a failure ----

bool read_text(JsonCursor& in, std::string& value) {
  return in.consume_null() || in.read_string(value);
}

bool read_text(JsonCursor& in, std::optional<std::string>& value) {
  return in.consume_null() || in.read_string(value.emplace());
}

bool read_number(JsonCursor& in, std::int64_t& value) {
  return in.consume_null() || in.read_integer(value);
}

bool read_number(JsonCursor& in, std::optional<std::int64_t>& value) {
  return in.consume_null() || in.read_integer(value.emplace());
}

bool read_number(JsonCursor& in, std::int32_t& value) {
  std::int64_t wide = 0;
  if (!read_number(in, wide)) return false;
  if (wide < INT32_MIN || wide > INT32_MAX) return in.fail("a number out of range");
  value = static_cast<std::int32_t>(wide);
  return true;
}

bool read_flag(JsonCursor& in, bool& value) {
  return in.consume_null() || in.read_bool(value);
}

bool read_texts(JsonCursor& in, std::vector<std::string>& values) {
  if (in.consume_null()) return true;
  if (!in.enter_array()) return false;
  while (in.next_element()) {
    if (!in.read_string(values.emplace_back())) return false;
  }
  return !in.failed();
}

bool read_map(JsonCursor& in, PartitionValues& map) {
  if (in.consume_null()) return true;
  if (!in.enter_object()) return false;
  std::string key;
  while (in.next_member(key)) {
    if (!read_text(in, map[key])) return false;
  }
  return !in.failed();
}

// Nulls are left out: neither tags nor configuration give them a meaning.
bool read_map(JsonCursor& in, std::map<std::string, std::string>& map) {
  if (in.consume_null()) return true;
  if (!in.enter_object()) return false;
  std::string key;
  while (in.next_member(key)) {
    if (!in.consume_null() && !in.read_string(map[key])) return false;
  }
  return !in.failed();
}

// Calls `read(key)` for each member; it reads the value, or answers by `skip_value`.
template <typename Read>
bool read_members(JsonCursor& in, Read&& read) {
  if (!in.enter_object()) return false;
  std::string key;
  while (in.next_member(key)) {
    if (!read(std::string_view(key))) return false;
  }
  return !in.failed();
}

bool require(JsonCursor& in, bool present, std::string_view name) {
  return present || in.fail("it lacks " + std::string(name));
}

bool read_vector(JsonCursor& in, std::optional<DeletionVectorDescriptor>& vector) {
  if (in.consume_null()) return true;
  DeletionVectorDescriptor& into = vector.emplace();
  const bool read = read_members(in, [&](std::string_view key) {
    if (key == "storageType") return read_text(in, into.storage_type);
    if (key == "pathOrInlineDv") return read_text(in, into.path_or_inline);
    if (key == "offset") {
      return in.consume_null() || read_number(in, into.offset.emplace());
    }
    if (key == "sizeInBytes") return read_number(in, into.size_bytes);
    if (key == "cardinality") return read_number(in, into.cardinality);
    return in.skip_value();
  });
  return read &&
         require(in, !into.storage_type.empty(), "deletionVector.storageType") &&
         require(in, !into.path_or_inline.empty(), "deletionVector.pathOrInlineDv");
}

bool read_body(JsonCursor& in, Protocol& protocol) {
  std::optional<std::int64_t> reader;
  std::optional<std::int64_t> writer;
  const bool read = read_members(in, [&](std::string_view key) {
    if (key == "minReaderVersion") return read_number(in, reader);
    if (key == "minWriterVersion") return read_number(in, writer);
    if (key == "readerFeatures") return read_texts(in, protocol.reader_features);
    if (key == "writerFeatures") return read_texts(in, protocol.writer_features);
    return in.skip_value();
  });
  if (!read || !require(in, reader.has_value(), "minReaderVersion") ||
      !require(in, writer.has_value(), "minWriterVersion")) {
    return false;
  }
  const auto in_range = [](std::int64_t version) {
    return version >= 0 && version <= INT32_MAX;
  };
  if (!in_range(*reader) || !in_range(*writer)) {
    return in.fail("a protocol version out of range");
  }
  protocol.min_reader_version = static_cast<int>(*reader);
  protocol.min_writer_version = static_cast<int>(*writer);
  std::sort(protocol.reader_features.begin(), protocol.reader_features.end());
  std::sort(protocol.writer_features.begin(), protocol.writer_features.end());
  return true;
}

bool read_body(JsonCursor& in, AddFile& add) {
  std::optional<std::int64_t> size;
  const bool read = read_members(in, [&](std::string_view key) {
    if (key == "path") return read_text(in, add.path);
    if (key == "partitionValues") return read_map(in, add.partition_values);
    if (key == "size") return read_number(in, size);
    if (key == "modificationTime") return read_number(in, add.modification_time_ms);
    if (key == "dataChange") return read_flag(in, add.data_change);
    if (key == "stats") return read_text(in, add.stats);
    if (key == "tags") return read_map(in, add.tags);
    if (key == "deletionVector") return read_vector(in, add.deletion_vector);
    if (key == "baseRowId") return read_number(in, add.base_row_id);
    if (key == "defaultRowCommitVersion") {
      return read_number(in, add.default_row_commit_version);
    }
    if (key == "clusteringProvider") return read_text(in, add.clustering_provider);
    return in.skip_value();
  });
  add.size_bytes = size.value_or(0);
  return read && require(in, !add.path.empty(), "path") &&
         require(in, size.has_value(), "size");
}

bool read_body(JsonCursor& in, RemoveFile& remove) {
  const bool read = read_members(in, [&](std::string_view key) {
    if (key == "path") return read_text(in, remove.path);
    if (key == "deletionTimestamp") {
      return read_number(in, remove.deletion_timestamp_ms);
    }
    if (key == "dataChange") return read_flag(in, remove.data_change);
    if (key == "partitionValues") return read_map(in, remove.partition_values);
    if (key == "size") return read_number(in, remove.size_bytes);
    if (key == "deletionVector") return read_vector(in, remove.deletion_vector);
    return in.skip_value();
  });
  return read && require(in, !remove.path.empty(), "path");
}

bool read_body(JsonCursor& in, SetTransaction& transaction) {
  bool has_id = false;
  std::optional<std::int64_t> version;
  const bool read = read_members(in, [&](std::string_view key) {
    if (key == "appId") return has_id = true, read_text(in, transaction.app_id);
    if (key == "version") return read_number(in, version);
    if (key == "lastUpdated") return read_number(in, transaction.last_updated_ms);
    return in.skip_value();
  });
  transaction.version = version.value_or(0);
  return read && require(in, has_id, "appId") &&
         require(in, version.has_value(), "version");
}

bool read_body(JsonCursor& in, DomainMetadata& domain) {
  const bool read = read_members(in, [&](std::string_view key) {
    if (key == "domain") return read_text(in, domain.domain);
    if (key == "configuration") return read_text(in, domain.configuration);
    if (key == "removed") return read_flag(in, domain.removed);
    return in.skip_value();
  });
  return read && require(in, !domain.domain.empty(), "domain");
}

bool read_body(JsonCursor& in, AddCdcFile& cdc) {
  const bool read = read_members(in, [&](std::string_view key) {
    if (key == "path") return read_text(in, cdc.path);
    if (key == "partitionValues") return read_map(in, cdc.partition_values);
    if (key == "size") return read_number(in, cdc.size_bytes);
    return in.skip_value();
  });
  return read && require(in, !cdc.path.empty(), "path");
}

bool read_body(JsonCursor& in, CheckpointMetadata& checkpoint) {
  return read_members(in, [&](std::string_view key) {
    if (key == "version") return read_number(in, checkpoint.version);
    return in.skip_value();
  });
}

bool read_body(JsonCursor& in, Sidecar& sidecar) {
  const bool read = read_members(in, [&](std::string_view key) {
    if (key == "path") return read_text(in, sidecar.path);
    if (key == "sizeInBytes") return read_number(in, sidecar.size_bytes);
    if (key == "modificationTime") return read_number(in, sidecar.modification_time_ms);
    return in.skip_value();
  });
  return read && require(in, !sidecar.path.empty(), "path");
}

Error fault_in(std::string_view action, std::string_view what) {
  return {ErrorCode::corrupt, std::string(action) + ": " + std::string(what)};
}

Status read_schema(std::string_view text, data::Schema& schema) {
  if (text.empty()) return {};  // a table without columns, as Delta writes in its tests
  Result<Json> json = parse_json(text);
  if (!json) return fault_in("metaData.schemaString", json.error().message());
  Result<data::Schema> parsed = data::schema_from_delta_json(*json);
  if (!parsed) return fault_in("metaData.schemaString", parsed.error().message());
  schema = std::move(parsed).value();
  return {};
}

Result<Metadata> read_metadata(JsonCursor& in) {
  Metadata metadata;
  std::string provider;
  std::string schema_text;
  const bool read = read_members(in, [&](std::string_view key) {
    if (key == "id") return read_text(in, metadata.id);
    if (key == "name") return read_text(in, metadata.name);
    if (key == "description") return read_text(in, metadata.description);
    if (key == "schemaString") return read_text(in, schema_text);
    if (key == "partitionColumns") return read_texts(in, metadata.partition_columns);
    if (key == "configuration") return read_map(in, metadata.configuration);
    if (key == "createdTime") return read_number(in, metadata.created_time_ms);
    if (key != "format" || in.peek() != '{') return in.skip_value();
    return read_members(in, [&](std::string_view format_key) {
      if (format_key == "provider") return read_text(in, provider);
      return in.skip_value();
    });
  });
  if (!read) return fault_in("metaData", in.fault());
  if (!provider.empty() && provider != "parquet") {
    return Error(ErrorCode::unsupported,
                 "the data files are " + provider + "; only parquet can be read");
  }
  LAKEMILL_TRY_OK(read_schema(schema_text, metadata.schema));
  return metadata;
}

template <typename Body>
Result<std::optional<Action>> read_action(JsonCursor& in, std::string_view name) {
  Body body;
  if (!read_body(in, body)) return fault_in(name, in.fault());
  return std::optional<Action>(std::move(body));
}

Result<std::optional<Action>> read_commit_info(JsonCursor& in) {
  Result<Json> content = parse_json(in.raw_value());
  if (!content) return fault_in("commitInfo", content.error().message());
  return std::optional<Action>(CommitInfo{std::move(content).value()});
}

// The action behind `name`; nothing, and the value skipped, for names not known.
Result<std::optional<Action>> read_named(JsonCursor& in, std::string_view name) {
  if (name == "add") return read_action<AddFile>(in, name);
  if (name == "remove") return read_action<RemoveFile>(in, name);
  if (name == "txn") return read_action<SetTransaction>(in, name);
  if (name == "protocol") return read_action<Protocol>(in, name);
  if (name == "domainMetadata") return read_action<DomainMetadata>(in, name);
  if (name == "cdc") return read_action<AddCdcFile>(in, name);
  if (name == "checkpointMetadata") return read_action<CheckpointMetadata>(in, name);
  if (name == "sidecar") return read_action<Sidecar>(in, name);
  if (name == "commitInfo") return read_commit_info(in);
  if (name == "metaData") {
    LAKEMILL_TRY(Metadata metadata, read_metadata(in));
    return std::optional<Action>(std::move(metadata));
  }
  in.skip_value();
  return std::optional<Action>();
}

}  // namespace

std::string DeletionVectorDescriptor::unique_id() const {
  std::string id = storage_type + path_or_inline;
  if (offset) id += "@" + std::to_string(*offset);
  return id;
}

std::string to_line(const Action& action) {
  std::string line;
  ObjectWriter outer(line);
  std::visit(
      [&](const auto& body) {
        using Body = std::decay_t<decltype(body)>;
        if constexpr (std::is_same_v<Body, CommitInfo>) {
          outer.json(name_of(action), body.content);
        } else {
          ObjectWriter object(outer.member(name_of(action)));
          write_body(object, body);
          object.end();
        }
      },
      action);
  outer.end();
  return line;
}

Result<std::optional<Action>> action_from_line(std::string_view line) {
  JsonCursor in(line);
  std::optional<Action> found;
  std::string name;
  in.enter_object();
  while (in.next_member(name)) {
    if (in.consume_null()) continue;  // a column of a checkpoint's row that is not set
    LAKEMILL_TRY(std::optional<Action> action, read_named(in, name));
    if (action && found) {
      return Error(
          ErrorCode::corrupt,
          "two actions in one line: " + std::string(name_of(*found)) + " and " + name);
    }
    if (action) found = std::move(action);
  }
  if (!in.failed() && !in.at_end()) in.fail("text behind the action");
  if (in.failed()) return Error(ErrorCode::corrupt, "not an action: " + in.fault());
  return found;
}

Status for_each_action(std::string_view lines,
                       const std::function<void(Action)>& take) {
  std::size_t number = 0;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Result<std::optional<Action>> action = action_from_line(line);
    if (!action) {
      return std::move(action).error().while_doing("line " + std::to_string(number));
    }
    if (*action) take(std::move(**action));
  }
  return {};
}

}  // namespace lakemill::delta
