#include "lakemill/sources/postgres/streamed_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "lakemill/sources/postgres/spool_error.h"

namespace lakemill::sources::postgres {

namespace {

constexpr std::size_t kBufferBytes = 1 << 20;

struct Header {
  std::uint32_t table = 0;
  std::uint32_t index = 0;
  std::uint32_t lacks_values = 0;
  std::uint32_t size = 0;
};

}  // namespace

StreamedFile::~StreamedFile() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink(path_.c_str());
}

void StreamedFile::note(TransactionId part) {
  if (!parts_.empty() && parts_.back().transaction == part) return;
  const bool is_new = place_of_.try_emplace(part, parts_.size()).second;
  if (is_new) parts_.push_back({part, size_, next_index_});
}

void StreamedFile::skip_indexes(TransactionId part, std::uint32_t count) {
  note(part);
  next_index_ += count;
}

Status StreamedFile::append(TransactionId part, const StreamedRow& row) {
  note(part);
  const Header header{row.table, row.index, row.lacks_values ? 1U : 0U,
                      static_cast<std::uint32_t>(row.row.size())};
  const std::size_t before = buffer_.size();
  buffer_.resize(before + sizeof header);
  std::memcpy(buffer_.data() + before, &header, sizeof header);
  buffer_.append(row.row);
  size_ += static_cast<std::int64_t>(buffer_.size() - before);
  if (buffer_.size() >= kBufferBytes) return flush();
  return {};
}

Status StreamedFile::flush() {
  if (file_ < 0) {
    file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file_ < 0) return spool_error(path_);
  }
  return write_out(file_, path_, buffer_, written_);
}

Status StreamedFile::abort(TransactionId part) {
  const auto found = place_of_.find(part);
  if (found == place_of_.end()) return {};  // it changed nothing that was sent
  const std::size_t place = found->second;
  size_ = parts_[place].size;
  next_index_ = parts_[place].index;
  for (std::size_t i = place; i < parts_.size(); ++i) {
    place_of_.erase(parts_[i].transaction);
  }
  parts_.resize(place);
  if (written_ > size_) {
    buffer_.clear();
    written_ = size_;
    if (::ftruncate(file_, size_) != 0) return spool_error(path_);
  } else {
    buffer_.resize(static_cast<std::size_t>(size_ - written_));
  }
  return {};
}

Status StreamedFile::for_each(const std::function<Status(const StreamedRow&)>& take) {
  LAKEMILL_TRY_OK(flush());
  std::int64_t at = 0;
  const auto read = [&](char* to, std::size_t size) -> Status {
    while (size > 0) {
      const ssize_t count = ::pread(file_, to, size, at);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return spool_error(path_);
      at += count;
      to += count;
      size -= static_cast<std::size_t>(count);
    }
    return {};
  };
  std::string chunk;
  std::size_t used = 0;
  const auto need = [&](std::size_t size) -> Status {
    if (chunk.size() - used >= size) return {};
    chunk.erase(0, used);
    used = 0;
    const std::size_t held = chunk.size();
    const std::size_t wanted = std::max(size, kBufferBytes);
    const auto left = static_cast<std::size_t>(size_ - at);
    chunk.resize(held + std::min(wanted - held, left));
    LAKEMILL_TRY_OK(read(chunk.data() + held, chunk.size() - held));
    LAKEMILL_CHECK(chunk.size() >= size);
    return {};
  };
  while (at < size_ || used < chunk.size()) {
    Header header;
    LAKEMILL_TRY_OK(need(sizeof header));
    std::memcpy(&header, chunk.data() + used, sizeof header);
    used += sizeof header;
    LAKEMILL_TRY_OK(need(header.size));
    const StreamedRow row{header.table, header.index, header.lacks_values != 0,
                          std::string_view(chunk).substr(used, header.size)};
    LAKEMILL_TRY_OK(take(row));
    used += header.size;
  }
  return {};
}

}  // namespace lakemill::sources::postgres
