#include "lakemill/sources/postgres/connection.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>

#include <poll.h>

#include "lakemill/base/text.h"
#include "lakemill/sources/postgres/libpq_library.h"

namespace lakemill::sources::postgres {

namespace {

constexpr auto kConnectTimeMax = std::chrono::seconds(10);
constexpr auto kStopInterval = std::chrono::milliseconds(100);

// Values look the same whatever the server's and the role's settings are.
constexpr const char* kSettings =
    "-c datestyle=ISO,YMD -c intervalstyle=postgres -c timezone=UTC "
    "-c extra_float_digits=1 -c bytea_output=hex -c xmloption=content "
    "-c statement_timeout=0 -c lock_timeout=0 "
    "-c idle_in_transaction_session_timeout=0 -c standard_conforming_strings=on "
    // Rows that a policy hides are an error: the log, too, has them all.
    "-c row_security=off";

ErrorCode code_of(std::string_view state) {
  if (state == "42501" || state.starts_with("28")) return ErrorCode::denied;
  if (state.starts_with("08") || state.starts_with("57P") || state == "53300" ||
      state == "55006" || state == "40001") {
    return ErrorCode::unavailable;
  }
  if (state == "3D000" || state == "42P01" || state == "42704") {
    return ErrorCode::not_found;
  }
  return ErrorCode::invalid;
}

// One line, without the place in PostgreSQL's own source.
std::string one_line(std::string_view message) {
  std::string text;
  for (const std::string& line : split(message, '\n')) {
    const std::string_view trimmed = trim(line);
    if (trimmed.empty() || trimmed.starts_with("LOCATION:")) continue;
    if (!text.empty()) text += "; ";
    text += trimmed;
  }
  return text;
}

// The state that a verbose message has: "FATAL:  28P01: password …".
std::string state_in(std::string_view message) {
  constexpr std::size_t kStateSize = 5;
  for (std::size_t at = message.find(": "); at != std::string_view::npos;
       at = message.find(": ", at + 1)) {
    const std::string_view rest = trim(message.substr(at + 2));
    if (rest.size() <= kStateSize || rest[kStateSize] != ':') continue;
    const std::string_view state = rest.substr(0, kStateSize);
    const bool plain =
        state.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
        std::string_view::npos;
    // "FATAL" has no digit, a state always has.
    const bool has_digit = state.find_first_of("0123456789") != std::string_view::npos;
    if (plain && has_digit) return std::string(state);
  }
  return "";
}

constexpr const char* kUnknown = "…";  // a value that came of a secret
using Keywords = std::map<std::string, std::string>;

// What a uri, or libpq's keywords, say; nothing if that cannot be read.
std::optional<Keywords> keywords_of(const LibpqLibrary& library,
                                    const std::string& uri) {
  char* fault = nullptr;
  PQconninfoOption* options = library.conninfo_parse(uri.c_str(), &fault);
  if (options == nullptr) {
    if (fault != nullptr) library.free_memory(fault);
    return std::nullopt;
  }
  Keywords keywords;
  for (const PQconninfoOption* option = options; option->keyword != nullptr; ++option) {
    const bool is_set = option->val != nullptr && *option->val != '\0';
    if (is_set) keywords[option->keyword] = option->val;
  }
  library.conninfo_free(options);
  return keywords;
}

std::string value_of(const Keywords& keywords, const std::string& key) {
  const auto found = keywords.find(key);
  return found == keywords.end() ? "" : found->second;
}

// A password whose '@' or '/' is not written as %XX ends up in the host, or makes a
// port of what is none.
bool has_address(const Keywords& keywords) {
  return value_of(keywords, "host").find('@', 1) == std::string::npos &&
         value_of(keywords, "port").find_first_not_of("0123456789,") ==
             std::string::npos;
}

Error unreadable() {
  return {ErrorCode::invalid,
          "the connection's uri cannot be read; write "
          "postgresql://user:password@host:port/database, special characters of the "
          "password, and of secrets, as %XX ('@' is %40, '/' is %2F)"};
}

class LibpqConnection final : public Connection {
 public:
  LibpqConnection(const LibpqLibrary& library, PGconn* connection,
                  const ConnectionInfo& info, std::stop_token stop)
      : library_(library),
        connection_(connection),
        info_(info),
        place_(info.place()),
        stop_(std::move(stop)) {}
  ~LibpqConnection() override {
    if (message_ != nullptr) library_.free_memory(message_);
    library_.finish(connection_);
  }
  LibpqConnection(const LibpqConnection&) = delete;
  LibpqConnection& operator=(const LibpqConnection&) = delete;

