#pragma once

#include "lakemill/flow/node_query.h"

namespace lakemill::flow {

/// A failure that rows brought about (a cast, an overflow) with the place of the step
/// that fails, in front: found by computing the steps one after the other in `session`,
/// in which `query` is bound. As it is where no step fails like that, where the failure
/// is that of what is read, and where too much would have to be read again.
Error with_failing_step(engine::Session& session, const NodeQuery& query, Error error);

}  // namespace lakemill::flow
