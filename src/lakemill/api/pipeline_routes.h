#pragma once

#include <vector>

#include "lakemill/api/route.h"
#include "lakemill/app/operation.h"

namespace lakemill::api {

/// Pipelines, their graphs, and whether their triggers count. Borrows the operation.
std::vector<Route> pipeline_routes(app::Operation& operation);

}  // namespace lakemill::api