  Status connect() {
    library_.set_error_verbosity(connection_, PQERRORS_VERBOSE);
    const auto end = std::chrono::steady_clock::now() + kConnectTimeMax;
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    while (next != PGRES_POLLING_OK) {
      if (library_.status(connection_) == CONNECTION_BAD ||
          next == PGRES_POLLING_FAILED) {
        return refused();
      }
      if (std::chrono::steady_clock::now() > end) {
        return Error(ErrorCode::unavailable,
                     place_ + " does not answer (waited " +
                         std::to_string(kConnectTimeMax.count()) + " seconds)");
      }
      LAKEMILL_TRY_OK(
          wait_for(next == PGRES_POLLING_READING ? POLLIN : POLLOUT, kStopInterval));
      next = poll_connecting(next);
    }
    library_.set_error_verbosity(connection_, PQERRORS_DEFAULT);
    return {};
  }

  Result<TextTable> query(
      const std::string& sql,
      const std::vector<std::optional<std::string>>& values) override {
    LAKEMILL_TRY_OK(send_statement(sql, values));
    TextTable table;
    std::optional<Error> failed;
    while (true) {
      LAKEMILL_TRY(PGresult * result, next_result());
      if (result == nullptr) break;
      const ExecStatusType status = library_.result_status(result);
      if (status == PGRES_TUPLES_OK) {
        add_rows(*result, table);
      } else if (status != PGRES_COMMAND_OK && !failed) {
        failed = error_of(*result);
      }
      library_.clear(result);
    }
    if (failed) return *failed;
    return table;
  }

  Status copy_out(const std::string& sql,
                  const std::function<Status(std::string_view)>& take) override {
    LAKEMILL_TRY_OK(begin_copy(sql, PGRES_COPY_OUT));
    Status taken;
    while (true) {
      LAKEMILL_TRY(const auto line, receive_copy());
      if (!line) break;
      if (line->empty()) {
        LAKEMILL_TRY_OK(wait(kStopInterval));
      } else if (taken) {
        taken = take(*line);
        if (!taken) interrupt();
      }
    }
    while (true) {
      LAKEMILL_TRY(PGresult * result, next_result());
      if (result == nullptr) break;
      if (taken && library_.result_status(result) != PGRES_COMMAND_OK) {
        taken = error_of(*result);
      }
      library_.clear(result);
    }
    return taken;
  }

  int server_version() const override { return library_.server_version(connection_); }

  Status start_streaming(const std::string& sql) override {
    return begin_copy(sql, PGRES_COPY_BOTH);
  }

  Result<std::optional<std::string_view>> receive() override {
    LAKEMILL_TRY(const auto message, receive_copy());
    if (!message) return stream_end();
    if (message->empty()) return std::optional<std::string_view>();
    return message;
  }

  Status send(std::string_view message) override {
    const int put = library_.put_copy_data(connection_, message.data(),
                                           static_cast<int>(message.size()));
    if (put != 1 || library_.flush(connection_) < 0) return lost();
    return {};
  }

  Status wait(std::chrono::milliseconds time_max) override {
    LAKEMILL_TRY_OK(wait_for(POLLIN, time_max));
    if (library_.consume_input(connection_) == 0) return lost();
    return {};
  }

  int socket() const override { return library_.socket(connection_); }

 private:
  PostgresPollingStatusType poll_connecting(PostgresPollingStatusType before) {
    pollfd ready{library_.socket(connection_), POLLIN | POLLOUT, 0};
    const int count = ::poll(&ready, 1, 0);
    const auto wanted = before == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    const bool is_ready =
        count > 0 && (ready.revents & (wanted | POLLERR | POLLHUP)) != 0;
    return is_ready ? library_.connect_poll(connection_) : before;
  }

  Status wait_for(int events, std::chrono::milliseconds time_max) {
    const auto end = std::chrono::steady_clock::now() + time_max;
    while (true) {
      if (stop_.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          end - std::chrono::steady_clock::now());
      if (left.count() <= 0) return {};
      pollfd ready{library_.socket(connection_), static_cast<short>(events), 0};
      const int count =
          ::poll(&ready, 1, static_cast<int>(std::min(left, kStopInterval).count()));
      if (count > 0) return {};
      if (count < 0 && errno != EINTR) return lost();
    }
  }

