#pragma once

#include <string>
#include <vector>

#include "lakemill/engine/engine.h"
#include "lakemill/flow/batch_plan.h"
#include "lakemill/language/model.h"

namespace lakemill::flow {

/// How a source tells where its rows come from: SQL over hidden columns of its
/// relation.
struct SourceColumns {
  std::string offset_sql;
  std::string file_sql;
  std::string sequence_sql;
};

/// The columns that add_source_columns adds for a node: what a source's `selects` must
/// keep.
std::vector<std::string> kept_columns(const language::Node& node);

/// A view over `relation` with `_source_file` and `_source_offset` (BRONZE) and the
/// default sequence of changes (merges without order_by), where the node needs them;
/// gives its name.
Result<std::string> add_source_columns(engine::Session& session,
                                       const language::Node& node,
                                       const BatchPlan& plan,
                                       const std::string& relation,
                                       const SourceColumns& columns);

/// A view over what the node's steps gave, with the columns of language.md, section 7,
/// behind the payload; gives its name (`relation` itself where there is nothing to
/// add).
Result<std::string> add_batch_columns(engine::Session& session,
                                      const language::Node& node, const BatchPlan& plan,
                                      const std::string& relation);

}  // namespace lakemill::flow
