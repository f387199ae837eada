#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lakemill/base/result.h"
#include "lakemill/sources/postgres/lsn.h"

// The messages of pgoutput, PostgreSQL's own logical decoding plugin, protocols 1
// and 2. Source: PostgreSQL documentation, "Logical Replication Message Formats".

namespace lakemill::sources::postgres {

using Oid = std::uint32_t;
using TransactionId = std::uint32_t;

struct BeginMessage {
  Lsn commit_lsn = 0;
  TransactionId transaction = 0;
};

struct CommitMessage {
  Lsn commit_lsn = 0;
  Lsn end_lsn = 0;
};

struct RelationColumn {
  std::string name;
  Oid type = 0;
  std::int32_t modifier = -1;
  bool is_key = false;  ///< of the replica identity

  bool operator==(const RelationColumn&) const = default;
};

struct RelationMessage {
  Oid relation = 0;
  std::string schema;
  std::string table;
  char replica_identity = 'd';  ///< d(efault), n(othing), f(ull), i(ndex)
  std::vector<RelationColumn> columns;

  bool operator==(const RelationMessage&) const = default;
};

enum class FieldKind : char { null = 'n', unchanged = 'u', text = 't' };

/// A value of a tuple; its text points into the message.
struct FieldText {
  FieldKind kind = FieldKind::null;
  std::string_view text;
};

using Tuple = std::vector<FieldText>;

enum class ChangeKind : char { insert = 'I', update = 'U', remove = 'D' };

/// What stands before the new tuple of an update, or is all of a delete.
enum class OldTuple : char { none = 0, key = 'K', full = 'O' };

struct RowChange {
  ChangeKind kind = ChangeKind::insert;
  TransactionId transaction = 0;  ///< of the (sub)transaction, in a streamed block
  Oid relation = 0;
  OldTuple has_old = OldTuple::none;
  Tuple old_tuple;
  Tuple new_tuple;  ///< empty for a delete
};

struct TruncateMessage {
  TransactionId transaction = 0;
  std::vector<Oid> relations;
};

/// A block of changes of a transaction that is still in progress begins.
struct StreamStartMessage {
  TransactionId transaction = 0;
};
struct StreamStopMessage {};
struct StreamCommitMessage {
  TransactionId transaction = 0;
  Lsn commit_lsn = 0;
  Lsn end_lsn = 0;
};
struct StreamAbortMessage {
  TransactionId transaction = 0;
  TransactionId subtransaction = 0;  ///< the same: all of it
};

/// One that tells nothing about rows: type names, origins, messages of applications.
struct OtherMessage {};

using Message =
    std::variant<OtherMessage, BeginMessage, CommitMessage, RelationMessage, RowChange,
                 TruncateMessage, StreamStartMessage, StreamStopMessage,
                 StreamCommitMessage, StreamAbortMessage>;

/// Takes messages apart. Pure but for its memory of whether a streamed block is open,
/// which changes how messages look; the tuples of the last message are used again.
///
/// Not thread-safe.
class PgoutputDecoder {
 public:
  /// What it gives is valid, and its texts point into `bytes`, until the next call.
  /// Errors: corrupt (any bytes are safe to give), unsupported (a message that this
  /// protocol version does not have).
  Result<const Message*> decode(std::string_view bytes);

  /// Forgets an open block: the stream begins anew.
  void reset() { in_stream_ = false; }

 private:
  bool in_stream_ = false;
  Message message_;
};

}  // namespace lakemill::sources::postgres
