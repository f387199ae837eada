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
/// `carried`, if not empty, is a column which the step shall hand on without its author
/// knowing of it: true if it does (Session::bind_carrying). Errors: invalid
/// or denied, with file, line and column of the step.
Result<bool> bind_step(engine::Session& session, const language::Step& step,
                       const std::string& current, const std::string& name,
                       const FrameNames& names, std::string_view carried);

}  // namespace lakemill::flow
