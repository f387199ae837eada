#pragma once

// What sweeps of faults over the store calls of a run share.

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "flow_fixture.h"

namespace lakemill::flow {

/// Tables of a lakehouse by their paths, as bags of rows.
using Tables = std::map<std::string, RowTexts>;
Tables tables_of(storage::StoreProvider& stores, std::span<const char* const> paths);

/// True with LAKEMILL_SOAK=1: every call is tried.
bool all_calls();

/// Tries each of `faults` at every `stride`-th of `calls` store calls, from a random
/// one on, until `holds` gives false. The seed is printed; LAKEMILL_SEED sets it.
inline constexpr testkit::Fault kFaults[] = {
    testkit::Fault::die_before, testkit::Fault::die_after, testkit::Fault::lose_answer};
void try_faults(std::span<const testkit::Fault> faults, std::int64_t calls,
                std::int64_t stride,
                const std::function<bool(testkit::FaultPlan)>& holds);

/// A run in which things go wrong.
struct Disturbed {
  const testkit::MemoryStoreProvider& beginning;  ///< the stores before it
  std::string yaml;
  Start start = {};
  std::vector<const char*> tables = {};
  std::vector<const char*> folders = {};  ///< of files
  /// Set: nothing goes wrong, but another runner that starts so acts from beginning to
  /// end while this one is at the call.
  std::optional<Start> other = {};
  /// What happens to the stores after the fault, before the next run.
  std::function<void(testkit::MemoryStoreProvider&)> afterwards = {};
  /// Makes what is outside the stores as it was at the beginning.
  std::function<void()> rewind = {};
};

/// Tries faults at every `stride`-th call of the run. Whatever happened, the next run
/// ends with the tables and files of an undisturbed one, or, if it was asked to begin
/// anew and died before that was written down, with those of a run that was not asked
/// to; and a further run changes nothing.
void sweep(const Disturbed& run, std::int64_t stride);

/// A fault and the call that it hit, for messages.
std::string text_of(const testkit::FaultPlan& plan,
                    const testkit::CrashingStoreProvider& failing);

}  // namespace lakemill::flow
