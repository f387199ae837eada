#include "lakemill/notify/selector.h"

#include <algorithm>

#include "lakemill/base/path_pattern.h"

namespace lakemill::notify {

bool Selector::may_pass(const events::Event& event) const {
  if (!types.empty() &&
      std::find(types.begin(), types.end(), event.type) == types.end()) {
    return false;
  }
  if (subjects.empty()) return true;
  const std::string subject = events::subject_of(event);
  return std::any_of(subjects.begin(), subjects.end(),
                     [&](const auto& glob) { return fits_pattern(subject, glob); });
}

}  // namespace lakemill::notify
