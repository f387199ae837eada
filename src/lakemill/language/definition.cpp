#include "lakemill/language/definition.h"

#include "lakemill/language/model_builder.h"

namespace lakemill::language {

Result<Node> node_from_definition(const Json& definition) {
  Diagnostics diagnostics;
  BuildContext context{diagnostics};
  Node node = build_node(tree_of_definition(definition), "", context);
  if (diagnostics.has_errors()) {
    return Error(ErrorCode::corrupt,
                 "a stored definition is no node: " + diagnostics.to_text());
  }
  node.definition = definition;
  return node;
}

}  // namespace lakemill::language
