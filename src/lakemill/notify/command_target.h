#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "lakemill/notify/target.h"

namespace lakemill::notify {

struct CommandOptions {
  /// The program, looked for in PATH, and its arguments; a single one is a line for
  /// `/bin/sh -c`. Not empty.
  std::vector<std::string> words;
  std::string folder;  ///< where it runs; empty: where this process does
  std::string source;  ///< of cloud_event()
  std::chrono::milliseconds timeout{60'000};
  std::size_t output_bytes_max = 16U << 10U;  ///< the last of it, kept for the error
};

/// Runs a program for each event, with cloud_event() and a newline on its standard
/// input. It sees of the environment PATH, HOME, USER, LANG, LC_ALL, TZ and TMPDIR, and
/// LAKEMILL_EVENT_ID, LAKEMILL_EVENT_TYPE and LAKEMILL_ATTEMPT; no file that this
/// process has open. Exit status 0 is a delivery, everything else is tried again. Who
/// takes longer than `timeout` is killed with all of its process group.
///
/// Errors: invalid (no words).
Result<std::unique_ptr<Target>> make_command_target(CommandOptions options);

}  // namespace lakemill::notify
