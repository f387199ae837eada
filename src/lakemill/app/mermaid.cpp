#include <map>

#include "lakemill/app/run.h"
#include "lakemill/language/graph.h"

namespace lakemill::app {

namespace {

// A name that Mermaid takes as it is.
std::string identifier(const std::string& name) {
  std::string result = "n_";
  for (const char character : name) {
    const bool plain = (character >= 'a' && character <= 'z') ||
                       (character >= 'A' && character <= 'Z') ||
                       (character >= '0' && character <= '9');
    result += plain ? std::string(1, character)
                    : "_" + std::to_string(static_cast<unsigned char>(character));
  }
  return result;
}

std::string label(const std::string& name) {
  std::string result;
  for (const char character : name) {
    result += character == '"' ? "#quot;" : std::string(1, character);
  }
  return result;
}

}  // namespace

std::string mermaid(const language::Pipeline& pipeline) {
  static const std::map<language::Layer, std::string> kLayers = {
      {language::Layer::none, ""},
      {language::Layer::bronze, "bronze"},
      {language::Layer::silver, "silver"},
      {language::Layer::gold, "gold"}};
  std::string text = "flowchart LR\n";
  for (const auto& [layer, title] : kLayers) {
    std::string nodes;
    for (const language::Node& node : pipeline.nodes) {
      if (node.layer != layer) continue;
      const bool view = node.is_view();
      nodes += "    " + identifier(node.name) + (view ? "([\"" : "[\"") +
               label(node.name) + (view ? "\"])\n" : "\"]\n");
    }
    if (nodes.empty()) continue;
    text += title.empty() ? nodes : "  subgraph " + title + "\n" + nodes + "  end\n";
  }
  for (const language::Node& node : pipeline.nodes) {
    for (const std::string& upstream : language::upstream_of(node)) {
      text += "  " + identifier(upstream) + " --> " + identifier(node.name) + "\n";
    }
  }
  return text;
}

}  // namespace lakemill::app
