#pragma once

// Every kind of source into every kind of sink, at every stage of its target: what
// sweeps of whole runs go through.

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "flow_fixture.h"

namespace lakemill::flow {

/// Where rows come from, as a stream and as a whole.
struct From {
  std::string name;
  std::string nodes;     // before the one that is swept
  std::string upstream;  // a pipeline that is run before, undisturbed; empty: none
  std::string stream;
  std::string whole;    // empty: nothing that the stream does not show
  std::string select;   // SQL over it
  std::string changes;  // merge_cdc_options
};

/// Where they go.
struct Into {
  std::string name;
  bool reads_whole = false;
  std::string sql;  // over the rows; empty: they themselves
  std::string keys;
  std::string sink;  // {changes} stands for the source's
  bool is_table = true;
};

/// What becomes of the target.
enum class Moment : std::uint8_t {
  begins,
  adds,
  refreshes  ///< another generation
};

struct Pair {
  From from;
  Into into;
  Moment moment = Moment::begins;
};

/// A pipeline that makes ./in a table at ./up whose rows change, and that keeps
/// changes.
std::string merged_upstream();

std::vector<Pair> all_pairs();
std::string name_of(const Pair& pair);
void PrintTo(const Pair& pair, std::ostream* stream);

/// The pipeline of a pair: node `n`, whose target is at `t`.
std::string pipeline_of(const Pair& pair);

/// The stores before the run that is disturbed, which finds three files, or what came
/// of them.
std::unique_ptr<testkit::MemoryStoreProvider> beginning_of(const Pair& pair);

}  // namespace lakemill::flow
