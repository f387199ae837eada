#include "lakemill/flow/named_tables.h"

#include "lakemill/base/text.h"

namespace lakemill::flow {

namespace {

bool is_place(const std::string& relation) {
  return relation.starts_with('/') || relation.find("://") != std::string::npos;
}

}  // namespace

Result<std::shared_ptr<delta::Table>> table_in_sql(const Workspace& workspace,
                                                   const std::string& relation) {
  if (is_place(relation)) return workspace.catalog.open_url(relation);
  const auto name = workspace.catalog.resolve(relation);
  if (!name) return std::shared_ptr<delta::Table>();
  LAKEMILL_TRY(const bool exists, workspace.catalog.table_exists(*name));
  if (!exists) return std::shared_ptr<delta::Table>();
  return workspace.catalog.open(*name);
}

Result<std::map<std::string, std::int64_t>> newest_versions(
    const Workspace& workspace, const std::vector<std::string>& relations) {
  std::map<std::string, std::int64_t> versions;
  for (const std::string& relation : relations) {
    if (!is_place(relation) && split(relation, '.').size() != 3) continue;
    LAKEMILL_TRY(const auto table, table_in_sql(workspace, relation));
    if (table == nullptr) continue;
    LAKEMILL_TRY(const auto snapshot, table->latest());
    versions[relation] = snapshot->version();
  }
  return versions;
}

}  // namespace lakemill::flow
