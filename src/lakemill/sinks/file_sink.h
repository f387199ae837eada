#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "lakemill/engine/relation.h"
#include "lakemill/sinks/table_sink.h"

namespace lakemill::sinks {

enum class FileSinkKind : std::uint8_t {
  single,            ///< one file, replaced as a whole
  folder_of_batches  ///< one file per batch, named by flow, generation and N
};

struct FileSinkSpec {
  std::string url;
  engine::FileFormat format = engine::FileFormat::parquet;
  FileSinkKind kind = FileSinkKind::single;
  std::map<std::string, std::string> options;
  std::string adopt_app_id;  ///< take over the folder from this flow, or empty
  bool shared = false;       ///< several flows write to the folder
};

/// Files that are not Delta as a sink. Of a single file the last batch is unknown
/// (nothing); of a folder it is told by the file names.
std::unique_ptr<Sink> make_file_sink(FileSinkSpec spec, SinkServices services);

/// True for the name of a file that a folder_of_batches makes, whichever flow's it is:
/// a folder may hold files that are none of its.
bool is_batch_file(std::string_view name, engine::FileFormat format);

}  // namespace lakemill::sinks
