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

/// The nodes that must come before `node`, each once: sources, references in SQL and
/// arguments, expectations' references, depends_on. In the order of their first
/// mention.
std::vector<std::string> upstream_of(const Node& node);

/// Names in an order in which each node follows all it needs, otherwise as written.
/// Errors: invalid, when there is a circle (names its path).
Result<std::vector<std::string>> execution_order(const Pipeline& pipeline);

/// The nodes that selectors name, in document order; no selector selects all.
/// `name`; `*name` (with all before it), `name*` (with all after it), `*name*`;
/// `tag:x`, `group:x` (nodes of an execution task), each with the same stars.
/// Errors: invalid, when a selector names nothing (did you mean).
Result<std::vector<std::string>> select_nodes(
    const Pipeline& pipeline, const std::vector<std::string>& selectors);

}  // namespace lakemill::language
