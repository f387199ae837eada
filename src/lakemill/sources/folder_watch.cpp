#include "lakemill/sources/folder_watch.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace lakemill::sources {
namespace {

constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE |
                                  IN_MOVED_FROM | IN_DELETE_SELF | IN_ONLYDIR;

class Inotify final : public FolderWatch {
 public:
  Inotify(int events, int wake, std::function<void(const std::string&)> on_change)
      : events_(events), wake_(wake), on_change_(std::move(on_change)) {
    thread_ = std::jthread([this](const std::stop_token& stop) { listen(stop); });
  }

  ~Inotify() override {
    thread_.request_stop();
    const std::uint64_t one = 1;
    (void)!::write(wake_, &one, sizeof one);
    thread_.join();
    ::close(events_);
    ::close(wake_);
  }

  bool watch(const std::string& folder) override {
    const std::scoped_lock lock(mutex_);
    return add(folder, folder);
  }

 private:
  struct Watched {
    std::string path;  ///< of the folder itself
    std::string root;  ///< as it was given to watch()
  };

  // With mutex_ held.
  bool add(const std::string& path, const std::string& root) {
    const int id = ::inotify_add_watch(events_, path.c_str(), kEvents);
    if (id < 0) return false;
    const bool known = !folders_.insert_or_assign(id, Watched{path, root}).second;
    if (known) return true;  // what is below it came or is told of
    std::error_code fault;
    for (const auto& entry : std::filesystem::directory_iterator(path, fault)) {
      if (entry.is_directory(fault) && !entry.is_symlink(fault)) {
        add(entry.path().string(), root);
      }
    }
    return true;
  }

  void listen(const std::stop_token& stop) {
    std::array<pollfd, 2> waits = {pollfd{events_, POLLIN, 0},
                                   pollfd{wake_, POLLIN, 0}};
    while (!stop.stop_requested()) {
      if (::poll(waits.data(), waits.size(), -1) < 0) continue;
      if (stop.stop_requested()) return;
      for (const std::string& root : read_changes()) on_change_(root);
    }
  }

  std::set<std::string> read_changes() {
    std::array<char, 64 * 1024> buffer;
    const ssize_t size = ::read(events_, buffer.data(), buffer.size());
    std::set<std::string> changed;
    const std::scoped_lock lock(mutex_);
    for (ssize_t at = 0; at + static_cast<ssize_t>(sizeof(inotify_event)) <= size;) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const std::string name(buffer.data() + at + sizeof event);
      at += static_cast<ssize_t>(sizeof event + event.len);
      if ((event.mask & IN_Q_OVERFLOW) != 0) {
        for (const auto& [id, folder] : folders_) changed.insert(folder.root);
        continue;
      }
      const auto found = folders_.find(event.wd);
      if (found == folders_.end()) continue;
      changed.insert(found->second.root);
      const bool is_new_folder =
          (event.mask & IN_ISDIR) != 0 && (event.mask & (IN_CREATE | IN_MOVED_TO)) != 0;
      if (is_new_folder) add(found->second.path + "/" + name, found->second.root);
      if ((event.mask & IN_IGNORED) != 0) folders_.erase(found);
    }
    return changed;
  }

  const int events_;
  const int wake_;
  const std::function<void(const std::string&)> on_change_;
  std::mutex mutex_;
  std::map<int, Watched> folders_;  // by watch descriptor; guarded by mutex_
  std::jthread thread_;
};

}  // namespace

std::unique_ptr<FolderWatch> FolderWatch::start(
    std::function<void(const std::string&)> on_change) {
  const int events = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (events < 0) return nullptr;
  const int wake = ::eventfd(0, EFD_CLOEXEC);
  if (wake < 0) {
    ::close(events);
    return nullptr;
  }
  return std::make_unique<Inotify>(events, wake, std::move(on_change));
}

}  // namespace lakemill::sources
