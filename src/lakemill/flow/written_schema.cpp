#include "lakemill/flow/written_schema.h"

#include <algorithm>

#include "lakemill/flow/kept_schema.h"

namespace lakemill::flow {

namespace {

// Beside the generations of the flow: a file that is replaced has the newest columns.
std::string path_in(const FlowState& state) {
  return state.folder() + "/written_schema.json";
}

bool is_json(language::FileFormat format) {
  return format == language::FileFormat::json || format == language::FileFormat::jsonl;
}

// False where the format has but a text for such values, from which none is told.
bool comes_back(const data::Type& type, language::FileFormat format) {
  if (type.kind == data::TypeKind::binary || type.kind == data::TypeKind::void_type) {
    return false;
  }
  if (!type.children.empty() && !is_json(format)) return false;
  return std::all_of(
      type.children.begin(), type.children.end(),
      [&](const data::Field& child) { return comes_back(child.type, format); });
}

}  // namespace

Status keep_written_schema(const Workspace& workspace, const language::Node& node,
                           const data::Schema& schema) {
  const language::Sink* sink = node.primary_sink();
  if (sink == nullptr || sink->kind != language::SinkKind::file) return {};
  if (sink->format != language::FileFormat::csv && !is_json(sink->format)) return {};
  data::Schema read;
  for (const data::Field& field : schema.fields) {
    if (field.name.starts_with("_lakemill_")) continue;
    const bool keeps_type = comes_back(field.type, sink->format);
    read.fields.push_back(
        {field.name, keeps_type ? field.type : data::make_type(data::TypeKind::string),
         true, Json::object()});
  }
  const FlowState state = flow_state(workspace, node);
  return keep_schema(*state.store(), path_in(state), read);
}

Result<std::optional<data::Schema>> written_schema(const Workspace& workspace,
                                                   const language::Node& node) {
  const FlowState state = flow_state(workspace, node);
  return kept_schema(*state.store(), path_in(state));
}

}  // namespace lakemill::flow
