#include "lakemill/language/definition.h"

#include <regex>

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

constexpr const char* kHidden = "***";

bool is_reference(const std::string& text) {
  return text.starts_with("${secret.") && text.find('}') == text.size() - 1;
}

void hide_in_source(Json& source) {
  if (!source.is_object() || !source.contains("connection")) return;
  Json& connection = source["connection"];
  if (!connection.is_object() || !connection.contains("uri")) return;
  Json& uri = connection["uri"];
  // A text that must be taken as it is stands in a mapping of its own.
  Json& text = uri.is_object() && uri.size() == 1 ? uri.begin().value() : uri;
  if (text.is_string()) text = without_password(text.get<std::string>());
}

}  // namespace

std::string without_password(const std::string& uri) {
  std::string shown = uri;
  const std::size_t scheme = shown.find("://");
  if (scheme != std::string::npos) {
    // A password may hold what parts a uri, unescaped: all up to the last '@'.
    const std::size_t begin = scheme + 3;
    const std::size_t colon = shown.find(':', begin);
    const std::size_t end = shown.rfind('@', shown.find('?', begin));
    const bool has_one = colon != std::string::npos && end != std::string::npos &&
                         colon < end && end > begin;
    if (has_one && !is_reference(shown.substr(colon + 1, end - colon - 1))) {
      shown.replace(colon + 1, end - colon - 1, kHidden);
    }
  }
  static const std::regex kParameter(
      R"re((password\s*=\s*)('(?:[^'\\]|\\.)*'|[^&\s]*))re");
  std::string result;
  std::size_t at = 0;
  for (std::sregex_iterator found(shown.begin(), shown.end(), kParameter), none;
       found != none; ++found) {
    const auto begin = static_cast<std::size_t>(found->position(2));
    result += shown.substr(at, begin - at);
    result += is_reference(found->str(2)) ? found->str(2) : kHidden;
    at = begin + found->str(2).size();
  }
  return result + shown.substr(at);
}

void hide_passwords(Json& definition) {
  for (const char* key : {"source", "sources"}) {
    if (!definition.is_object() || !definition.contains(key)) continue;
    Json& sources = definition[key];
    if (sources.is_array()) {
      for (Json& source : sources) hide_in_source(source);
    } else {
      hide_in_source(sources);
    }
  }
}

void restore_passwords(Node& node, const Pipeline& pipeline) {
  for (Source& source : node.sources) {
    if (source.postgres.uri.empty()) continue;
    for (const Node& other : pipeline.nodes) {
      for (const Source& known : other.sources) {
        const bool is_same =
            without_password(known.postgres.uri) == source.postgres.uri;
        if (is_same) source.postgres.uri = known.postgres.uri;
      }
    }
  }
}

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
