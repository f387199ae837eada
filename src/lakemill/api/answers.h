#pragma once

#include <string>

#include "lakemill/base/json.h"
#include "lakemill/base/result.h"
#include "lakemill/server/answer.h"

// What handlers answer with.

namespace lakemill::api {

/// JSON that is never kept by who reads it.
server::Answer found(const OrderedJson& json, int status = 200);
/// Likewise, of what is JSON already.
server::Answer found_text(std::string json, int status = 200);
/// A problem (RFC 9457) with the status that the error's code stands for.
server::Answer failed(const Error& error);

}  // namespace lakemill::api
