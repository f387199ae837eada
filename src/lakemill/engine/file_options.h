#pragma once

#include <cstdint>
#include <string_view>

#include "lakemill/base/result.h"
#include "lakemill/engine/relation.h"

namespace lakemill::engine {

/// What an option of a reader or writer of files is about.
enum class FileOption : std::uint8_t {
  delimiter,
  quote,
  escape,
  comment,
  encoding,
  null_values,  ///< a text, or a JSON list of texts
  skip_rows,
  decimal,
  compression,
  date_format,
  timestamp_format,
  header,
  infer_schema,
  object_size_max,
  line_size_max,
  row_group_size,
  nothing,  ///< true of our readers whatever it says
};

std::string_view format_name(FileFormat format);

/// The option that reader_kwargs or writer_kwargs name, as Spark, Polars or pandas
/// name it; case aside. Errors: invalid (not known for the format: says which are).
Result<FileOption> reader_option(FileFormat format, std::string_view name);
Result<FileOption> writer_option(FileFormat format, std::string_view name);

}  // namespace lakemill::engine
