#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lakemill/base/result.h"

namespace lakemill::sources::postgres {

/// How to reach a database: a URI (postgresql://…) or libpq's keywords, taken apart.
class ConnectionInfo {
 public:
  /// `written`: the text as it is shown to people, with `${secret.NAME}` where `uri`
  /// has secrets. Errors: invalid; no part of `uri`, which may be one of a password, is
  /// in a message.
  static Result<ConnectionInfo> parse(const std::string& uri,
                                      const std::string& written);

  /// For messages: "database shop at db.example:5432", without a password.
  const std::string& place() const { return place_; }
  const std::string& database() const { return database_; }
  /// For messages.
  const std::string& user() const { return user_; }
  /// `text` without the values that came of secrets: as they are written instead.
  std::string hide(std::string text) const;
  const std::vector<std::pair<std::string, std::string>>& keywords() const {
    return keywords_;
  }

 private:
  std::vector<std::pair<std::string, std::string>> keywords_;
  std::vector<std::pair<std::string, std::string>> hidden_;  // a value, how it is shown
  std::string place_;
  std::string database_;
  std::string user_;
};

enum class ConnectionPurpose : std::uint8_t { queries, replication };

/// Rows of texts; a null is nothing.
using TextTable = std::vector<std::vector<std::optional<std::string>>>;

/// One connection to a PostgreSQL server. Values come in a fixed form: dates in ISO
/// order, instants in UTC, bytes in hex, UTF-8.
///
/// Errors of all calls: unavailable (the server cannot be reached, is going down, or
/// has no room; the connection is lost), denied, invalid (the statement), cancelled.
/// They name host, port and database, never the password.
///
/// Not thread-safe.
class Connection {
 public:
  virtual ~Connection() = default;

  /// Tries once.
  static Result<std::unique_ptr<Connection>> open(const ConnectionInfo& info,
                                                  ConnectionPurpose purpose,
                                                  std::stop_token stop);

  virtual Result<TextTable> query(
      const std::string& sql,
      const std::vector<std::optional<std::string>>& values) = 0;
  Result<TextTable> query(const std::string& sql) { return query(sql, {}); }
  Status execute(const std::string& sql);

  /// COPY … TO STDOUT: `take` gets a line at a time, its end included.
  virtual Status copy_out(const std::string& sql,
                          const std::function<Status(std::string_view)>& take) = 0;

  /// 150004 for 15.4.
  virtual int server_version() const = 0;

  // Of a replication connection.

  /// Begins START_REPLICATION.
  virtual Status start_streaming(const std::string& sql) = 0;
  /// The next message if it is there: valid until the next call.
  virtual Result<std::optional<std::string_view>> receive() = 0;
  virtual Status send(std::string_view message) = 0;
  /// Waits until something may be there to receive.
  virtual Status wait(std::chrono::milliseconds time_max) = 0;
  virtual int socket() const = 0;
};

}  // namespace lakemill::sources::postgres
