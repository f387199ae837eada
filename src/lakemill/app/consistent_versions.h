#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lakemill/app/workbench.h"

namespace lakemill::app {

/// The newest versions at which no table is ahead of another: every table that is
/// derived from a second one has read exactly what that one shows, and bronze tables of
/// one PostgreSQL server end at one position of its log. By the offsets that commits
/// name. `relations`: what a query reads, by full name or place; those that no pipeline
/// of the workbench writes are left out of the answer.
/// Errors: invalid (no pipeline writes any of them), not_found (no such versions are
/// left: names the tables, and why).
Result<std::map<std::string, std::int64_t>> consistent_versions(
    Workbench& workbench, const std::vector<std::string>& relations);

}  // namespace lakemill::app
