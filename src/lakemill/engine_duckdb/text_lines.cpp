// DuckDB's reader of CSV takes one kind of line end per file and no NUL, so text has a
// reader of its own: a block at a time, a line may go on in the next one.

#include "lakemill/engine_duckdb/text_lines.h"

#include <atomic>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/marked_files.h"
#include "lakemill/engine_duckdb/reader_error.h"

namespace lakemill::engine_duckdb {

namespace {

constexpr const char* kFunction = "lakemill_text_lines";
constexpr std::size_t kBlockBytes = std::size_t{1} << 20;

struct LinesData final : duckdb::TableFunctionData {
  std::vector<std::string> urls;
  std::size_t line_bytes_max = 0;
  duckdb::FileCompressionType compression = duckdb::FileCompressionType::AUTO_DETECT;
};

struct GlobalLines final : duckdb::GlobalTableFunctionState {
  std::size_t files = 0;
  std::atomic<std::size_t> next_file{0};

  duckdb::idx_t MaxThreads() const override { return std::max<std::size_t>(1, files); }
};

struct LocalLines final : duckdb::LocalTableFunctionState {
  duckdb::unique_ptr<duckdb::FileHandle> file;
  std::size_t index = 0;
  std::string bytes;       // what is read and not yet handed on
  std::size_t begin = 0;   // of it
  std::int64_t line = 0;   // that was handed on last
  bool is_at_end = false;  // of the file
};

duckdb::unique_ptr<duckdb::FunctionData> bind_lines(
    duckdb::ClientContext& /*context*/, duckdb::TableFunctionBindInput& input,
    duckdb::vector<duckdb::LogicalType>& types, duckdb::vector<std::string>& names) {
  auto data = duckdb::make_uniq<LinesData>();
  for (const duckdb::Value& url : duckdb::ListValue::GetChildren(input.inputs[0])) {
    data->urls.push_back(url.ToString());
  }
  data->compression = duckdb::FileCompressionTypeFromString(input.inputs[1].ToString());
  data->line_bytes_max =
      static_cast<std::size_t>(input.inputs[2].GetValue<std::int64_t>());
  names = {"value", "filename", "file_index"};
  types = {duckdb::LogicalType::VARCHAR, duckdb::LogicalType::VARCHAR,
           duckdb::LogicalType::UBIGINT};
  return data;
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> begin_scan(
    duckdb::ClientContext& /*context*/, duckdb::TableFunctionInitInput& input) {
  auto scan = duckdb::make_uniq<GlobalLines>();
  scan->files = input.bind_data->Cast<LinesData>().urls.size();
  return scan;
}

duckdb::unique_ptr<duckdb::LocalTableFunctionState> begin_local_scan(
    duckdb::ExecutionContext& /*context*/, duckdb::TableFunctionInitInput& /*input*/,
    duckdb::GlobalTableFunctionState* /*global*/) {
  return duckdb::make_uniq<LocalLines>();
}

void read_block(LocalLines& local) {
  local.bytes.erase(0, local.begin);
  local.begin = 0;
  const std::size_t kept = local.bytes.size();
  local.bytes.resize(kept + kBlockBytes);
  const auto read = local.file->Read(local.bytes.data() + kept, kBlockBytes);
  local.bytes.resize(kept + static_cast<std::size_t>(std::max<std::int64_t>(0, read)));
  local.is_at_end = read <= 0;
}

// Opens the next file that nobody has; false at the end.
bool next_file(duckdb::ClientContext& context, const LinesData& data,
               GlobalLines& global, LocalLines& local) {
  local.index = global.next_file.fetch_add(1);
  if (local.index >= data.urls.size()) return false;
  auto flags = duckdb::FileFlags::FILE_FLAGS_READ;
  flags.SetCompression(data.compression);
  local.file = duckdb::FileSystem::GetFileSystem(context).OpenFile(
      data.urls[local.index], flags);
  local.bytes.clear();
  local.begin = 0;
  local.line = 0;
  local.is_at_end = false;
  while (local.bytes.size() < kByteOrderMark.size() && !local.is_at_end) {
    read_block(local);
  }
  if (local.bytes.starts_with(kByteOrderMark)) local.begin = kByteOrderMark.size();
  return true;
}

// The next line without its end, which stays where it is until the next call; false at
// the end of the file.
bool take_line(const LinesData& data, LocalLines& local, std::string_view& line) {
  std::size_t end = local.begin;
  while (true) {
    end = local.bytes.find_first_of("\r\n", end);
    // A line feed may follow a carriage return in the next block.
    const bool is_whole = end != std::string::npos &&
                          (local.bytes[end] == '\n' || end + 1 < local.bytes.size());
    if (is_whole || local.is_at_end) break;
    const std::size_t seen =
        (end == std::string::npos ? local.bytes.size() : end) - local.begin;
    if (seen > data.line_bytes_max) {
      throw duckdb::InvalidInputException(
          "file %s, line %d: it is longer than %d bytes; %s", data.urls[local.index],
          local.line + 1, data.line_bytes_max, std::string(kLongerLines));
    }
    read_block(local);
    end = local.begin + seen;
  }
  if (local.begin == local.bytes.size()) return false;
  const std::string_view all(local.bytes);
  const std::size_t length = std::min(end, all.size()) - local.begin;
  line = all.substr(local.begin, length);
  local.begin += length;
  if (all.substr(local.begin).starts_with("\r\n")) ++local.begin;
  if (local.begin < all.size()) ++local.begin;
  ++local.line;
  if (!duckdb::Value::StringIsValid(line.data(), line.size())) {
    throw duckdb::InvalidInputException(
        "file %s, line %d: it is not UTF-8; say which encoding the file has (option "
        "encoding, for example latin-1)",
        data.urls[local.index], local.line);
  }
  return true;
}

void scan_lines(duckdb::ClientContext& context, duckdb::TableFunctionInput& call,
                duckdb::DataChunk& output) {
  const auto& data = call.bind_data->Cast<LinesData>();
  auto& global = call.global_state->Cast<GlobalLines>();
  auto& local = call.local_state->Cast<LocalLines>();
  duckdb::idx_t count = 0;
  std::string_view line;
  // A chunk is of one file: its rows have one partition.
  while (count == 0) {
    if (!local.file && !next_file(context, data, global, local)) break;
    while (count < STANDARD_VECTOR_SIZE && take_line(data, local, line)) {
      duckdb::FlatVector::GetData<duckdb::string_t>(output.data[0])[count++] =
          duckdb::StringVector::AddString(output.data[0], line.data(), line.size());
    }
    if (count < STANDARD_VECTOR_SIZE) local.file.reset();
  }
  output.data[1].Reference(count == 0 ? duckdb::Value("")
                                      : duckdb::Value(data.urls[local.index]));
  output.data[2].Reference(duckdb::Value::UBIGINT(local.index));
  output.SetCardinality(count);
}

duckdb::OperatorPartitionData partition_of(
    duckdb::ClientContext& /*context*/, duckdb::TableFunctionGetPartitionInput& input) {
  return duckdb::OperatorPartitionData(input.local_state->Cast<LocalLines>().index);
}

}  // namespace

void register_text_lines(duckdb::Connection& connection) {
  auto& context = *connection.context;
  duckdb::TableFunction lines(
      kFunction,
      {duckdb::LogicalType::LIST(duckdb::LogicalType::VARCHAR),
       duckdb::LogicalType::VARCHAR, duckdb::LogicalType::BIGINT},
      scan_lines, bind_lines, begin_scan, begin_local_scan);
  lines.get_partition_data = partition_of;
  duckdb::CreateTableFunctionInfo info(std::move(lines));
  duckdb::Catalog::GetSystemCatalog(context).CreateTableFunction(context, info);
}

}  // namespace lakemill::engine_duckdb
