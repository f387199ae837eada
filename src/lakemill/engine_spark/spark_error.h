#pragma once

#include <string_view>

#include "lakemill/base/result.h"

namespace lakemill::engine_spark {

/// What a failed call means: `status` is gRPC's, `message` Spark's. The message keeps
/// what a person needs (Spark's error class and sentence), without plans, stack traces
/// and places in statements that nobody wrote.
Error spark_error(int status, std::string_view message);

}  // namespace lakemill::engine_spark
