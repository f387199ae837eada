#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lakemill::formats {

// CSV as the text that it is: where something stands in it. Engines read its rows.

/// How a file is written. A letter that is '\0' is not in use.
struct CsvDialect {
  std::string delimiter = ",";
  char quote = '"';
  char escape = '"';
  char comment = '\0';
  std::int64_t skipped_lines = 0;  ///< before the first record
};

/// The line, from 1, on which the first record begins whose field number `index`, from
/// 0, says `value` (without its quotes); nothing if none does.
std::optional<std::int64_t> line_of_field(std::string_view document,
                                          const CsvDialect& dialect, std::size_t index,
                                          std::string_view value);

/// How the records of a file end.
struct CsvEnds {
  bool are_mixed = false;  ///< not all by the same of LF, CR LF and CR
  std::int64_t line = 0;   ///< of the first that ends otherwise than the first
  bool are_plain = true;   ///< quotes only around whole fields, all of them closed
};

CsvEnds ends_of_records(std::string_view document, const CsvDialect& dialect);

}  // namespace lakemill::formats
