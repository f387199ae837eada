#pragma once

#include <fstream>
#include <string>

#include "lakemill/engine/relation.h"

namespace lakemill::sources::postgres {

/// The bytes of a block of rows of a spool, for tests.
inline std::string bytes_of(const engine::TextRowsBlock& block) {
  std::ifstream file(block.url, std::ios::binary);
  file.seekg(block.offset);
  std::string bytes(static_cast<std::size_t>(block.size_bytes), '\0');
  file.read(bytes.data(), block.size_bytes);
  return bytes;
}

}  // namespace lakemill::sources::postgres
