#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lakemill::formats {

// Rows of nullable texts as bytes, for what a source decodes and an engine reads soon
// after: for each column of each row, in order, four bytes of length (little-endian)
// and the text (UTF-8); no header, nothing between rows. Whoever reads knows how many
// columns there are.

/// The length that stands for null.
inline constexpr std::uint32_t kNullText = 0xFFFF'FFFF;

void append_text(std::string& rows, std::string_view text);
void append_null(std::string& rows);

/// Takes the next row's texts off the front of `rows`; false if the bytes end before
/// the row does. Texts point into `rows`.
bool take_text_row(std::string_view& rows,
                   std::span<std::optional<std::string_view>> row);

}  // namespace lakemill::formats
