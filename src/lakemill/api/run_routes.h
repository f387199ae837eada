#pragma once

#include <vector>

#include "lakemill/api/route.h"
#include "lakemill/app/operation.h"

namespace lakemill::api {

/// What is done with runs, and what is known of them. Borrows the operation.
std::vector<Route> run_routes(app::Operation& operation);

}  // namespace lakemill::api
