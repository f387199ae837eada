#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/result.h"
#include "lakemill/language/model.h"

namespace lakemill::language {

/// A `{nodes.x}`, `{sources.x}` or `{df}` in text. Other braces are left alone.
struct FrameReference {
  enum class Kind { flow, node, source };
  Kind kind = Kind::flow;
  std::string name;        ///< empty for {df}
  std::size_t offset = 0;  ///< of the opening brace
  std::size_t length = 0;  ///< with both braces
};

/// The references in `text`, in order. Those inside SQL string literals, quoted
/// identifiers and comments are left out.
std::vector<FrameReference> frame_references(std::string_view text);

/// A reference of a step, with its place in the file.
struct StepReference {
  FrameReference frame;
  Location location;
};

/// The references of a step: those in its SQL; of a method, the arguments (however
/// nested) that are one reference alone.
std::vector<StepReference> step_references(const Step& step);

/// Every mention of another node that `node` needs, with its place.
std::vector<Name> upstream_mentions(const Node& node);

/// The nodes that must come before `node`, each once: sources and SQL (also by the
/// table or path that another node writes), references in SQL and arguments,
/// expectations' references, depends_on. In the order of their first
/// mention.
std::vector<std::string> upstream_of(const Node& node);

/// For each node (in document order) the positions of the nodes that must have run
/// before it starts: upstream_of, and for the nodes of a task group what any member
/// needs from outside the group (unless that would make a circle). Unknown names are
/// left out.
std::vector<std::vector<std::size_t>> run_dependencies(const Pipeline& pipeline);

/// Names in an order in which each node follows all it needs, otherwise as written.
/// Errors: invalid, when there is a circle (names its path).
Result<std::vector<std::string>> execution_order(const Pipeline& pipeline);

/// The circles of the graph, each from a node over those that read it to itself.
std::vector<std::vector<std::string>> circles(const Pipeline& pipeline);

/// The nodes that selectors name, in document order; no selector selects all.
/// `name`; `*name` (with all before it), `name*` (with all after it), `*name*`;
/// `tag:x`, `group:x` (nodes of an execution task), each with the same stars.
/// Errors: invalid, when a selector names nothing (did you mean).
Result<std::vector<std::string>> select_nodes(
    const Pipeline& pipeline, const std::vector<std::string>& selectors);

}  // namespace lakemill::language
