#pragma once

// For tests: bytes changed at random, the same for the same seed.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "lakemill/base/random.h"

namespace lakemill::server {

/// What tends to divide readers.
inline constexpr std::array<std::string_view, 30> kPieces = {
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    " ",
    "\t",
    ":",
    " :",
    ": ",
    "\r\n ",
    "%",
    "%2f",
    "%2e%2e",
    "/../",
    "//",
    ";",
    "\\",
    "chunked",
    "Content-Length: 5\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding : chunked\r\n",
    "Host: b\r\n",
    "HTTP/1.1",
    "HTTP/0.9",
    "+",
    "-",
    ",",
    "\x80",
    "0",
    "@"};

inline std::uint64_t pick(Random& random, std::size_t count) {
  return random.next() % count;
}

/// `bytes` with up to five changes.
inline std::string mutated(std::string bytes, Random& random) {
  const std::uint64_t changes = pick(random, 6);
  for (std::uint64_t change = 0; change < changes && !bytes.empty(); ++change) {
    const std::size_t at = pick(random, bytes.size());
    switch (pick(random, 6)) {
      case 0:
        bytes[at] = static_cast<char>(random.next());
        break;
      case 1:
        bytes.insert(at, kPieces[pick(random, kPieces.size())]);
        break;
      case 2:
        bytes.erase(at, 1 + pick(random, 5));
        break;
      case 3:
        bytes.replace(at, 1, kPieces[pick(random, kPieces.size())]);
        break;
      case 4: {
        const std::string piece = bytes.substr(at, 1 + pick(random, 40));
        bytes.insert(pick(random, bytes.size()), piece);
        break;
      }
      default:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << pick(random, 8)));
        break;
    }
  }
  return bytes;
}

/// `usual`, or `soak` with LAKEMILL_SOAK=1.
inline int rounds(int usual, int soak) {
  const char* variable = std::getenv("LAKEMILL_SOAK");
  return variable != nullptr && std::string_view(variable) == "1" ? soak : usual;
}

}  // namespace lakemill::server
