#include "lakemill/dml/held_rows.h"

namespace lakemill::dml {
namespace {

void allow_nulls_below(data::Type& type) {
  for (data::Field& child : type.children) {
    child.nullable = true;
    allow_nulls_below(child.type);
  }
}

}  // namespace

engine::TableFilesTarget held_rows_target(const delta::Table& table,
                                          const delta::Metadata& metadata,
                                          const FileLayout& layout) {
  engine::TableFilesTarget target = files_target(table, metadata, layout);
  for (data::Field& field : target.schema.fields) {
    allow_nulls_below(field.type);
    field.metadata.erase(std::string(kCharacterType));
  }
  return target;
}

}  // namespace lakemill::dml
