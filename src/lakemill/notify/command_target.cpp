#include "lakemill/notify/command_target.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lakemill/base/file_descriptor.h"
#include "lakemill/base/json.h"
#include "lakemill/base/text.h"
#include "lakemill/notify/cloud_event.h"

namespace lakemill::notify {

namespace {

using Clock = std::chrono::steady_clock;  // of a process that is really there

constexpr int kStdin = 0;
constexpr int kStdout = 1;
constexpr int kStderr = 2;
// How soon an end is seen of a program that left its output to another one, and a stop.
constexpr int kLookPeriodMs = 50;

Error fault(const char* what, int number) {
  return {ErrorCode::unavailable, std::string(what) + ": " + std::strerror(number)};
}

// A file without a name that holds `text`: whoever reads it waits for nobody, and nobody
// for him.
Result<FileDescriptor> file_of(std::string_view text) {
  FileDescriptor file(::memfd_create("event", MFD_CLOEXEC));
  if (!file) return fault("no memory for a program's input", errno);
  while (!text.empty()) {
    const auto count = ::write(file.get(), text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fault("no memory for a program's input", errno);
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  (void)::lseek(file.get(), 0, SEEK_SET);
  return file;
}

std::vector<std::string> environment_of(const Delivery& delivery) {
  std::vector<std::string> variables;
  for (const char* name : {"PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR"}) {
    const char* value = std::getenv(name);
    if (value != nullptr) variables.push_back(std::string(name) + "=" + value);
  }
  const events::Event& event = *delivery.event.event;
  variables.push_back("LAKEMILL_EVENT_ID=" + events::id_of(event));
  variables.push_back("LAKEMILL_EVENT_TYPE=" +
                      std::string(events::describe(event.type).name));
  variables.push_back("LAKEMILL_ATTEMPT=" + std::to_string(delivery.attempt));
  return variables;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// What a program shall find: files, folder, signals, a group of its own.
class SpawnPlan {
 public:
  SpawnPlan() {
    (void)::posix_spawn_file_actions_init(&actions_);
    (void)::posix_spawnattr_init(&attributes_);
  }
  ~SpawnPlan() {
    (void)::posix_spawn_file_actions_destroy(&actions_);
    (void)::posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  void prepare(int input, int output, const std::string& folder) {
    (void)::posix_spawn_file_actions_adddup2(&actions_, input, kStdin);
    (void)::posix_spawn_file_actions_adddup2(&actions_, output, kStdout);
    (void)::posix_spawn_file_actions_adddup2(&actions_, output, kStderr);
    (void)::posix_spawn_file_actions_addclosefrom_np(&actions_, kStderr + 1);
    if (!folder.empty()) {
      (void)::posix_spawn_file_actions_addchdir_np(&actions_, folder.c_str());
    }
    sigset_t none;
    (void)::sigemptyset(&none);
    sigset_t all;
    (void)::sigfillset(&all);
    (void)::posix_spawnattr_setsigmask(&attributes_, &none);
    (void)::posix_spawnattr_setsigdefault(&attributes_, &all);
    (void)::posix_spawnattr_setpgroup(&attributes_, 0);
    (void)::posix_spawnattr_setflags(
        &attributes_,
        POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }

  Result<pid_t> spawn(std::vector<std::string> words,
                      std::vector<std::string> variables) {
    pid_t process = 0;
    const int failed =
        ::posix_spawnp(&process, words.front().c_str(), &actions_, &attributes_,
                       pointers_to(words).data(), pointers_to(variables).data());
    if (failed != 0) {
      return fault(("program " + words.front() + " does not start").c_str(), failed);
    }
    return process;
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

/// A program that runs; killed and waited for at the latest when this goes.
class RunningProgram {
 public:
  RunningProgram(pid_t process, FileDescriptor output, std::size_t output_bytes_max)
      : process_(process),
        output_(std::move(output)),
        output_bytes_max_(output_bytes_max) {}
  ~RunningProgram() {
    if (!ended_) kill_and_wait();
  }
  RunningProgram(const RunningProgram&) = delete;
  RunningProgram& operator=(const RunningProgram&) = delete;

  /// Takes what it prints until it has ended: true; false at the deadline or a stop.
  bool wait_until(Clock::time_point deadline, const std::stop_token& stop) {
    while (!stop.stop_requested() && Clock::now() < deadline) {
      take_output();
      if (has_ended()) {
        take_what_is_there();
        return true;
      }
    }
    return false;
  }

  int status() const { return status_; }
  std::string_view printed() const { return trim(printed_); }

 private:
  void kill_and_wait() {
    (void)::kill(-process_, SIGKILL);
    while (::waitpid(process_, &status_, 0) < 0 && errno == EINTR) {
    }
    ended_ = true;
  }

  bool has_ended() {
    // Once nothing can be printed any more, its end is near: waiting is looking.
    if (!output_) (void)::poll(nullptr, 0, 5);
    const pid_t found = ::waitpid(process_, &status_, WNOHANG);
    ended_ = found == process_ || (found < 0 && errno != EINTR);
    return ended_;
  }

  void take_output() {
    if (!output_) return;
    pollfd readable{output_.get(), POLLIN, 0};
    if (::poll(&readable, 1, kLookPeriodMs) > 0) take_what_is_there();
  }

  void take_what_is_there() {
    std::array<char, 4096> buffer{};
    // As much as a pipe holds, so that a program that never ceases cannot hold us.
    for (std::size_t taken = 0; output_ && taken < std::size_t{64} << 10U;) {
      const auto count = ::read(output_.get(), buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && errno == EAGAIN) return;
      if (count <= 0) {
        output_ = FileDescriptor();
        return;
      }
      taken += static_cast<std::size_t>(count);
      printed_.append(buffer.data(), static_cast<std::size_t>(count));
      if (printed_.size() > output_bytes_max_) {
        printed_.erase(0, printed_.size() - output_bytes_max_);
      }
    }
  }

  const pid_t process_;
  FileDescriptor output_;
  const std::size_t output_bytes_max_;
  std::string printed_;
  int status_ = 0;
  bool ended_ = false;
};

class CommandTarget final : public Target {
 public:
  explicit CommandTarget(CommandOptions options) : options_(std::move(options)) {}

  DeliveryOutcome deliver(const Delivery& delivery, std::stop_token stop) override {
    auto outcome = run(delivery, stop);
    if (outcome) return *std::move(outcome);
    return {Verdict::again, outcome.error().message()};
  }

 private:
  Result<DeliveryOutcome> run(const Delivery& delivery, const std::stop_token& stop);
  DeliveryOutcome outcome_of(const RunningProgram& program) const;
  // A line for the shell may hold more than others should read.
  std::string name() const {
    return options_.words.size() == 1 ? "the command"
                                      : "program " + options_.words.front();
  }

  const CommandOptions options_;
};

Result<DeliveryOutcome> CommandTarget::run(const Delivery& delivery,
                                           const std::stop_token& stop) {
  const auto deadline = Clock::now() + options_.timeout;
  LAKEMILL_TRY(const FileDescriptor input,
               file_of(json_text(cloud_event(delivery.event, options_.source)) + "\n"));
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fault("no pipe", errno);
  FileDescriptor reading(ends[0]);
  FileDescriptor writing(ends[1]);
  (void)::fcntl(reading.get(), F_SETFL, O_NONBLOCK);

  SpawnPlan plan;
  plan.prepare(input.get(), writing.get(), options_.folder);
  auto words = options_.words;
  if (words.size() == 1) words = {"/bin/sh", "-c", words.front()};
  LAKEMILL_TRY(const pid_t process,
               plan.spawn(std::move(words), environment_of(delivery)));
  writing = FileDescriptor();
  RunningProgram program(process, std::move(reading), options_.output_bytes_max);
  if (program.wait_until(deadline, stop)) return outcome_of(program);
  if (stop.stop_requested()) {
    return DeliveryOutcome{Verdict::again, name() + " was stopped"};
  }
  return DeliveryOutcome{
      Verdict::again, name() + " took longer than " +
                          std::to_string(options_.timeout.count()) +
                          " ms and was killed; it printed: " +
                          std::string(program.printed())};
}

DeliveryOutcome CommandTarget::outcome_of(const RunningProgram& program) const {
  const int status = program.status();
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  const std::string end = WIFSIGNALED(status)
                              ? "was killed by signal " + std::to_string(WTERMSIG(status))
                              : "ended with status " + std::to_string(WEXITSTATUS(status));
  return {Verdict::again,
          name() + " " + end + ": " + std::string(program.printed())};
}

}  // namespace

Result<std::unique_ptr<Target>> make_command_target(CommandOptions options) {
  if (options.words.empty() || options.words.front().empty()) {
    return Error(ErrorCode::invalid, "a command has no words");
  }
  return std::unique_ptr<Target>(std::make_unique<CommandTarget>(std::move(options)));
}

}  // namespace lakemill::notify
