#pragma once

#include <vector>

#include "lakemill/api/route.h"

namespace lakemill::api {

/// The web view: its page, which holds no data, and the files that it asks for.
std::vector<Route> page_routes();

}  // namespace lakemill::api
