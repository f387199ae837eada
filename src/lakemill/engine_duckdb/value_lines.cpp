#include "lakemill/engine_duckdb/value_lines.h"

#include <algorithm>

#include "lakemill/base/guard.h"
#include "lakemill/engine_duckdb/duckdb_headers.h"

namespace lakemill::engine_duckdb {

std::string bytes_to_search(duckdb::ClientContext& context, const std::string& url) {
  constexpr std::size_t kBytesMax = std::size_t{256} << 20U;
  constexpr std::size_t kBlockBytes = std::size_t{1} << 20U;
  std::string bytes;
  const auto read = guard("read " + url, [&] {
    const auto file = duckdb::FileSystem::GetFileSystem(context).OpenFile(
        url, duckdb::FileFlags::FILE_FLAGS_READ |
                 duckdb::FileOpenFlags(duckdb::FileCompressionType::AUTO_DETECT));
    for (std::int64_t count = 1; count > 0 && bytes.size() <= kBytesMax;) {
      const std::size_t before = bytes.size();
      bytes.resize(before + kBlockBytes);
      count = file->Read(bytes.data() + before, kBlockBytes);
      bytes.resize(before + static_cast<std::size_t>(std::max<std::int64_t>(count, 0)));
    }
  });
  if (!read) return "";  // an error is being told of already: without its line then
  return bytes.size() > kBytesMax ? "" : bytes;
}

void give_lines(duckdb::DataChunk& input, duckdb::ExpressionState& state,
                duckdb::Vector& result, const LineSearch& search) {
  std::string url;
  std::string bytes;
  for (duckdb::idx_t row = 0; row < input.size(); ++row) {
    const std::string file = input.GetValue(0, row).ToString();
    if (file != url) bytes = bytes_to_search(state.GetContext(), file);
    url = file;
    const auto line = search(bytes, row);
    result.SetValue(row, duckdb::Value(line ? ", line " + std::to_string(*line) : ""));
  }
}

}  // namespace lakemill::engine_duckdb