  Status send_statement(const std::string& sql,
                        const std::vector<std::optional<std::string>>& values) {
    std::vector<const char*> texts;
    for (const auto& value : values) texts.push_back(value ? value->c_str() : nullptr);
    // Replication commands know the simple protocol only.
    const int sent = values.empty()
                         ? library_.send_query(connection_, sql.c_str())
                         : library_.send_query_params(
                               connection_, sql.c_str(), static_cast<int>(texts.size()),
                               nullptr, texts.data(), nullptr, nullptr, 0);
    if (sent == 0) return lost();
    return {};
  }

  // Null at the end. A stop cancels the statement.
  Result<PGresult*> next_result() {
    bool interrupted = false;
    while (library_.is_busy(connection_) != 0) {
      const auto waited = wait_for(POLLIN, kStopInterval);
      if (!waited && waited.error().code() != ErrorCode::cancelled) {
        return waited.error();
      }
      if (!waited && !interrupted) {
        interrupt();
        interrupted = true;
      }
      if (!waited) {
        pollfd ready{library_.socket(connection_), POLLIN, 0};
        (void)::poll(&ready, 1, static_cast<int>(kStopInterval.count()));
      }
      if (library_.consume_input(connection_) == 0) return lost();
    }
    return library_.get_result(connection_);
  }

  Status begin_copy(const std::string& sql, ExecStatusType wanted) {
    LAKEMILL_TRY_OK(send_statement(sql, {}));
    LAKEMILL_TRY(PGresult * result, next_result());
    if (result == nullptr) return lost();
    if (library_.result_status(result) == wanted) {
      library_.clear(result);
      return {};
    }
    const Error error = error_of(*result);
    library_.clear(result);
    while (true) {
      LAKEMILL_TRY(PGresult * rest, next_result());
      if (rest == nullptr) return error;
      library_.clear(rest);
    }
  }

  // A piece of copied data; empty: none is there yet; nothing: it has ended.
  Result<std::optional<std::string_view>> receive_copy() {
    if (message_ != nullptr) {
      library_.free_memory(message_);
      message_ = nullptr;
    }
    const int size = library_.get_copy_data(connection_, &message_, 1);
    if (size > 0) {
      return std::optional(std::string_view(message_, static_cast<std::size_t>(size)));
    }
    if (size == 0) return std::optional(std::string_view());
    if (size == -2) return lost();
    return std::optional<std::string_view>();
  }

  // Why the server ended the stream.
  Error stream_end() {
    auto result = next_result();
    if (!result) return result.error();
    if (*result == nullptr) return lost();
    Error error =
        library_.result_status(*result) == PGRES_FATAL_ERROR
            ? error_of(**result)
            : Error(ErrorCode::unavailable, place_ + " ended the replication stream");
    library_.clear(*result);
    return error;
  }

  void interrupt() {
    PGcancel* cancel = library_.get_cancel(connection_);
    if (cancel == nullptr) return;
    std::array<char, 256> message{};
    library_.cancel(cancel, message.data(), static_cast<int>(message.size()));
    library_.free_cancel(cancel);
  }

  void add_rows(const PGresult& result, TextTable& table) const {
    const int columns = library_.column_count(&result);
    for (int row = 0; row < library_.row_count(&result); ++row) {
      auto& values = table.emplace_back();
      for (int column = 0; column < columns; ++column) {
        if (library_.is_null(&result, row, column) != 0) {
          values.emplace_back();
        } else {
          values.emplace_back(std::string(
              library_.value(&result, row, column),
              static_cast<std::size_t>(library_.length(&result, row, column))));
        }
      }
    }
  }

