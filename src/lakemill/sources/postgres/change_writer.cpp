#include "lakemill/sources/postgres/change_writer.h"

#include <algorithm>

namespace lakemill::sources::postgres {

namespace {

constexpr std::size_t kRecentMax = 100'000;  // transactions remembered

bool wants(const SpoolReader& reader, TransactionId transaction, Lsn commit_lsn) {
  return reader.spool != nullptr && commit_lsn > reader.from &&
         !(reader.seen && reader.seen->sees(transaction, commit_lsn));
}

}  // namespace

void ChangeWriter::set_readers(std::vector<SpoolReader*> readers) {
  readers_ = std::move(readers);
  for (auto& [oid, table] : tables_) table->matched = false;
  for (auto& [id, streamed] : streamed_) {
    for (auto& [oid, table] : streamed.tables) table->matched = false;
    for (const TablePointer& table : streamed.of_records) table->matched = false;
  }
}

bool ChangeWriter::has_committed(std::uint64_t transaction) const {
  const auto lower = static_cast<TransactionId>(transaction);
  return std::find(recent_.begin(), recent_.end(), lower) != recent_.end();
}

Status ChangeWriter::take(const Message& message) {
  if (const auto* change = std::get_if<RowChange>(&message)) {
    return take_change(*change);
  }
  if (const auto* begin = std::get_if<BeginMessage>(&message)) {
    in_transaction_ = true;
    transaction_ = begin->transaction;
    commit_lsn_ = begin->commit_lsn;
    index_ = 0;
    return {};
  }
  if (const auto* end = std::get_if<CommitMessage>(&message)) {
    return commit(end->commit_lsn, end->end_lsn, transaction_);
  }
  if (const auto* relation = std::get_if<RelationMessage>(&message)) {
    return take_relation(*relation);
  }
  if (const auto* truncate = std::get_if<TruncateMessage>(&message)) {
    return take_truncate(*truncate);
  }
  if (const auto* start = std::get_if<StreamStartMessage>(&message)) {
    return begin_block(start->transaction);
  }
  if (std::holds_alternative<StreamStopMessage>(message)) streaming_ = nullptr;
  if (const auto* end = std::get_if<StreamCommitMessage>(&message)) {
    return take_stream_commit(*end);
  }
  if (const auto* end = std::get_if<StreamAbortMessage>(&message)) {
    return take_stream_abort(*end);
  }
  return {};
}

Status ChangeWriter::take_relation(const RelationMessage& message) {
  auto& tables = streaming_ != nullptr ? streaming_->tables : tables_;
  TablePointer& table = tables[message.relation];
  if (table != nullptr && table->message == message && table->streamed != nullptr &&
      table->message.replica_identity != 'f') {
    return {};
  }
  table = std::make_shared<Table>();
  table->message = message;
  return {};
}

Result<ChangeWriter::TablePointer> ChangeWriter::table_of(Oid relation) {
  if (streaming_ != nullptr) {
    const auto own = streaming_->tables.find(relation);
    if (own != streaming_->tables.end()) return own->second;
  }
  const auto found = tables_.find(relation);
  if (found == tables_.end()) {
    return Error(ErrorCode::corrupt, "the server sent a change of a table (oid " +
                                         std::to_string(relation) +
                                         ") that it did not describe before");
  }
  return found->second;
}

// Finds the table's readers, and what its rows look like if there is one.
Status ChangeWriter::prepare(Table& table) {
  if (!table.matched) {
    table.readers.clear();
    for (SpoolReader* reader : readers_) {
      const bool has_name = reader->schema == table.message.schema &&
                            reader->table == table.message.table;
      const bool is_followed =
          reader->relation == 0 ? has_name : reader->relation == table.message.relation;
      if (is_followed) {
        table.readers.push_back(reader);
      } else if (has_name) {
        reader->has_met_other = true;
      }
    }
    table.matched = true;
  }
  if (table.readers.empty() || table.streamed != nullptr) return {};
  LAKEMILL_TRY(StreamedTable made, make_streamed_table(table.message, lookup_));
  table.streamed = std::make_unique<StreamedTable>(std::move(made));
  return {};
}

Status ChangeWriter::take_change(const RowChange& change) {
  ++changes_;
  LAKEMILL_TRY(const TablePointer table, table_of(change.relation));
  LAKEMILL_TRY_OK(prepare(*table));
  if (table->readers.empty()) {
    const bool is_moving =
        change.kind == ChangeKind::update && change.has_old != OldTuple::none;
    const std::uint32_t indexes = is_moving ? 2 : 1;
    if (streaming_ != nullptr) {
      streaming_->file->skip_indexes(change.transaction, indexes);
    } else {
      index_ += indexes;
    }
    return {};
  }
  LAKEMILL_TRY_OK(build_rows(*table->streamed, change, rows_));
  LAKEMILL_TRY_OK(put(table, change.transaction, rows_.first, false));
  if (!rows_.second.empty()) {
    return put(table, change.transaction, rows_.second, rows_.moved_without_values);
  }
  if (rows_.indexes == 1) return {};
  if (streaming_ != nullptr) {
    streaming_->file->skip_indexes(change.transaction, 1);
  } else {
    ++index_;
  }
  return {};
}

Status ChangeWriter::take_truncate(const TruncateMessage& message) {
  for (const Oid relation : message.relations) {
    LAKEMILL_TRY(const TablePointer table, table_of(relation));
    LAKEMILL_TRY_OK(prepare(*table));
    if (table->readers.empty()) {
      if (streaming_ != nullptr) {
        streaming_->file->skip_indexes(message.transaction, 1);
      } else {
        ++index_;
      }
      continue;
    }
    build_truncate(*table->streamed, rows_.first);
    LAKEMILL_TRY_OK(put(table, message.transaction, rows_.first, false));
  }
  return {};
}

Status ChangeWriter::put(const TablePointer& table, TransactionId part,
                         std::string_view row, bool lacks_values) {
  if (streaming_ == nullptr) {
    if (!in_transaction_) {
      return Error(ErrorCode::corrupt,
                   "the server sent a change outside a transaction");
    }
    return put_committed(*table, index_++, row, lacks_values);
  }
  auto [number, is_new] = streaming_->numbers.try_emplace(
      table.get(), static_cast<std::uint32_t>(streaming_->of_records.size()));
  if (is_new) streaming_->of_records.push_back(table);
  const std::uint32_t index = streaming_->file->next_index();
  LAKEMILL_TRY_OK(
      streaming_->file->append(part, {number->second, index, lacks_values, row}));
  streaming_->file->skip_indexes(part, 1);
  return {};
}

// A row of the transaction that ends at commit_lsn_.
Status ChangeWriter::put_committed(Table& table, std::uint32_t index,
                                   std::string_view row, bool lacks_values) {
  std::string filled;
  std::string offset;
  for (SpoolReader* reader : table.readers) {
    if (!wants(*reader, transaction_, commit_lsn_)) continue;
    if (lacks_values && filled.empty()) {
      filled = row;
      LAKEMILL_TRY_OK(fill_moved_row(*table.streamed, lookup_, filled));
      row = filled;
    }
    if (offset.empty()) offset = change_offset(commit_lsn_, index);
    LAKEMILL_TRY_OK(reader->spool->append(table.streamed->layout, offset, row));
  }
  return {};
}

Status ChangeWriter::commit(Lsn commit_lsn, Lsn end_lsn, TransactionId transaction) {
  for (SpoolReader* reader : readers_) {
    if (reader->spool != nullptr) LAKEMILL_TRY_OK(reader->spool->commit(commit_lsn));
  }
  in_transaction_ = false;
  end_lsn_ = end_lsn;
  if (recent_.size() < kRecentMax) {
    recent_.push_back(transaction);
  } else {
    recent_[next_recent_++ % kRecentMax] = transaction;
  }
  return {};
}

Status ChangeWriter::begin_block(TransactionId transaction) {
  Streamed& streamed = streamed_[transaction];
  if (streamed.file == nullptr) {
    streamed.file = std::make_unique<StreamedFile>(folder_ + "/transaction-" +
                                                   std::to_string(transaction));
  }
  streaming_ = &streamed;
  return {};
}

Status ChangeWriter::take_stream_commit(const StreamCommitMessage& message) {
  const auto found = streamed_.find(message.transaction);
  transaction_ = message.transaction;
  commit_lsn_ = message.commit_lsn;
  if (found != streamed_.end()) {
    Streamed& streamed = found->second;
    for (const TablePointer& table : streamed.of_records) {
      LAKEMILL_TRY_OK(prepare(*table));
    }
    LAKEMILL_TRY_OK(streamed.file->for_each([&](const StreamedRow& row) -> Status {
      return put_committed(*streamed.of_records[row.table], row.index, row.row,
                           row.lacks_values);
    }));
    for (auto& [oid, table] : streamed.tables) tables_[oid] = std::move(table);
    streamed_.erase(found);
  }
  return commit(message.commit_lsn, message.end_lsn, message.transaction);
}

Status ChangeWriter::take_stream_abort(const StreamAbortMessage& message) {
  const auto found = streamed_.find(message.transaction);
  if (found == streamed_.end()) return {};
  if (message.transaction != message.subtransaction) {
    return found->second.file->abort(message.subtransaction);
  }
  streamed_.erase(found);
  return {};
}

Status ChangeWriter::take_back() {
  streaming_ = nullptr;
  streamed_.clear();
  in_transaction_ = false;
  for (SpoolReader* reader : readers_) {
    if (reader->spool != nullptr) LAKEMILL_TRY_OK(reader->spool->take_back());
  }
  return {};
}

}  // namespace lakemill::sources::postgres
