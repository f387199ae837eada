#pragma once

#include <chrono>
#include <memory>

#include "lakemill/base/clock.h"
#include "lakemill/sources/postgres/change_writer.h"
#include "lakemill/sources/postgres/connection.h"

namespace lakemill::sources::postgres {

/// START_REPLICATION on a slot: takes what the server sends to a writer, and tells it
/// up to where that is safe.
///
/// Not thread-safe.
class ReplicationStream {
 public:
  struct Options {
    std::string slot;
    std::string publication;
    Lsn from = 0;  ///< 0: where the slot is
  };

  /// `connection`: for replication. Errors: those of the connection (unavailable: the
  /// slot is in use).
  static Result<std::unique_ptr<ReplicationStream>> start(
      std::unique_ptr<Connection> connection, const Options& options,
      ChangeWriter& writer);

  /// Takes messages that are there, until `enough` says so between two transactions;
  /// false if there were none. Errors: those of the connection and of the writer.
  Result<bool> take(const std::function<bool()>& enough);
  Status wait(std::chrono::milliseconds time_max) {
    return connection_->wait(time_max);
  }
  int socket() const { return connection_->socket(); }

  /// What is committed before it has been taken.
  Lsn processed() const { return processed_; }
  /// How often the server has told where it is, and how often the same since it last
  /// went on.
  std::int64_t answers() const { return answers_; }
  int idle_answers() const { return idle_answers_; }

  /// Tells the server that it may forget what is before `confirmed`.
  Status report(Lsn confirmed, bool wants_answer);

 private:
  ReplicationStream(std::unique_ptr<Connection> connection, Lsn from,
                    ChangeWriter& writer)
      : connection_(std::move(connection)), writer_(writer), processed_(from) {}

  Status take_message(std::string_view message);

  std::unique_ptr<Connection> connection_;
  ChangeWriter& writer_;
  PgoutputDecoder decoder_;
  Lsn processed_ = 0;
  Lsn confirmed_ = 0;
  Lsn told_ = 0;
  std::int64_t answers_ = 0;
  int idle_answers_ = 0;
  bool must_answer_ = false;
};

}  // namespace lakemill::sources::postgres
