#include "lakemill/flow/node_report.h"

#include <algorithm>

#include "lakemill/base/check.h"

namespace lakemill::flow {

std::string_view to_text(NodeStatus status) {
  switch (status) {
    case NodeStatus::succeeded:
      return "succeeded";
    case NodeStatus::skipped:
      return "skipped";
    case NodeStatus::failed:
      return "failed";
    case NodeStatus::expectation_failed:
      return "expectation_failed";
    case NodeStatus::blocked:
      return "blocked";
    case NodeStatus::cancelled:
      return "cancelled";
  }
  LAKEMILL_CHECK(false);
  return {};
}

std::string_view to_text(ExpectationStatus status) {
  switch (status) {
    case ExpectationStatus::passed:
      return "passed";
    case ExpectationStatus::warned:
      return "warned";
    case ExpectationStatus::failed:
      return "failed";
  }
  LAKEMILL_CHECK(false);
  return {};
}

void NodeReport::add_notice(sources::Notice notice) {
  const bool told = std::any_of(
      notices.begin(), notices.end(),
      [&](const sources::Notice& before) { return before.message == notice.message; });
  if (!told) notices.push_back(std::move(notice));
}

}  // namespace lakemill::flow
