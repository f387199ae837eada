#pragma once

#include <memory>
#include <string_view>

#include "lakemill/delta/snapshot.h"

namespace lakemill::delta {

/// Tables by their places. One that keeps them gives the same table each time, whose
/// snapshot moves forward instead of being read anew.
///
/// Thread-safety: implementations allow concurrent calls.
class TableProvider {
 public:
  virtual ~TableProvider() = default;

  /// The table at `url`; one that does not exist yet is opened too: Table::latest()
  /// then says not_found. Errors: those of the store.
  virtual Result<std::shared_ptr<Table>> open_url(std::string_view url) = 0;
};

}  // namespace lakemill::delta
