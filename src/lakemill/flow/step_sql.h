#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lakemill/engine/engine.h"
#include "lakemill/language/graph.h"
#include "lakemill/language/model.h"

namespace lakemill::flow {

/// The relation in the session that a `{…}` stands for.
using FrameNames =
    std::function<Result<std::string>(const language::FrameReference& reference)>;

/// Makes one step of a transformer the view `name`; `current` is what flows into it.
/// Errors: invalid or denied, with file, line and column of the step.
Status bind_step(engine::Session& session, const language::Step& step,
                 const std::string& current, const std::string& name,
                 const FrameNames& names);

}  // namespace lakemill::flow
