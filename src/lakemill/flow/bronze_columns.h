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

/// What the rows of a source need besides its own columns.
struct AddedColumns {
  bool metadata = false;  ///< `_source_file` and `_source_offset` of BRONZE
  bool sequence = false;  ///< the default sequence of changes: merges without order_by

  bool any() const { return metadata || sequence; }
};

/// How `_source` of bronze rows, and of dead letters, names a source: by its name, else
/// its path, table or node.
std::string source_label(const language::Source& source);

/// Those of a node's first source.
AddedColumns added_columns(const language::Node& node);

/// The metadata columns that add_source_columns adds: what a source's `selects` must
/// keep.
std::vector<std::string> kept_columns(const language::Node& node,
                                      const AddedColumns& added);

/// A view over `relation` with the metadata columns that are to be added; gives its
/// name (`relation` itself where there are none). It carries the sequence
/// (engine::carrying_name), if that is to be added. `source` is null where `relation`
/// is that of another node. Errors: invalid, where rows of files bring a column that
/// BRONZE adds itself.
Result<std::string> add_source_columns(engine::Session& session, const BatchPlan& plan,
                                       const language::Source* source,
                                       const std::string& relation,
                                       const SourceColumns& columns,
                                       const AddedColumns& added);

/// A view over what the node's steps gave, with the columns of language.md, section 7,
/// behind the payload; gives its name (`relation` itself where there is nothing to
/// add). `carries_sequence`: whether `relation` carries it.
Result<std::string> add_batch_columns(engine::Session& session,
                                      const language::Node& node, const BatchPlan& plan,
                                      const std::string& relation,
                                      bool carries_sequence);

}  // namespace lakemill::flow
