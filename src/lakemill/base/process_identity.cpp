#include "lakemill/base/process_identity.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include <unistd.h>

namespace lakemill {

namespace {

std::string link_text(const char* path) {
  char text[256];
  const ::ssize_t size = ::readlink(path, text, sizeof text);
  return size < 0 ? std::string() : std::string(text, static_cast<std::size_t>(size));
}

std::string file_text(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Processes of one machine since one start of it, that see each other.
std::string machine() {
  return file_text("/proc/sys/kernel/random/boot_id") + link_text("/proc/self/ns/pid");
}

// When a process was started, in ticks of its machine; empty where there is none. What
// is between parentheses is its name, which may hold anything.
std::string start_of(const std::string& process) {
  const std::string text = file_text("/proc/" + process + "/stat");
  constexpr int kFieldsBetween = 20;
  std::istringstream fields(text.substr(std::min(text.size(), text.rfind(')') + 1)));
  std::string field;
  for (int i = 0; i < kFieldsBetween; ++i) fields >> field;
  return fields ? field : std::string();
}

}  // namespace

Json this_process() {
  const std::string process = std::to_string(::getpid());
  return {{"machine", machine()},
          {"process", process},
          {"process_start", start_of(process)}};
}

ProcessLife life_of(const Json& mark) {
  if (string_member(mark, "machine", "") != machine()) return ProcessLife::elsewhere;
  const std::string start = string_member(mark, "process_start", "");
  const bool lives =
      !start.empty() && start_of(string_member(mark, "process", "")) == start;
  return lives ? ProcessLife::alive : ProcessLife::gone;
}

}  // namespace lakemill
