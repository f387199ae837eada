#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/data/table_scan.h"
#include "lakemill/engine/engine.h"

namespace lakemill::sinks {

/// Names of a merge in a session: each is given once, so that a step that is repeated
/// never meets what it made before. All give a name ready to stand in SQL.
class Scratch {
 public:
  /// `prefix`: tells the sinks of a session apart.
  Scratch(engine::Session& session, std::string prefix)
      : session_(session), prefix_(std::move(prefix)) {}

  /// Runs a query of ours and keeps its rows.
  Result<std::string> keep(std::string_view label, const std::string& sql);
  /// A query under a name.
  Result<std::string> view(std::string_view label, const std::string& sql,
                           engine::Origin origin);
  /// A table's rows under a name.
  Result<std::string> table(std::string_view label,
                            std::shared_ptr<const data::TableScan> scan);
  /// The one row of integers that a query of ours gives; null is 0.
  Result<std::vector<std::int64_t>> counts(const std::string& sql);

  engine::Session& session() { return session_; }

 private:
  std::string next_name(std::string_view label);

  engine::Session& session_;
  std::string prefix_;
  int number_ = 0;
};

}  // namespace lakemill::sinks
