#include "lakemill/sources/postgres/replication_stream.h"

#include <algorithm>

#include "lakemill/base/text.h"

namespace lakemill::sources::postgres {

namespace {

constexpr int kStreamingVersion = 140000;  // protocol 2
constexpr std::size_t kDataHeader = 1 + 8 + 8 + 8;
constexpr std::size_t kKeepaliveSize = 1 + 8 + 8 + 1;

std::uint64_t number64(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    value = (value << 8U) | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

void append64(std::string& bytes, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    bytes += static_cast<char>((value >> static_cast<unsigned>(shift)) & 0xFFU);
  }
}

}  // namespace

Result<std::unique_ptr<ReplicationStream>> ReplicationStream::start(
    std::unique_ptr<Connection> connection, const Options& options,
    ChangeWriter& writer) {
  const bool streams = connection->server_version() >= kStreamingVersion;
  const std::string statement =
      "START_REPLICATION SLOT " + quote_identifier(options.slot) + " LOGICAL " +
      to_text(options.from) + " (proto_version " + (streams ? "'2'" : "'1'") +
      ", publication_names " + quote_literal(quote_identifier(options.publication)) +
      (streams ? ", streaming 'on')" : ")");
  LAKEMILL_TRY_OK(connection->start_streaming(statement));
  return std::unique_ptr<ReplicationStream>(
      new ReplicationStream(std::move(connection), options.from, writer));
}

Status ReplicationStream::take_message(std::string_view message) {
  const char kind = message.empty() ? '\0' : message.front();
  if (kind == 'w' && message.size() >= kDataHeader) {
    LAKEMILL_TRY(const Message* decoded, decoder_.decode(message.substr(kDataHeader)));
    LAKEMILL_TRY_OK(writer_.take(*decoded));
    if (writer_.end_lsn() > processed_) processed_ = writer_.end_lsn();
    idle_answers_ = 0;
    return {};
  }
  if (kind == 'k' && message.size() >= kKeepaliveSize) {
    const Lsn end = number64(message.substr(1));
    ++answers_;
    // A server that begins to read tells positions of before the slot's.
    idle_answers_ = end == told_ ? idle_answers_ + 1 : 0;
    told_ = end;
    // Inside a transaction the position says nothing of what has come of it.
    if (!writer_.in_transaction() && end > processed_) processed_ = end;
    must_answer_ = must_answer_ || message[kKeepaliveSize - 1] != 0;
    return {};
  }
  return Error(ErrorCode::corrupt,
               "the server sent something that is no part of a replication stream");
}

Result<bool> ReplicationStream::take(const std::function<bool()>& enough) {
  bool any = false;
  while (true) {
    LAKEMILL_TRY(const auto message, connection_->receive());
    if (!message) break;
    any = true;
    LAKEMILL_TRY_OK(take_message(*message));
    if (must_answer_) LAKEMILL_TRY_OK(report(confirmed_, false));
    if (!writer_.in_transaction() && enough()) break;
  }
  return any;
}

Status ReplicationStream::report(Lsn confirmed, bool wants_answer) {
  confirmed_ = std::max(confirmed_, confirmed);
  must_answer_ = false;
  std::string message = "r";
  append64(message, std::max(processed_, confirmed_));
  append64(message, confirmed_);
  append64(message, confirmed_);
  append64(message, 0);  // the clock of this machine, which the server only shows
  message += wants_answer ? '\1' : '\0';
  return connection_->send(message);
}

}  // namespace lakemill::sources::postgres
