#pragma once

#include <vector>

#include "lakemill/api/event_hub.h"
#include "lakemill/api/route.h"
#include "lakemill/app/operation.h"

namespace lakemill::api {

/// Events that are told, and those to come. Borrows both.
std::vector<Route> event_routes(app::Operation& operation, EventHub& hub);

}  // namespace lakemill::api
