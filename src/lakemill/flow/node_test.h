#pragma once

#include <string>
#include <vector>

#include "lakemill/flow/workspace.h"

namespace lakemill::flow {

struct TestResult {
  std::string name;
  std::string node;
  bool passed = false;
  std::string message;  ///< what differs, for people; empty when passed
  std::string note;     ///< what the test did not look at, for people
};

/// Runs a pipeline's test: the node's steps and expectations over the given rows (those
/// of the whole table over a table that they are all of; of a merge, over what it makes
/// of them in an empty table, where that is told by the rows alone, and with a note
/// where not), and compares what comes out, as a bag of rows, on the columns that the
/// test names. Nothing is read or written but the files that the test names.
TestResult run_test(const Workspace& workspace, const language::PipelineTest& test);

}  // namespace lakemill::flow
