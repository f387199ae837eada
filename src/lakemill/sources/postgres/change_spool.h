#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/engine/relation.h"
#include "lakemill/sources/postgres/column_types.h"
#include "lakemill/sources/postgres/lsn.h"

namespace lakemill::sources::postgres {

/// Rows of one layout among the rows of a spool.
struct SpoolPart {
  std::shared_ptr<const TableLayout> layout;
  std::vector<engine::TextRowsBlock> blocks;
};

struct SpoolBounds {
  std::int64_t rows_max = 0;   ///< 0: no bound
  std::int64_t bytes_max = 0;  ///< likewise
};

/// The committed changes of one table on their way to its reader: rows of
/// formats/text_rows.h in local files, in the order of their commits. Can be made again
/// from the server, so nothing is synced to disk.
///
/// Rows of a transaction are appended, then committed; what a broken connection left
/// unfinished is taken back. Not thread-safe.
class ChangeSpool {
 public:
  /// `prefix`: path of the files, made longer by a number. With `every_commit`,
  /// end_of() can tell each commit from the next; else it knows groups of thousands of
  /// rows.
  ChangeSpool(std::string prefix, bool every_commit);
  ~ChangeSpool();
  ChangeSpool(const ChangeSpool&) = delete;
  ChangeSpool& operator=(const ChangeSpool&) = delete;

  /// `row` without its first column, the offset. Errors: unavailable (disk).
  Status append(const std::shared_ptr<const TableLayout>& layout,
                std::string_view offset, std::string_view row);
  Status commit(Lsn commit_lsn);
  Status take_back();

  /// The commit at which a batch that begins after `from` ends: within the bounds, but
  /// at least one commit. `from` if there is nothing behind it.
  Lsn end_of(Lsn from, const SpoolBounds& bounds) const;
  /// Whether a batch after `from` has reached its bounds already. Quick where release()
  /// has come up to `from`.
  bool is_full(Lsn from, const SpoolBounds& bounds) const;
  /// The first commit after `lsn` that is here; nothing if there is none.
  std::optional<Lsn> first_after(Lsn lsn) const;

  /// What holds all rows with `from` < commit <= `to`, and maybe some others.
  /// Errors: unavailable (disk).
  Result<std::vector<SpoolPart>> between(Lsn from, Lsn to);

  /// Rows up to `lsn` are not needed any more.
  void release(Lsn lsn);
  std::int64_t size_bytes() const { return size_bytes_; }
  /// Nobody has asked for anything yet.
  bool is_idle() const { return !was_asked_; }

 private:
  struct Block {
    std::int64_t offset = 0;
    std::int64_t size = 0;
    Lsn first = 0;  // the lowest commit in it
    Lsn last = 0;
  };
  struct Segment {
    std::string path;
    std::shared_ptr<const TableLayout> layout;
    int file = -1;
    std::int64_t size = 0;     // the buffered bytes too
    std::int64_t written = 0;  // in the file
    std::vector<Block> blocks;
  };
  struct Mark {
    Lsn commit = 0;
    std::int64_t rows = 0;
    std::int64_t bytes = 0;
  };

  Status begin_segment(std::shared_ptr<const TableLayout> layout);
  Status flush();
  void drop(Segment& segment);

  const std::string prefix_;
  const bool every_commit_;
  bool was_asked_ = false;
  int segments_made_ = 0;
  std::deque<Segment> segments_;
  std::string buffer_;  // the end of the last segment
  std::deque<Mark> marks_;
  std::int64_t marked_rows_ = 0;  // of all marks
  std::int64_t marked_bytes_ = 0;
  std::int64_t size_bytes_ = 0;

  // The transaction that is being appended, and where it began.
  std::int64_t open_rows_ = 0;
  std::int64_t open_bytes_ = 0;
  std::size_t kept_segments_ = 0;
  std::int64_t kept_size_ = 0;
  std::vector<Block> open_blocks_;  // of the last segment, not yet told to it
};

}  // namespace lakemill::sources::postgres
