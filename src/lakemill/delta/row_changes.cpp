#include "lakemill/delta/row_changes.h"

#include <algorithm>
#include <variant>

namespace lakemill::delta {

namespace {

bool may_change_rows(const Action& action) {
  if (const auto* add = std::get_if<AddFile>(&action)) return add->data_change;
  if (const auto* remove = std::get_if<RemoveFile>(&action)) return remove->data_change;
  return std::holds_alternative<Metadata>(action);
}

}  // namespace

bool may_have_changed(Table& table, Version before, Version now) {
  constexpr Version kCommitsMax = 1000;  // more are not worth the reading
  if (before == now) return false;
  if (before < 0 || now < before || now - before > kCommitsMax) return true;
  const auto commits = table.commits(before + 1, now);
  if (!commits) return true;
  return std::ranges::any_of(*commits, [](const CommitActions& commit) {
    return std::ranges::any_of(commit.actions, may_change_rows);
  });
}

}  // namespace lakemill::delta
