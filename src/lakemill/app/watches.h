#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "lakemill/app/workbench.h"
#include "lakemill/orchestrator/ports.h"

namespace lakemill::app {

/// Looks at the tables, files and events for which triggers wait: each twice a second,
/// or so rarely that looking takes a twentieth of the time, and at a table at once when
/// this process has committed to it. Events are looked at when one of their type has
/// been written, by any process.
///
/// Thread-safe.
class Watches final : public orchestrator::WatchPort {
 public:
  static constexpr std::chrono::milliseconds kPeriod{500};

  /// Borrows the workbench; `on_change` is called, from any thread, when something
  /// watched stands elsewhere.
  Watches(Workbench& workbench, std::function<void()> on_change);
  ~Watches() override;

  /// What position() is asked for: the table whose root is at a URL, the files that a
  /// URL or pattern names.
  static std::string of_table(const std::string& url);
  static std::string of_files(const std::string& url);
  /// Events of one of `types` of which `condition` holds (count_events()).
  static std::string of_events(const std::vector<std::string>& types,
                               const std::string& condition);

  std::optional<std::string> position(const std::string& watch, bool now) override;

  /// This process has committed to the table at `url`.
  void table_changed(const std::string& url);
  /// There is another event of a type in the log.
  void event_came(std::string_view type);

 private:
  using Time = std::chrono::microseconds;  // by Clock::elapsed()
  struct Watched {
    std::string name;
    std::vector<std::string> types;        // of events; empty: something else
    std::mutex looking;                    // held while it is looked at
    std::unique_ptr<delta::Table> table;   // guarded by looking
    std::optional<std::string> position;   // this and below: guarded by mutex_
    Time due{0};
    Time asked{0};
  };

  std::shared_ptr<Watched> find(const std::string& watch);
  void look(Watched& watched);
  Result<std::string> position_of_table(const std::string& url, Watched& watched);
  Result<std::string> position_of_files(const std::string& url);
  Result<std::string> position_of_events(const std::string& condition);
  Result<std::string> position_of(Watched& watched);
  void run(const std::stop_token& stop);

  Workbench& workbench_;
  const std::function<void()> on_change_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool is_other_ = false;                                    // guarded by mutex_
  std::map<std::string, std::shared_ptr<Watched>> watched_;  // guarded by mutex_
  std::jthread thread_;
};

}  // namespace lakemill::app
