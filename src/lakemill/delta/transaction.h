#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/base/random.h"
#include "lakemill/delta/clustering.h"
#include "lakemill/delta/snapshot.h"

namespace lakemill::delta {

struct Committed {
  Version version;
};
/// Lost to a commit that this one cannot be put behind: read again, then build anew.
struct Conflicted {
  Version version;     ///< the winner
  std::string reason;  ///< "version 7 removed files that this merge read", …
};
struct Undecided {
  Version version;  ///< may yet appear: keep the data files, look again later
};

/// A lost race is an answer, not an error, so that no caller can forget it.
using CommitOutcome = std::variant<Committed, Conflicted, Undecided>;

/// What a transaction read, which decides the winners it can be put behind.
enum class ReadScope : std::uint8_t {
  none,   ///< a blind append: only protocol, schema and its own app id count
  files,  ///< read the files that it names: conflicts if a winner removes one of them,
          ///< or adds files that may match its predicates
  table,  ///< read everything: conflicts with any change of data
};

struct NewTable {
  data::Schema schema;
  std::vector<std::string> partition_columns;
  std::map<std::string, std::string> configuration;
  std::optional<std::string> name;
  std::optional<std::string> description;
};

/// One change of a table: collects actions against a snapshot, then commits them as one
/// version, rebasing onto other writers' commits where that is right.
///
/// Not thread-safe. Source: PROTOCOL.md, "Delta Table Specification"; conflict rules as
/// Delta for Spark's at its level Serializable: rows that a winner added blindly count
/// as much as changed ones.
class Transaction {
 public:
  /// A change of an existing table. `base` is what the caller read.
  Transaction(Table& table, std::shared_ptr<const Snapshot> base);
  /// The creation of a table: version 0. Refused columns and features fail at commit.
  Transaction(Table& table, NewTable definition);
  ~Transaction();

  void add(AddFile file);
  void remove(RemoveFile file);
  /// Removes every file of the base snapshot (overwrite); scope becomes `table` unless
  /// set otherwise.
  void remove_all();
  /// Changes schema, configuration, name or partitioning; features that they need are
  /// added to the protocol.
  void set_metadata(Metadata metadata);
  /// That of clustering brings its features with it; for others the table must have
  /// domainMetadata.
  void set_domain(DomainMetadata domain);
  void add_cdc(AddCdcFile file);
  /// Says that what changes follows from the files that come and go, as for a restore:
  /// a change feed then needs no change files.
  void changes_follow_from_files();
  void read(ReadScope scope);
  /// With scope `files`: conjuncts that describe what was read.
  void read_where(std::vector<data::Comparison> conjuncts);

  /// Records that batch `version` of `app_id` is in this commit, and that this commit
  /// read `app_id`: a winner that holds an equal or newer value makes it Conflicted.
  void set_transaction(std::string app_id, std::int64_t version);

  /// Tries until decided. `operation` and `details` ({operationParameters, …, further
  /// members}) go to commitInfo with a txnId of its own.
  /// Errors: unsupported (a writer feature), invalid (schema and files disagree),
  /// denied, unavailable (nothing was written).
  Result<CommitOutcome> commit(std::string_view operation, const Json& details,
                               Clock& clock, Random& random);

 private:
  class State;
  std::unique_ptr<State> state_;
};

/// The statistics JSON of a file from what the writer saw, under Delta's and Spark's
/// rules: strings cut to 32 characters (maximum rounded up, left out when it cannot
/// be), timestamps to milliseconds, the first `delta.dataSkippingNumIndexedCols` leaf
/// columns.
struct ColumnStatistics {
  std::vector<std::string> path;  ///< physical names, outermost first
  data::Value minimum;            ///< null: not known
  data::Value maximum;
  std::optional<std::int64_t> null_count;
};
std::string statistics_json(std::int64_t row_count,
                            const std::vector<ColumnStatistics>& columns,
                            const Metadata& metadata);
/// The same, and of `always` whatever the properties say.
std::string statistics_json(std::int64_t row_count,
                            const std::vector<ColumnStatistics>& columns,
                            const Metadata& metadata, const ClusteringColumns& always);

/// A value as text of partitionValues (null: nothing). Source: PROTOCOL.md, "Partition
/// Value Serialization".
std::optional<std::string> partition_text(const data::Value& value,
                                          const data::Type& type);

/// Refuses what no reader could parse as text of partitionValues: dates and timestamps
/// outside of the years 1 to 9999, infinite ones among them. Errors: unsupported, with
/// the column, the value and what to do.
Status check_partition_value(const std::string& column, const data::Value& value);

/// Marks rows of files as deleted. For each file of `base` named in `rows` (log path →
/// positions, added to what is deleted already) gives the Remove and the Add with the
/// new vector; files left with no row give only the Remove. Vectors are written to one
/// file in the table's root. The table must have, or is given by
/// set_metadata's rules, the deletionVectors feature. Errors: denied, unavailable.
Result<std::vector<Action>> delete_rows(
    Table& table, const Snapshot& base,
    const std::map<std::string, std::vector<std::uint64_t>>& rows, Clock& clock,
    Random& random);

/// The removal of `file` as a whole, its deletion vector included; commit() sets the
/// time where it lacks one.
RemoveFile removal_of(const AddFile& file);

/// Writes a checkpoint of `snapshot` and then _last_checkpoint. Tombstones are left out
/// that had expired when `snapshot` was committed
/// (`delta.deletedFileRetentionDuration`).
/// Errors: those of the store; unsupported (a table whose checkpoints need columns that
/// are not written).
Status write_checkpoint(Table& table, const Snapshot& snapshot);

/// To be called after each commit: writes a checkpoint if `just_committed` is a
/// multiple of `delta.checkpointInterval` (10 unless set). The commit stands whatever
/// comes of it: an error is for the log, the next one is tried in its turn.
Status maintain_log(Table& table, Version just_committed);

}  // namespace lakemill::delta
