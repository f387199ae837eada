#include "lakemill/language/model.h"

#include <algorithm>

namespace lakemill::language {

std::string TableName::to_text() const {
  std::string text;
  for (const std::string* part : {&catalog, &schema, &table}) {
    if (part->empty()) continue;
    if (!text.empty()) text += '.';
    text += *part;
  }
  return text;
}

const Sink* Node::primary_sink() const {
  const auto found = std::find_if(sinks.begin(), sinks.end(),
                                  [](const Sink& sink) { return !sink.is_quarantine; });
  return found == sinks.end() ? nullptr : &*found;
}

const Sink* Node::quarantine_sink() const {
  const auto found = std::find_if(sinks.begin(), sinks.end(),
                                  [](const Sink& sink) { return sink.is_quarantine; });
  return found == sinks.end() ? nullptr : &*found;
}

const Sink* Node::sink_that(bool (Sink::*asks)() const) const {
  const auto found = std::find_if(sinks.begin(), sinks.end(), [&](const Sink& sink) {
    return !sink.is_quarantine && (sink.*asks)();
  });
  return found == sinks.end() ? nullptr : &*found;
}

bool Node::is_view() const {
  return std::all_of(sinks.begin(), sinks.end(),
                     [](const Sink& sink) { return sink.is_view(); });
}

const Node* Pipeline::find_node(std::string_view wanted) const {
  const auto found = std::find_if(nodes.begin(), nodes.end(), [&](const Node& node) {
    return node.name == wanted;
  });
  return found == nodes.end() ? nullptr : &*found;
}

}  // namespace lakemill::language
