#include "lakemill/app/catalog_tables.h"

#include <algorithm>

#include "lakemill/base/folder_name.h"

namespace lakemill::app {

namespace {

using engine_duckdb::NamedTable;
using engine_duckdb::TableId;

class CatalogTables final : public engine_duckdb::NamedTables {
 public:
  explicit CatalogTables(catalog::Catalog& catalog) : catalog_(catalog) {}

  Result<NamedTable> open(const TableId& id) override {
    const catalog::TableName name{id.catalog, id.schema, id.table};
    for (const std::string& part : {id.catalog, id.schema, id.table}) {
      LAKEMILL_TRY_OK(check_folder_name(part));
    }
    LAKEMILL_TRY(const bool is_table, catalog_.table_exists(name));
    if (is_table) {
      LAKEMILL_TRY(auto table, catalog_.open(name));
      return NamedTable{std::move(table), ""};
    }
    LAKEMILL_TRY(std::string sql, catalog_.get_view(name));
    return NamedTable{nullptr, std::move(sql)};
  }

  Result<std::vector<TableId>> list() override {
    std::vector<TableId> ids;
    LAKEMILL_TRY(const auto catalogs, catalog_.list_catalogs());
    for (const std::string& catalog : catalogs) {
      LAKEMILL_TRY(const auto schemas, catalog_.list_schemas(catalog));
      for (const std::string& schema : schemas) {
        LAKEMILL_TRY(auto names, catalog_.list_tables(catalog, schema));
        LAKEMILL_TRY(const auto views, catalog_.list_views(catalog, schema));
        names.insert(names.end(), views.begin(), views.end());
        std::sort(names.begin(), names.end());
        for (const std::string& name : names) ids.push_back({catalog, schema, name});
      }
    }
    return ids;
  }

  Result<std::shared_ptr<delta::Table>> open_folder(const std::string& url) override {
    return catalog_.open_url(url);
  }

 private:
  catalog::Catalog& catalog_;
};

}  // namespace

std::shared_ptr<engine_duckdb::NamedTables> make_catalog_tables(
    catalog::Catalog& catalog) {
  return std::make_shared<CatalogTables>(catalog);
}

}  // namespace lakemill::app
