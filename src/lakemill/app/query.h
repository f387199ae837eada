#pragma once

#include <map>
#include <stop_token>
#include <string>

#include "lakemill/app/workbench.h"
#include "lakemill/events/event_query.h"

namespace lakemill::app {

/// Tables and the versions at which a query sees them; others are seen at their newest.
using Versions = std::map<std::string, std::int64_t>;

/// Runs a user's SELECT. Errors: invalid, denied, cancelled.
Result<data::Rows> query(Workbench& workbench, const std::string& sql,
                         const Versions& versions, std::int64_t rows_max,
                         std::stop_token stop);

/// The versions at which a query sees all tables of the workbench's pipelines at one
/// source position: consistent_versions() of what it reads. Errors: likewise; invalid
/// (the SQL).
Result<Versions> common_versions(Workbench& workbench, const std::string& sql);

/// Runs a user's SELECT and writes all its rows to a local file as csv, json (one
/// array), jsonl or parquet. Errors: invalid (also an unknown format), denied,
/// cancelled.
Status export_query(Workbench& workbench, const std::string& sql,
                    const Versions& versions, const std::string& format,
                    const std::string& path, std::stop_token stop);

/// The newest events that pass a filter, oldest first; none if nothing has happened
/// yet.
Result<data::Rows> list_events(Workbench& workbench, const events::EventFilter& filter,
                               std::int64_t count_max);

/// How many events there are of which `condition` holds, an SQL condition over the
/// columns of the log as a user writes it. Errors: invalid, denied.
Result<std::int64_t> count_events(Workbench& workbench, const std::string& condition);

/// Checks the hash chain of every writer (events::ChainCheck). Gives the number of
/// events checked. Errors: corrupt, naming the first event that breaks its chain.
Result<std::int64_t> verify_events(Workbench& workbench);

}  // namespace lakemill::app
