#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lakemill/sources/postgres/change_spool.h"
#include "lakemill/sources/postgres/pgoutput.h"
#include "lakemill/sources/postgres/row_builder.h"
#include "lakemill/sources/postgres/streamed_file.h"
#include "lakemill/sources/postgres/visibility.h"

namespace lakemill::sources::postgres {

/// Who gets the changes of a table.
struct SpoolReader {
  std::string schema;
  std::string table;
  Oid relation =
      0;  ///< the table that it follows, under whichever name; 0: by its name
  /// Set when changes of another table come under the name: of one that was there
  /// before, or of one that is now.
  bool has_met_other = false;
  ChangeSpool* spool = nullptr;  ///< null: nothing is wanted now
  Lsn from = 0;                  ///< commits up to here are not wanted
  std::optional<Visibility> seen;
};

/// Sorts the messages of a stream into the spools of its readers, whole transactions in
/// the order of their commits. What is not committed yet (a transaction that the server
/// streams while it goes on) waits in a file of its own; nothing that grows with a
/// transaction is held in memory.
///
/// Not thread-safe; what it borrows must outlive it.
class ChangeWriter {
 public:
  /// `folder` exists; files of unfinished transactions go there.
  ChangeWriter(std::string folder, TableLookup& lookup)
      : folder_(std::move(folder)), lookup_(lookup) {}

  /// Sets who reads. The readers stay where they are as long as they are set.
  void set_readers(std::vector<SpoolReader*> readers);

  /// Errors: corrupt, unavailable (disk), those of the lookup. After an error the
  /// stream must be begun anew: take_back().
  Status take(const Message& message);

  /// The connection is gone: what has not been committed here will come again.
  Status take_back();

  /// True between the beginning of a transaction and its end.
  bool in_transaction() const { return in_transaction_ || streaming_ != nullptr; }
  /// True if rows of transactions that go on wait here.
  bool has_streamed() const { return !streamed_.empty(); }
  /// Where the last whole transaction ends in the log; 0: none has come.
  Lsn end_lsn() const { return end_lsn_; }
  /// Commits since the writer was made, and the transactions of the last few of them.
  std::int64_t changes() const { return changes_; }
  bool has_committed(std::uint64_t transaction) const;

 private:
  // A table in the form that a message gave it.
  struct Table {
    RelationMessage message;
    std::unique_ptr<StreamedTable> streamed;  // made when a reader needs it
    std::vector<SpoolReader*> readers;
    bool matched = false;
  };
  using TablePointer = std::shared_ptr<Table>;

  // A transaction that is streamed while it goes on.
  struct Streamed {
    std::unique_ptr<StreamedFile> file;
    std::map<Oid, TablePointer> tables;    // as it sees them
    std::vector<TablePointer> of_records;  // what records refer to
    std::map<const Table*, std::uint32_t> numbers;
  };

  Status take_relation(const RelationMessage& message);
  Status take_change(const RowChange& change);
  Status take_truncate(const TruncateMessage& message);
  Status take_stream_commit(const StreamCommitMessage& message);
  Status take_stream_abort(const StreamAbortMessage& message);
  Status begin_block(TransactionId transaction);
  Status commit(Lsn commit_lsn, Lsn end_lsn, TransactionId transaction);

  Result<TablePointer> table_of(Oid relation);
  Status prepare(Table& table);
  Status put(const TablePointer& table, TransactionId part, std::string_view row,
             bool lacks_values);
  Status put_committed(Table& table, std::uint32_t index, std::string_view row,
                       bool lacks_values);

  const std::string folder_;
  TableLookup& lookup_;
  std::vector<SpoolReader*> readers_;
  std::map<Oid, TablePointer> tables_;
  std::map<TransactionId, Streamed> streamed_;
  BuiltRows rows_;

  bool in_transaction_ = false;
  TransactionId transaction_ = 0;
  Lsn commit_lsn_ = 0;
  std::uint32_t index_ = 0;
  Streamed* streaming_ = nullptr;  // the transaction of the open block
  Lsn end_lsn_ = 0;
  std::int64_t changes_ = 0;
  std::vector<TransactionId> recent_;  // a ring
  std::size_t next_recent_ = 0;
};

}  // namespace lakemill::sources::postgres
