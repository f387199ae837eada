#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "lakemill/app/run.h"
#include "lakemill/app/table_diff.h"

namespace lakemill::app {

struct ReplayRequest {
  std::string node;  ///< it and all after it; empty: all behind the bronze tables
  std::string from;  ///< see flow::parse_replay_start(); empty: the beginning
  std::string into;  ///< a side schema; empty: in place
  std::stop_token stop;
};

/// A live table beside what the replay made of it.
struct ReplayedTable {
  std::string live;
  std::string side;
  TableDifference difference;
};

struct Replay {
  PipelineRun run;
  std::vector<ReplayedTable> tables;  ///< with `into`, where all nodes succeeded
};

/// Makes tables anew from the tables that they are derived from, asking no source
/// again: in place by a new generation of their flows, or beside them in a schema of
/// its own, then compared. Errors: invalid, not_found, those of the store.
Result<Replay> replay(Workbench& workbench, const language::Pipeline& pipeline,
                      const ReplayRequest& request, flow::RunObserver& display);

}  // namespace lakemill::app
