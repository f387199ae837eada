#pragma once

#include <memory>

#include "lakemill/app/secrets.h"
#include "lakemill/engine/engine.h"

namespace lakemill::app {

/// An engine whose sessions put secrets into the SQL of pipelines (`${secret.NAME}`)
/// and hide them in errors; other SQL is passed on as it is. Both must outlive it.
std::unique_ptr<engine::Engine> make_secret_engine(engine::Engine& inner,
                                                   Secrets& secrets);

}  // namespace lakemill::app
