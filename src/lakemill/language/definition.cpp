#include "lakemill/language/definition.h"

#include "lakemill/language/graph.h"
#include "lakemill/language/model_builder.h"

namespace lakemill::language {

namespace {

constexpr const char* kViews = "views";

void add_views(const Pipeline& pipeline, const Node& node, Json& views) {
  for (const std::string& name : upstream_of(node)) {
    const Node* read = pipeline.find_node(name);
    if (read == nullptr || !read->is_view() || views.contains(name)) continue;
    views[name] = read->definition;
    add_views(pipeline, *read, views);
  }
}

}  // namespace

void add_view_definitions(Pipeline& pipeline) {
  std::vector<Json> views;  // all before any is added: none holds others
  for (const Node& node : pipeline.nodes) {
    add_views(pipeline, node, views.emplace_back(Json::object()));
  }
  for (std::size_t i = 0; i < views.size(); ++i) {
    if (!views[i].empty()) pipeline.nodes[i].definition[kViews] = std::move(views[i]);
  }
}

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

Result<std::vector<Node>> views_from_definition(const Json& definition) {
  std::vector<Node> nodes;
  const Json* views = find_member(definition, kViews);
  if (views == nullptr || !views->is_object()) return nodes;
  for (const auto& [name, view] : views->items()) {
    LAKEMILL_TRY(nodes.emplace_back(), node_from_definition(view));
    nodes.back().name = name;
  }
  return nodes;
}

}  // namespace lakemill::language
