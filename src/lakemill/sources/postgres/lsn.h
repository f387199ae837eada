#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lakemill::sources::postgres {

/// A position in the write-ahead log of a PostgreSQL server, in bytes.
using Lsn = std::uint64_t;

/// As PostgreSQL writes it: "16/B374D848".
std::string to_text(Lsn lsn);
std::optional<Lsn> parse_lsn(std::string_view text);

/// As `_source_offset` and offsets write it: 16 hex digits, upper case.
std::string to_hex(Lsn lsn);
std::optional<Lsn> parse_hex(std::string_view text);

/// The `_source_offset` of a change: "LSN/index", 16 and 8 hex digits.
std::string change_offset(Lsn commit_lsn, std::uint32_t index);

}  // namespace lakemill::sources::postgres
