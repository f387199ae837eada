#pragma once

// A bronze table and what is derived of it, filled by two batches; and the moments at
// which something that works on it dies.

#include <functional>

#include "flow_fixture.h"

namespace lakemill::flow {

inline constexpr const char* kRows = "SELECT id, v FROM target ORDER BY id";

/// Bronze `b`, and `s` behind it, whose rows tell by `factor` which definition made
/// them: odd ones in t, even ones in q.
std::string two_layers(int factor);

std::string commit_of(const std::string& table, int version);

/// Two batches of two_layers(1): ids 1, 2, 3 and 4, 5, 6.
class TwoLayers : public testing::Test {
 protected:
  using Work = std::function<Status(Lakehouse&)>;

  TwoLayers();

  /// Does `work` in a process that dies just before an object is put whose path ends
  /// so: the last one, if there are several.
  void die_before(const std::string& path_end, const Work& work);

  RowTexts rows(const std::string& table);

  testkit::MemoryStoreProvider stores_;
};

}  // namespace lakemill::flow
