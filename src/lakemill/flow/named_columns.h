#pragma once

#include "lakemill/base/result.h"
#include "lakemill/data/type.h"
#include "lakemill/language/model.h"

namespace lakemill::flow {

/// Errors: invalid, with the place of the first column that the options of a node's
/// sinks and expectations name and that is not there. `rows` are what the node gives;
/// `makes_tables`: whether its tables will hold nothing else, so that what is asked of
/// the tables can be told too.
Status check_named_columns(const language::Node& node, const data::Schema& rows,
                           bool makes_tables);

/// The same for one expectation over rows or a table of that schema.
Status check_named_columns(const language::Expectation& expectation,
                           const data::Schema& schema);

}  // namespace lakemill::flow
