#include "lakemill/sinks/merge_step.h"
namespace lakemill::sinks {
std::unique_ptr<MergeStep> make_history_step(const MergeRun& run) {
  return make_row_step(run);
}
}  // namespace lakemill::sinks
