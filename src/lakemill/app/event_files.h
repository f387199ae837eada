#pragma once

#include <memory>

#include "lakemill/engine/engine.h"
#include "lakemill/events/ports.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::app {

/// The event log's files, written by the engine. Borrows all.
std::unique_ptr<events::EventFiles> make_event_files(engine::Engine& engine,
                                                     storage::StoreProvider& stores,
                                                     Clock& clock);

}  // namespace lakemill::app
