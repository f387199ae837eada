#pragma once

#include <memory>

#include "lakemill/storage/object_store.h"

namespace lakemill::storage {

/// A store that reads as `inner` does and never changes it: what is written or removed
/// is so for this instance alone, in memory, and goes with it. For what looks ahead
/// (`plan`), also where nothing may be written.
///
/// Thread-safety: concurrent calls are allowed.
std::shared_ptr<ObjectStore> make_overlay_store(std::shared_ptr<ObjectStore> inner);

}  // namespace lakemill::storage
