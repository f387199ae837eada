#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "lakemill/base/json.h"
#include "lakemill/data/type.h"

namespace lakemill::delta {

/// A table version: 0 for the commit that creates the table, then +1 per commit.
using Version = std::int64_t;

/// What readers and writers must understand. Source: PROTOCOL.md, "Protocol Evolution".
struct Protocol {
  int min_reader_version = 1;
  int min_writer_version = 2;
  std::vector<std::string> reader_features;  ///< sorted; only with reader version 3
  std::vector<std::string> writer_features;  ///< sorted; only with writer version 7
  bool operator==(const Protocol&) const = default;
};

struct Metadata {
  std::string id;
  std::optional<std::string> name;
  std::optional<std::string> description;
  data::Schema schema;
  std::vector<std::string> partition_columns;
  std::map<std::string, std::string> configuration;
  std::optional<std::int64_t> created_time_ms;
  bool operator==(const Metadata&) const = default;
};

/// Where the deleted rows of a file are listed. Source: PROTOCOL.md, "Deletion
/// Vectors".
struct DeletionVectorDescriptor {
  std::string
      storage_type;  ///< "u" (file, relative), "i" (inline), "p" (absolute path)
  std::string path_or_inline;
  std::optional<std::int32_t> offset;
  std::int32_t size_bytes = 0;
  std::int64_t cardinality = 0;
  /// What tells two vectors of one file apart.
  std::string unique_id() const;
  bool operator==(const DeletionVectorDescriptor&) const = default;
};

/// A data file that belongs to the table from this version on.
struct AddFile {
  std::string
      path;  ///< as in the log: relative to the root or absolute, percent-encoded
  std::map<std::string, std::optional<std::string>> partition_values;
  std::int64_t size_bytes = 0;
  std::int64_t modification_time_ms = 0;
  bool data_change = true;
  std::string stats;  ///< JSON, or empty
  std::map<std::string, std::string> tags;
  std::optional<DeletionVectorDescriptor> deletion_vector;
  std::optional<std::int64_t> base_row_id;
  std::optional<std::int64_t> default_row_commit_version;
  std::optional<std::string> clustering_provider = std::nullopt;
};

/// A data file that no longer does.
struct RemoveFile {
  std::string path;
  std::optional<std::int64_t> deletion_timestamp_ms;
  bool data_change = true;
  std::map<std::string, std::optional<std::string>> partition_values;
  std::optional<std::int64_t> size_bytes;
  std::optional<DeletionVectorDescriptor> deletion_vector;
};

/// The last transaction of an application that the table holds.
struct SetTransaction {
  std::string app_id;
  std::int64_t version = 0;
  std::optional<std::int64_t> last_updated_ms;
};

struct DomainMetadata {
  std::string domain;
  std::string configuration;
  bool removed = false;
};

/// A change data file; readers of the table ignore it.
struct AddCdcFile {
  std::string path;
  std::map<std::string, std::optional<std::string>> partition_values;
  std::int64_t size_bytes = 0;
};

struct CommitInfo {
  Json content = Json::object();  ///< as written, timestamp, operation, txnId and all
};

struct CheckpointMetadata {
  Version version = 0;
};

/// A file that holds some of a V2 checkpoint's file actions.
struct Sidecar {
  std::string path;  ///< usually only the name of a file in _delta_log/_sidecars
  std::int64_t size_bytes = 0;
  std::int64_t modification_time_ms = 0;
};

using Action =
    std::variant<Protocol, Metadata, AddFile, RemoveFile, SetTransaction,
                 DomainMetadata, AddCdcFile, CommitInfo, CheckpointMetadata, Sidecar>;

/// One action as one line of a commit, without the newline.
std::string to_line(const Action& action);

/// Reads one line; nothing for an action that this protocol version does not know
/// (writers may add such). Errors: corrupt; unsupported (data files that are not
/// Parquet).
Result<std::optional<Action>> action_from_line(std::string_view line);

/// Hands each action of a commit or checkpoint (one a line, blank lines passed over) to
/// `take`, in order. Errors: as above, naming the line from 1.
Status for_each_action(std::string_view lines, const std::function<void(Action)>& take);

}  // namespace lakemill::delta