  Error error_of(const PGresult& result) const {
    const auto field = [&](int which) {
      const char* text = library_.result_error_field(&result, which);
      return std::string(text == nullptr ? "" : text);
    };
    if (stop_.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
    const std::string state = field(PG_DIAG_SQLSTATE);
    if (state.empty()) return lost();
    std::string message = place_ + ": " + one_line(field(PG_DIAG_MESSAGE_PRIMARY));
    const std::string detail = one_line(field(PG_DIAG_MESSAGE_DETAIL));
    if (!detail.empty()) message += " (" + detail + ")";
    return {code_of(state), info_.hide(std::move(message))};
  }

  Error lost() const {
    const std::string why = info_.hide(one_line(library_.error_message(connection_)));
    return {ErrorCode::unavailable, "the connection to " + place_ + " was lost" +
                                        (why.empty() ? "" : ": " + why)};
  }

  Error refused() const {
    const std::string message = library_.error_message(connection_);
    const std::string state = state_in(message);
    const std::string text =
        "cannot connect to " + place_ + ": " + info_.hide(one_line(message));
    if (state.empty()) {
      const bool no_password =
          message.find("no password supplied") != std::string::npos;
      return {no_password ? ErrorCode::denied : ErrorCode::unavailable, text};
    }
    return {code_of(state), text};
  }

  const LibpqLibrary& library_;
  PGconn* connection_;
  const ConnectionInfo info_;
  const std::string place_;
  const std::stop_token stop_;
  char* message_ = nullptr;
};

}  // namespace

Result<ConnectionInfo> ConnectionInfo::parse(const std::string& uri,
                                             const std::string& written) {
  LAKEMILL_TRY(const LibpqLibrary* library, libpq());
  const auto keywords = keywords_of(*library, uri);
  if (!keywords || !has_address(*keywords)) return unreadable();
  const auto shown = keywords_of(*library, written);
  ConnectionInfo info;
  for (const auto& [key, value] : *keywords) {
    info.keywords_.emplace_back(key, value);
    if (key == "dbname") info.database_ = value;
    const std::string as_written = shown ? value_of(*shown, key) : kUnknown;
    if (as_written == value || key == "password") continue;
    // A character of the secret has parted the uri.
    if (shown && as_written.find("${secret.") == std::string::npos) return unreadable();
    info.hidden_.emplace_back(value, as_written);
  }
  if (info.database_.empty()) {
    return Error(ErrorCode::invalid,
                 "the connection's uri names no database; write "
                 "postgresql://user:password@host:port/database");
  }
  if (!shown) {
    info.place_ = "the database of " + written;
    info.user_ = kUnknown;
    return info;
  }
  std::string host = value_of(*shown, "host");
  if (host.empty()) host = value_of(*shown, "hostaddr");
  const std::string port = value_of(*shown, "port");
  info.user_ = value_of(*shown, "user");
  info.place_ = "database " + value_of(*shown, "dbname") + " at " +
                (host.empty() ? "localhost" : host) + ":" +
                (port.empty() ? "5432" : port);
  return info;
}

std::string ConnectionInfo::hide(std::string text) const {
  for (const auto& [value, shown] : hidden_) {
    for (std::size_t at = text.find(value); at != std::string::npos;
         at = text.find(value, at + shown.size())) {
      text.replace(at, value.size(), shown);
    }
  }
  return text;
}

Result<std::unique_ptr<Connection>> Connection::open(const ConnectionInfo& info,
                                                     ConnectionPurpose purpose,
                                                     std::stop_token stop) {
  LAKEMILL_TRY(const LibpqLibrary* library, libpq());
  std::vector<const char*> keys;
  std::vector<const char*> values;
  std::string options = kSettings;
  for (const auto& [key, value] : info.keywords()) {
    if (key == "client_encoding" || key == "replication") continue;
    if (key == "options") {
      options = value + " " + options;
      continue;
    }
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  const auto add = [&](const char* key, const char* value) {
    keys.push_back(key);
    values.push_back(value);
  };
  add("client_encoding", "UTF8");
  add("options", options.c_str());
  add("fallback_application_name", "lakemill");
  if (purpose == ConnectionPurpose::replication) add("replication", "database");
  add(nullptr, nullptr);
  PGconn* handle = library->connect_start(keys.data(), values.data(), 0);
  if (handle == nullptr) return Error(ErrorCode::unavailable, "libpq: out of memory");
  auto connection =
      std::make_unique<LibpqConnection>(*library, handle, info, std::move(stop));
  LAKEMILL_TRY_OK(connection->connect());
  return std::unique_ptr<Connection>(std::move(connection));
}

Status Connection::execute(const std::string& sql) {
  LAKEMILL_TRY(const TextTable ignored, query(sql));
  (void)ignored;
  return {};
}

}  // namespace lakemill::sources::postgres
