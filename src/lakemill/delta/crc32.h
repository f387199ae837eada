#pragma once

#include <cstdint>
#include <string_view>

namespace lakemill::delta {

/// CRC-32 as zip, PNG and deletion vector files use it (polynomial 0xEDB88320).
std::uint32_t crc32(std::string_view bytes);

}  // namespace lakemill::delta
