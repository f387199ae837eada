// Gzip streams as DuckDB reads them, held against their trailers: each member of a
// stream ends with the CRC-32 and the size of what it holds.

#include "lakemill/engine_duckdb/gzip_files.h"

#include <duckdb/common/gzip_file_system.hpp>

#include "lakemill/delta/crc32.h"
#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/error_mapping.h"
#include "lakemill/engine_duckdb/marked_files.h"

namespace lakemill::engine_duckdb {
namespace {

using duckdb::CompressedFile;
using duckdb::FileHandle;
using duckdb::QueryContext;
using duckdb::StreamData;

[[noreturn]] void refuse(const std::string& path, const std::string& what) {
  throw_error(
      Error(ErrorCode::corrupt, "file " + with_plain_paths(path) + ": " + what));
}

[[noreturn]] void refuse_end(const std::string& path) {
  refuse(path,
         "the file ends in the middle of its gzip stream; write it anew, whole, and "
         "under its name only when it is");
}

std::uint32_t little_endian(const duckdb::data_t* bytes) {
  std::uint32_t number = 0;
  for (int i = 3; i >= 0; --i) number = (number << 8U) | bytes[i];
  return number;
}

class CheckedFile final : public CompressedFile {
 public:
  using CompressedFile::CompressedFile;

  duckdb::FileCompressionType GetFileCompressionType() override {
    return duckdb::FileCompressionType::GZIP;
  }

  void begin_member() {
    checksum_ = 0;
    size_ = 0;
  }
  void add(std::string_view bytes) {
    checksum_ = delta::crc32(bytes, checksum_);
    size_ += static_cast<std::uint32_t>(bytes.size());  // modulo 2^32, as gzip has it
  }
  /// The trailer of a member stands where its stream has ended.
  void check_trailer() const {
    const auto* trailer = stream_data.in_buff_start;
    if (stream_data.in_buff_end - trailer < duckdb::GZIP_FOOTER_SIZE) refuse_end(path);
    if (little_endian(trailer) != checksum_ || little_endian(trailer + 4) != size_) {
      refuse(path, "its gzip stream is not what its checksum says; write it anew");
    }
  }

  bool ended = false;  ///< behind the last member

 private:
  std::uint32_t checksum_ = 0;
  std::uint32_t size_ = 0;
};

class CheckedStream final : public duckdb::StreamWrapper {
 public:
  explicit CheckedStream(duckdb::unique_ptr<StreamWrapper> inner)
      : inner_(std::move(inner)) {}

  void Initialize(QueryContext context, CompressedFile& file, bool write) override {
    file_ = &file.Cast<CheckedFile>();
    file_->begin_member();
    file_->ended = false;
    guarded([&] {
      inner_->Initialize(context, file, write);
      return false;
    });
  }
  bool Read(StreamData& stream) override {
    if (stream.refresh) {
      file_->check_trailer();
      file_->begin_member();
    }
    const auto* begin = stream.out_buff_end;
    file_->ended = guarded([&] { return inner_->Read(stream); });
    const auto size = static_cast<std::size_t>(stream.out_buff_end - begin);
    file_->add({reinterpret_cast<const char*>(begin), size});
    return file_->ended;
  }
  void Write(CompressedFile& file, StreamData& stream, duckdb::data_ptr_t buffer,
             std::int64_t size) override {
    inner_->Write(file, stream, buffer, size);
  }
  void Close() override { inner_->Close(); }

 private:
  template <typename Call>
  bool guarded(const Call& call) const {
    try {
      return call();
    } catch (const duckdb::IOException& exception) {
      const std::string message = duckdb::ErrorData(exception).RawMessage();
      const bool is_broken = message.find("GZIP") != std::string::npos ||
                             message.find("gzip") != std::string::npos;
      if (!is_broken) throw;
      refuse(file_->path, "it is no gzip stream, or a broken one; write it anew");
    }
  }

  duckdb::unique_ptr<StreamWrapper> inner_;
  CheckedFile* file_ = nullptr;
};

class CheckedGzip final : public duckdb::GZipFileSystem {
 public:
  duckdb::unique_ptr<FileHandle> OpenCompressedFile(
      QueryContext context, duckdb::unique_ptr<FileHandle> handle,
      bool write) override {
    if (write) {
      return GZipFileSystem::OpenCompressedFile(context, std::move(handle), write);
    }
    const std::string path = handle->path;
    auto file = duckdb::make_uniq<CheckedFile>(*this, std::move(handle), path);
    file->Initialize(context, write);
    return file;
  }
  duckdb::unique_ptr<duckdb::StreamWrapper> CreateStream() override {
    return duckdb::make_uniq<CheckedStream>(GZipFileSystem::CreateStream());
  }

  std::int64_t Read(FileHandle& handle, void* buffer, std::int64_t size) override {
    const std::int64_t count = GZipFileSystem::Read(handle, buffer, size);
    auto& file = handle.Cast<CheckedFile>();
    if (count == size || file.ended) return count;
    // All bytes are read; only those of a trailer may be left.
    if (!file.stream_data.refresh) refuse_end(file.path);
    file.check_trailer();
    file.ended = true;
    return count;
  }
};

}  // namespace

void check_gzip_files(duckdb::DatabaseInstance& database) {
  duckdb::FileSystem::GetFileSystem(database).RegisterSubSystem(
      duckdb::FileCompressionType::GZIP, duckdb::make_uniq<CheckedGzip>());
}

}  // namespace lakemill::engine_duckdb
