#include "lakemill/sources/postgres/pgoutput.h"

namespace lakemill::sources::postgres {

namespace {

// Reads big-endian numbers and texts; after the bytes have run out every call gives
// zero, and ok() is false.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  bool at_end() const { return bytes_.empty(); }
  std::size_t size() const { return bytes_.size(); }

  std::uint64_t number(std::size_t size) {
    const std::string_view part = take(size);
    std::uint64_t value = 0;
    for (const char byte : part) {
      value = (value << 8U) | static_cast<unsigned char>(byte);
    }
    return value;
  }
  char letter() {
    const std::string_view part = take(1);
    return part.empty() ? '\0' : part.front();
  }
  std::uint32_t number32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t number64() { return number(8); }

  std::string_view take(std::size_t size) {
    if (size > bytes_.size()) {
      ok_ = false;
      bytes_ = {};
      return {};
    }
    const std::string_view part = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return part;
  }

  // Up to a zero byte.
  std::string_view text() {
    const std::size_t end = bytes_.find('\0');
    if (end == std::string_view::npos) {
      ok_ = false;
      bytes_ = {};
      return {};
    }
    const std::string_view part = bytes_.substr(0, end);
    bytes_.remove_prefix(end + 1);
    return part;
  }

  void fail() { ok_ = false; }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

void read_tuple(ByteReader& reader, Tuple& tuple) {
  tuple.clear();
  const std::size_t count = reader.number(2);
  // Each takes a byte at least: a wrong count costs no memory.
  if (count > reader.size()) {
    reader.fail();
    return;
  }
  tuple.resize(count);
  for (FieldText& field : tuple) {
    const char kind = reader.letter();
    switch (kind) {
      case 'n':
      case 'u':
        field = {static_cast<FieldKind>(kind), {}};
        break;
      case 't':
        field.kind = FieldKind::text;
        field.text = reader.take(reader.number32());
        break;
      default:  // binary values are never asked for
        reader.fail();
        return;
    }
  }
}

void read_relation(ByteReader& reader, RelationMessage& message) {
  message.relation = reader.number32();
  message.schema = reader.text();
  message.table = reader.text();
  if (message.schema.empty()) message.schema = "pg_catalog";
  message.replica_identity = reader.letter();
  const std::size_t count = reader.number(2);
  message.columns.clear();
  for (std::size_t i = 0; i < count && reader.ok(); ++i) {
    RelationColumn column;
    column.is_key = (reader.number(1) & 1U) != 0;
    column.name = reader.text();
    column.type = reader.number32();
    column.modifier = static_cast<std::int32_t>(reader.number32());
    message.columns.push_back(std::move(column));
  }
}

void read_change(ByteReader& reader, ChangeKind kind, RowChange& change) {
  change.kind = kind;
  change.relation = reader.number32();
  change.has_old = OldTuple::none;
  change.old_tuple.clear();
  change.new_tuple.clear();
  char part = reader.letter();
  if (part == 'K' || part == 'O') {
    change.has_old = static_cast<OldTuple>(part);
    read_tuple(reader, change.old_tuple);
    if (kind == ChangeKind::remove) return;
    part = reader.letter();
  }
  if (part != 'N' || kind == ChangeKind::remove) {
    reader.fail();
    return;
  }
  read_tuple(reader, change.new_tuple);
}

void read_truncate(ByteReader& reader, TruncateMessage& message) {
  const std::size_t count = reader.number32();
  (void)reader.number(1);  // CASCADE, RESTART IDENTITY
  if (count > reader.size() / sizeof(Oid)) {
    reader.fail();
    return;
  }
  message.relations.clear();
  for (std::size_t i = 0; i < count; ++i)
    message.relations.push_back(reader.number32());
}

void read_begin(ByteReader& reader, BeginMessage& message) {
  message.commit_lsn = reader.number64();
  (void)reader.number64();  // when it was committed
  message.transaction = reader.number32();
}

void read_commit(ByteReader& reader, CommitMessage& message) {
  (void)reader.number(1);
  message.commit_lsn = reader.number64();
  message.end_lsn = reader.number64();
  (void)reader.number64();
}

void read_stream_commit(ByteReader& reader, StreamCommitMessage& message) {
  message.transaction = reader.number32();
  (void)reader.number(1);
  message.commit_lsn = reader.number64();
  message.end_lsn = reader.number64();
  (void)reader.number64();
}

// The same kind of message as before keeps its memory.
template <typename T>
T& as(Message& message) {
  if (T* held = std::get_if<T>(&message)) return *held;
  return message.emplace<T>();
}

Error damaged(std::string_view bytes) {
  const std::string kind =
      bytes.empty() ? "empty" : "'" + std::string(1, bytes.front()) + "'";
  return Error(ErrorCode::corrupt, "the server sent a replication message (" + kind +
                                       ", " + std::to_string(bytes.size()) +
                                       " bytes) that is no message of pgoutput");
}

}  // namespace

Result<const Message*> PgoutputDecoder::decode(std::string_view bytes) {
  ByteReader reader(bytes);
  const char type = reader.letter();
  const bool has_transaction =
      in_stream_ && std::string_view("RYIUDTM").find(type) != std::string_view::npos;
  const TransactionId transaction = has_transaction ? reader.number32() : 0;
  switch (type) {
    case 'B':
      read_begin(reader, as<BeginMessage>(message_));
      break;
    case 'C':
      read_commit(reader, as<CommitMessage>(message_));
      break;
    case 'R':
      read_relation(reader, as<RelationMessage>(message_));
      break;
    case 'I':
    case 'U':
    case 'D': {
      auto& change = as<RowChange>(message_);
      change.transaction = transaction;
      read_change(reader, static_cast<ChangeKind>(type), change);
      break;
    }
    case 'T': {
      auto& message = as<TruncateMessage>(message_);
      message.transaction = transaction;
      read_truncate(reader, message);
      break;
    }
    case 'S':
      if (in_stream_) return damaged(bytes);
      as<StreamStartMessage>(message_).transaction = reader.number32();
      (void)reader.number(1);  // whether it is the first block
      if (reader.ok()) in_stream_ = true;
      break;
    case 'E':
      if (!in_stream_) return damaged(bytes);
      in_stream_ = false;
      message_ = StreamStopMessage{};
      break;
    case 'c':
      read_stream_commit(reader, as<StreamCommitMessage>(message_));
      break;
    case 'A': {
      auto& message = as<StreamAbortMessage>(message_);
      message.transaction = reader.number32();
      message.subtransaction = reader.number32();
      break;
    }
    case 'Y':
    case 'O':
    case 'M':
      message_ = OtherMessage{};
      return &message_;
    case 'b':
    case 'P':
    case 'K':
    case 'r':
    case 'p':
      return Error(ErrorCode::unsupported,
                   "the server sent a message of a two-phase commit, which was not "
                   "asked for; drop the slot and create it without two_phase");
    default:
      return damaged(bytes);
  }
  if (!reader.ok() || !reader.at_end()) return damaged(bytes);
  return &message_;
}

}  // namespace lakemill::sources::postgres
