#pragma once

#include <cstdint>
#include <string_view>

namespace lakemill::delta {

/// CRC-32 as zip, PNG and deletion vector files use it (polynomial 0xEDB88320).
std::uint32_t crc32(std::string_view bytes);
/// That of bytes behind others, whose own it is `before`; 0: behind none.
std::uint32_t crc32(std::string_view bytes, std::uint32_t before);

}  // namespace lakemill::delta
