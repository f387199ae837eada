#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "lakemill/language/diagnostic.h"
#include "lakemill/language/model.h"

// What section 8 names beyond its own mapping: parameters, subscriptions, other
// pipelines, tables.

namespace lakemill::language {

/// Alerts that are sent to subscriptions which `project` does not have.
void check_routes(std::span<const Alert> alerts, const Project& project,
                  Diagnostics& diagnostics);

/// What one pipeline shows by itself: itself among what starts it, parameters of
/// triggers that it does not declare, alerts without what they are about. `project`
/// may be null: then subscriptions are not known.
void check_orchestration(const Pipeline& pipeline, const Project* project,
                         Diagnostics& diagnostics);

/// The pipelines of a project, and what else is there.
struct ProjectScope {
  std::vector<const Pipeline*> checked;  ///< those about which faults are told
  std::vector<const Pipeline*> others;
  /// False: some pipeline could not be read, so that what is not found may be its.
  bool is_complete = true;
  /// Whether a table is there, whose path is relative to `folder`; true where that
  /// cannot be told. May be empty: then none is there.
  std::function<bool(const TableReference&, const std::string& folder)> table_exists;
};

/// True if something of section 8 in `project` or `pipelines` names a pipeline or a
/// table, so that check_project() has to know all pipelines.
bool names_others(const Project& project, std::span<const Pipeline> pipelines);

/// What only all pipelines of a project show: unknown pipelines, tables, owners and
/// tags, and circles of pipelines that start each other.
void check_project(const Project& project, const ProjectScope& scope,
                   Diagnostics& diagnostics);

}  // namespace lakemill::language
