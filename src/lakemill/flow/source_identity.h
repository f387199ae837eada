#pragma once

#include <string>
#include <vector>

#include "lakemill/flow/workspace.h"

namespace lakemill::flow {

/// A source of a node, or of a view that it reads, as its definition names it.
struct SourceIdentity {
  std::string id;     ///< by its name, or its place among the sources: "orders", "v/0"
  std::string reads;  ///< the kind of what it reads, and where that is; may be empty
};

/// The name of a source in its node's flow: its own, or its place; of PostgreSQL the
/// table, by which all nodes on one slot know it.
std::string name_of_source(const language::Source& source, std::size_t index);

/// What a source reads: "table:<url>", "files:<url>", "postgres:<connection>/<table>",
/// "rows:". Empty where that cannot be told (opening it tells why).
std::string what_is_read(const Workspace& workspace, const language::Node& node,
                         const language::Source& source);
/// The same of the output of a node.
std::string what_is_read(const Workspace& workspace, const language::Node& upstream);

/// The identifiers under which the flow knows the sources, in their order: a source
/// that was named, renamed, moved into a view or out of one goes on where it was.
/// `known` are the slices of the flow's last batch, `former` those of sources that were
/// taken out before: only one that reads the same goes on from there. No two get the
/// same, nor that of a former one.
std::vector<std::string> known_ids(const std::vector<SourceIdentity>& sources,
                                   const std::vector<SourceSlice>& known,
                                   const std::vector<SourceSlice>& former);

/// Whether what two sources read is of one kind, so that a position in the one can be
/// one in the other. True where either is not told.
bool same_kind(const std::string& reads, const std::string& other);

}  // namespace lakemill::flow
