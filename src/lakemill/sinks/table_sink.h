#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lakemill/base/random.h"
#include "lakemill/delta/table_provider.h"
#include "lakemill/dml/table_change.h"
#include "lakemill/sinks/sink.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::sinks {

enum class WriteMode : std::uint8_t { append, replace, merge };
enum class SchemaEvolution : std::uint8_t { evolve, strict, rescue };
enum class DeleteMode : std::uint8_t { hard, soft };

/// How changes become rows: merge_cdc_options of language.md, section 5.
struct ChangeOptions {
  std::vector<std::string> primary_keys;
  int scd_type = 1;
  /// Columns of the staged rows that order the changes of a key, most significant
  /// first. Never empty here: the flow gives the default sequence of the source where
  /// the pipeline names none, in a column that begins with `_lakemill_`; such columns
  /// are not part of the target.
  std::vector<std::string> order_by;
  bool equal_sequences_fail = false;  ///< true for default sequences
  std::string
      delete_where;  ///< SQL over the staged columns (`source.` may qualify), or empty
  std::string truncate_where;  ///< likewise
  std::vector<std::string> include_columns;
  std::vector<std::string> exclude_columns;
  bool ignore_null_updates = false;
  bool null_equals_null = false;
  std::string start_at_column_name = "__start_at";
  std::string end_at_column_name = "__end_at";
  std::vector<std::string> track_history_columns;
  std::vector<std::string> track_history_except_columns;
  DeleteMode delete_mode = DeleteMode::hard;
  std::string state_url;     ///< root of the state table
  std::string rejected_url;  ///< root of the `<target>_rejected` table
  std::chrono::hours state_retention{24 * 30};
};

struct TableSinkSpec {
  std::string url;   ///< the table's root
  std::string name;  ///< for messages
  WriteMode mode = WriteMode::append;
  std::optional<ChangeOptions> changes;  ///< with merge
  /// With append: SQL over the target's columns; rows for which it holds are replaced.
  std::string replace_where;
  /// With replace_where: the last transaction version of the flow that the table may
  /// hold when the rows are replaced. 0: any.
  std::int64_t follows = 0;
  /// The transaction version of the flow that the table held when the batch was
  /// decided, and must still hold where the batch does not replace it. 0: not told.
  std::int64_t follows_batch = 0;
  std::vector<std::string> partition_by;
  /// Clustering columns; empty: none; nothing: what the table has.
  std::optional<std::vector<std::string>> cluster_by;
  /// What a new table says of its columns' nulls; the rows have these types.
  std::optional<data::Schema> schema;
  /// A batch that begins a generation makes the table as the spec says, rather than
  /// keeping what the spec says nothing of.
  bool drops_on_reset = false;
  std::map<std::string, std::string> properties;  ///< Delta table properties
  std::map<std::string, std::string> column_comments;
  std::optional<std::string> comment;
  SchemaEvolution schema_evolution = SchemaEvolution::evolve;
  bool shared = false;       ///< other flows may write here too
  std::string adopt_app_id;  ///< take over the table from this flow, or empty
  dml::FileLayout layout;
};

/// How the change state of a merge is written: quick to read, by nobody else.
dml::FileLayout change_state_layout();

/// What every sink borrows; all must outlive it.
struct SinkServices {
  storage::StoreProvider& stores;
  delta::TableProvider& tables;
  Clock& clock;
  Random& random;
};

/// A Delta table as a sink.
std::unique_ptr<Sink> make_table_sink(TableSinkSpec spec, SinkServices services);

/// The same, for engines that commit to tables by themselves; not with merge.
std::unique_ptr<Sink> make_engine_sink(TableSinkSpec spec, SinkServices services);

}  // namespace lakemill::sinks
