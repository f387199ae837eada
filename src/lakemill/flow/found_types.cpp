#include "lakemill/flow/found_types.h"

#include "lakemill/flow/kept_schema.h"

namespace lakemill::flow {

namespace {

std::string path_of(const FlowState& state, std::int64_t generation,
                    const std::string& source) {
  return state.generation_folder(generation) + "/types/" + source + ".json";
}

const data::Field* find_field(const std::vector<data::Field>& fields,
                              const std::string& name) {
  for (const data::Field& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

data::Type type_after(const data::Type& before, const data::Type& found);

std::vector<data::Field> fields_after(const std::vector<data::Field>& before,
                                      const std::vector<data::Field>& found) {
  std::vector<data::Field> fields = before;
  for (data::Field& field : fields) {
    const data::Field* now = find_field(found, field.name);
    if (now != nullptr) field.type = type_after(field.type, now->type);
  }
  for (const data::Field& field : found) {
    if (find_field(before, field.name) == nullptr) fields.push_back(field);
  }
  return fields;
}

data::Type type_after(const data::Type& before, const data::Type& found) {
  if (found.kind == data::TypeKind::string) return before;
  if (found.kind != before.kind || found.children.empty()) return found;
  data::Type type = found;
  type.children = fields_after(before.children, found.children);
  return type;
}

}  // namespace

Result<std::optional<data::Schema>> found_types(const FlowState& state,
                                                std::int64_t generation,
                                                const std::string& source) {
  return kept_schema(*state.store(), path_of(state, generation, source));
}

Status keep_found_types(const FlowState& state, std::int64_t generation,
                        const std::string& source, const data::Schema& types) {
  return keep_schema(*state.store(), path_of(state, generation, source), types);
}

data::Schema types_after(const data::Schema& before, const data::Schema& found) {
  return {fields_after(before.fields, found.fields)};
}

}  // namespace lakemill::flow
