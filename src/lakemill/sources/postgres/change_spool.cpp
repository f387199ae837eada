#include "lakemill/sources/postgres/change_spool.h"

#include <algorithm>

#include <fcntl.h>
#include <unistd.h>

#include "lakemill/formats/text_rows.h"
#include "lakemill/sources/postgres/spool_error.h"

namespace lakemill::sources::postgres {

namespace {

constexpr std::int64_t kSegmentBytes = 64 << 20;
constexpr std::int64_t kBlockBytes = 1 << 20;
constexpr std::size_t kBufferBytes = 1 << 20;
constexpr std::int64_t kGroupRows = 4096;

}  // namespace

ChangeSpool::ChangeSpool(std::string prefix, bool every_commit)
    : prefix_(std::move(prefix)), every_commit_(every_commit) {}

ChangeSpool::~ChangeSpool() {
  for (Segment& segment : segments_) drop(segment);
}

void ChangeSpool::drop(Segment& segment) {
  if (segment.file >= 0) ::close(segment.file);
  ::unlink(segment.path.c_str());
  size_bytes_ -= segment.size;
}

Status ChangeSpool::begin_segment(std::shared_ptr<const TableLayout> layout) {
  LAKEMILL_TRY_OK(flush());
  if (!segments_.empty()) {
    Segment& last = segments_.back();
    last.blocks.insert(last.blocks.end(), open_blocks_.begin(), open_blocks_.end());
    open_blocks_.clear();
  }
  Segment segment;
  segment.path = prefix_ + "-" + std::to_string(++segments_made_);
  segment.layout = std::move(layout);
  segment.file =
      ::open(segment.path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (segment.file < 0) return spool_error(segment.path);
  segments_.push_back(std::move(segment));
  return {};
}

Status ChangeSpool::flush() {
  if (segments_.empty()) return {};
  Segment& segment = segments_.back();
  return write_out(segment.file, segment.path, buffer_, segment.written);
}

Status ChangeSpool::append(const std::shared_ptr<const TableLayout>& layout,
                           std::string_view offset, std::string_view row) {
  const bool fits =
      !segments_.empty() &&
      (segments_.back().layout == layout || *segments_.back().layout == *layout) &&
      segments_.back().size < kSegmentBytes;
  if (!fits) LAKEMILL_TRY_OK(begin_segment(layout));
  Segment& segment = segments_.back();
  const bool begins_block =
      open_blocks_.empty() || open_blocks_.back().size >= kBlockBytes;
  if (begins_block) open_blocks_.push_back({segment.size, 0, 0, 0});
  const std::size_t before = buffer_.size();
  formats::append_text(buffer_, offset);
  buffer_.append(row);
  const auto size = static_cast<std::int64_t>(buffer_.size() - before);
  open_blocks_.back().size += size;
  segment.size += size;
  size_bytes_ += size;
  open_bytes_ += size;
  ++open_rows_;
  if (buffer_.size() >= kBufferBytes) return flush();
  return {};
}

Status ChangeSpool::commit(Lsn commit_lsn) {
  if (open_rows_ == 0) return {};
  // Every block of the transaction, which may lie in several segments, has its commit;
  // small transactions share blocks.
  for (std::size_t i = kept_segments_; i < segments_.size(); ++i) {
    for (Block& block : segments_[i].blocks) {
      if (block.first == 0) block.first = block.last = commit_lsn;
    }
  }
  if (kept_segments_ > 0) {
    for (Block& block : segments_[kept_segments_ - 1].blocks) {
      if (block.first == 0) block.first = block.last = commit_lsn;
    }
  }
  auto& blocks = segments_.back().blocks;
  for (Block block : open_blocks_) {
    block.first = block.last = commit_lsn;
    const bool joins = !blocks.empty() && blocks.back().size < kBlockBytes &&
                       blocks.back().offset + blocks.back().size == block.offset;
    if (joins) {
      blocks.back().size += block.size;
      blocks.back().last = commit_lsn;
    } else {
      blocks.push_back(block);
    }
  }
  open_blocks_.clear();
  const bool joins_mark =
      !every_commit_ && !marks_.empty() && marks_.back().rows < kGroupRows;
  if (joins_mark) {
    marks_.back().commit = commit_lsn;
    marks_.back().rows += open_rows_;
    marks_.back().bytes += open_bytes_;
  } else {
    marks_.push_back({commit_lsn, open_rows_, open_bytes_});
  }
  marked_rows_ += open_rows_;
  marked_bytes_ += open_bytes_;
  open_rows_ = open_bytes_ = 0;
  kept_segments_ = segments_.size();
  kept_size_ = segments_.back().size;
  return {};
}

Status ChangeSpool::take_back() {
  open_blocks_.clear();
  open_rows_ = open_bytes_ = 0;
  while (segments_.size() > kept_segments_) {
    drop(segments_.back());
    segments_.pop_back();
    buffer_.clear();
  }
  if (segments_.empty()) return {};
  Segment& segment = segments_.back();
  std::erase_if(segment.blocks, [](const Block& block) { return block.first == 0; });
  size_bytes_ -= segment.size - kept_size_;
  segment.size = kept_size_;
  if (segment.written > kept_size_) {
    buffer_.clear();
    segment.written = kept_size_;
    if (::ftruncate(segment.file, kept_size_) != 0) return spool_error(segment.path);
  } else {
    buffer_.resize(static_cast<std::size_t>(kept_size_ - segment.written));
  }
  return {};
}

Lsn ChangeSpool::end_of(Lsn from, const SpoolBounds& bounds) const {
  Lsn end = from;
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
  for (const Mark& mark : marks_) {
    if (mark.commit <= from) continue;
    rows += mark.rows;
    bytes += mark.bytes;
    const bool over = (bounds.rows_max > 0 && rows > bounds.rows_max) ||
                      (bounds.bytes_max > 0 && bytes > bounds.bytes_max);
    if (over && end != from) break;
    end = mark.commit;
  }
  return end;
}

bool ChangeSpool::is_full(Lsn from, const SpoolBounds& bounds) const {
  // Asked after every commit: those behind `from`, which may be many, are not counted.
  std::int64_t rows = marked_rows_;
  std::int64_t bytes = marked_bytes_;
  for (const Mark& mark : marks_) {
    if (mark.commit > from) break;
    rows -= mark.rows;
    bytes -= mark.bytes;
  }
  return (bounds.rows_max > 0 && rows >= bounds.rows_max) ||
         (bounds.bytes_max > 0 && bytes >= bounds.bytes_max);
}

std::optional<Lsn> ChangeSpool::first_after(Lsn lsn) const {
  for (const Segment& segment : segments_) {
    for (const Block& block : segment.blocks) {
      if (block.first != 0 && block.last > lsn) return std::max(block.first, lsn + 1);
    }
  }
  return std::nullopt;
}

Result<std::vector<SpoolPart>> ChangeSpool::between(Lsn from, Lsn to) {
  LAKEMILL_TRY_OK(flush());
  std::vector<SpoolPart> parts;
  for (const Segment& segment : segments_) {
    for (const Block& block : segment.blocks) {
      if (block.first == 0 || block.last <= from || block.first > to) continue;
      if (parts.empty() || *parts.back().layout != *segment.layout) {
        parts.push_back({segment.layout, {}});
      }
      parts.back().blocks.push_back({segment.path, block.offset, block.size});
    }
  }
  return parts;
}

void ChangeSpool::release(Lsn lsn) {
  was_asked_ = true;
  while (!marks_.empty() && marks_.front().commit <= lsn) {
    marked_rows_ -= marks_.front().rows;
    marked_bytes_ -= marks_.front().bytes;
    marks_.pop_front();
  }
  // The last segment goes on; one with an open transaction stays.
  while (segments_.size() > 1 && kept_segments_ > 1 &&
         std::all_of(segments_.front().blocks.begin(), segments_.front().blocks.end(),
                     [&](const Block& block) {
                       return block.first != 0 && block.last <= lsn;
                     })) {
    drop(segments_.front());
    segments_.pop_front();
    --kept_segments_;
  }
}

}  // namespace lakemill::sources::postgres
