#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/catalog/table_name.h"
#include "lakemill/delta/table_provider.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::catalog {

/// Where tables are.
struct CatalogPlaces {
  std::string root;  ///< an absolute folder or a URL
  /// Roots of their own, by schema: how a layer gets one.
  std::map<std::string, std::string> schema_roots;
  NameDefaults defaults{"main", "default"};
};

/// Names to tables and views, by a tree of folders:
///
///   <root>/<catalog>/<schema>/<table>/            a Delta table
///   <root>/<catalog>/<schema>/_views/<name>.sql   a view: the text of its query
///   <root>/<catalog>/<schema>/_dropped/<table>    a drop that is under way (drop.h)
///
/// A folder is a catalog, a schema or a table by what is in it; there is no registry
/// that could disagree with it. Borrows stores and format, which must outlive it and
/// every table it opened.
///
/// Thread-safety: concurrent calls are allowed.
class Catalog final : public delta::TableProvider {
 public:
  Catalog(CatalogPlaces places, storage::StoreProvider& stores,
          delta::CheckpointFormat& format);
  ~Catalog() override;

  /// parse_table_name with the catalog's own defaults.
  Result<TableName> resolve(std::string_view text) const;

  /// Where a table of that name is or would be. The names are taken as checked
  /// (parse_table_name does).
  std::string url_of(const TableName& name) const;

  /// The table of that name, the same one each time, so that its snapshot moves
  /// forward instead of being read anew. One that does not exist yet is opened too:
  /// Table::latest() then says not_found. Ends a drop that did not end.
  /// Errors: those of the store and of check_name.
  Result<std::shared_ptr<delta::Table>> open(const TableName& name);
  /// Likewise for a table by its place.
  Result<std::shared_ptr<delta::Table>> open_url(std::string_view url) override;

  Result<bool> table_exists(const TableName& name);

  /// Sorted. A catalog has a schema, a schema has a table or a view.
  Result<std::vector<std::string>> list_catalogs();
  Result<std::vector<std::string>> list_schemas(const std::string& catalog);
  Result<std::vector<std::string>> list_tables(const std::string& catalog,
                                               const std::string& schema);

  /// Removes a table and its files; see drop.h for what a crash leaves. Errors:
  /// not_found (naming the table that may have been meant), and those of drop.h.
  Status drop_table(const TableName& name);
  /// Likewise for a table by its place.
  Status drop_url(std::string_view url);

  /// Keeps the query of a view, replacing one that was there.
  /// Errors: invalid (empty, or a table has that name), those of the store.
  Status put_view(const TableName& name, std::string_view sql);
  /// Errors: not_found (naming the view that may have been meant).
  Result<std::string> get_view(const TableName& name);
  /// Sorted.
  Result<std::vector<std::string>> list_views(const std::string& catalog,
                                              const std::string& schema);
  /// Errors: not_found.
  Status drop_view(const TableName& name);

 private:
  const std::string& root_of(const std::string& schema) const;
  std::string schema_url(const std::string& catalog, const std::string& schema) const;
  Result<std::shared_ptr<storage::ObjectStore>> schema_store(const std::string& catalog,
                                                             const std::string& schema);
  Error no_such(std::string_view kind, const TableName& name,
                const Result<std::vector<std::string>>& there) const;
  void forget(const std::string& url);

  const CatalogPlaces places_;
  storage::StoreProvider& stores_;
  delta::CheckpointFormat& format_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<delta::Table>> open_;  // by URL; by mutex_
};

}  // namespace lakemill::catalog
