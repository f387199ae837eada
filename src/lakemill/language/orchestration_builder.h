#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/language/fields.h"
#include "lakemill/language/model_builder.h"
#include "lakemill/language/orchestration.h"

// Section 8, from trees whose shape was checked to structs: what one mapping by itself
// shows to be wrong is told. What names others is checked in orchestration_check.h.

namespace lakemill::language {

/// A mapping of a file, and what messages call it.
struct Part {
  const Tree* tree = nullptr;
  std::string path;
};

/// The mappings of a list, or a single one; without those that are told to be broken.
/// `value` may be null.
std::vector<Part> parts_of(const Tree* value, const std::string& path);

/// What the keys of a mapping need beyond their types.
class PartCheck {
 public:
  PartCheck(const Part& part, BuildContext& context)
      : part_(part), fields_(*part.tree), context_(context) {}

  const Fields& fields() const { return fields_; }
  const std::string& path() const { return part_.path; }
  /// The key stands there with a value, which may be broken.
  bool is_written(std::string_view key) const;
  /// Those of `keys` that are written, in document order.
  std::vector<std::string> written(std::span<const std::string_view> keys) const;
  /// Tells a fault at the value of `key`, or at the mapping without one.
  void fault(std::string_view key, std::string message, std::string hint);
  /// Nothing is said about what lacks where a key was misspelt.
  void missing(std::string message, std::string hint);
  /// Tells that keys which exclude each other stand side by side; false then.
  bool exclude(const std::vector<std::string>& keys, const std::string& hint);
  void need_range(std::string_view key, double low, double high);
  void need_duration_of(std::string_view key, std::chrono::microseconds low);
  /// `timezone`, which needs a cron expression beside it; `hint` is told without one.
  std::string time_zone(bool has_cron, const std::string& hint);

 private:
  Part part_;
  Fields fields_;
  BuildContext& context_;
};

/// `types` and `subjects` under the names that the mapping gives them.
EventFilter build_event_filter(const Part& part, std::string_view types,
                               std::string_view subjects, BuildContext& context);

/// A table that `text` names, by path where it holds a slash.
TableReference build_table_reference(const std::string& text, const Location& location,
                                     const std::string& path, BuildContext& context);

std::vector<Trigger> build_triggers(const std::vector<Part>& parts,
                                    BuildContext& context);
/// `of_project`: those of lakemill.yaml, which may match pipelines.
std::vector<Alert> build_alerts(const std::vector<Part>& parts, bool of_project,
                                BuildContext& context);
std::vector<Subscription> build_subscriptions(const std::vector<Part>& parts,
                                              BuildContext& context);
Maintenance build_maintenance(const Part& part, BuildContext& context);
Server build_server(const Part& part, BuildContext& context);

/// Section 8 of a pipeline file: its own keys, and those of `orchestrator` where that
/// is of type LAKEMILL (null otherwise).
Orchestration build_orchestration(const Fields& pipeline, const Tree* orchestrator,
                                  BuildContext& context);

}  // namespace lakemill::language
