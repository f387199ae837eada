#pragma once

#include <string>
#include <vector>

#include "lakemill/api/route.h"
#include "lakemill/app/operation.h"

namespace lakemill::api {

/// What is going on in all, and whether the process is well. Borrows the operation.
/// `version`: of the binary.
std::vector<Route> project_routes(app::Operation& operation, std::string version);

}  // namespace lakemill::api
