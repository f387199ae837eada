#pragma once

#include "lakemill/language/diagnostic.h"
#include "lakemill/language/file_reader.h"
#include "lakemill/language/model.h"
#include "lakemill/language/target_check.h"

namespace lakemill::language {

/// What only the whole pipeline shows: duplicate names and targets, unknown upstream
/// nodes, circles, tests of nodes that are not there. Linear in the pipeline's size as
/// long as nothing is wrong. `own` is what no sink may write. `reader` gives the files
/// again for the places of faults.
void check_pipeline(const Pipeline& pipeline, const OwnFiles& own, FileReader& reader,
                    Diagnostics& diagnostics);

}  // namespace lakemill::language
