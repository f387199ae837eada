#include "lakemill/app/watches.h"

#include <algorithm>
#include <vector>

#include "lakemill/app/query.h"
#include "lakemill/base/hash.h"
#include "lakemill/base/text.h"
#include "lakemill/delta/snapshot.h"
#include "lakemill/sources/file_listing.h"

namespace lakemill::app {

namespace {

constexpr std::string_view kTable = "table ";
constexpr std::string_view kFiles = "files ";
constexpr std::string_view kEvents = "events ";
constexpr std::string_view kAbsent = "absent";
constexpr int kShare = 20;  // of its time at most is spent on looking
constexpr std::chrono::minutes kForgotten{5};  // since it was asked for

}  // namespace

Watches::Watches(Workbench& workbench, std::function<void()> on_change)
    : workbench_(workbench),
      on_change_(std::move(on_change)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

Watches::~Watches() = default;

std::string Watches::of_table(const std::string& url) {
  return std::string(kTable) + url;
}

std::string Watches::of_files(const std::string& url) {
  return std::string(kFiles) + url;
}

std::string Watches::of_events(const std::vector<std::string>& types,
                               const std::string& condition) {
  return std::string(kEvents) + join(types, ",") + "\n" + condition;
}

std::shared_ptr<Watches::Watched> Watches::find(const std::string& watch) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Watched>& watched = watched_[watch];
  if (watched == nullptr) {
    watched = std::make_shared<Watched>();
    watched->name = watch;
    if (watch.starts_with(kEvents)) {
      const auto end = watch.find('\n');
      watched->types = split(watch.substr(kEvents.size(), end - kEvents.size()), ',');
    }
    is_other_ = true;
    changed_.notify_all();
  }
  watched->asked = workbench_.clock().elapsed();
  return watched;
}

std::optional<std::string> Watches::position(const std::string& watch, bool now) {
  const auto watched = find(watch);
  if (now) look(*watched);
  const std::lock_guard lock(mutex_);
  return watched->position;
}

void Watches::table_changed(const std::string& url) {
  const std::lock_guard lock(mutex_);
  const auto found = watched_.find(of_table(url));
  if (found == watched_.end()) return;
  found->second->due = Time(0);
  is_other_ = true;
  changed_.notify_all();
}

void Watches::event_came(std::string_view type) {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, watched] : watched_) {
    const auto& types = watched->types;
    if (std::find(types.begin(), types.end(), type) == types.end()) continue;
    watched->due = Time(0);
    is_other_ = true;
  }
  changed_.notify_all();
}

Result<std::string> Watches::position_of_table(const std::string& url,
                                               Watched& watched) {
  if (watched.table == nullptr) {
    LAKEMILL_TRY(auto store, workbench_.stores().open(url));
    watched.table =
        std::make_unique<delta::Table>(std::move(store), workbench_.checkpoints());
  }
  const auto snapshot = watched.table->latest();
  if (!snapshot) {
    if (snapshot.error().code() == ErrorCode::not_found) return std::string(kAbsent);
    return snapshot.error();
  }
  return (*snapshot)->metadata().id + " " + std::to_string((*snapshot)->version());
}

Result<std::string> Watches::position_of_files(const std::string& url) {
  LAKEMILL_TRY(const auto files, sources::list_files(workbench_.stores(), url));
  if (files.empty()) return std::string(kAbsent);
  std::string all;
  for (const storage::ObjectInfo& file : files) {
    all.append(file.path).append("\n");
    all.append(std::to_string(file.size_bytes)).append(" ");
    all.append(std::to_string(file.modified_ms)).append("\n");
  }
  return sha256_hex(all);
}

// Counted, since an event that comes later may tell of an earlier time.
Result<std::string> Watches::position_of_events(const std::string& condition) {
  LAKEMILL_TRY(const std::int64_t count, count_events(workbench_, condition));
  return std::to_string(count);
}

Result<std::string> Watches::position_of(Watched& watched) {
  const std::string& name = watched.name;
  if (name.starts_with(kTable)) {
    return position_of_table(name.substr(kTable.size()), watched);
  }
  if (name.starts_with(kFiles)) return position_of_files(name.substr(kFiles.size()));
  return position_of_events(name.substr(name.find('\n') + 1));
}

// What cannot be looked at stands where it stood; the next look may tell.
void Watches::look(Watched& watched) {
  const std::lock_guard looking(watched.looking);
  const Time begun = workbench_.clock().elapsed();
  const auto position = position_of(watched);
  const Time ended = workbench_.clock().elapsed();
  bool is_other = false;
  {
    const std::lock_guard lock(mutex_);
    // Events say themselves when there are more.
    const bool is_told = !watched.types.empty() && position.has_value();
    watched.due =
        is_told ? Time::max() : ended + std::max<Time>(kPeriod, (ended - begun) * kShare);
    is_other = position && watched.position != *position;
    if (is_other) watched.position = *position;
  }
  if (is_other) on_change_();
}

void Watches::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::vector<std::shared_ptr<Watched>> due;
    {
      std::unique_lock lock(mutex_);
      const Time now = workbench_.clock().elapsed();
      std::erase_if(watched_, [&](const auto& item) {
        return now - item.second->asked > kForgotten;
      });
      Time next = now + kPeriod;
      for (const auto& [name, watched] : watched_) {
        if (watched->due <= now) due.push_back(watched);
        next = std::min(next, watched->due);
      }
      if (due.empty()) {
        changed_.wait_for(lock, stop, std::max(Time(0), next - now),
                          [this] { return is_other_; });
        is_other_ = false;
      }
    }
    for (const auto& watched : due) {
      if (!stop.stop_requested()) look(*watched);
    }
  }
}

}  // namespace lakemill::app
