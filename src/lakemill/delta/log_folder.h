#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/delta/json_lines_format.h"
#include "lakemill/delta/log_segment.h"
#include "lakemill/delta/snapshot.h"

namespace lakemill::delta {

/// For tests: writes log entries by hand, as other writers would.
class LogFolder {
 public:
  explicit LogFolder(std::shared_ptr<storage::ObjectStore> store)
      : store_(std::move(store)), format_(*store_) {}

  storage::ObjectStore& store() { return *store_; }
  JsonLinesFormat& format() { return format_; }
  Table table() { return {store_, format_}; }

  static std::string lines(const std::vector<Action>& actions) {
    std::string text;
    for (const Action& action : actions) text += to_line(action) + "\n";
    return text;
  }

  void put(const std::string& name, std::string_view text) {
    LAKEMILL_CHECK(store_->put("_delta_log/" + name, text).has_value());
  }
  void remove(const std::string& name) {
    LAKEMILL_CHECK(store_->remove("_delta_log/" + name).has_value());
  }
  void commit(Version version, const std::vector<Action>& actions) {
    put(name(version) + ".json", lines(actions));
  }
  void checkpoint(Version version, const std::vector<Action>& actions) {
    put(name(version) + ".checkpoint.parquet", lines(actions));
  }
  /// "00000000000000000007".
  static std::string name(Version version) {
    return commit_path(version).substr(11, 20);
  }

  static Metadata metadata() {
    Metadata made;
    made.id = "test";
    made.schema.fields = {{"id", data::make_type(data::TypeKind::int64), true},
                          {"part", data::make_type(data::TypeKind::string), true}};
    return made;
  }
  static AddFile add(const std::string& path) {
    AddFile made;
    made.path = path;
    made.size_bytes = 1;
    return made;
  }
  static RemoveFile removal(const std::string& path) {
    RemoveFile made;
    made.path = path;
    made.deletion_timestamp_ms = 1;
    return made;
  }

 private:
  std::shared_ptr<storage::ObjectStore> store_;
  JsonLinesFormat format_;
};

}  // namespace lakemill::delta
