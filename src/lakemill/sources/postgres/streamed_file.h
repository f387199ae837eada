#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lakemill/sources/postgres/pgoutput.h"

namespace lakemill::sources::postgres {

/// A row of a transaction that is not committed yet.
struct StreamedRow {
  std::uint32_t table = 0;  ///< the writer's number
  std::uint32_t index = 0;  ///< in the transaction
  bool lacks_values = false;
  std::string_view row;
};

/// The rows of one transaction in progress, on disk; the file goes with its owner. What
/// a subtransaction did since it began is taken back when it aborts: by then all that
/// came after its first row is its own, or its children's.
///
/// Not thread-safe.
class StreamedFile {
 public:
  explicit StreamedFile(std::string path) : path_(std::move(path)) {}
  ~StreamedFile();
  StreamedFile(const StreamedFile&) = delete;
  StreamedFile& operator=(const StreamedFile&) = delete;

  /// Errors of all calls: unavailable (disk).
  Status append(TransactionId part, const StreamedRow& row);
  Status abort(TransactionId part);
  /// The index of the next change: moves by what a change takes.
  std::uint32_t next_index() const { return next_index_; }
  void skip_indexes(TransactionId part, std::uint32_t count);
  Status for_each(const std::function<Status(const StreamedRow&)>& take);

 private:
  struct Part {
    TransactionId transaction = 0;
    std::int64_t size = 0;
    std::uint32_t index = 0;
  };

  void note(TransactionId part);
  Status flush();

  const std::string path_;
  int file_ = -1;
  std::int64_t size_ = 0;     // the buffered bytes too
  std::int64_t written_ = 0;  // in the file
  std::string buffer_;
  std::uint32_t next_index_ = 0;
  std::vector<Part> parts_;  // where each subtransaction began, in that order
  std::unordered_map<TransactionId, std::size_t> place_of_;  // in parts_
};

}  // namespace lakemill::sources::postgres
