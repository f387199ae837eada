#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/base/json.h"
#include "lakemill/engine/relation.h"

namespace lakemill::sources {

/// A position in a source's log: JSON that only its source understands, written into
/// plans, compared for equality. Null is before the first entry.
using Offset = Json;

/// Something that a batch noticed and that people should know of.
struct Notice {
  enum class Kind : std::uint8_t {
    file_changed,
    file_vanished,
    adopted,
    set_aside,
    upkeep_failed,
    begins_late,
    foreign_rows_replaced
  };
  Kind kind = Kind::file_changed;
  std::string subject;  ///< the file, or the table
  std::string message;
};

/// What a source holds that no batch has covered. What is not known is left empty.
struct Lag {
  std::string position;  ///< of the last batch, as people read it
  std::string end;       ///< of the source
  std::string unit;      ///< of `entries`: "files", "versions"; or empty
  std::optional<std::int64_t> entries;
  std::optional<std::int64_t> rows;
  std::optional<std::int64_t> bytes;
  std::optional<Instant> oldest;  ///< since when the first of it waits
};

/// A part of a slice that can be left out by itself.
struct Piece {
  std::string subject;   ///< the file
  std::string position;  ///< its `_source_offset`
  Offset from;           ///< read(from, to) gives the piece alone
  Offset to;
  std::int64_t size_bytes = 0;
};

/// Rows of a slice that are read in one way.
struct SlicePart {
  engine::Relation relation;
  std::string select_list;  ///< SQL over it: the columns, the same in every part
  std::string condition;    ///< which of its rows; empty: all
};

/// What `from..to` of a source is, for an engine.
struct Slice {
  engine::Relation relation;
  /// SQL over the relation's hidden columns: the text of `_source_offset`, which sorts
  /// as the source does, and of `_source_file`; NULL where there is none. {batch}
  /// stands for the batch's number.
  std::string source_offset_sql;
  std::string source_file_sql;
  /// Likewise: what orders the changes of a key where the pipeline names no column.
  /// Equal for rows that have no order among each other. Source: language.md,
  /// section 5.
  std::string sequence_sql;
  bool empty = false;  ///< known to hold no row
  /// If there are any, they stand for `relation`, one after the other.
  std::vector<SlicePart> parts = {};
};

/// An outside log as the one path sees it: where it ends, and what lies between two
/// offsets. Decides nothing and writes nothing but the numbering of its own arrivals.
///
/// Not thread-safe; owned by one flow.
class Source {
 public:
  virtual ~Source() = default;

  /// True if a batch covers what came after the last one; false if it covers
  /// everything.
  virtual bool incremental() const = 0;

  /// The newest offset. With `from` (the cursor of an incremental source) not beyond
  /// the source's bound per batch. Errors: not_found, denied, unavailable; invalid if
  /// the log no longer goes back to `from`.
  virtual Result<Offset> latest(const Offset& from) = 0;

  /// The rows after `from` up to `to`; a source read as a whole takes `to` alone. Equal
  /// for equal offsets. Errors: invalid, naming what changed or is gone since it was
  /// planned.
  virtual Result<Slice> read(const Offset& from, const Offset& to) = 0;

  /// Whether read() would find what lies between as it was planned, without reading it.
  /// Errors: invalid, as read(); those of the store.
  virtual Status check(const Offset& from, const Offset& to) {
    (void)from, (void)to;
    return {};
  }

  /// After read(): whether what lies between is still what it was, so that no row of
  /// anything else can have been read. Errors: invalid, as read(); those of the store.
  virtual Status recheck(const Offset& from, const Offset& to) {
    (void)from, (void)to;
    return {};
  }

  /// The pieces of a slice, in order; none where nothing can be left out. Errors: as
  /// read().
  virtual Result<std::vector<Piece>> pieces(const Offset& from, const Offset& to) {
    (void)from, (void)to;
    return std::vector<Piece>();
  }

  /// `to` without some of the pieces of its slice: neither this slice nor a later one
  /// has their rows, unless they are not what they were.
  virtual Offset without(const Offset& to, const std::vector<Piece>& left_out) {
    (void)left_out;
    return to;
  }

  /// What waits behind `from`. Writes nothing, numbers nothing. Errors: those of the
  /// outside log.
  virtual Result<Lag> lag(const Offset& from) {
    (void)from;
    return Lag();
  }

  /// True if what is read at `now` are the rows that were read at `before`, and no row
  /// lies between the two. False where that cannot be told.
  virtual bool same_rows(const Offset& before, const Offset& now) {
    return before == now;
  }

  /// Files whose columns stand for those of an empty slice that ends at `to`; nothing
  /// if the slice tells its columns by itself, or nothing is left that could. Errors:
  /// those of the store.
  virtual Result<std::optional<engine::FilesRelation>> sample(const Offset& to) {
    (void)to;
    return std::optional<engine::FilesRelation>();
  }

  /// Every sink holds what lies before `to`: the source need not be able to give it
  /// again. Errors: those of the source; the batch stands all the same.
  virtual Status acknowledge(const Offset& to) {
    (void)to;
    return {};
  }

  /// What latest() noticed, each once.
  virtual std::vector<Notice> take_notices() { return {}; }
};

}  // namespace lakemill::sources
