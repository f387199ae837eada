#pragma once

// What sweeps of faults over the store calls of a run share.

#include <functional>
#include <map>
#include <span>
#include <string>

#include "flow_fixture.h"

namespace lakemill::flow {

/// Tables of a lakehouse by their paths, as bags of rows.
using Tables = std::map<std::string, RowTexts>;
Tables tables_of(storage::StoreProvider& stores, std::span<const char* const> paths);

/// True with LAKEMILL_SOAK=1: every call is tried.
bool all_calls();

/// Tries each kind of fault at every `stride`-th of `calls` store calls, from a random
/// one on, until `holds` gives false. The seed is printed; LAKEMILL_SEED sets it.
void try_faults(std::int64_t calls, std::int64_t stride,
                const std::function<bool(testkit::FaultPlan)>& holds);

/// A fault and the call that it hit, for messages.
std::string text_of(const testkit::FaultPlan& plan,
                    const testkit::CrashingStoreProvider& failing);

}  // namespace lakemill::flow
