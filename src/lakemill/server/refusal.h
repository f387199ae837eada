#pragma once

#include <string>

namespace lakemill::server {

/// Why a request is not served: what the client is told, as an HTTP status, a word that
/// programs branch on, and a sentence for people. Tells nothing about the server.
struct Refusal {
  int status = 400;
  std::string code;     ///< lower snake case: "head_too_large"
  std::string message;  ///< what is wrong, and what is taken instead
};

}  // namespace lakemill::server
