// What the columns of raw files are called and of which type they are known to be.

#include "lakemill/engine_duckdb/files_columns.h"

#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/type_mapping.h"

namespace lakemill::engine_duckdb {

using duckdb::LogicalType;
using engine::FilesRelation;

namespace {

// A field of the files that cannot have a column of its own: it is rescued as others.
bool is_rescued_name(const FilesPlan& plan, const std::string& name) {
  return plan.relation.rescue && equals_ignoring_case(name, kRescuedColumn);
}

Result<std::optional<LogicalType>> type_in(const std::optional<data::Schema>& schema,
                                           const std::string& name) {
  const data::Field* field = schema ? schema->find(name) : nullptr;
  if (field == nullptr) return std::optional<LogicalType>();
  LAKEMILL_TRY(LogicalType type, to_duckdb(field->type));
  return std::optional<LogicalType>(std::move(type));
}

}  // namespace

Error file_error(const std::string& url, const std::string& what) {
  return {ErrorCode::invalid, "file " + url + ": " + what};
}

void group_all(FilesPlan& plan, std::vector<SourceColumn> columns) {
  if (plan.relation.files.empty()) return;
  plan.groups.push_back({0, plan.relation.files.size(), std::move(columns)});
}

Result<std::optional<LogicalType>> known_type(const FilesPlan& plan,
                                              const std::string& name) {
  return type_in(plan.relation.known_types, name);
}

Result<QueryColumns> columns_before(DuckdbSession& session, FilesPlan& plan) {
  if (plan.before) return *plan.before;
  plan.before = QueryColumns();
  if (!plan.relation.files_before) return *plan.before;
  FilesRelation before = plan.relation;
  before.files_before = {};
  LAKEMILL_TRY(before.files, plan.relation.files_before());
  if (before.files.empty()) return *plan.before;
  LAKEMILL_TRY(const FilesPlan planned, plan_files(session, before));
  for (std::size_t i = 0; i < planned.columns.names.size(); ++i) {
    if (planned.only_nulls.contains(planned.columns.names[i])) continue;
    plan.before->names.push_back(planned.columns.names[i]);
    plan.before->types.push_back(planned.columns.types[i]);
  }
  return *plan.before;
}

Result<std::optional<LogicalType>> type_of_nulls(DuckdbSession& session,
                                                 FilesPlan& plan,
                                                 const std::string& name) {
  LAKEMILL_TRY(auto known, known_type(plan, name));
  if (known) return known;
  LAKEMILL_TRY(const QueryColumns before, columns_before(session, plan));
  for (std::size_t i = 0; i < before.names.size(); ++i) {
    if (equals_ignoring_case(before.names[i], name)) {
      return std::optional<LogicalType>(before.types[i]);
    }
  }
  return type_in(plan.relation.remembered_types, name);
}

std::optional<LogicalType> wanted_type(const FilesPlan& plan, const std::string& name) {
  for (std::size_t i = 0; i < plan.columns.names.size(); ++i) {
    if (equals_ignoring_case(plan.columns.names[i], name)) return plan.columns.types[i];
  }
  return std::nullopt;
}

Status set_schema(FilesPlan& plan, const data::Schema& schema) {
  for (const data::Field& field : schema.fields) {
    if (field.name == kRescuedColumn && plan.relation.rescue) continue;
    LAKEMILL_TRY(LogicalType type, to_duckdb(field.type));
    plan.columns.names.push_back(field.name);
    plan.columns.types.push_back(std::move(type));
  }
  return {};
}

void unite_columns(FilesPlan& plan) {
  for (const FileGroup& group : plan.groups) {
    for (const SourceColumn& column : group.columns) {
      if (wanted_type(plan, column.name) || is_rescued_name(plan, column.name))
        continue;
      plan.columns.names.push_back(column.name);
      plan.columns.types.push_back(column.type);
    }
  }
}

Status refuse_extra_columns(const FilesPlan& plan) {
  for (const FileGroup& group : plan.groups) {
    bool any = group.columns.empty();
    for (const SourceColumn& column : group.columns) {
      const bool known = wanted_type(plan, column.name).has_value();
      any = any || known;
      if (known || plan.relation.rescue) continue;
      return file_error(plan.relation.files[group.first].url,
                        "column " + column.name +
                            " is not in the schema; add it there, or keep what does "
                            "not fit in _rescued (schema_evolution: RESCUE)");
    }
    if (!any && !plan.relation.rescue) {
      return file_error(plan.relation.files[group.first].url,
                        "it has none of the columns of the schema");
    }
  }
  return {};
}

}  // namespace lakemill::engine_duckdb
