#pragma once

#include <string_view>

#include "lakemill/base/random.h"
#include "lakemill/delta/action.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::delta {

/// What became of one try to write one version.
enum class PutOutcome : std::uint8_t {
  ours,       ///< the version is there and holds our bytes
  theirs,     ///< the version is there and holds another's
  undecided,  ///< sent, not answered, not there: it may yet appear
};

/// Writes `bytes` as the commit `version`, unless that exists. A lost answer is settled
/// by repeating the same bytes at the same version, which cannot write twice, and then
/// by reading who won. `bytes` must hold a commitInfo with a txnId of its own, so that
/// no other writer's are equal.
///
/// Errors: denied, unavailable: nothing was written.
Result<PutOutcome> put_commit(storage::ObjectStore& store, Version version,
                              std::string_view bytes, Random& random);

/// Waits up to about `attempt` milliseconds, 20 at most, by chance: writers that lost
/// to each other do not meet again at once.
void back_off(int attempt, Random& random);

}  // namespace lakemill::delta
